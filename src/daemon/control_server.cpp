#include "qimux/daemon/control_server.hpp"

#include "qimux/base/log.hpp"
#include "qimux/daemon/control_client.hpp"
#include "qimux/daemon/control_socket.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <list>
#include <utility>

namespace qimux::daemon {
namespace {

// How long new clients are left waiting when the process has no descriptor for them: the listening socket
// stays readable all that time, and would keep the loop busy.
constexpr async::Duration kPause = std::chrono::seconds(1);

class Server final : public ControlServer {
 public:
  Server(async::UvLoop& loop, ControlHandler& handler, ControlSocket socket, const ControlLimits& limits)
      : loop_(loop), handler_(handler), limits_(limits), socket_(std::move(socket)), pause_(loop) {
    watch_ =
        loop_.watch(socket_.fd(), async::Interest{.readable = true}, [this](async::Interest) { accept(); });
  }

  std::size_t clients() const override { return clients_.size(); }

 private:
  using Clients = std::list<std::shared_ptr<ControlClient>>;

  // One a turn: whoever connects in a hurry does not hold up the link.
  void accept() {
    Fd fd(::accept4(socket_.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd.valid()) {
      if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) pause(errno);
      return;
    }
    if (clients_.size() >= limits_.clients) return sendAway(fd.get());
    clients_.emplace_back();
    const auto place = std::prev(clients_.end());
    *place = std::make_shared<ControlClient>(loop_, std::move(fd), handler_, limits_,
                                             [this, place] { clients_.erase(place); });
    (*place)->start();
  }

  void sendAway(int fd) const {
    const Error error{ErrorKind::Full, "control",
                      fmt::format("{} clients are connected already", limits_.clients)};
    const std::string line = Response::failed(error).line() + '\n';
    [[maybe_unused]] const auto sent = ::send(fd, line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }

  void pause(int error_number) {
    log::warning(fmt::format("control: no new client: {}", std::strerror(error_number)));
    watch_->want(async::Interest{});
    pause_.start(kPause, [this] { watch_->want(async::Interest{.readable = true}); });
  }

  async::UvLoop& loop_;
  ControlHandler& handler_;
  const ControlLimits limits_;
  ControlSocket socket_;
  async::Timer pause_;
  std::unique_ptr<async::UvLoop::FdWatch> watch_;
  Clients clients_;
};

}  // namespace

Result<std::unique_ptr<ControlServer>> ControlServer::listen(async::UvLoop& loop, ControlHandler& handler,
                                                             const std::string& path,
                                                             const std::string& group,
                                                             const ControlLimits& limits) {
  auto socket = ControlSocket::listen(path, group);
  if (!socket) return std::unexpected(std::move(socket.error()));
  return std::make_unique<Server>(loop, handler, std::move(*socket), limits);
}

}  // namespace qimux::daemon
