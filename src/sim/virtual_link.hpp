// What VirtualNetwork is made of: both directions of a connection, and who waits at a port.
#pragma once

#include "qimux/sim/virtual_network.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

namespace qimux::sim {

// A port of the module at which far ends may knock. The network knows it while its listener lives.
class VirtualDoor {
 public:
  VirtualDoor(async::Loop& loop, ListenerEvents& events);
  ~VirtualDoor();

  // False where too many wait already.
  bool add(std::shared_ptr<VirtualLink> link);
  // The next that waits, if it is not to wait for its first datagram, is told of.
  void plan();
  std::shared_ptr<VirtualLink> accept();
  void refuse();

 private:
  ListenerEvents& events_;
  std::list<std::shared_ptr<VirtualLink>> waiting_;
  std::shared_ptr<VirtualLink> knocking_;
  async::Timer turn_;
};

// What the module's side holds of a stream that the far end does not take, as a kernel would.
inline constexpr std::size_t kVirtualSendBuffer = 65536;

// Both directions of one connection. The network owns it, and it owns the peer; the module's side holds it
// through a VirtualSocket and may let go first.
class VirtualLink {
 public:
  VirtualLink(VirtualNetwork& network, Protocol protocol, SocketEvents& events,
              std::unique_ptr<VirtualPeer> peer)
      : network_(network),
        protocol_(protocol),
        events_(&events),
        peer_(std::move(peer)),
        turn_(network.loop_),
        opening_(network.loop_) {
    if (peer_) peer_->link_ = this;
  }

  // Of a far end that comes by itself: waits at `door` for a socket.
  VirtualLink(VirtualNetwork& network, Protocol protocol, Endpoint from, VirtualDoor& door,
              std::unique_ptr<VirtualPeer> peer)
      : network_(network),
        protocol_(protocol),
        peer_(std::move(peer)),
        from_(from),
        door_(&door),
        turn_(network.loop_),
        opening_(network.loop_) {
    peer_->link_ = this;
    // It has nobody to wait for before its first datagram.
    if (protocol == Protocol::Udp) opening_.start(async::Duration{0}, [this] { peer_->connected(); });
  }

  Endpoint from() const { return from_; }
  // TCP at once, UDP with its first datagram.
  bool knocks() const { return protocol_ == Protocol::Tcp || !datagrams_in_.empty(); }
  void accepted(SocketEvents& events) {
    events_ = &events;
    door_ = nullptr;
    opened_ = true;
    if (protocol_ == Protocol::Tcp) opening_.start(async::Duration{0}, [this] { peer_->connected(); });
    plan();
  }
  // True where it may knock again.
  bool turnedAway() {
    if (protocol_ == Protocol::Tcp) {
      shutOut();
      return false;
    }
    datagrams_in_.clear();
    return true;
  }
  // For good: nobody waits for it any more.
  void shutOut() {
    door_ = nullptr;
    opened_ = abort_ = true;
    plan();
  }

  void answer(bool accept) {
    opening_.start(async::Duration{0}, [this, accept] {
      if (!accept) {
        events_->refused();
        return;
      }
      opened_ = true;
      peer_->connected();
      events_->opened();
    });
  }

  std::size_t send(ByteView bytes) {
    plan();
    if (protocol_ == Protocol::Udp) {
      datagrams_out_.emplace_back(bytes.begin(), bytes.end());
      return bytes.size();
    }
    const std::size_t taken =
        std::min(bytes.size(), kVirtualSendBuffer - std::min(kVirtualSendBuffer, out_.size()));
    out_.append(bytes.first(taken));
    return taken;
  }

  Taken receive(ByteSpan into) {
    if (broken_) return {Take::Broken};
    if (into.empty()) return {Take::Nothing};
    if (protocol_ == Protocol::Udp) {
      if (datagrams_in_.empty()) return {Take::Nothing};
      const Bytes datagram = std::move(datagrams_in_.front());
      datagrams_in_.pop_front();
      const std::size_t size = std::min(into.size(), datagram.size());
      std::copy_n(datagram.begin(), size, into.begin());
      return {Take::Data, size};
    }
    const std::size_t size = std::min(into.size(), in_.size());
    if (size == 0) return {ended_ ? Take::Ended : Take::Nothing};
    std::copy_n(in_.view().begin(), size, into.begin());
    in_.drop(size);
    return {Take::Data, size};
  }

  std::size_t unacknowledged() const { return out_.size() + lost_; }
  async::Duration silence() const {
    return vanished_since_ ? network_.loop_.now() - *vanished_since_ : async::Duration{0};
  }
  void want(bool readable, bool writable) {
    want_readable_ = readable;
    want_writable_ = writable;
    plan();
  }
  void leave(bool abort) {
    events_ = nullptr;
    abort_ = abort;
    opening_.stop();
    plan();
  }

  void peerVanishes() {
    if (!vanished_since_) vanished_since_ = network_.loop_.now();
  }
  void peerSends(ByteView bytes) {
    if (ended_ || broken_ || vanished_since_) return;
    if (protocol_ == Protocol::Udp) {
      datagrams_in_.emplace_back(bytes.begin(), bytes.end());
      if (door_ != nullptr) door_->plan();
    } else {
      in_.append(bytes);
    }
    plan();
  }
  // Datagrams have no end.
  void peerCloses() {
    if (protocol_ == Protocol::Udp || vanished_since_) return;
    ended_ = true;
    plan();
  }
  void peerResets() {
    if (protocol_ == Protocol::Udp || vanished_since_) return;
    broken_ = true;
    in_.clear();
    lost_ = out_.size();
    out_.clear();
    plan();
  }
  void plan() {
    if (!turn_.armed()) turn_.start(async::Duration{0}, [this] { turn(); });
  }
  std::size_t pending() const { return protocol_ == Protocol::Udp ? datagrams_in_.size() : in_.size(); }

 private:
  // Whoever is called may destroy its side, so each turn ends with one of the calls to the module's.
  void turn() {
    if (door_ != nullptr) return;
    if (opened_ && !abort_ && !vanished_since_) giveToPeer();
    if (events_ == nullptr) {
      finish();
      return;
    }
    if (!opened_) return;
    const bool readable = broken_ || ended_ || !in_.empty() || !datagrams_in_.empty();
    const bool news = broken_ && !std::exchange(broken_told_, true);
    if (news || (readable && want_readable_)) {
      // Level-triggered: again, while there is more and it is wanted.
      plan();
      events_->readable();
    } else if (want_writable_ && out_.size() < kVirtualSendBuffer) {
      plan();
      events_->writable();
    }
  }

  void giveToPeer() {
    while (!datagrams_out_.empty()) {
      const Bytes datagram = std::move(datagrams_out_.front());
      datagrams_out_.pop_front();
      peer_->received(datagram);
    }
    while (!out_.empty() && peer_->room_ > 0) {
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(peer_->room_, out_.size()));
      const Bytes piece(out_.view().begin(), out_.view().begin() + static_cast<std::ptrdiff_t>(size));
      out_.drop(size);
      if (peer_->room_ != VirtualPeer::kUnlimited) peer_->room_ -= size;
      peer_->received(piece);
    }
  }

  // The module has let go: the peer hears of it when it has everything.
  void finish() {
    if (opened_ && !broken_ && !abort_ && !out_.empty() && !vanished_since_) return;
    if (opened_ && !broken_ && !vanished_since_) peer_->ended(abort_);
    if (peer_) peer_->link_ = nullptr;
    network_.forget(*this);
  }

  VirtualNetwork& network_;
  Protocol protocol_;
  SocketEvents* events_ = nullptr;
  std::unique_ptr<VirtualPeer> peer_;
  Endpoint from_;
  // While it waits there.
  VirtualDoor* door_ = nullptr;
  async::Timer turn_;
  async::Timer opening_;
  ByteQueue out_;
  ByteQueue in_;
  std::deque<Bytes> datagrams_out_;
  std::deque<Bytes> datagrams_in_;
  bool opened_ = false;
  bool want_readable_ = false;
  bool want_writable_ = false;
  bool ended_ = false;
  bool broken_ = false;
  bool broken_told_ = false;
  // Not acknowledged when the far end reset.
  std::size_t lost_ = 0;
  std::optional<async::TimePoint> vanished_since_;
  bool abort_ = false;
};

class VirtualSocket final : public Socket {
 public:
  explicit VirtualSocket(const std::shared_ptr<VirtualLink>& link) : link_(link) {}
  ~VirtualSocket() override {
    // The network may be gone before the module.
    if (const auto link = link_.lock()) link->leave(abort_);
  }

  std::size_t send(ByteView bytes) override {
    const auto link = link_.lock();
    return link ? link->send(bytes) : bytes.size();
  }
  Taken receive(ByteSpan into) override {
    const auto link = link_.lock();
    return link ? link->receive(into) : Taken{Take::Broken};
  }
  std::size_t unacknowledged() override {
    const auto link = link_.lock();
    return link ? link->unacknowledged() : 0;
  }
  async::Duration silence() override {
    const auto link = link_.lock();
    return link ? link->silence() : async::Duration{0};
  }
  // silence() knows.
  void keepAlive(async::Duration, async::Duration, int) override {}
  void wantReadable(bool want) override {
    readable_ = want;
    if (const auto link = link_.lock()) link->want(readable_, writable_);
  }
  void wantWritable(bool want) override {
    writable_ = want;
    if (const auto link = link_.lock()) link->want(readable_, writable_);
  }
  void abortOnClose() override { abort_ = true; }

 private:
  std::weak_ptr<VirtualLink> link_;
  bool readable_ = false;
  bool writable_ = false;
  bool abort_ = false;
};

}  // namespace qimux::sim
