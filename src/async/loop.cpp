#include "qimux/async/loop.hpp"

#include <utility>
#include <vector>

namespace qimux::async {
namespace {

class Posted final : public Ready {
 public:
  explicit Posted(std::move_only_function<void()> call) : call_(std::move(call)) {}
  void run() override {
    auto call = std::move(call_);
    delete this;
    call();
  }
  void abandon() override { delete this; }

 private:
  std::move_only_function<void()> call_;
};

}  // namespace

void Link::unlink() {
  prev_->next_ = next_;
  next_->prev_ = prev_;
  prev_ = next_ = this;
}

void Link::insertBefore(Link& other) {
  unlink();
  prev_ = other.prev_;
  next_ = &other;
  prev_->next_ = this;
  other.prev_ = this;
}

Loop::~Loop() {
  while (ready_.linked()) static_cast<Ready*>(ready_.next())->abandon();
  for (auto& [when, timer] : timers_) timer->armed_ = false;
}

void Loop::enqueue(Ready& ready) {
  const bool was_empty = !ready_.linked();
  ready.insertBefore(ready_);
  if (was_empty) wake();
}

void Loop::post(std::move_only_function<void()> call) {
  enqueue(*new Posted(std::move(call)));
}

bool Loop::runReady(int rounds) {
  if (observer_ != nullptr && ready_.linked()) observer_->onReady();
  for (int round = 0; round < rounds && ready_.linked(); ++round) {
    // A round ends at the mark: what is queued meanwhile waits for the next.
    Ring mark;
    mark.insertBefore(ready_);
    while (ready_.next() != &mark) {
      auto* ready = static_cast<Ready*>(ready_.next());
      ready->unlink();
      ready->run();
    }
  }
  return ready_.linked();
}

void Loop::fireTimers() {
  const TimePoint due = now();
  // Timers set by a firing timer for "now" belong to the next turn; else two that set each other would never
  // end.
  const auto end = timers_.upper_bound(due);
  std::vector<Timer*> firing;
  for (auto it = timers_.begin(); it != end; ++it) firing.push_back(it->second);
  if (observer_ != nullptr && !firing.empty()) observer_->onTimers();
  for (auto* timer : firing) {
    // One that fired before it may have stopped or destroyed it: look for it again before touching it.
    bool found = false;
    for (auto it = timers_.begin(); it != timers_.end() && it->first <= due; ++it) {
      if (it->second == timer) {
        timer->armed_ = false;
        timers_.erase(it);
        found = true;
        break;
      }
    }
    if (!found) continue;
    auto call = std::move(timer->call_);
    call();
  }
}

TimePoint Loop::earliest() const {
  return timers_.empty() ? TimePoint::max() : timers_.begin()->first;
}

void Timer::startAt(TimePoint when, std::move_only_function<void()> call) {
  stop();
  call_ = std::move(call);
  place_ = loop_.timers_.emplace(when, this);
  armed_ = true;
  if (place_ == loop_.timers_.begin()) loop_.rearm();
}

void Timer::stop() {
  if (!armed_) return;
  armed_ = false;
  loop_.timers_.erase(place_);
}

}  // namespace qimux::async
