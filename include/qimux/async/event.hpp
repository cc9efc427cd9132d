// Event: a flag that coroutines wait for, with or without a deadline. sleep(): nothing but a deadline.
#pragma once

#include "qimux/async/loop.hpp"

#include <coroutine>

namespace qimux::async {

// Set until reset. Waiters wake in the order in which they began to wait, through the ready queue; a reset
// between set() and their turn does not put them back to sleep.
class Event {
 public:
  explicit Event(Loop& loop) : loop_(loop) {}
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  // Whoever still waits stays suspended: its owner destroys it.
  ~Event() = default;

  void set();
  void reset() { set_ = false; }
  bool isSet() const { return set_; }

  // co_await gives true where the event was set, false where the deadline came first.
  class Waiter final : public Ready {
   public:
    Waiter(Event& event, TimePoint deadline) : event_(event), timer_(event.loop_), deadline_(deadline) {}
    bool await_ready() noexcept { return event_.set_; }
    void await_suspend(std::coroutine_handle<> handle);
    bool await_resume() const noexcept { return !timed_out_; }
    void run() override;

   private:
    Event& event_;
    Timer timer_;
    TimePoint deadline_;
    std::coroutine_handle<> handle_;
    bool timed_out_ = false;
  };
  Waiter wait() { return Waiter(*this, TimePoint::max()); }
  Waiter waitUntil(TimePoint deadline) { return Waiter(*this, deadline); }
  Waiter waitFor(Duration span) { return Waiter(*this, loop_.now() + span); }

 private:
  class Ring final : public Link {};
  Loop& loop_;
  bool set_ = false;
  Ring waiters_;
};

class Sleep {
 public:
  Sleep(Loop& loop, Duration span) : timer_(loop), span_(span) {}
  bool await_ready() const noexcept { return span_ <= Duration::zero(); }
  void await_suspend(std::coroutine_handle<> handle) {
    timer_.start(span_, [handle] { handle.resume(); });
  }
  void await_resume() const noexcept {}

 private:
  Timer timer_;
  Duration span_;
};
inline Sleep sleep(Loop& loop, Duration span) {
  return Sleep(loop, span);
}

}  // namespace qimux::async
