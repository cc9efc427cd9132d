#include "sim/program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace qimux::simtest {

std::string_view name(ProgramEnd end) {
  switch (end) {
    case ProgramEnd::AfterAll:
      return "closes after all";
    case ProgramEnd::HalfClose:
      return "half-closes after writing";
    case ProgramEnd::CloseAfterWrite:
      return "closes after writing";
    case ProgramEnd::UntilEnd:
      return "reads to the end";
    case ProgramEnd::Reset:
      return "resets in the middle";
  }
  return "unknown";
}

Program::Program(async::Loop& loop, const ProgramPlan& plan, std::uint64_t seed,
                 std::function<void(const std::string&)> fault)
    : loop_(loop),
      plan_(plan),
      dice_(seed),
      fault_(std::move(fault)),
      conduit_(plan.bounds),
      write_timer_(loop),
      read_timer_(loop),
      patience_(loop) {
  conduit_.onChange([this] { this->plan(); });
}

void Program::begin() {
  patience_.start(plan_.patience, [this] { giveUp(); });
  plan();
  decide();
}

// Sets the timers for what can be done; each thing takes its time, and only then looks again.
void Program::plan() {
  if (over_) return;
  if (!write_timer_.armed() && mayWrite() > 0 && (conduit_.room() > 0 || conduit_.bridgeLeft())) {
    write_timer_.start(dice_.span(async::Duration{0}, plan_.write_gap), [this] { write(); });
  }
  const bool something = conduit_.waiting() > 0 || conduit_.endSeen() || conduit_.resetSeen();
  if (!read_timer_.armed() && something) {
    const auto at = loop_.now() + dice_.span(async::Duration{0}, plan_.read_gap);
    read_timer_.startAt(std::max(at, paused_until_), [this] { readSome(); });
  }
}

std::uint64_t Program::mayWrite() const {
  if (half_closed_ || conduit_.broken()) return 0;
  std::uint64_t most = plan_.up_total;
  if (plan_.request > 0) most = std::min(most, (read_ / plan_.response + 1) * plan_.request);
  return most - std::min(most, written_);
}

void Program::write() {
  const auto size = static_cast<std::size_t>(std::min(mayWrite(), dice_.size(1, plan_.write_most)));
  if (size > 0) written_ += conduit_.put(pattern(plan_.up_stream, written_, size));
  decide();
  plan();
}

void Program::readSome() {
  if (conduit_.resetSeen()) {
    saw_reset_ = true;
    return leave();
  }
  if (conduit_.endSeen()) {
    saw_end_ = true;
    return leave();
  }
  std::array<Byte, 16384> buffer;
  const auto most = static_cast<std::size_t>(dice_.size(1, std::min<std::uint64_t>(plan_.read_most, 16384)));
  const std::size_t size = conduit_.get(ByteSpan(buffer).first(most));
  const auto wrong = mismatch(plan_.down_stream, read_, ByteView(buffer).first(size));
  if (wrong) {
    fault_(fmt::format("the program read a wrong byte at {}", *wrong));
    return giveUp();
  }
  read_ += size;
  if (plan_.pause_at && !pause_done_ && read_ >= *plan_.pause_at) {
    pause_done_ = true;
    paused_until_ = loop_.now() + plan_.pause;
  }
  decide();
  plan();
}

void Program::decide() {
  if (over_) return;
  const bool all_written = written_ >= plan_.up_total;
  switch (plan_.end) {
    case ProgramEnd::AfterAll:
      if (all_written && read_ >= plan_.down_total) leave();
      break;
    case ProgramEnd::HalfClose:
      if (!all_written || half_closed_) break;
      half_closed_ = true;
      conduit_.shutdown();
      break;
    case ProgramEnd::CloseAfterWrite:
      if (all_written) leave();
      break;
    case ProgramEnd::UntilEnd:
      break;
    case ProgramEnd::Reset:
      if (written_ + read_ >= plan_.reset_at) giveUp();
      break;
  }
}

void Program::giveUp() {
  if (over_) return;
  gave_up_ = true;
  conduit_.abort();
  leave();
}

void Program::leave() {
  if (over_) return;
  over_ = true;
  write_timer_.stop();
  read_timer_.stop();
  patience_.stop();
  if (!gave_up_) conduit_.close();
}

}  // namespace qimux::simtest
