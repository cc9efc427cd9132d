// Things to come, in the order of their time.
#pragma once

#include "qimux/async/loop.hpp"

#include <functional>
#include <map>
#include <utility>

namespace qimux::sim {

class Timeline {
 public:
  explicit Timeline(async::Loop& loop) : loop_(loop), timer_(loop) {}

  // Calls back once. Calls of the same moment come in the order in which they were set.
  void at(async::TimePoint when, std::move_only_function<void()> call) {
    calls_.emplace(when, std::move(call));
    arm();
  }
  void in(async::Duration delay, std::move_only_function<void()> call) {
    at(loop_.now() + delay, std::move(call));
  }
  // Nothing of it happens.
  void clear() {
    calls_.clear();
    timer_.stop();
  }

 private:
  void arm() {
    if (!calls_.empty()) timer_.startAt(calls_.begin()->first, [this] { fire(); });
  }
  void fire() {
    // A call may clear what is left, or add to it.
    while (!calls_.empty() && calls_.begin()->first <= loop_.now()) {
      auto node = calls_.extract(calls_.begin());
      node.mapped()();
    }
    arm();
  }

  async::Loop& loop_;
  async::Timer timer_;
  std::multimap<async::TimePoint, std::move_only_function<void()>> calls_;
};

}  // namespace qimux::sim
