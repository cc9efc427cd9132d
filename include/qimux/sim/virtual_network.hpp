// A network made of objects: the far ends are scripted in the test's own process, on its clock.
//
//   sim::VirtualNetwork network(loop);
//   network.serveTcp({server_address, 80}, [&] { return std::make_unique<Echo>(); });
//   struct Echo : sim::VirtualPeer { void received(ByteView bytes) override { send(bytes); } };
//
// What nobody serves refuses connects; datagrams to nobody are lost. Nothing here takes time: rtt and rate
// are the module's options.
#pragma once

#include "qimux/async/loop.hpp"
#include "qimux/sim/byte_queue.hpp"
#include "qimux/sim/network.hpp"
#include "qimux/sim/timeline.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace qimux::sim {

class VirtualDoor;
class VirtualLink;

// The far end of one connection, or of one UDP socket of the module. Made when the module connects, or given
// to call(); destroyed when both sides are done with it. Calls come from the loop.
class VirtualPeer {
 public:
  virtual ~VirtualPeer() = default;

  virtual void connected() {}
  // TCP: some bytes. UDP: one datagram.
  virtual void received(ByteView) {}
  // The module has closed, behind all that it sent; with `reset`, by a reset at once. No call follows.
  virtual void ended(bool /*reset*/) {}

  // TCP: the module takes it as its window allows. UDP: one datagram.
  void send(ByteView bytes);
  // The end of the data, behind what was sent.
  void close();
  // At once; what the module has not taken is lost.
  void reset();
  // Nothing passes any more in either direction, and nobody is told: switched off, or forgotten by an
  // operator.
  void vanish();
  // How many bytes more it takes and acknowledges: 0 is a window that is closed.
  // Unlimited at first.
  void setRoom(std::uint64_t bytes);
  static constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();
  // Sent and not yet taken by the module.
  std::size_t pending() const;

 private:
  friend class VirtualLink;
  VirtualLink* link_ = nullptr;
  std::uint64_t room_ = kUnlimited;
};

class VirtualNetwork final : public Network {
 public:
  // Makes the far end of the next connection; none refuses it.
  using MakePeer = std::move_only_function<std::unique_ptr<VirtualPeer>()>;

  explicit VirtualNetwork(async::Loop& loop);
  ~VirtualNetwork() override;

  void serveTcp(Endpoint at, MakePeer make) { tcp_.insert_or_assign(at, std::move(make)); }
  void serveUdp(Endpoint at, MakePeer make) { udp_.insert_or_assign(at, std::move(make)); }
  // A far end comes by itself; its first datagram (UDP) is what it sends from connected() on. False, and it
  // is gone, where nobody listens or too many wait. ended(true) where the module refuses it.
  bool call(Protocol protocol, std::uint16_t port, Endpoint from, std::unique_ptr<VirtualPeer> peer);
  // Connects to it get no answer at all.
  void blackHole(Cidr range) { holes_.push_back(range); }
  void addHost(std::string name, std::vector<Ipv4> addresses) {
    hosts_.insert_or_assign(std::move(name), std::move(addresses));
  }

  std::unique_ptr<Socket> open(Protocol protocol, Endpoint remote, SocketEvents& events) override;
  std::unique_ptr<Listener> listen(Protocol protocol, std::uint16_t port, ListenerEvents& events) override;
  void resolve(const std::string& host, Resolved done) override;
  // Every served address answers, at once.
  void ping(Ipv4 address, async::Duration limit, Echoed done) override;

 private:
  friend class VirtualLink;
  void forget(VirtualLink& link);

  async::Loop& loop_;
  Timeline later_;
  std::map<Endpoint, MakePeer> tcp_;
  std::map<Endpoint, MakePeer> udp_;
  std::vector<Cidr> holes_;
  std::map<std::string, std::vector<Ipv4>, std::less<>> hosts_;
  std::map<std::pair<Protocol, std::uint16_t>, std::weak_ptr<VirtualDoor>> doors_;
  // Those that the module has closed live on until everything is delivered.
  std::list<std::shared_ptr<VirtualLink>> links_;
};

}  // namespace qimux::sim
