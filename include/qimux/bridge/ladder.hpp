// What to do about a lost link: which step, and after how long a pause.
//
// Theory of operation
//
// Each cause has rungs, the mildest first, and each rung a number of tries:
//
//   Context                 reactivate x3, restart x2, reset_line x2
//   Activation              reactivate x4, restart, reset_line
//   Stack                   reactivate, restart x2, reset_line x2
//   Unending                restart, reset_line x2        (the application note, 5.5, resets at once)
//   Silence                 baud_hunt, reset_line x2, await_device
//   Registration, Sim       only another attempt x2, then restart, reset_line
//   Started, PowerDown      only another attempt
//   Person                  only another attempt: no restart gives a PIN
//   Device                  await_device: the port is opened again as soon as it can be
//
// An episode begins with a loss and ends when the link has stayed up for kStable; a link that comes and goes
// climbs on. When all rungs of a cause are used up, its next round begins with the mildest one; from then on
// the disruptive steps (restart, reset_line) are at least kSpacing apart, doubled with each round, up to
// kLongestSpacing: what no restart has cured, ten a day cure no better. (For a SIM they stay kSpacing apart.)
//
// The first step of an episode is taken at once. Each further one after a pause that doubles from kFirstPause
// up to what its cause is worth, with some jitter: a field of gateways that lost the same cell does not come
// back in step.
//
// A core without I/O: takes causes and times, returns what to do.
#pragma once

#include "qimux/async/loop.hpp"
#include "qimux/bridge/loss.hpp"
#include "qimux/bridge/recovery.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <random>

namespace qimux::bridge {

class Ladder {
 public:
  static constexpr async::Duration kStable = std::chrono::minutes(1);
  static constexpr async::Duration kFirstPause = std::chrono::milliseconds(500);
  static constexpr async::Duration kSpacing = std::chrono::minutes(10);
  static constexpr async::Duration kLongestSpacing = std::chrono::hours(6);
  static constexpr double kJitter = 0.2;  // of the pause, up or down

  // `has_reset_line`: else that rung is missing. `seed` is that of the jitter.
  Ladder(bool has_reset_line, std::uint32_t seed) : has_reset_line_(has_reset_line), random_(seed) {}

  struct Decision {
    async::Duration pause{};
    std::optional<RecoveryStep> step;  // none: only another attempt
  };
  Decision decide(Cause cause, async::TimePoint now);

  // The link is up.
  void online(async::TimePoint now) { online_at_ = now; }
  // Attempts of the episode so far.
  int attempts() const { return attempts_; }

 private:
  struct Rung;
  bool mayTake(Cause cause, RecoveryStep step, async::TimePoint now) const;
  std::optional<RecoveryStep> climb(Cause cause, async::TimePoint now);
  async::Duration pauseFor(Cause cause);

  bool has_reset_line_;
  std::minstd_rand random_;
  int attempts_ = 0;
  int round_ = 0;
  std::array<int, kRecoverySteps.size()> taken_{};  // in this round
  bool disrupted_ = false;                          // a restart or a reset was taken in this round
  int waited_ = 0;                                  // attempts without a step, in this round
  std::array<std::optional<async::TimePoint>, kRecoverySteps.size()> last_{};
  std::optional<async::TimePoint> online_at_;
};

}  // namespace qimux::bridge
