#include "qimux/bridge/ladder.hpp"

#include <algorithm>
#include <initializer_list>
#include <span>

namespace qimux::bridge {

using namespace std::chrono_literals;
using Step = RecoveryStep;

// Without a step: only another attempt.
struct Ladder::Rung {
  std::optional<Step> step;
  int tries;
};

namespace {

// The longest pause. Where only the module has to come back it is looked for all the time.
async::Duration longestPause(Cause cause) {
  switch (cause) {
    case Cause::Device:
    case Cause::Silence:
      return 2s;
    case Cause::Sim:
    case Cause::Registration:
      return 10s;
    default:
      return 60s;
  }
}

// Who listens at another rate does not hear the module when it comes back.
constexpr async::Duration kHuntSpacing = 5min;

bool disruptive(Step step) {
  return step == Step::Restart || step == Step::ResetLine;
}

}  // namespace

bool Ladder::mayTake(Cause cause, Step step, async::TimePoint now) const {
  if (step == Step::ResetLine && !has_reset_line_) return false;
  const auto& last = last_.at(static_cast<std::size_t>(step));
  if (step == Step::BaudHunt) return !last || now >= *last + kHuntSpacing;
  if (round_ == 0 || !disruptive(step) || !last) return true;
  // A SIM is found only at a start, and who has put it in waits beside it.
  if (cause == Cause::Sim) return now >= *last + kSpacing;
  const auto spacing = kSpacing * (1 << std::min(round_ - 1, 10));
  return now >= *last + std::min<async::Duration>(spacing, kLongestSpacing);
}

std::optional<Step> Ladder::climb(Cause cause, async::TimePoint now) {
  static constexpr Rung kContext[] = {{Step::Reactivate, 3}, {Step::Restart, 2}, {Step::ResetLine, 2}};
  static constexpr Rung kActivation[] = {{Step::Reactivate, 4}, {Step::Restart, 1}, {Step::ResetLine, 1}};
  static constexpr Rung kStack[] = {{Step::Reactivate, 1}, {Step::Restart, 2}, {Step::ResetLine, 2}};
  static constexpr Rung kUnending[] = {{Step::Restart, 1}, {Step::ResetLine, 2}};
  static constexpr Rung kSilence[] = {{Step::BaudHunt, 1}, {Step::ResetLine, 2}, {Step::AwaitDevice, 1}};
  static constexpr Rung kNetwork[] = {{{}, 2}, {Step::Restart, 1}, {Step::ResetLine, 1}};
  static constexpr Rung kAgain[] = {{{}, 1}};
  static constexpr Rung kDevice[] = {{Step::AwaitDevice, 1}};
  const auto rungs = [cause]() -> std::span<const Rung> {
    switch (cause) {
      case Cause::Context:
        return kContext;
      case Cause::Activation:
        return kActivation;
      case Cause::Stack:
        return kStack;
      case Cause::Unending:
        return kUnending;
      case Cause::Silence:
        return kSilence;
      case Cause::Registration:
      case Cause::Sim:
        return kNetwork;
      case Cause::Device:
        return kDevice;
      default:
        return kAgain;
    }
  }();
  for (int pass = 0; pass < 2; ++pass) {
    for (const auto& rung : rungs) {
      int& taken = rung.step ? taken_.at(static_cast<std::size_t>(*rung.step)) : waited_;
      if (taken >= rung.tries || (rung.step && !mayTake(cause, *rung.step, now))) continue;
      ++taken;
      if (rung.step) last_.at(static_cast<std::size_t>(*rung.step)) = now;
      disrupted_ |= rung.step && disruptive(*rung.step);
      return rung.step;
    }
    // All are used up: a new round. One in which nothing disruptive was taken, because it was too soon, does
    // not make the next wait longer.
    if (disrupted_) ++round_;
    disrupted_ = false;
    taken_ = {};
    waited_ = 0;
  }
  return std::nullopt;
}

async::Duration Ladder::pauseFor(Cause cause) {
  if (attempts_ <= 1) return {};
  const auto doubled = kFirstPause * (1 << std::min(attempts_ - 2, 10));
  const auto pause = std::min<async::Duration>(doubled, longestPause(cause));
  std::uniform_real_distribution<double> jitter(1 - kJitter, 1 + kJitter);
  return std::chrono::duration_cast<async::Duration>(pause * jitter(random_));
}

Ladder::Decision Ladder::decide(Cause cause, async::TimePoint now) {
  if (online_at_ && now >= *online_at_ + kStable) {
    attempts_ = round_ = waited_ = 0;
    disrupted_ = false;
    taken_ = {};
  }
  online_at_.reset();
  ++attempts_;
  Decision decision;
  decision.pause = pauseFor(cause);
  decision.step = climb(cause, now + decision.pause);
  return decision;
}

}  // namespace qimux::bridge
