#include "qimux/net/private_namespace.hpp"

#include "qimux/net/netlink.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace qimux::net {
namespace {

constexpr const char* kTunName = "inner0";
constexpr std::size_t kSparesMax = 64;
constexpr int kPatienceMs = 10'000;

struct Parts {
  Fd tun;
  Fd listener;
  std::vector<Fd> spares;
};

Error step(std::string_view name, Error error) {
  error.what = fmt::format("{}: {}", name, error.what);
  return error;
}

Result<void> configure(Netlink& netlink, unsigned mtu) {
  const auto loopback = netlink.indexOf("lo");
  if (!loopback) return std::unexpected(loopback.error());
  if (auto done = netlink.setUp(*loopback); !done) return done;
  const auto index = netlink.indexOf(kTunName);
  if (!index) return std::unexpected(index.error());
  // New namespaces may inherit the host's defaults.
  if (auto done = netlink.setReversePathFilter(*index, 0); !done) return done;
  if (auto done = netlink.setNoIpv6Address(*index); !done) return done;
  if (auto done = netlink.setMtu(*index, mtu); !done) return done;
  if (auto done = netlink.addAddress(*index, {kInnerAddress, 32}); !done) return done;
  if (auto done = netlink.setUp(*index); !done) return done;
  // All destinations share one peer address: what one has taught must not be applied to the next.
  return netlink.addForgetfulRoute({{0, 0}, *index, 0});
}

Result<void> setOption(int fd, int level, int option, int value, std::string_view name) {
  if (::setsockopt(fd, level, option, &value, sizeof value) == 0) return {};
  return std::unexpected(systemError(name, errno));
}

// A TCP socket with its buffers, bound to kInnerAddress.
Result<Fd> boundSocket(const PrivateNamespace::Options& options, std::uint16_t port) {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return std::unexpected(systemError("socket", errno));
  const std::array<Result<void>, 4> done{
      setOption(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR"),
      setOption(fd.get(), SOL_SOCKET, SO_RCVBUF, options.receive_buffer, "SO_RCVBUF"),
      setOption(fd.get(), SOL_SOCKET, SO_SNDBUF, options.send_buffer, "SO_SNDBUF"),
      setOption(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY"),
  };
  for (const auto& result : done) {
    if (!result) return std::unexpected(result.error());
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(kInnerAddress);
  address.sin_port = htons(port);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
    return std::unexpected(systemError("bind", errno));
  }
  return fd;
}

// In the child, and in the new namespace.
Result<Parts> makeParts(const PrivateNamespace::Options& options) {
  Parts parts;
  auto tun = Tun::open(kTunName);
  if (!tun) return std::unexpected(step("second TUN", tun.error()));
  auto netlink = Netlink::open();
  if (!netlink) return std::unexpected(step("second TUN", netlink.error()));
  if (const auto done = configure(*netlink, options.mtu); !done) {
    return std::unexpected(step("second TUN", done.error()));
  }
  parts.tun = Fd(::fcntl(tun->fd(), F_DUPFD_CLOEXEC, 0));
  if (!parts.tun.valid()) return std::unexpected(systemError("second TUN", errno));
  auto listener = boundSocket(options, kInnerListener.port);
  if (!listener) return std::unexpected(step("inner listener", listener.error()));
  if (::listen(listener->get(), options.backlog) < 0) {
    return std::unexpected(systemError("inner listener: listen", errno));
  }
  parts.listener = std::move(*listener);
  while (parts.spares.size() < std::min(options.spares, kSparesMax)) {
    // A port that was asked for by number is kept when the socket is disconnected.
    const auto port = static_cast<std::uint16_t>(kInnerListener.port + 1 + parts.spares.size());
    auto spare = boundSocket(options, port);
    if (!spare) return std::unexpected(step("spare socket", spare.error()));
    parts.spares.push_back(std::move(*spare));
  }
  return parts;
}

// One message: descriptors, or none and the text of an error.
void sendParts(int channel, const Result<Parts>& parts) {
  std::array<int, kSparesMax + 2> numbers;
  std::size_t count = 0;
  std::string word = "ready";
  if (parts) {
    numbers[count++] = parts->tun.get();
    numbers[count++] = parts->listener.get();
    for (const Fd& spare : parts->spares) numbers[count++] = spare.get();
  } else {
    word = parts.error().what + ": " + parts.error().reply;
  }
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof numbers)> control{};
  iovec text{word.data(), word.size()};
  msghdr message{};
  message.msg_iov = &text;
  message.msg_iovlen = 1;
  if (count > 0) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    std::memcpy(CMSG_DATA(header), numbers.data(), count * sizeof(int));
  }
  (void)::sendmsg(channel, &message, MSG_NOSIGNAL);
}

std::vector<Fd> takeDescriptors(msghdr& message) {
  std::vector<Fd> taken;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int number;
      std::memcpy(&number, CMSG_DATA(header) + i * sizeof(int), sizeof number);
      taken.emplace_back(number);
    }
  }
  return taken;
}

Result<Parts> receiveParts(int channel) {
  pollfd ready{channel, POLLIN, 0};
  int count;
  do {
    count = ::poll(&ready, 1, kPatienceMs);
  } while (count < 0 && errno == EINTR);
  if (count == 0) return std::unexpected(Error{ErrorKind::Timeout, "private namespace", "its maker hangs"});
  std::array<char, 1024> word;
  alignas(cmsghdr) std::array<char, CMSG_SPACE((kSparesMax + 2) * sizeof(int))> control;
  iovec text{word.data(), word.size()};
  msghdr message{};
  message.msg_iov = &text;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t length = ::recvmsg(channel, &message, MSG_CMSG_CLOEXEC);
  if (length < 0) return std::unexpected(systemError("private namespace", errno));
  std::vector<Fd> taken = takeDescriptors(message);
  if (taken.size() < 2) {
    std::string said(word.data(), static_cast<std::size_t>(length));
    if (said.empty()) said = "its maker died";
    return std::unexpected(Error{ErrorKind::System, "private namespace", said});
  }
  Parts parts{std::move(taken[0]), std::move(taken[1]), {}};
  for (std::size_t i = 2; i < taken.size(); ++i) parts.spares.push_back(std::move(taken[i]));
  return parts;
}

[[noreturn]] void runChild(int channel, int namespaces, const PrivateNamespace::Options& options) {
  if (::unshare(namespaces) < 0) {
    const char* call = (namespaces & CLONE_NEWUSER) != 0 ? "unshare user and network" : "unshare network";
    sendParts(channel, std::unexpected(systemError(call, errno)));
  } else {
    sendParts(channel, makeParts(options));
  }
  ::_exit(0);
}

Result<Parts> tryWith(int namespaces, const PrivateNamespace::Options& options) {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
    return std::unexpected(systemError("private namespace: socketpair", errno));
  }
  const Fd ours(pair[0]);
  Fd theirs(pair[1]);
  const pid_t child = ::fork();
  if (child < 0) return std::unexpected(systemError("private namespace: fork", errno));
  if (child == 0) runChild(theirs.get(), namespaces, options);
  theirs.reset();
  auto parts = receiveParts(ours.get());
  // It has said all it has to say, or it hangs.
  (void)::kill(child, SIGKILL);
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) continue;
  return parts;
}

}  // namespace

Result<PrivateNamespace> PrivateNamespace::create(const Options& options) {
  auto parts = tryWith(CLONE_NEWUSER | CLONE_NEWNET, options);
  if (!parts) {
    const std::string first = parts.error().reply;
    parts = tryWith(CLONE_NEWNET, options);
    if (!parts) {
      parts.error().reply = fmt::format("with a user namespace: {}; without: {}", first, parts.error().reply);
    }
  }
  if (!parts) return std::unexpected(parts.error());
  return PrivateNamespace(Tun::adopt(std::move(parts->tun), kTunName), std::move(parts->listener),
                          std::move(parts->spares));
}

Result<void> recycle(int spare) {
  sockaddr nobody{};
  nobody.sa_family = AF_UNSPEC;
  if (::connect(spare, &nobody, sizeof nobody) < 0) return std::unexpected(systemError("recycle", errno));
  return {};
}

}  // namespace qimux::net
