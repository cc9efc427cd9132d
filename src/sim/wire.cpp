#include "qimux/sim/wire.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace qimux::sim {
namespace {
// The largest piece of chunked output.
constexpr std::size_t kLargestChunk = 64;
}  // namespace

Wire::Wire(async::Loop& loop, const Options& options, Transcript& transcript, Output output)
    : loop_(loop),
      options_(options),
      transcript_(transcript),
      output_(std::move(output)),
      flusher_(*this),
      random_(options.seed) {}

void Wire::print(ByteView bytes) {
  if (loop_.now() < silent_until_) {
    if (transcript_.on()) transcript_.note(fmt::format("silence: {} bytes lost", bytes.size()));
    return;
  }
  out_.insert(out_.end(), bytes.begin(), bytes.end());
  if (!held()) loop_.enqueue(flusher_);
}

ByteView Wire::heard(ByteView bytes) {
  if (noise_ <= 0) return bytes;
  heard_.assign(bytes.begin(), bytes.end());
  spoil(heard_);
  return heard_;
}

void Wire::hold(Hold why, bool held) {
  held_[static_cast<std::size_t>(why)] = held;
  if (!this->held() && !out_.empty()) loop_.enqueue(flusher_);
}

void Wire::clear() {
  out_.clear();
  flusher_.unlink();
}

void Wire::flush() {
  if (held() || out_.empty()) return;
  if (options_.quirks.has(Quirk::Chunked)) {
    // One piece a turn, so that a reader that is quick enough sees each by itself.
    std::uniform_int_distribution<std::size_t> size(1, kLargestChunk);
    const std::size_t take = std::min(size(random_), out_.size());
    const auto end = out_.begin() + static_cast<std::ptrdiff_t>(take);
    leaving_.assign(out_.begin(), end);
    out_.erase(out_.begin(), end);
    if (!out_.empty()) loop_.enqueue(flusher_);
  } else {
    std::swap(leaving_, out_);
    out_.clear();
  }
  if (noise_ > 0) spoil(leaving_);
  if (overrun_ > 0 || stolen_ > 0) lose(leaving_);
  output_(leaving_);
}

void Wire::lose(Bytes& bytes) {
  const std::size_t before = bytes.size();
  const std::size_t stolen = std::min(stolen_, before);
  stolen_ -= stolen;
  bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(stolen));
  if (overrun_ > 0) {
    std::bernoulli_distribution hit(overrun_);
    std::erase_if(bytes, [&](Byte) { return hit(random_); });
  }
  const std::size_t lost = before - bytes.size();
  if (lost > 0 && transcript_.on()) transcript_.note(fmt::format("{} bytes do not reach the host", lost));
}

Bytes Wire::random(std::size_t size) {
  Bytes bytes(size);
  for (Byte& byte : bytes) byte = static_cast<Byte>(random_());
  return bytes;
}

void Wire::spoil(Bytes& bytes) {
  std::bernoulli_distribution hit(noise_);
  std::uniform_int_distribution<int> how(0, 8);
  std::size_t kept = 0;
  std::size_t spoiled = 0;
  for (const Byte byte : bytes) {
    if (!hit(random_)) {
      bytes[kept++] = byte;
      continue;
    }
    ++spoiled;
    const int bit = how(random_);
    // The ninth way is to lose it.
    if (bit < 8) bytes[kept++] = static_cast<Byte>(byte ^ (1 << bit));
  }
  bytes.resize(kept);
  if (spoiled > 0 && transcript_.on()) transcript_.note(fmt::format("noise: {} bytes spoiled", spoiled));
}

}  // namespace qimux::sim
