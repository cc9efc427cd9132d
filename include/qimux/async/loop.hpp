// Time and turn: the loop that everything runs on, and its timers.
//
// A Loop has a clock, a queue of what is ready to run, and timers. UvLoop (uv_loop.hpp) adds file descriptors
// and real time; VirtualLoop (virtual_loop.hpp) jumps from timer to timer, so that hours pass in
// milliseconds. Code that knows only Loop runs on both, and this is the only place that time comes from.
//
// One thread. Nothing is ever resumed from inside something else: what becomes ready is queued, and run from
// the loop in the order in which it became so.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>

namespace qimux::async {

using Duration = std::chrono::microseconds;

// Monotonic; its zero means nothing.
struct Clock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Clock>;
  static constexpr bool is_steady = true;
};
using TimePoint = Clock::time_point;

// A place in a doubly linked ring that leaves it when destroyed.
class Link {
 public:
  Link() = default;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  virtual ~Link() { unlink(); }

  bool linked() const { return next_ != this; }
  void unlink();
  void insertBefore(Link& other);
  Link* next() { return next_; }

 private:
  Link* prev_ = this;
  Link* next_ = this;
};

// Something that runs when its turn comes. Destroying it takes it out of the queue.
class Ready : public Link {
 public:
  virtual void run() = 0;
  // The loop ends before its turn came.
  virtual void abandon() { unlink(); }
};

class Timer;

class Loop {
 public:
  Loop() = default;
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  virtual ~Loop();

  // The time at the start of this turn.
  virtual TimePoint now() const = 0;

  // Queues `ready`, which the caller keeps alive or destroys; queued twice it runs once.
  void enqueue(Ready& ready);
  // Queues a call. `call` is destroyed unrun where the loop ends first.
  void post(std::move_only_function<void()> call);

  // Told what the loop itself sets going, just before it does: with the descriptors' calls that is all that
  // ever runs, so whoever records it can have the same happen again (capture::Tap).
  class Observer {
   public:
    virtual ~Observer() = default;
    virtual void onReady() = 0;   // everything that is queued will run
    virtual void onTimers() = 0;  // at least one timer is due, and will fire
  };
  // One at a time, outliving the loop's use of it; null for none.
  void observe(Observer* observer) { observer_ = observer; }

 protected:
  // Runs what is queued, and what that queues, for at most `rounds` rounds. True where something is left.
  bool runReady(int rounds);
  bool hasReady() const { return ready_.linked(); }
  // Fires the timers that are due; never one that a firing timer has just set.
  void fireTimers();
  // Of the earliest timer; TimePoint::max() without one.
  TimePoint earliest() const;
  // The earliest deadline has changed.
  virtual void rearm() {}
  // Something was queued where nothing was.
  virtual void wake() {}

 private:
  friend class Timer;
  using Timers = std::multimap<TimePoint, Timer*>;

  class Ring final : public Link {};
  Ring ready_;
  Timers timers_;
  Observer* observer_ = nullptr;
};

// Calls back once at a time. Stops when destroyed. Not movable: the loop points at it.
class Timer {
 public:
  explicit Timer(Loop& loop) : loop_(loop) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { stop(); }

  // Replaces what was set before. `call` may set or destroy this timer.
  void start(Duration delay, std::move_only_function<void()> call) {
    startAt(loop_.now() + delay, std::move(call));
  }
  void startAt(TimePoint when, std::move_only_function<void()> call);
  void stop();
  bool armed() const { return armed_; }
  // Meaningful while armed.
  TimePoint deadline() const { return place_->first; }

 private:
  friend class Loop;
  Loop& loop_;
  Loop::Timers::iterator place_{};
  bool armed_ = false;
  std::move_only_function<void()> call_;
};

}  // namespace qimux::async
