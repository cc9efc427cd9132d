#include "real_socket.hpp"

#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <utility>

namespace qimux::sim {
namespace {

// What a module's stack announces on a 1500-byte link.
constexpr int kSegment = 1460;
constexpr auto kResetWatch = std::chrono::milliseconds(100);

}  // namespace

sockaddr_in toSockaddr(Endpoint endpoint) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_addr.s_addr = htonl(endpoint.address.value);
  result.sin_port = htons(endpoint.port);
  return result;
}

Endpoint fromSockaddr(const sockaddr_in& address) {
  return Endpoint{Ipv4{ntohl(address.sin_addr.s_addr)}, ntohs(address.sin_port)};
}

void prepareTcp(int fd, int receive_buffer) {
  setOption(fd, SOL_SOCKET, SO_RCVBUF, receive_buffer);
  setOption(fd, IPPROTO_TCP, TCP_MAXSEG, kSegment);
  setOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

RealSocket::RealSocket(async::UvLoop& loop, Protocol protocol, Endpoint remote, SocketEvents& events,
                       int receive_buffer)
    : events_(events), protocol_(protocol), start_(loop), reset_watch_(loop) {
  const int type = protocol == Protocol::Tcp ? SOCK_STREAM : SOCK_DGRAM;
  fd_ = Fd(::socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd_.valid()) {
    fails();
    return;
  }
  if (protocol == Protocol::Tcp) prepareTcp(fd_.get(), receive_buffer);
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

RealSocket::RealSocket(async::UvLoop& loop, Fd accepted, SocketEvents& events)
    : events_(events),
      protocol_(Protocol::Tcp),
      fd_(std::move(accepted)),
      start_(loop),
      reset_watch_(loop),
      connecting_(false) {
  watch_ = loop.watch(fd_.get(), async::Interest{}, [this](async::Interest seen) { report(seen); });
  watchForReset();
}

std::size_t RealSocket::send(ByteView bytes) {
  const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  // A datagram that could not go is lost, as on any radio.
  if (protocol_ == Protocol::Udp) return bytes.size();
  if (sent >= 0) return static_cast<std::size_t>(sent);
  if (errno == EAGAIN || errno == EINTR) return 0;
  lost_ += bytes.size();
  breaks();
  return bytes.size();
}

// receive() will say so, whether or not it is wanted.
void RealSocket::breaks() {
  if (std::exchange(broken_, true)) return;
  reset_watch_.stop();
  apply();
  start_.start(async::Duration{0}, [this] { events_.readable(); });
}

// A descriptor that is not watched says nothing, and one that is watched for hang-ups alone goes on and on
// about an end of data that nobody takes: so the state of the connection is looked at now and then.
void RealSocket::watchForReset() {
  reset_watch_.start(kResetWatch, [this] {
    tcp_info info{};
    socklen_t size = sizeof info;
    if (::getsockopt(fd_.get(), IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && info.tcpi_state == TCP_CLOSE) {
      breaks();
    } else {
      watchForReset();
    }
  });
}

Taken RealSocket::receive(ByteSpan into) {
  if (broken_) return {Take::Broken};
  if (into.empty()) return {Take::Nothing};
  const ssize_t size = ::recv(fd_.get(), into.data(), into.size(), 0);
  if (size > 0) return {Take::Data, static_cast<std::size_t>(size)};
  if (protocol_ == Protocol::Udp) return {Take::Nothing};
  if (size == 0) return {Take::Ended};
  if (errno == EAGAIN || errno == EINTR) return {Take::Nothing};
  return {Take::Broken};
}

std::size_t RealSocket::unacknowledged() {
  int bytes = 0;
  if (protocol_ == Protocol::Udp || ::ioctl(fd_.get(), SIOCOUTQ, &bytes) < 0) return 0;
  return static_cast<std::size_t>(bytes) + lost_;
}

async::Duration RealSocket::silence() {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (protocol_ == Protocol::Udp || ::getsockopt(fd_.get(), IPPROTO_TCP, TCP_INFO, &info, &size) < 0) {
    return {};
  }
  // Probes of a closed window are owed an answer, too, and get one.
  if (info.tcpi_unacked == 0 && info.tcpi_probes == 0) return {};
  return std::chrono::milliseconds(info.tcpi_last_ack_recv);
}

void RealSocket::keepAlive(async::Duration idle, async::Duration interval, int probes) {
  if (protocol_ == Protocol::Udp) return;
  using std::chrono::ceil;
  using std::chrono::seconds;
  setOption(fd_.get(), IPPROTO_TCP, TCP_KEEPIDLE, static_cast<int>(ceil<seconds>(idle).count()));
  setOption(fd_.get(), IPPROTO_TCP, TCP_KEEPINTVL, static_cast<int>(ceil<seconds>(interval).count()));
  setOption(fd_.get(), IPPROTO_TCP, TCP_KEEPCNT, probes);
  setOption(fd_.get(), SOL_SOCKET, SO_KEEPALIVE, 1);
}

void RealSocket::wantReadable(bool want) {
  wanted_.readable = want;
  apply();
}
void RealSocket::wantWritable(bool want) {
  wanted_.writable = want;
  apply();
}

void RealSocket::abortOnClose() {
  if (protocol_ == Protocol::Tcp && fd_.valid()) setOption(fd_.get(), SOL_SOCKET, SO_LINGER, linger{1, 0});
}

void RealSocket::apply() {
  if (!watch_ || connecting_) return;
  if (broken_) {
    watch_->want(async::Interest{});
    if (wanted_.readable) start_.start(async::Duration{0}, [this] { events_.readable(); });
    return;
  }
  watch_->want(wanted_);
  if (protocol_ == Protocol::Udp) return;
  if (wanted_.readable) {
    reset_watch_.stop();
  } else if (!reset_watch_.armed()) {
    watchForReset();
  }
}

void RealSocket::fails() {
  start_.start(async::Duration{0}, [this] { events_.refused(); });
}

// The owner may destroy this in any of these calls: nothing may follow one.
void RealSocket::report(async::Interest seen) {
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

}  // namespace qimux::sim
