// Is the program whose SYN is held still waiting? Its kernel's retransmissions tell.
//
// A program that gives up a connect sends nothing; its SYNs just cease. The kernel sends them again after 1,
// 2, 3, 4, 5, 7, 11, 19, 36, 69 s, or on older ones after 1, 3, 7, 15, 31, 63 s: each gap is at most about
// twice the one before. When the next one is overdue nobody waits any more.
#pragma once

#include "qimux/async/loop.hpp"

namespace qimux::bridge {

class SynWatch {
 public:
  explicit SynWatch(async::TimePoint first) : first_(first), last_(first) {}

  void again(async::TimePoint now) {
    gap_ = now - last_;
    last_ = now;
  }

  // From then on nobody waits, unless another one comes before.
  async::TimePoint abandonedAt() const;
  async::TimePoint first() const { return first_; }
  async::TimePoint last() const { return last_; }

 private:
  async::TimePoint first_;
  async::TimePoint last_;
  async::Duration gap_{};
};

}  // namespace qimux::bridge
