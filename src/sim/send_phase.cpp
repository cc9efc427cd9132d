#include "qimux/sim/send_phase.hpp"

#include "qimux/sim/module.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace qimux::sim {
namespace {

constexpr Byte kEnd = 0x1a;
constexpr Byte kEscape = 0x1b;
// The quirk by which AT+QISEND is swallowed: one in so many.
constexpr unsigned kSwallowed = 8;
constexpr auto kGuard = std::chrono::milliseconds(500);

}  // namespace

SendPhase::SendPhase(Module& module) : module_(module), period_(module.loop()), plus_(module.loop()) {
  block_.reserve(kLargestBlock);
}

void SendPhase::reset() {
  period_.stop();
  plus_.stop();
  lost_prompts_ = 0;
}

bool SendPhase::swallowed() {
  if (!module_.quirk(Quirk::PromptMissing) || ++begun_ % kSwallowed != 0) return false;
  module_.transcript().note("no prompt this time");
  return true;
}

void SendPhase::begin(Slot& slot, std::optional<std::size_t> length) {
  slot_ = &slot;
  generation_ = slot.generation;
  length_ = length.value_or(0);
  block_.clear();
  const int prompt = module_.settings().prompt;
  // AT+QIPROMPT: 0 and 2 do without.
  if (lost_prompts_ > 0) {
    --lost_prompts_;
    module_.transcript().note("prompt lost by a fault");
  } else if (prompt == 1 || prompt == 3) {
    module_.terminal().raw(bytesOf("\r\n> "));
  }
  pluses_ = 0;
  last_byte_ = module_.loop().now();
  module_.terminal().beginData(*this);
  const TimedSending& timed = module_.settings().timed;
  if (timed.on) period_.start(std::chrono::seconds(timed.period), [this] { finish(); });
}

std::size_t SendPhase::feed(ByteView bytes) {
  return length_ != 0 ? feedFixed(bytes) : feedUntilEnd(bytes);
}

void SendPhase::add(ByteView bytes) {
  if (module_.settings().data_echo) module_.terminal().raw(bytes);
  const std::size_t room = kLargestBlock - block_.size();
  const ByteView kept = bytes.first(std::min(room, bytes.size()));
  if (kept.size() < bytes.size()) {
    module_.transcript().note(fmt::format("payload beyond {} dropped", kLargestBlock));
  }
  block_.insert(block_.end(), kept.begin(), kept.end());
}

std::size_t SendPhase::feedFixed(ByteView bytes) {
  ByteView mine = bytes.first(std::min(bytes.size(), length_ - block_.size()));
  if (module_.quirk(Quirk::EscCancels)) {
    const auto escape = std::ranges::find(mine, kEscape);
    if (escape != mine.end()) {
      const auto before = static_cast<std::size_t>(escape - mine.begin());
      add(mine.first(before));
      cancel();
      return before + 1;
    }
  }
  add(mine);
  if (module_.quirk(Quirk::PlusInData)) lookForPlus(mine);
  if (block_.size() == length_) finish();
  return mine.size();
}

std::size_t SendPhase::feedUntilEnd(ByteView bytes) {
  const auto stop = std::ranges::find_if(bytes, [](Byte byte) { return byte == kEnd || byte == kEscape; });
  const auto before = static_cast<std::size_t>(stop - bytes.begin());
  add(bytes.first(before));
  if (stop == bytes.end()) return before;
  if (*stop == kEscape) {
    cancel();
  } else {
    finish();
  }
  return before + 1;
}

void SendPhase::lookForPlus(ByteView bytes) {
  const async::TimePoint now = module_.loop().now();
  for (const Byte byte : bytes) {
    const bool quiet_before = now - std::exchange(last_byte_, now) >= kGuard;
    const bool begins = byte == '+' && quiet_before;
    pluses_ = begins ? 1 : byte == '+' && pluses_ > 0 ? pluses_ + 1 : 0;
  }
  plus_.stop();
  if (pluses_ == 3) plus_.start(kGuard, [this] { module_.terminal().raw(bytesOf("\r\n> -")); });
}

void SendPhase::cancel() {
  period_.stop();
  plus_.stop();
  module_.transcript().note(fmt::format("{}: cancelled by ESC after {} bytes", slot_->index, block_.size()));
  module_.terminal().endData();
  module_.terminal().complete(Reply::ok(), module_.timing().of({}));
}

void SendPhase::finish() {
  period_.stop();
  plus_.stop();
  Terminal& terminal = module_.terminal();
  module_.transcript().payloadIn(block_);
  terminal.endData();
  // Nothing at all is a failure (application note 5.2.2.3).
  // The socket may have ended meanwhile, and its place may belong to another.
  const bool current = slot_->generation == generation_;
  const bool sent = current && !block_.empty() && module_.stack().send(*slot_, block_);
  const int prompt = module_.settings().prompt;
  std::string result;
  if (slot_->mux && module_.quirk(Quirk::IndexedSendOk)) result = fmt::format("{},", slot_->index);
  if (slot_->mux && prompt == 3) result = fmt::format("{}, ", slot_->index);
  result += sent ? "SEND OK" : "SEND FAIL";
  const bool shown = prompt != 2 || !sent;
  const auto tell = [&terminal, result, shown] {
    if (shown) terminal.info(result);
    terminal.complete(Reply::done());
  };
  const async::Duration time = module_.timing().of("+QISEND");
  if (time.count() == 0) {
    tell();
  } else {
    module_.later().in(time, tell);
  }
}

}  // namespace qimux::sim
