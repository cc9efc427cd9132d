// A loop whose clock jumps: when nothing is ready, it is at once the time of the next timer.
#pragma once

#include "qimux/async/loop.hpp"

namespace qimux::async {

class VirtualLoop final : public Loop {
 public:
  TimePoint now() const override { return now_; }

  // Until nothing is ready and no timer is set, at most to `limit` of virtual time from now.
  // True where it came to rest.
  bool runUntilIdle(Duration limit = std::chrono::hours(24 * 365));
  // Runs all that happens in the next `span`, and ends exactly then.
  void runFor(Duration span);
  // Until `done()`, asked after every turn; false where `limit` passes, or nothing is left to happen, before.
  bool runUntil(std::move_only_function<bool()> done, Duration limit);

 private:
  // One turn: everything ready, or else the timers of the next moment, unless that is after `end`.
  // False where nothing is left to do before `end`.
  bool turn(TimePoint end);

  TimePoint now_{};
};

}  // namespace qimux::async
