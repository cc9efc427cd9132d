#include "port_stream.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace qimux::sim {
namespace {
// What waits for a host that does not read; a real port would have lost it long before.
constexpr std::size_t kMostWaiting = 262144;
}  // namespace

Stream::Stream(async::UvLoop& loop, Fd fd, Port::Received received, std::move_only_function<void()> gone)
    : fd_(std::move(fd)), received_(std::move(received)), gone_(std::move(gone)) {
  watch_ = loop.watch(fd_.get(), async::Interest{.readable = true},
                      [this](async::Interest seen) { report(seen); });
}

void Stream::write(ByteView bytes) {
  if (out_.empty()) {
    const ssize_t written = ::write(fd_.get(), bytes.data(), bytes.size());
    if (written > 0) bytes = bytes.subspan(static_cast<std::size_t>(written));
    if (bytes.empty()) return;
  }
  const std::size_t room = kMostWaiting - std::min(kMostWaiting, out_.size());
  out_.append(bytes.first(std::min(room, bytes.size())));
  apply();
}

void Stream::writeSome() {
  const ByteView waiting = out_.view();
  const ssize_t written = ::write(fd_.get(), waiting.data(), waiting.size());
  if (written > 0) out_.drop(static_cast<std::size_t>(written));
  apply();
}

void Stream::pause(bool paused) {
  if (std::exchange(paused_, paused) != paused) apply();
}

void Stream::apply() {
  watch_->want(async::Interest{.readable = !paused_, .writable = !out_.empty()});
}

void Stream::report(async::Interest seen) {
  if (seen.writable && !out_.empty()) writeSome();
  if (!seen.readable && !seen.gone) return;
  if (readSome() || !gone_) return;
  auto gone = std::move(gone_);
  gone();
}

// False where the other side has gone.
bool Stream::readSome() {
  std::array<Byte, 65536> buffer;
  const ssize_t size = ::read(fd_.get(), buffer.data(), std::min(read_size_, buffer.size()));
  if (size > 0) {
    received_(ByteView(buffer).first(static_cast<std::size_t>(size)));
    return true;
  }
  return size < 0 && (errno == EAGAIN || errno == EINTR);
}

}  // namespace qimux::sim
