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

bridge::LinkOptions linkOptions() {
  bridge::LinkOptions link;
  link.module.apn = "internet";
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
      network_(loop_),
      uart_(
          loop_, options_.baud, [this](ByteView bytes) { module_.fromHost(bytes); },
          [this](ByteView bytes) { toHost(bytes); }),
      module_(loop_, moduleOptions(options_), network_, moduleHost(),
              options_.transcript ? sim::Transcript::Sink(options_.transcript) : sim::Transcript::Sink()),
      multiplexer_(loop_, multiplexerOptions(options_)),
      link_(loop_, multiplexer_, linkOptions(), [this] { return openPort(); }),
      faults_(loop_) {
  link_.onChange([this](bridge::LinkState state) { note(fmt::format("link {}", name(state))); });
}

World::~World() = default;

sim::Module::Host World::moduleHost() {
  sim::Module::Host host;
  host.write = [this](ByteView bytes) { uart_.fromModule(bytes); };
  host.baud = [this](unsigned baud) { uart_.setBaud(baud); };
  return host;
}

Result<std::unique_ptr<serial::Port>> World::openPort() {
  if (!plugged_) return std::unexpected(Error{ErrorKind::System, "port", "No such file or directory"});
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

void World::toHost(ByteView bytes) {
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
