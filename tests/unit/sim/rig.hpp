// A module on the virtual clock, and a host that is the test.
#pragma once

#include "qimux/async/virtual_loop.hpp"
#include "qimux/sim/fault.hpp"
#include "qimux/sim/module.hpp"
#include "qimux/sim/virtual_network.hpp"
#include "shown.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace qimux::sim::test {

using namespace std::chrono_literals;

inline constexpr Ipv4 kServer{0xc6336407};  // 198.51.100.7
inline constexpr Endpoint kEcho{kServer, 7};
inline constexpr Endpoint kQuiet{kServer, 2000};

// Sends back what it gets.
struct Echo final : VirtualPeer {
  void received(ByteView bytes) override { send(bytes); }
};

// What a test knows of a far end that it steers by hand; lives longer than the far end.
struct Seen {
  VirtualPeer* peer = nullptr;
  std::string received;
  std::vector<std::string> datagrams;
  bool ended = false;
  bool was_reset = false;
};

class Steered final : public VirtualPeer {
 public:
  explicit Steered(std::shared_ptr<Seen> seen) : seen_(std::move(seen)) { seen_->peer = this; }
  ~Steered() override { seen_->peer = nullptr; }
  void received(ByteView bytes) override {
    seen_->received += textOf(bytes);
    seen_->datagrams.emplace_back(textOf(bytes));
  }
  void ended(bool reset) override {
    seen_->ended = true;
    seen_->was_reset = reset;
  }

 private:
  std::shared_ptr<Seen> seen_;
};

struct Rig {
  explicit Rig(Options options = {})
      : network(loop), module(loop, std::move(options), network, host(), {[this](std::string_view line) {
                                transcript += line;
                                transcript += '\n';
                                witness.line(line);
                              }}) {
    for (const auto& one : quirks()) {
      if (module.quirk(one.quirk)) Shown::instance().ran(std::string(one.name));
    }
    network.serveTcp(kEcho, [] { return std::make_unique<Echo>(); });
    network.serveUdp(kEcho, [] { return std::make_unique<Echo>(); });
    network.serveTcp(kQuiet, [this] { return std::make_unique<Steered>(seen); });
    network.serveUdp(kQuiet, [this] { return std::make_unique<Steered>(seen); });
  }

  Module::Host host() {
    Module::Host result;
    result.write = [this](ByteView bytes) {
      heard += textOf(bytes);
      pieces.emplace_back(textOf(bytes));
    };
    result.lines = [this](bool dcd, bool ri) { lines.emplace_back(dcd, ri); };
    result.backlog = [this] { return backlog; };
    result.hold = [this](bool held) { host_held = held; };
    result.baud = [this](unsigned rate) { baud = rate; };
    return result;
  }

  void type(std::string_view text) { module.fromHost(bytesOf(text)); }
  // What the module has said since the last call, after `span`.
  std::string after(async::Duration span) {
    loop.runFor(span);
    return std::exchange(heard, {});
  }
  // Types a line, and what is said within a tenth of a second.
  std::string say(std::string_view line, async::Duration span = 100ms) {
    type(std::string(line) + "\r");
    return after(span);
  }
  // Echoes off, six sockets, a context.
  void bringUp(int indi = 1) {
    say("ATE0");
    say("AT+QIMUX=1");
    say("AT+QINDI=" + std::to_string(indi));
    say("AT+QISDE=0");
    say("AT+QIREGAPP");
    say("AT+QIACT", 1s);
    say("AT+QILOCIP");
  }
  std::string open(int index, Endpoint remote, std::string_view protocol = "TCP",
                   async::Duration span = 100ms) {
    return say("AT+QIOPEN=" + std::to_string(index) + ",\"" + std::string(protocol) + "\",\"" +
                   text(remote.address) + "\"," + std::to_string(remote.port),
               span);
  }
  std::string send(int index, std::string_view data) {
    const std::string prompt = say("AT+QISEND=" + std::to_string(index) + "," + std::to_string(data.size()));
    if (!prompt.ends_with("> ")) return prompt;
    type(data);
    return after(100ms);
  }
  std::string read(int index, int most = 1500) {
    return say("AT+QIRD=0,1," + std::to_string(index) + "," + std::to_string(most));
  }
  bool fault(std::string_view line) { return runFault(module, line).has_value(); }

  async::VirtualLoop loop;
  VirtualNetwork network;
  std::shared_ptr<Seen> seen = std::make_shared<Seen>();
  std::string transcript;
  Witness witness;
  std::string heard;
  std::vector<std::string> pieces;
  // DCD and RI, at each change.
  std::vector<std::pair<bool, bool>> lines;
  unsigned baud = 0;
  bool host_held = false;
  // What the test claims to have not yet read.
  std::size_t backlog = 0;
  Module module;
};

inline Options withQuirk(Quirk quirk, Firmware firmware = Firmware::Mc60) {
  Options options;
  options.firmware = firmware;
  options.quirks.add(quirk);
  return options;
}

}  // namespace qimux::sim::test
