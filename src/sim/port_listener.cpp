#include "port_stream.hpp"
#include "qimux/sim/address.hpp"
#include "qimux/sim/port.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <utility>

namespace qimux::sim {
namespace {

class ListenerPort final : public Port {
 public:
  ListenerPort(async::UvLoop& loop, Fd listener, std::string path, Received received)
      : loop_(loop), listener_(std::move(listener)), path_(std::move(path)), received_(std::move(received)) {
    watch_ =
        loop.watch(listener_.get(), async::Interest{.readable = true}, [this](async::Interest) { accept(); });
  }
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
  void accept() {
    Fd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd.valid()) return;
    const int yes = 1;
    (void)::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    watch_->want(async::Interest{});
    client_.emplace(
        loop_, std::move(fd), [this](ByteView bytes) { received_(bytes); },
        [this] {
          client_.reset();
          watch_->want(async::Interest{.readable = true});
          if (on_host_) on_host_(false);
        });
    client_->setReadSize(read_size_);
    client_->pause(paused_);
    if (on_host_) on_host_(true);
  }

  async::UvLoop& loop_;
  Fd listener_;
  std::string path_;
  Received received_;
  std::unique_ptr<async::UvLoop::FdWatch> watch_;
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

}  // namespace

Result<Fd> listenUnix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return std::unexpected(Error{ErrorKind::Invalid, path, "empty or too long for a socket"});
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  ::unlink(path.c_str());
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
