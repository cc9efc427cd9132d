// The daemon's cores and a simulated module with a network behind it, in one process on one virtual clock:
//
//   Multiplexer -- Link -- Channel -- WirePort == Uart == sim::Module -- VirtualNetwork
#pragma once

#include "qimux/async/virtual_loop.hpp"
#include "qimux/bridge/link.hpp"
#include "qimux/bridge/multiplexer.hpp"
#include "qimux/sim/fault.hpp"
#include "qimux/sim/module.hpp"
#include "qimux/sim/uart.hpp"
#include "qimux/sim/virtual_network.hpp"
#include "sim/dice.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace qimux::simtest {

using namespace std::chrono_literals;

struct WorldOptions {
  sim::Options module;
  unsigned baud = 115200;  // 0: a line without a pace
  // The daemon gets what the module sends in pieces of random size.
  bool chunks = false;
  bridge::PoolLimits pool;
  bridge::SessionRules rules;
  std::uint64_t seed = 1;
  // EMERG_OFF is wired: a pulse of it starts the module anew, unless it has no power.
  bool reset_line = false;
  // Everything that happens, a line each. Empty: not spent on.
  std::function<void(std::string_view)> transcript;
};

// Destroyed before whoever observes its sessions; after it, the loop.
class World {
 public:
  World(async::VirtualLoop& loop, WorldOptions options);
  ~World();

  async::VirtualLoop& loop() { return loop_; }
  sim::VirtualNetwork& network() { return network_; }
  sim::Module& module() { return module_; }
  bridge::Multiplexer& multiplexer() { return multiplexer_; }
  bridge::Link& link() { return link_; }
  const WorldOptions& options() const { return options_; }

  // Starts the link and runs until it is online. False where it is not within `limit`.
  bool comeOnline(async::Duration limit = 5min);
  // Closes everything as at the daemon's end; false where that does not come to an end, or leaves a socket
  // open in the module.
  bool shutDown();

  // A fault of sim/fault.hpp, or unplug and replug, now or at a time from now on. One that does not fit the
  // moment does nothing.
  void fault(std::string_view line);
  void faultIn(async::Duration delay, std::string line);

  // The plug is pulled: the daemon's port is lost, and there is none to open. The module does not notice.
  void unplug();
  void plug() { plugged_ = true; }
  // The daemon holds a port open.
  bool held() const { return port_ != nullptr; }
  // Called behind everything that the daemon writes and behind everything that arrives at it.
  void onTraffic(std::function<void()> call) { traffic_ = std::move(call); }

  // Commands sent on the present channel.
  std::uint64_t commands() const;

  // What must not be. The first one is kept, all are written to the transcript.
  void violation(const std::string& what);
  const std::string& firstViolation() const { return violation_; }
  void note(std::string_view what);
  double seconds() const { return std::chrono::duration<double>(loop_.now().time_since_epoch()).count(); }

 private:
  class WirePort;
  Result<std::unique_ptr<serial::Port>> openPort();
  void toHost(ByteView bytes);
  void passed() {
    if (traffic_) traffic_();
  }
  ByteView heard(ByteView bytes);
  sim::Module::Host moduleHost();

  WorldOptions options_;
  Dice dice_;
  async::VirtualLoop& loop_;
  WirePort* port_ = nullptr;
  bool plugged_ = true;
  std::function<void()> traffic_;
  // Of the two ends of the line: what one sends the other hears as garbage where they differ.
  unsigned host_rate_;
  unsigned module_rate_;
  Bytes garbage_;
  sim::VirtualNetwork network_;
  sim::Uart uart_;
  sim::Module module_;
  bridge::Multiplexer multiplexer_;
  bridge::Link link_;
  sim::Timeline faults_;
  std::string violation_;
};

// 10.0.<id / 250>.<1 + id % 250>, port 1000 + id: one for each far end.
net::Endpoint endpointOf(int id);
sim::Endpoint simEndpoint(net::Endpoint endpoint);

}  // namespace qimux::simtest
