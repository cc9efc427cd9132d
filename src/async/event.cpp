#include "qimux/async/event.hpp"

namespace qimux::async {

void Event::set() {
  set_ = true;
  while (waiters_.linked()) loop_.enqueue(*static_cast<Waiter*>(waiters_.next()));
}

void Event::Waiter::await_suspend(std::coroutine_handle<> handle) {
  handle_ = handle;
  insertBefore(event_.waiters_);
  if (deadline_ == TimePoint::max()) return;
  timer_.startAt(deadline_, [this] {
    timed_out_ = true;
    unlink();
    handle_.resume();
  });
}

void Event::Waiter::run() {
  timer_.stop();
  handle_.resume();
}

}  // namespace qimux::async
