#include "qimux/sim/socket_network.hpp"

#include "qimux/base/fd.hpp"

#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <ranges>
#include <utility>

namespace qimux::sim {
namespace {

// What a module's stack announces on a 1500-byte link.
constexpr int kSegment = 1460;

sockaddr_in toSockaddr(Endpoint endpoint) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_addr.s_addr = htonl(endpoint.address.value);
  result.sin_port = htons(endpoint.port);
  return result;
}

template <typename T>
void setOption(int fd, int level, int name, T value) {
  // Each is a wish: without it the simulator still works.
  (void)::setsockopt(fd, level, name, &value, sizeof value);
}

// Never answers and swallows everything.
class HoleSocket final : public Socket {
 public:
  std::size_t send(ByteView bytes) override { return bytes.size(); }
  Taken receive(ByteSpan) override { return {Take::Nothing}; }
  std::size_t unacknowledged() override { return 0; }
  void wantReadable(bool) override {}
  void wantWritable(bool) override {}
  void abortOnClose() override {}
};

class RealSocket final : public Socket {
 public:
  RealSocket(async::UvLoop& loop, Protocol protocol, Endpoint remote, SocketEvents& events,
             int receive_buffer)
      : events_(events), protocol_(protocol), start_(loop) {
    const int type = protocol == Protocol::Tcp ? SOCK_STREAM : SOCK_DGRAM;
    fd_ = Fd(::socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd_.valid()) {
      fails();
      return;
    }
    if (protocol == Protocol::Tcp) {
      // Before connect(): the window of the SYN is made from it.
      setOption(fd_.get(), SOL_SOCKET, SO_RCVBUF, receive_buffer);
      setOption(fd_.get(), IPPROTO_TCP, TCP_MAXSEG, kSegment);
      setOption(fd_.get(), IPPROTO_TCP, TCP_NODELAY, 1);
    }
    const sockaddr_in address = toSockaddr(remote);
    const int status = ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    if (status < 0 && errno != EINPROGRESS) {
      fails();
      return;
    }
    watch_ = loop.watch(fd_.get(), async::Interest{}, [this](async::Interest seen) { report(seen); });
    if (protocol == Protocol::Tcp) {
      watch_->want(async::Interest{.writable = true});
    } else {
      start_.start(async::Duration{0}, [this] {
        connecting_ = false;
        events_.opened();
      });
    }
  }

  std::size_t send(ByteView bytes) override {
    const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    // A datagram that could not go is lost, as on any radio.
    if (protocol_ == Protocol::Udp) return bytes.size();
    if (sent >= 0) return static_cast<std::size_t>(sent);
    if (errno == EAGAIN || errno == EINTR) return 0;
    // Dead; receive() will say so, whether or not it is wanted.
    start_.start(async::Duration{0}, [this] { events_.readable(); });
    broken_ = true;
    return bytes.size();
  }

  Taken receive(ByteSpan into) override {
    if (broken_) return {Take::Broken};
    const ssize_t size = ::recv(fd_.get(), into.data(), into.size(), 0);
    if (size > 0) return {Take::Data, static_cast<std::size_t>(size)};
    if (protocol_ == Protocol::Udp) return {Take::Nothing};
    if (size == 0) return {Take::Ended};
    if (errno == EAGAIN || errno == EINTR) return {Take::Nothing};
    return {Take::Broken};
  }

  std::size_t unacknowledged() override {
    int bytes = 0;
    if (protocol_ == Protocol::Udp || ::ioctl(fd_.get(), SIOCOUTQ, &bytes) < 0) return 0;
    return static_cast<std::size_t>(bytes);
  }

  void wantReadable(bool want) override {
    wanted_.readable = want;
    apply();
  }
  void wantWritable(bool want) override {
    wanted_.writable = want;
    apply();
  }

  void abortOnClose() override {
    if (protocol_ == Protocol::Tcp && fd_.valid()) setOption(fd_.get(), SOL_SOCKET, SO_LINGER, linger{1, 0});
  }

 private:
  void apply() {
    if (watch_ && !connecting_) watch_->want(wanted_);
  }

  void fails() {
    start_.start(async::Duration{0}, [this] { events_.refused(); });
  }

  // The owner may destroy this in any of these calls: nothing may follow one.
  void report(async::Interest seen) {
    if (connecting_) {
      int problem = 0;
      socklen_t size = sizeof problem;
      ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &problem, &size);
      if (problem == EINPROGRESS) return;
      connecting_ = false;
      apply();
      if (problem == 0) {
        events_.opened();
      } else {
        events_.refused();
      }
    } else if (seen.readable || seen.gone) {
      events_.readable();
    } else if (seen.writable) {
      events_.writable();
    }
  }

  SocketEvents& events_;
  Protocol protocol_;
  Fd fd_;
  std::unique_ptr<async::UvLoop::FdWatch> watch_;
  async::Timer start_;
  async::Interest wanted_;
  bool connecting_ = true;
  bool broken_ = false;
};

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

std::vector<Ipv4> askMachine(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &list) != 0) return {};
  std::vector<Ipv4> found;
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
    found.push_back(Ipv4{ntohl(reinterpret_cast<const sockaddr_in*>(one->ai_addr)->sin_addr.s_addr)});
  }
  ::freeaddrinfo(list);
  return found;
}

}  // namespace

SocketNetwork::SocketNetwork(async::UvLoop& loop, Config config)
    : loop_(loop), config_(std::move(config)), alive_(std::make_shared<int>(0)) {}

SocketNetwork::~SocketNetwork() = default;

bool SocketNetwork::isBlackHole(Ipv4 address) const {
  return std::ranges::any_of(config_.black_holes,
                             [address](const Cidr& hole) { return hole.contains(address); });
}

Endpoint SocketNetwork::mapped(Endpoint remote) const {
  for (const auto& mapping : config_.mappings) {
    if (mapping.range.contains(remote.address)) return Endpoint{mapping.to, remote.port};
  }
  return remote;
}

std::unique_ptr<Socket> SocketNetwork::open(Protocol protocol, Endpoint remote, SocketEvents& events) {
  // UDP opens towards anything; its datagrams are lost in a hole.
  if (isBlackHole(remote.address) && protocol == Protocol::Tcp) return std::make_unique<HoleSocket>();
  if (isBlackHole(remote.address)) {
    // Port 9 of the loopback network's last address: nobody is there.
    remote = Endpoint{Ipv4{0x7ffffffe}, 9};
  } else {
    remote = mapped(remote);
  }
  return std::make_unique<RealSocket>(loop_, protocol, remote, events, config_.kernel_receive_buffer);
}

void SocketNetwork::resolve(const std::string& host, Resolved done) {
  std::vector<Ipv4> addresses;
  const auto it = config_.hosts.find(lower(host));
  if (it != config_.hosts.end()) {
    addresses = it->second;
  } else if (config_.use_resolver) {
    addresses = askMachine(host);
  }
  loop_.post(
      [alive = std::weak_ptr(alive_), done = std::move(done), addresses = std::move(addresses)]() mutable {
        if (!alive.expired()) done(std::move(addresses));
      });
}

bool SocketNetwork::answersPing(Ipv4 address) {
  if (isBlackHole(address)) return false;
  const bool is_mapped = std::ranges::any_of(
      config_.mappings, [address](const auto& mapping) { return mapping.range.contains(address); });
  const bool is_named = std::ranges::any_of(config_.hosts, [address](const auto& entry) {
    return std::ranges::find(entry.second, address) != entry.second.end();
  });
  return is_mapped || is_named;
}

}  // namespace qimux::sim
