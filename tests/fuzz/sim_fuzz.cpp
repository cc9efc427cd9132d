// Any bytes typed at the whole simulated module, while time passes, far ends send, close and knock, and
// faults strike: it does not fall over, says no more than there is reason to, and in the end AT gets its OK
// again.
#include "qimux/async/virtual_loop.hpp"
#include "qimux/sim/fault.hpp"
#include "qimux/sim/module.hpp"
#include "qimux/sim/virtual_network.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

using namespace qimux;
using namespace qimux::sim;
using namespace std::chrono_literals;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

constexpr Ipv4 kServer{0xc6336407};  // 198.51.100.7, as in the corpus
constexpr Endpoint kQuiet{kServer, 2000};
constexpr Endpoint kEcho{kServer, 7};
constexpr Ipv4 kNote{0x7c4fa779};  // 124.79.167.121

constexpr std::array kFaults{
    "pdp-deact",   "pdp-deact 1",  "close 0",       "close 2",      "reset 0",         "dead 2",
    "reboot",      "hang 3",       "silence 1",     "stall 5",      "noise 0.05",      "noise 0",
    "lose-prompt", "lose-send-ok", "lose-urc 3",    "connect-fail", "connect-hang",    "connect-delay 10",
    "power-off",   "power-on",     "name-fail",     "deregister",   "register",        "urc RING",
    "close s0",    "reset s1",     "send-fail 0 2", "dead s0",      "activation-fail", "dead 0"};

// What is known of far ends, which come and go.
struct World {
  VirtualPeer* last = nullptr;
  std::size_t sent = 0;
};

class Far final : public VirtualPeer {
 public:
  Far(World& world, bool echoes) : world_(world), echoes_(echoes) { world_.last = this; }
  ~Far() override {
    if (world_.last == this) world_.last = nullptr;
  }
  void received(ByteView bytes) override {
    if (!echoes_) return;
    world_.sent += bytes.size();
    send(bytes);
  }

 private:
  World& world_;
  bool echoes_;
};

// The first bytes of the input choose the module; then what is typed, with actions behind a byte 0.
class Run {
 public:
  explicit Run(ByteView input) : rest_(input), network_(loop_), module_(loop_, options(), network_, host()) {
    for (const auto protocol : {Protocol::Tcp, Protocol::Udp}) {
      serve(protocol, kQuiet, false);
      serve(protocol, kEcho, true);
      serve(protocol, {kNote, 7007}, false);
    }
    network_.addHost("www.google.com", {kServer, kNote});
    network_.blackHole(*parseCidr("203.0.113.0/24"));
  }

  void play() {
    while (!rest_.empty()) {
      const Byte byte = next();
      if (byte == 0) {
        act();
        continue;
      }
      line_.push_back(byte);
      // A line is typed in one piece, and its answer awaited as by anybody.
      if (byte != '\r') continue;
      type();
      loop_.runFor(30ms);
    }
    type();
  }

  void checkSaid() {
    // A list of messages is the longest answer to the shortest command.
    require(said_ <= 16384 + 2048 * typed_ + 8 * world_.sent + 1024 * actions_);
  }

  void checkComesBack() {
    quiet();
    for (int attempt = 0; attempt < 5; ++attempt) {
      heard_.clear();
      module_.fromHost(bytesOf("AT\r"));
      loop_.runFor(5s);
      if (heard_.ends_with("\r\nOK\r\n")) return;
    }
    require(false);
  }

 private:
  Byte next() {
    if (rest_.empty()) return 0;
    const Byte byte = rest_.front();
    rest_ = rest_.subspan(1);
    return byte;
  }

  Options options() {
    Options options;
    options.firmware = static_cast<Firmware>(next() % 3);
    const Byte flags = next();
    options.power_on = (flags & 1) != 0;
    options.autobaud = (flags & 2) != 0;
    if ((flags & 4) != 0) options.pin = "1234";
    options.no_sim = (flags & 8) != 0;
    if ((flags & 16) != 0) options.command_latency = 0ms;
    if ((flags & 32) != 0) options.rtt = 700ms;
    if ((flags & 64) != 0) options.rate = 5000;
    if ((flags & 128) != 0) options.receive_buffer = 2048;
    // So many quirks, each a byte.
    for (int count = next() % 8; count > 0; --count) {
      options.quirks.add(static_cast<Quirk>(next() % static_cast<unsigned>(Quirk::Count)));
    }
    return options;
  }

  Module::Host host() {
    Module::Host host;
    host.write = [this](ByteView bytes) {
      said_ += bytes.size();
      heard_ += textOf(bytes);
      if (heard_.size() > 4096) heard_.erase(0, heard_.size() - 1024);
    };
    return host;
  }

  void serve(Protocol protocol, Endpoint at, bool echoes) {
    auto make = [this, echoes] { return std::make_unique<Far>(world_, echoes); };
    if (protocol == Protocol::Tcp) {
      network_.serveTcp(at, std::move(make));
    } else {
      network_.serveUdp(at, std::move(make));
    }
  }

  void type() {
    typed_ += line_.size();
    module_.fromHost(line_);
    line_.clear();
  }

  void act() {
    type();
    ++actions_;
    const Byte what = next();
    const Byte how = next();
    switch (what % 8) {
      case 0:
        line_.push_back(how);
        break;
      case 1:
        loop_.runFor(async::Duration(async::Duration::rep{1} << how % 28));
        break;
      case 2:
        send(std::string(std::size_t{how} * 16 + 1, 'x'));
        break;
      case 3:
        send("\r\nOK\r\n0, CLOSED\r\n> +++");
        break;
      case 4:
        endFar(how);
        break;
      case 5:
        (void)runFault(module_, kFaults[how % kFaults.size()]);
        break;
      case 6:
        (void)network_.call(how % 2 == 0 ? Protocol::Tcp : Protocol::Udp, how % 4 < 2 ? 2020 : 3030,
                            {Ipv4{0x0a4f8d1a}, static_cast<std::uint16_t>(1000 + how)},
                            std::make_unique<Far>(world_, how % 8 == 0));
        break;
      default:
        module_.lines().setDtr(how % 2 == 0);
        break;
    }
  }

  void send(std::string_view text) {
    if (world_.last == nullptr) return;
    world_.sent += text.size();
    world_.last->send(bytesOf(text));
  }

  void endFar(Byte how) {
    if (world_.last == nullptr) return;
    if (how % 3 == 0) world_.last->close();
    if (how % 3 == 1) world_.last->reset();
    if (how % 3 == 2) world_.last->setRoom(how);
  }

  // What a host does that knows nothing of where the module is.
  void quiet() {
    (void)runFault(module_, "noise 0");
    module_.lines().setDtr(true);
    if (!module_.powered()) (void)runFault(module_, "power-on");
    // XON; the rest of any block; the ends of others; the way out of data mode.
    module_.fromHost(bytesOf("\x11"));
    loop_.runFor(3min);
    module_.fromHost(bytesOf(std::string(1460, '\x1b') + "\x1a"));
    loop_.runFor(3min);
    module_.fromHost(bytesOf("+++"));
    loop_.runFor(1s);
    // A session that forbids +++ ends only with its context.
    for (const char* lost : {"pdp-deact", "pdp-deact 1"}) (void)runFault(module_, lost);
    module_.fromHost(bytesOf("\r"));
    loop_.runFor(3min);
    for (int i = 0; i < 2; ++i) {
      module_.fromHost(bytesOf("ATQ0E0V1\r"));
      loop_.runFor(3min);
    }
  }

  ByteView rest_;
  Bytes line_;
  std::size_t typed_ = 0;
  std::size_t said_ = 0;
  std::size_t actions_ = 0;
  std::string heard_;
  World world_;
  async::VirtualLoop loop_;
  VirtualNetwork network_;
  Module module_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Run run(ByteView(data, size));
  run.play();
  run.checkSaid();
  run.checkComesBack();
  return 0;
}
