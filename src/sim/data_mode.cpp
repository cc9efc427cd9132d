#include "qimux/sim/data_mode.hpp"

#include "qimux/sim/module.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace qimux::sim {
namespace {

constexpr Byte kPlus = '+';
constexpr auto kGuard = std::chrono::milliseconds(500);
constexpr auto kBetween = std::chrono::milliseconds(20);
// One packet carries no more.
constexpr std::size_t kLargestPacket = 1460;
// Typed and not yet taken by the stack; behind this the line waits.
constexpr std::size_t kTypedLimit = 4 * kLargestPacket;
// The stack has no room: again, so much later.
constexpr auto kAgain = std::chrono::milliseconds(50);

}  // namespace

DataMode::DataMode(Module& module) : module_(module), guard_(module.loop()), wait_(module.loop()) {}

void DataMode::began(Slot& slot) {
  assert(slot_ == nullptr);
  slot_ = &slot;
  module_.lines().setDcd(true);
  online();
}

void DataMode::online() {
  module_.terminal().goOnline(*this, "CONNECT", [this] {
    module_.transcript().note("data mode");
    last_byte_ = module_.loop().now();
    module_.stack().push();
  });
}

bool DataMode::resume() {
  if (slot_ == nullptr) return false;
  online();
  return true;
}

void DataMode::ended(Slot& slot) {
  assert(slot_ == &slot);
  slot_ = nullptr;
  module_.lines().setDcd(false);
  guard_.stop();
  wait_.stop();
  pluses_ = 0;
  if (!typed_.empty()) module_.transcript().note(fmt::format("{} typed bytes not sent", typed_.size()));
  typed_.clear();
  module_.terminal().goOffline();
}

std::size_t DataMode::packetSize() const {
  return static_cast<std::size_t>(module_.settings().transparent.size);
}

std::size_t DataMode::feed(ByteView bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && typed_.size() < kTypedLimit) take(bytes[used++]);
  flush(packetSize());
  return used;
}

bool DataMode::fits(async::TimePoint now) const {
  if (!module_.settings().transparent.escape) return false;
  if (pluses_ == 0) return now - last_byte_ >= kGuard;
  return pluses_ < 3 && now - last_byte_ <= kBetween;
}

void DataMode::take(Byte byte) {
  const async::TimePoint now = module_.loop().now();
  const bool plus = byte == kPlus && fits(now);
  last_byte_ = now;
  if (plus) {
    ++pluses_;
    guard_.start(kGuard, [this] { pluses(); });
    return;
  }
  releasePluses();
  typed_.push_back(byte);
}

// Silence behind a plus.
void DataMode::pluses() {
  if (pluses_ == 3) {
    escape();
  } else {
    releasePluses();
    flush(packetSize());
  }
}

void DataMode::releasePluses() {
  guard_.stop();
  typed_.insert(typed_.end(), static_cast<std::size_t>(std::exchange(pluses_, 0)), kPlus);
}

void DataMode::escape() {
  guard_.stop();
  pluses_ = 0;
  module_.transcript().note("command mode");
  module_.terminal().result(0, "OK");
  module_.terminal().goOffline();
}

void DataMode::dtrDropped() {
  if (!module_.terminal().online() || module_.settings().dtr_action == 0) return;
  module_.transcript().note("DTR off");
  Slot& slot = *slot_;
  releasePluses();
  flush(1);
  escape();
  if (module_.settings().dtr_action == 2) module_.stack().close(slot);
}

void DataMode::flush(std::size_t least) {
  while (slot_ != nullptr && !typed_.empty() && typed_.size() >= least) {
    const ByteView packet = ByteView(typed_).first(std::min({typed_.size(), packetSize(), kLargestPacket}));
    if (!module_.stack().send(*slot_, packet)) {
      wait_.start(kAgain, [this, least] { flush(least); });
      return;
    }
    module_.transcript().payloadIn(packet);
    typed_.erase(typed_.begin(), typed_.begin() + static_cast<std::ptrdiff_t>(packet.size()));
    wait_.stop();
  }
  // Less than a packet goes when nothing more has come for a while.
  const auto wait = std::chrono::milliseconds(100) * module_.settings().transparent.wait;
  if (!typed_.empty() && !wait_.armed()) wait_.start(wait, [this] { flush(1); });
  module_.terminal().resume();
}

}  // namespace qimux::sim
