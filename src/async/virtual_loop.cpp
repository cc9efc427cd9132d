#include "qimux/async/virtual_loop.hpp"

#include <algorithm>

namespace qimux::async {

bool VirtualLoop::turn(TimePoint end) {
  if (hasReady()) {
    runReady(1);
    return true;
  }
  const TimePoint next = earliest();
  if (next == TimePoint::max() || next > end) return false;
  now_ = std::max(now_, next);
  fireTimers();
  return true;
}

bool VirtualLoop::runUntilIdle(Duration limit) {
  const TimePoint end = now_ + limit;
  while (turn(end)) {
  }
  return earliest() == TimePoint::max();
}

void VirtualLoop::runFor(Duration span) {
  const TimePoint end = now_ + span;
  while (turn(end)) {
  }
  now_ = end;
}

bool VirtualLoop::runUntil(std::move_only_function<bool()> done, Duration limit) {
  const TimePoint end = now_ + limit;
  while (!done()) {
    if (!turn(end)) return false;
  }
  return true;
}

}  // namespace qimux::async
