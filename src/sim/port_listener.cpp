#include "acceptor.hpp"
#include "port_stream.hpp"
#include "qimux/sim/address.hpp"
#include "qimux/sim/port.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <utility>

namespace qimux::sim {
namespace {

// It has ended its side, and so will never hear an answer.
bool hasGone(const Fd& client) {
  pollfd look{client.get(), POLLRDHUP, 0};
  return ::poll(&look, 1, 0) > 0;
}

class ListenerPort final : public Port {
 public:
  ListenerPort(async::UvLoop& loop, Fd listener, std::string path, Received received)
      : loop_(loop),
        path_(std::move(path)),
        received_(std::move(received)),
        acceptor_(loop, std::move(listener), [this] { take(acceptor_.accept()); }) {}
  ~ListenerPort() override {
    if (!path_.empty()) ::unlink(path_.c_str());
  }

  void write(ByteView bytes) override {
    if (client_) client_->write(bytes);
  }
  void pause(bool paused) override {
    paused_ = paused;
    if (client_) client_->pause(paused);
  }
  std::size_t waiting() const override { return client_ ? client_->waiting() : 0; }
  void onHost(std::move_only_function<void(bool here)> call) override { on_host_ = std::move(call); }
  void setReadSize(std::size_t bytes) override { read_size_ = bytes; }

 private:
  void take(Fd fd) {
    if (!fd.valid()) return;
    const int yes = 1;
    (void)::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    acceptor_.want(false);
    client_.emplace(loop_, std::move(fd), [this](ByteView bytes) { received_(bytes); }, [this] { next(); });
    client_->setReadSize(read_size_);
    client_->pause(paused_);
    if (on_host_) on_host_(true);
  }

  // Who waited and lost patience is no host: nobody would read what its bytes are answered.
  void next() {
    client_.reset();
    if (on_host_) on_host_(false);
    acceptor_.want(true);
    Fd fd = acceptor_.accept();
    while (fd.valid() && hasGone(fd)) fd = acceptor_.accept();
    take(std::move(fd));
  }

  async::UvLoop& loop_;
  std::string path_;
  Received received_;
  Acceptor acceptor_;
  std::optional<Stream> client_;
  std::move_only_function<void(bool here)> on_host_;
  bool paused_ = false;
  std::size_t read_size_ = 65536;
};

Result<Fd> listenOn(int family, const sockaddr* address, socklen_t size, std::string_view where) {
  Fd fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int yes = 1;
  if (fd.valid()) (void)::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (!fd.valid() || ::bind(fd.get(), address, size) < 0 || ::listen(fd.get(), 8) < 0) {
    return std::unexpected(systemError(where, errno));
  }
  return fd;
}

Error inTheWay(const std::string& path, std::string_view what) {
  return Error{ErrorKind::Invalid, path, std::string(what)};
}

// What an earlier listener has left is in nobody's way; whatever else is there is not ours.
Result<void> removeDeadSocket(const std::string& path, const sockaddr_un& address) {
  struct stat found{};
  if (::lstat(path.c_str(), &found) < 0) return {};
  if (!S_ISSOCK(found.st_mode)) {
    return std::unexpected(inTheWay(path, "exists and is no socket; remove it, or choose another path"));
  }
  const Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return std::unexpected(systemError(path, errno));
  const int done = ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  if (done < 0 && errno == ECONNREFUSED) {
    ::unlink(path.c_str());
    return {};
  }
  if (done == 0 || errno == EAGAIN || errno == EPROTOTYPE) {
    return std::unexpected(inTheWay(path, "belongs to a running program; end that, or choose another path"));
  }
  return std::unexpected(systemError(path, errno));
}

}  // namespace

Result<Fd> listenUnix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return std::unexpected(Error{ErrorKind::Invalid, path, "empty or too long for a socket"});
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  if (auto removed = removeDeadSocket(path, address); !removed) return std::unexpected(removed.error());
  return listenOn(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof address, path);
}

Result<std::unique_ptr<Port>> openListener(async::UvLoop& loop, std::string_view where,
                                           Port::Received received) {
  if (where.starts_with("unix:")) {
    std::string path(where.substr(5));
    auto fd = listenUnix(path);
    if (!fd) return std::unexpected(fd.error());
    return std::make_unique<ListenerPort>(loop, std::move(*fd), std::move(path), std::move(received));
  }
  const Error bad{ErrorKind::Invalid, std::string(where), "must be unix:PATH or tcp:ADDRESS:PORT"};
  const std::size_t colon = where.rfind(':');
  if (!where.starts_with("tcp:") || colon < 4) return std::unexpected(bad);
  const std::string_view host = where.substr(4, colon - 4);
  const auto ip = parseIpv4(host == "localhost" ? "127.0.0.1" : host);
  std::uint16_t port = 0;
  const std::string_view digits = where.substr(colon + 1);
  const auto [stop, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (!ip || problem != std::errc{} || stop != digits.data() + digits.size()) return std::unexpected(bad);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(ip->value);
  address.sin_port = htons(port);
  auto fd = listenOn(AF_INET, reinterpret_cast<const sockaddr*>(&address), sizeof address, where);
  if (!fd) return std::unexpected(fd.error());
  return std::make_unique<ListenerPort>(loop, std::move(*fd), std::string(), std::move(received));
}

}  // namespace qimux::sim
