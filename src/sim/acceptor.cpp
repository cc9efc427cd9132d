#include "acceptor.hpp"

#include <cerrno>
#include <chrono>
#include <utility>

namespace qimux::sim {
namespace {
constexpr std::chrono::milliseconds kRetry(100);
}  // namespace

Acceptor::Acceptor(async::UvLoop& loop, Fd listener, std::move_only_function<void()> knocked)
    : listener_(std::move(listener)), retry_(loop) {
  watch_ = loop.watch(listener_.get(), async::Interest{.readable = true},
                      [call = std::move(knocked)](async::Interest) mutable { call(); });
}

void Acceptor::want(bool wanted) {
  wanted_ = wanted;
  apply();
}

Fd Acceptor::accept(sockaddr* remote, socklen_t* size) {
  Fd fd(::accept4(listener_.get(), remote, size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!fd.valid() && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
    retry_.start(kRetry, [this] { apply(); });
    apply();
  }
  return fd;
}

void Acceptor::apply() {
  watch_->want(async::Interest{.readable = wanted_ && !retry_.armed()});
}

}  // namespace qimux::sim
