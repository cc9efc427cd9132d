#include "qimux/bridge/syn_watch.hpp"

#include <algorithm>

namespace qimux::bridge {
namespace {

using namespace std::chrono_literals;

// The first retransmission comes after 1 s, on a slow machine a little later.
constexpr async::Duration kFirstGap = 1s;
constexpr async::Duration kEarlySlack = 1500ms;
constexpr async::Duration kSlack = 500ms;
constexpr async::Duration kEarly = 5s;

}  // namespace

async::TimePoint SynWatch::abandonedAt() const {
  const bool early = last_ - first_ < kEarly;
  const auto expected = std::max(kFirstGap, early ? gap_ : 2 * gap_);
  // While the schedule may still change from even to doubling gaps, both must have passed.
  const auto longest = early ? std::max(expected, 2 * gap_) : expected;
  return last_ + longest + longest / 20 + (early ? kEarlySlack : kSlack);
}

}  // namespace qimux::bridge
