#include "qimux/sim/virtual_network.hpp"

#include "virtual_link.hpp"

#include <algorithm>
#include <utility>

namespace qimux::sim {

void VirtualPeer::send(ByteView bytes) {
  if (link_ != nullptr) link_->peerSends(bytes);
}
void VirtualPeer::close() {
  if (link_ != nullptr) link_->peerCloses();
}
void VirtualPeer::reset() {
  if (link_ != nullptr) link_->peerResets();
}
void VirtualPeer::vanish() {
  if (link_ != nullptr) link_->peerVanishes();
}
void VirtualPeer::setRoom(std::uint64_t bytes) {
  room_ = bytes;
  if (link_ != nullptr) link_->plan();
}
std::size_t VirtualPeer::pending() const {
  return link_ == nullptr ? 0 : link_->pending();
}

VirtualNetwork::VirtualNetwork(async::Loop& loop) : loop_(loop), later_(loop) {}

VirtualNetwork::~VirtualNetwork() = default;

std::unique_ptr<Socket> VirtualNetwork::open(Protocol protocol, Endpoint remote, SocketEvents& events) {
  auto& served = protocol == Protocol::Tcp ? tcp_ : udp_;
  const bool hole =
      std::ranges::any_of(holes_, [remote](const Cidr& range) { return range.contains(remote.address); });
  const auto it = served.find(remote);
  std::unique_ptr<VirtualPeer> peer;
  if (!hole && it != served.end()) peer = it->second();
  // UDP opens towards anybody; somebody has to be there for the calls.
  if (!peer && protocol == Protocol::Udp) peer = std::make_unique<VirtualPeer>();
  const bool accept = peer != nullptr;
  const auto link =
      links_.emplace_back(std::make_shared<VirtualLink>(*this, protocol, events, std::move(peer)));
  if (accept || !hole) link->answer(accept);
  return std::make_unique<VirtualSocket>(link);
}

void VirtualNetwork::forget(VirtualLink& link) {
  const auto it = std::ranges::find_if(links_, [&link](const auto& one) { return one.get() == &link; });
  if (it == links_.end()) return;
  // It is still running.
  loop_.post([gone = std::move(*it)] {});
  links_.erase(it);
}

void VirtualNetwork::resolve(const std::string& host, Resolved done) {
  const auto it = hosts_.find(host);
  std::vector<Ipv4> addresses;
  if (it != hosts_.end()) addresses = it->second;
  loop_.post(
      [done = std::move(done), addresses = std::move(addresses)]() mutable { done(std::move(addresses)); });
}

void VirtualNetwork::ping(Ipv4 address, async::Duration limit, Echoed done) {
  const auto lives = [address](const auto& entry) { return entry.first.address == address; };
  const bool answers = std::ranges::any_of(tcp_, lives) || std::ranges::any_of(udp_, lives);
  later_.in(answers ? async::Duration{0} : limit, [answers, done = std::move(done)]() mutable {
    done(answers ? std::optional<async::Duration>(0) : std::nullopt);
  });
}

}  // namespace qimux::sim
