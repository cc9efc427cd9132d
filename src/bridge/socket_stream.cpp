#include "qimux/bridge/socket_stream.hpp"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace qimux::bridge {

SocketStream::SocketStream(async::UvLoop& loop, Fd fd) : fd_(std::move(fd)) {
  watch_ = loop.watch(fd_.get(), async::Interest{.readable = true},
                      [this](async::Interest seen) { onReady(seen); });
}

SocketStream::~SocketStream() {
  watch_.reset();
}

// Level-triggered: what was reported and not yet taken would be reported for ever, so it is watched for again
// only after it was.
void SocketStream::watch() {
  if (watch_ == nullptr) return;
  watch_->want(async::Interest{.readable = idle_ && input_ == Input::Open, .writable = !writable_});
}

void SocketStream::onReady(async::Interest seen) {
  if (seen.readable || seen.gone) idle_ = false;
  if (seen.writable || seen.gone) writable_ = true;
  if (seen.gone) input_ = Input::Reset;
  watch();
  changed();
}

std::size_t SocketStream::readable() {
  if (idle_ || input_ == Input::Reset) return 0;
  int waiting = 0;
  if (::ioctl(fd_.get(), FIONREAD, &waiting) == 0 && waiting > 0) return static_cast<std::size_t>(waiting);
  if (input_ != Input::Open) return 0;
  // Readable without bytes: an end, an error, or nothing any more.
  Byte probe = 0;
  const ssize_t count = ::recv(fd_.get(), &probe, 1, MSG_PEEK | MSG_DONTWAIT);
  if (count > 0) return 1;
  if (count == 0) {
    input_ = Input::Ended;
  } else if (errno == EAGAIN || errno == EINTR) {
    idle_ = true;
  } else {
    input_ = Input::Reset;
  }
  watch();
  return 0;
}

std::size_t SocketStream::read(ByteSpan out) {
  if (input_ == Input::Reset) return 0;
  const ssize_t count = ::recv(fd_.get(), out.data(), out.size(), MSG_DONTWAIT);
  return count > 0 ? static_cast<std::size_t>(count) : 0;
}

AppStream::Input SocketStream::input() {
  return input_;
}

std::size_t SocketStream::write(ByteView bytes) {
  if (input_ == Input::Reset) return bytes.size();  // into the void: nobody reads any more
  const ssize_t count = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (count < 0 && errno != EAGAIN && errno != EINTR) {
    input_ = Input::Reset;
    watch();
    return bytes.size();
  }
  const std::size_t taken = count > 0 ? static_cast<std::size_t>(count) : 0;
  writable_ = taken == bytes.size();
  watch();
  return taken;
}

bool SocketStream::drained() {
  int queued = 0;
  return input_ == Input::Reset || ::ioctl(fd_.get(), SIOCOUTQ, &queued) != 0 || queued == 0;
}

void SocketStream::endOutput() {
  ::shutdown(fd_.get(), SHUT_WR);
}

void SocketStream::reset() {
  const linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  watch_.reset();
  fd_.reset();
  input_ = Input::Reset;
}

}  // namespace qimux::bridge
