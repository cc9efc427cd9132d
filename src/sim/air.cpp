#include "qimux/sim/air.hpp"

#include <algorithm>

namespace qimux::sim {

async::TimePoint Air::pass(async::TimePoint& free, std::size_t bytes) {
  free = std::max(free, loop_.now());
  if (rate_ != 0) free += async::Duration(bytes * 1'000'000 / rate_);
  return free + oneWay();
}

void Air::stall(async::Duration span) {
  up_free_ = std::max(up_free_, loop_.now()) + span;
  down_free_ = std::max(down_free_, loop_.now()) + span;
}

}  // namespace qimux::sim
