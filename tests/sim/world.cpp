#include "sim/world.hpp"

#include "qimux/base/log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace qimux::simtest {

// The daemon's end of the line, as long as it holds it open.
class World::WirePort final : public serial::Port {
 public:
  explicit WirePort(World& world) : world_(world) { world_.port_ = this; }
  WirePort(const WirePort&) = delete;
  WirePort& operator=(const WirePort&) = delete;
  ~WirePort() override {
    if (world_.port_ == this) world_.port_ = nullptr;
  }

  Result<void> write(ByteView bytes) override {
    if (world_.uart_.queuedFromHost() + bytes.size() > kWriteBound) {
      return std::unexpected(Error{ErrorKind::Full, "port", "takes nothing any more"});
    }
    if (world_.options_.transcript)
      world_.note("daemon writes " + printable(textOf(bytes.first(std::min<std::size_t>(bytes.size(), 60)))));
    if (!world_.plugged_) return std::unexpected(Error{ErrorKind::Closed, "port", "is gone"});
    world_.uart_.fromHost(bytes);
    world_.passed();
    return {};
  }
  Result<void> setLine(serial::ModemLine, bool) override { return {}; }
  Result<void> setRate(int baud) override {
    if (world_.options_.baud != 0) world_.host_rate_ = static_cast<unsigned>(baud);
    return {};
  }
  void arrive(ByteView bytes) { deliver(bytes); }
  void lose() { reportLost(Error{ErrorKind::System, "poll", "Input/output error"}); }

 private:
  World& world_;
};

namespace {

bridge::MultiplexerOptions multiplexerOptions(const WorldOptions& options) {
  bridge::MultiplexerOptions mux;
  mux.pool = options.pool;
  mux.session = options.rules;
  if (options.baud > 0) mux.line_rate = options.baud / 10;
  return mux;
}

async::Task<Result<void>> pulse(sim::Module& module) {
  if (module.powered()) module.reboot();
  co_return Result<void>();
}

bridge::LinkOptions linkOptions(const WorldOptions& options, sim::Module& module) {
  bridge::LinkOptions link;
  link.module.apn = "internet";
  if (options.baud > 0) link.baud = static_cast<int>(options.baud);
  if (options.reset_line) link.reset_line = [&module](serial::Port&) { return pulse(module); };
  return link;
}

sim::Options moduleOptions(const WorldOptions& options) {
  sim::Options module = options.module;
  module.baud = options.baud == 0 ? 115200 : options.baud;
  module.seed = options.seed;
  return module;
}

}  // namespace

World::World(async::VirtualLoop& loop, WorldOptions options)
    : options_(std::move(options)),
      dice_(options_.seed),
      loop_(loop),
      host_rate_(options_.baud),
      module_rate_(options_.baud),
      network_(loop_),
      uart_(
          loop_, options_.baud, [this](ByteView bytes) { module_.fromHost(heard(bytes)); },
          [this](ByteView bytes) { toHost(bytes); }),
      module_(loop_, moduleOptions(options_), network_, moduleHost(),
              options_.transcript ? sim::Transcript::Sink(options_.transcript) : sim::Transcript::Sink()),
      multiplexer_(loop_, multiplexerOptions(options_)),
      link_(loop_, multiplexer_, linkOptions(options_, module_), [this] { return openPort(); }),
      faults_(loop_) {
  link_.onChange([this](bridge::LinkState state) { note(fmt::format("link {}", name(state))); });
}

World::~World() = default;

sim::Module::Host World::moduleHost() {
  sim::Module::Host host;
  host.write = [this](ByteView bytes) { uart_.fromModule(bytes); };
  host.baud = [this](unsigned baud) {
    module_rate_ = baud;
    uart_.setBaud(baud);
  };
  return host;
}

Result<std::unique_ptr<serial::Port>> World::openPort() {
  if (!plugged_) return std::unexpected(Error{ErrorKind::System, "port", "No such file or directory"});
  host_rate_ = options_.baud;
  return std::make_unique<WirePort>(*this);
}

// As an edge reports it: from the loop.
void World::unplug() {
  note("unplugged");
  plugged_ = false;
  loop_.post([this] {
    if (port_ != nullptr) port_->lose();
  });
}

// A module that finds its rate out by itself hears any.
ByteView World::heard(ByteView bytes) {
  if (host_rate_ == module_rate_ || host_rate_ == 0 || module_rate_ == 0) return bytes;
  garbage_.clear();
  for (const Byte byte : bytes) garbage_.push_back(static_cast<Byte>(byte * 37 | 0x80));
  return garbage_;
}

void World::toHost(ByteView bytes) {
  bytes = heard(bytes);
  while (port_ != nullptr && plugged_ && !bytes.empty()) {
    const std::size_t size =
        options_.chunks ? std::min<std::size_t>(dice_.size(1, 200), bytes.size()) : bytes.size();
    port_->arrive(bytes.first(size));
    bytes = bytes.subspan(size);
    passed();
  }
}

bool World::comeOnline(async::Duration limit) {
  link_.start();
  return loop_.runUntil([this] { return link_.state() == bridge::LinkState::Online; }, limit);
}

bool World::shutDown() {
  bool stopped = false;
  link_.stop(10s, [&stopped] { stopped = true; });
  if (!loop_.runUntil([&stopped] { return stopped; }, 15s)) return false;
  for (int index = 0; index < sim::kSockets; ++index) {
    if (module_.stack().client(index).state == sim::SlotState::Connected) return false;
  }
  return true;
}

void World::fault(std::string_view line) {
  if (line == "unplug") return unplug();
  if (line == "replug") return plug();
  const auto done = sim::runFault(module_, line);
  if (!done) note(fmt::format("fault does nothing: {}", done.error().text()));
}

void World::faultIn(async::Duration delay, std::string line) {
  faults_.in(delay, [this, line = std::move(line)] { fault(line); });
}

std::uint64_t World::commands() const {
  const auto* channel = link_.channel();
  return channel == nullptr ? 0 : channel->counters().commands;
}

void World::violation(const std::string& what) {
  note("VIOLATION " + what);
  if (violation_.empty()) violation_ = fmt::format("at {:.6f}: {}", seconds(), what);
}

void World::note(std::string_view what) {
  if (options_.transcript) options_.transcript(fmt::format("{:10.6f} == {}", seconds(), what));
}

net::Endpoint endpointOf(int id) {
  const auto number = static_cast<std::uint32_t>(id);
  return net::Endpoint{0x0a000000u + (number / 250) * 256 + 1 + number % 250,
                       static_cast<std::uint16_t>(1000 + id)};
}

sim::Endpoint simEndpoint(net::Endpoint endpoint) {
  return sim::Endpoint{sim::Ipv4{endpoint.address}, endpoint.port};
}

}  // namespace qimux::simtest
