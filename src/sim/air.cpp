#include "qimux/sim/air.hpp"

#include <algorithm>

namespace qimux::sim {
namespace {

constexpr async::Duration kLeastTimeout = std::chrono::seconds(1);
constexpr async::Duration kMostTimeout = std::chrono::seconds(64);
// Where nothing gets through: longer than anybody waits.
constexpr async::Duration kForever = std::chrono::hours(24);

}  // namespace

Air::Air(async::Loop& loop, const Options& options)
    : loop_(loop),
      rtt_(options.rtt),
      rate_(options.rate),
      loss_(options.loss),
      ack_lag_(options.ack_lag),
      random_(options.seed ^ 0xa17) {}

async::TimePoint Air::pass(async::TimePoint& free, std::size_t bytes) {
  free = std::max(free, loop_.now());
  if (rate_ != 0) free += async::Duration(std::uint64_t{bytes} * 1'000'000 / rate_);
  return free + oneWay();
}

void Air::stall(async::Duration span) {
  up_free_ = std::max(up_free_, loop_.now()) + span;
  down_free_ = std::max(down_free_, loop_.now()) + span;
}

bool Air::loses() {
  // Nothing is drawn where nothing gets lost: a seed means the same with and without.
  return loss_ > 0 && std::uniform_real_distribution<double>(0, 1)(random_) < loss_;
}

async::Duration Air::retransmissions() {
  async::Duration late{0};
  for (async::Duration timeout = std::max(kLeastTimeout, 2 * rtt_); loses() && late < kForever;
       timeout = std::min(2 * timeout, std::max(kMostTimeout, 2 * rtt_))) {
    late += timeout;
  }
  return late;
}

async::Duration Air::ackLag() {
  if (ack_lag_.least >= ack_lag_.most) return ack_lag_.least;
  std::uniform_int_distribution<async::Duration::rep> pick(ack_lag_.least.count(), ack_lag_.most.count());
  return async::Duration(pick(random_));
}

}  // namespace qimux::sim
