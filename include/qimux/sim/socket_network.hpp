// The network of the machine itself: the module's sockets are real sockets, their far ends chosen by a map.
#pragma once

#include "qimux/async/uv_loop.hpp"
#include "qimux/sim/network.hpp"
#include "qimux/sim/timeline.hpp"

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace qimux::sim {

class IcmpEcho;
class Lookups;
class UdpHub;

class SocketNetwork final : public Network {
 public:
  struct Config {
    // Connects to `range` go to `to`, same port; the first that fits. Without one the address is used as it
    // is.
    struct Mapping {
      Cidr range;
      Ipv4 to;
    };
    std::vector<Mapping> mappings;
    // Lower case names; what is not here does not exist.
    std::map<std::string, std::vector<Ipv4>, std::less<>> hosts;
    // Never answer.
    std::vector<Cidr> black_holes;
    // Names that are not in `hosts` are asked from the machine's resolver.
    bool use_resolver = false;
    // The address of this machine on which listen() waits; without one nobody gets in.
    std::optional<Ipv4> inbound;
    // Bytes that the kernel keeps of a TCP stream beside those in the module.
    int kernel_receive_buffer = 8192;
  };

  SocketNetwork(async::UvLoop& loop, Config config);
  ~SocketNetwork() override;

  std::unique_ptr<Socket> open(Protocol protocol, Endpoint remote, SocketEvents& events) override;
  // Real listening sockets; see Config::inbound.
  std::unique_ptr<Listener> listen(Protocol protocol, std::uint16_t port, ListenerEvents& events) override;
  void resolve(const std::string& host, Resolved done) override;
  // What is mapped or an answer of `hosts` answers at once: who gave it says that it is there. A black hole
  // never does. All others are asked, where this machine lets us.
  void ping(Ipv4 address, async::Duration limit, Echoed done) override;

 private:
  bool isBlackHole(Ipv4 address) const;
  Endpoint mapped(Endpoint remote) const;
  bool isSaidToBeThere(Ipv4 address) const;

  async::UvLoop& loop_;
  Config config_;
  std::shared_ptr<int> alive_;
  // By port. One outlives its listener while sockets of it live.
  std::map<std::uint16_t, std::weak_ptr<UdpHub>> hubs_;
  std::unique_ptr<Lookups> lookups_;
  std::list<std::unique_ptr<IcmpEcho>> echoes_;
  Timeline later_;
};

}  // namespace qimux::sim
