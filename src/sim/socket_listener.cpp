// Far ends that come by themselves, on real sockets of this machine.
#include "acceptor.hpp"
#include "real_socket.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <map>
#include <utility>

namespace qimux::sim {
namespace {

// Far ends that wait for an answer; with more, TCP connects wait in vain and datagrams are lost.
constexpr int kBacklog = 8;
// Of UDP: far ends at one port at a time, and datagrams of each that nobody has received yet.
constexpr std::size_t kMostPeers = 16;
constexpr std::size_t kMostDatagrams = 32;
constexpr std::size_t kLargestDatagram = 65536;
// Datagrams taken from the kernel in one turn of the loop.
constexpr int kTurn = 32;

Fd boundSocket(int type, Endpoint here, int receive_buffer) {
  Fd fd(::socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return fd;
  if (type == SOCK_STREAM) {
    // Connections of an earlier listener may live on. UDP would share the port with a stranger.
    setOption(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
    prepareTcp(fd.get(), receive_buffer);
  }
  const sockaddr_in address = toSockaddr(here);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) fd.reset();
  return fd;
}

class TcpListener final : public Listener {
 public:
  TcpListener(async::UvLoop& loop, Fd fd, ListenerEvents& events)
      : loop_(loop), events_(events), acceptor_(loop, std::move(fd), [this] { look(); }) {}
  ~TcpListener() override {
    if (knocking_.valid()) hangUp();
  }

  std::unique_ptr<Socket> accept(SocketEvents& events) override {
    acceptor_.want(true);
    return std::make_unique<RealSocket>(loop_, std::move(knocking_), events);
  }
  void refuse() override {
    hangUp();
    acceptor_.want(true);
  }

 private:
  void look() {
    sockaddr_in remote{};
    socklen_t size = sizeof remote;
    knocking_ = acceptor_.accept(reinterpret_cast<sockaddr*>(&remote), &size);
    if (!knocking_.valid()) return;
    acceptor_.want(false);
    events_.knocks(fromSockaddr(remote));
  }
  void hangUp() {
    setOption(knocking_.get(), SOL_SOCKET, SO_LINGER, linger{1, 0});
    knocking_.reset();
  }

  async::UvLoop& loop_;
  ListenerEvents& events_;
  Fd knocking_;
  Acceptor acceptor_;
};

}  // namespace

// One bound socket, the far ends that have sent to it, and who wants to hear of new ones. The listener and
// each socket made by it keep it alive.
class UdpHub {
 public:
  struct Peer {
    explicit Peer(async::Loop& loop) : turn(loop) {}
    std::deque<Bytes> datagrams;
    // Of the socket made for it; none while it still knocks.
    SocketEvents* events = nullptr;
    bool wanted = false;
    async::Timer turn;
  };

  UdpHub(async::UvLoop& loop, Fd fd) : loop_(loop), fd_(std::move(fd)), knock_(loop) {
    watch_ = loop.watch(fd_.get(), async::Interest{.readable = true}, [this](async::Interest) { look(); });
  }

  bool listening() const { return listener_ != nullptr; }
  void attach(ListenerEvents& events) { listener_ = &events; }
  void detach() {
    listener_ = nullptr;
    knock_.stop();
    for (const Endpoint remote : std::exchange(waiting_, {})) peers_.erase(remote);
  }

  // Of the first that waits.
  std::pair<Endpoint, Peer*> accept(SocketEvents& events) {
    const Endpoint remote = waiting_.front();
    Peer& peer = *peers_.at(remote);
    peer.events = &events;
    next();
    return {remote, &peer};
  }
  void refuse() {
    peers_.erase(waiting_.front());
    next();
  }

  void send(Endpoint remote, ByteView bytes) {
    const sockaddr_in to = toSockaddr(remote);
    // What could not go is lost, as on any radio.
    (void)::sendto(fd_.get(), bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&to),
                   sizeof to);
  }
  void forget(Endpoint remote) { peers_.erase(remote); }
  // Level-triggered: tells of what is there as long as it is wanted.
  void tell(Peer& peer) {
    if (!peer.wanted || peer.datagrams.empty() || peer.turn.armed()) return;
    peer.turn.start(async::Duration{0}, [this, &peer] {
      if (!peer.wanted || peer.datagrams.empty()) return;
      tell(peer);
      peer.events->readable();
    });
  }

 private:
  void look() {
    static thread_local std::array<Byte, kLargestDatagram> buffer;
    for (int i = 0; i < kTurn; ++i) {
      sockaddr_in remote{};
      socklen_t size = sizeof remote;
      const ssize_t got =
          ::recvfrom(fd_.get(), buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&remote), &size);
      if (got < 0) return;
      take(fromSockaddr(remote), ByteView(buffer).first(static_cast<std::size_t>(got)));
    }
  }

  void take(Endpoint remote, ByteView bytes) {
    auto it = peers_.find(remote);
    if (it == peers_.end()) {
      const bool room = peers_.size() < kMostPeers && waiting_.size() < kBacklog;
      if (listener_ == nullptr || !room) return;
      it = peers_.emplace(remote, std::make_unique<Peer>(loop_)).first;
      waiting_.push_back(remote);
      if (waiting_.size() == 1) knock();
    }
    Peer& peer = *it->second;
    if (peer.datagrams.size() >= kMostDatagrams) return;
    peer.datagrams.emplace_back(bytes.begin(), bytes.end());
    tell(peer);
  }

  void next() {
    waiting_.pop_front();
    if (!waiting_.empty()) knock();
  }
  void knock() {
    knock_.start(async::Duration{0}, [this] { listener_->knocks(waiting_.front()); });
  }

  async::UvLoop& loop_;
  Fd fd_;
  ListenerEvents* listener_ = nullptr;
  std::map<Endpoint, std::unique_ptr<Peer>> peers_;
  std::deque<Endpoint> waiting_;
  async::Timer knock_;
  std::unique_ptr<async::UvLoop::FdWatch> watch_;
};

namespace {

class UdpPeerSocket final : public Socket {
 public:
  UdpPeerSocket(std::shared_ptr<UdpHub> hub, Endpoint remote, UdpHub::Peer& peer)
      : hub_(std::move(hub)), remote_(remote), peer_(peer) {}
  ~UdpPeerSocket() override { hub_->forget(remote_); }

  std::size_t send(ByteView bytes) override {
    hub_->send(remote_, bytes);
    return bytes.size();
  }
  Taken receive(ByteSpan into) override {
    if (peer_.datagrams.empty()) return {Take::Nothing};
    const Bytes datagram = std::move(peer_.datagrams.front());
    peer_.datagrams.pop_front();
    const std::size_t size = std::min(into.size(), datagram.size());
    std::copy_n(datagram.begin(), size, into.begin());
    return {Take::Data, size};
  }
  std::size_t unacknowledged() override { return 0; }
  async::Duration silence() override { return {}; }
  void keepAlive(async::Duration, async::Duration, int) override {}
  void wantReadable(bool want) override {
    peer_.wanted = want;
    hub_->tell(peer_);
  }
  // send() takes everything, always.
  void wantWritable(bool) override {}
  void abortOnClose() override {}

 private:
  std::shared_ptr<UdpHub> hub_;
  Endpoint remote_;
  UdpHub::Peer& peer_;
};

class UdpListener final : public Listener {
 public:
  UdpListener(std::shared_ptr<UdpHub> hub, ListenerEvents& events) : hub_(std::move(hub)) {
    hub_->attach(events);
  }
  ~UdpListener() override { hub_->detach(); }

  std::unique_ptr<Socket> accept(SocketEvents& events) override {
    const auto [remote, peer] = hub_->accept(events);
    return std::make_unique<UdpPeerSocket>(hub_, remote, *peer);
  }
  void refuse() override { hub_->refuse(); }

 private:
  std::shared_ptr<UdpHub> hub_;
};

}  // namespace

std::unique_ptr<Listener> listenTcp(async::UvLoop& loop, Endpoint here, ListenerEvents& events,
                                    int receive_buffer) {
  Fd fd = boundSocket(SOCK_STREAM, here, receive_buffer);
  if (!fd.valid() || ::listen(fd.get(), kBacklog) < 0) return nullptr;
  return std::make_unique<TcpListener>(loop, std::move(fd), events);
}

std::unique_ptr<Listener> listenUdp(async::UvLoop& loop, Endpoint here, ListenerEvents& events,
                                    std::weak_ptr<UdpHub>& kept) {
  std::shared_ptr<UdpHub> hub = kept.lock();
  if (!hub) {
    Fd fd = boundSocket(SOCK_DGRAM, here, 0);
    if (!fd.valid()) return nullptr;
    hub = std::make_shared<UdpHub>(loop, std::move(fd));
    kept = hub;
  }
  if (hub->listening()) return nullptr;
  return std::make_unique<UdpListener>(std::move(hub), events);
}

}  // namespace qimux::sim
