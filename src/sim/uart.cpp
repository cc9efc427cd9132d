#include "qimux/sim/uart.hpp"

#include <algorithm>
#include <utility>

namespace qimux::sim {
namespace {
constexpr std::uint64_t kBitsPerByte = 10;
constexpr auto kPiece = std::chrono::microseconds(500);
// Of what was held on a line without a limit.
constexpr std::uint64_t kAtOnce = 512;
}  // namespace

Uart::Lane::Lane(async::Loop& loop, unsigned baud, Deliver deliver)
    : loop_(loop), timer_(loop), baud_(baud), deliver_(std::move(deliver)) {}

async::TimePoint Uart::Lane::passedAt(std::uint64_t count) const {
  // Rounded up: a byte is not there before its last bit.
  const std::uint64_t bits = count * kBitsPerByte * 1'000'000;
  return begin_ + async::Duration((bits + baud_ - 1) / baud_);
}

std::uint64_t Uart::Lane::passed(async::TimePoint now) const {
  const auto elapsed = static_cast<std::uint64_t>((now - begin_).count());
  return elapsed * baud_ / (kBitsPerByte * 1'000'000);
}

void Uart::Lane::send(ByteView bytes) {
  if (baud_ == 0 && !held_ && queue_.empty()) {
    deliver_(bytes);
    return;
  }
  if (bytes.empty()) return;
  if (queue_.empty() && baud_ != 0) begin();
  queue_.append(bytes);
  arm();
}

// The line may still be busy with the stop bit of the last byte.
void Uart::Lane::begin() {
  begin_ = std::max(loop_.now(), delivered_ == 0 ? loop_.now() : passedAt(delivered_));
  delivered_ = 0;
}

void Uart::Lane::hold(bool held) {
  if (std::exchange(held_, held) == held) return;
  if (held) {
    timer_.stop();
    return;
  }
  begin_ = loop_.now();
  delivered_ = 0;
  if (!queue_.empty()) arm();
}

void Uart::Lane::arm() {
  if (held_) return;
  if (baud_ == 0) {
    timer_.start(async::Duration{0}, [this] { fire(); });
    return;
  }
  const async::TimePoint end = passedAt(delivered_ + queue_.size());
  timer_.startAt(std::min(end, loop_.now() + kPiece), [this] { fire(); });
}

void Uart::Lane::fire() {
  const std::uint64_t due = baud_ == 0 ? kAtOnce : passed(loop_.now()) - delivered_;
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(due, queue_.size()));
  if (count > 0) {
    delivered_ += count;
    // Copied: whoever gets it may send more.
    const ByteView view = queue_.view().first(count);
    const Bytes piece(view.begin(), view.end());
    queue_.drop(count);
    deliver_(piece);
  }
  if (passed_) passed_();
  if (!queue_.empty()) arm();
}

void Uart::Lane::setBaud(unsigned baud) {
  if (baud_ == 0 || baud == 0) return;
  begin();
  baud_ = baud;
  if (!queue_.empty()) arm();
}

Uart::Uart(async::Loop& loop, unsigned baud, Deliver to_module, Deliver to_host)
    : to_module_(loop, baud, std::move(to_module)), to_host_(loop, baud, std::move(to_host)) {}

void Uart::setBaud(unsigned baud) {
  to_module_.setBaud(baud);
  to_host_.setBaud(baud);
}

}  // namespace qimux::sim
