#include "qimux/async/uv_loop.hpp"

#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

namespace qimux::async {
namespace {

// Rounds of ready work before the loop looks at its descriptors again: neither may starve the other.
constexpr int kRoundsPerTurn = 32;

void check(int status, const char* what) {
  if (status < 0) throw std::runtime_error(std::string(what) + ": " + uv_strerror(status));
}

// uv_close is asynchronous: the handle lives on the heap until libuv lets go of it.
template <typename Handle>
void closeHandle(Handle* handle) {
  handle->data = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(handle),
           [](uv_handle_t* closed) { delete reinterpret_cast<Handle*>(closed); });
}

template <typename Handle>
struct Closer {
  void operator()(Handle* handle) const { closeHandle(handle); }
};
template <typename Handle>
using Owned = std::unique_ptr<Handle, Closer<Handle>>;

class PollWatch final : public UvLoop::FdWatch {
 public:
  PollWatch(uv_loop_t* loop, int fd, Interest interest, UvLoop::FdCall call)
      : handle_(nullptr), call_(std::make_shared<UvLoop::FdCall>(std::move(call))) {
    auto* raw = new uv_poll_t;
    const int status = uv_poll_init(loop, raw, fd);
    if (status < 0) {
      delete raw;
      check(status, "uv_poll_init");
    }
    handle_.reset(raw);
    handle_->data = this;
    want(interest);
  }

  void want(Interest interest) override {
    const int events = (interest.readable ? UV_READABLE : 0) | (interest.writable ? UV_WRITABLE : 0);
    if (gone_ || events == events_) return;
    events_ = events;
    if (events == 0) {
      uv_poll_stop(handle_.get());
    } else {
      check(uv_poll_start(handle_.get(), events, &PollWatch::report), "uv_poll_start");
    }
  }

 private:
  static void report(uv_poll_t* handle, int status, int events) {
    auto* self = static_cast<PollWatch*>(handle->data);
    if (self == nullptr) return;
    Interest seen;
    if (status < 0) {
      // A tty hangup: libuv has stopped this watch already. Arming it again would spin.
      self->gone_ = true;
      seen.gone = true;
    } else {
      seen.readable = (events & UV_READABLE) != 0;
      seen.writable = (events & UV_WRITABLE) != 0;
    }
    // The call may destroy this watch.
    const auto call = self->call_;
    (*call)(seen);
  }

  Owned<uv_poll_t> handle_;
  std::shared_ptr<UvLoop::FdCall> call_;
  int events_ = 0;
  bool gone_ = false;
};

class UvSignalWatch final : public UvLoop::SignalWatch {
 public:
  UvSignalWatch(uv_loop_t* loop, int signal, std::move_only_function<void()> call)
      : handle_(new uv_signal_t), call_(std::move(call)) {
    check(uv_signal_init(loop, handle_.get()), "uv_signal_init");
    handle_->data = this;
    check(uv_signal_start(
              handle_.get(),
              [](uv_signal_t* handle, int) {
                if (handle->data != nullptr) static_cast<UvSignalWatch*>(handle->data)->call_();
              },
              signal),
          "uv_signal_start");
  }

 private:
  Owned<uv_signal_t> handle_;
  std::move_only_function<void()> call_;
};

}  // namespace

struct UvLoop::Core {
  uv_loop_t loop{};
  Owned<uv_prepare_t> prepare;
  Owned<uv_check_t> check_handle;
  Owned<uv_idle_t> idle;
  int timer_fd = -1;
  std::unique_ptr<FdWatch> timer_watch;
  TimePoint armed_for = TimePoint::max();
};

UvLoop::UvLoop() : core_(std::make_unique<Core>()) {
  check(uv_loop_init(&core_->loop), "uv_loop_init");
  core_->timer_fd = ::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (core_->timer_fd < 0) throw std::runtime_error("timerfd_create");
  updateNow();

  core_->prepare.reset(new uv_prepare_t);
  uv_prepare_init(&core_->loop, core_->prepare.get());
  core_->prepare->data = this;
  uv_prepare_start(core_->prepare.get(), [](uv_prepare_t* handle) {
    auto* self = static_cast<UvLoop*>(handle->data);
    if (!self->runReady(kRoundsPerTurn)) uv_idle_stop(self->core_->idle.get());
    self->rearm();
  });
  // Runs right after polling and before descriptors' calls of the next turn: the clock moves once a turn.
  core_->check_handle.reset(new uv_check_t);
  uv_check_init(&core_->loop, core_->check_handle.get());
  core_->check_handle->data = this;
  uv_check_start(core_->check_handle.get(),
                 [](uv_check_t* handle) { static_cast<UvLoop*>(handle->data)->updateNow(); });
  core_->idle.reset(new uv_idle_t);
  uv_idle_init(&core_->loop, core_->idle.get());

  core_->timer_watch = watch(core_->timer_fd, Interest{.readable = true}, [this](Interest) {
    std::uint64_t expirations = 0;
    while (::read(core_->timer_fd, &expirations, sizeof expirations) > 0) {
    }
    core_->armed_for = TimePoint::max();
    fireTimers();
  });
}

UvLoop::~UvLoop() {
  core_->timer_watch.reset();
  core_->prepare.reset();
  core_->check_handle.reset();
  core_->idle.reset();
  while (uv_loop_close(&core_->loop) == UV_EBUSY) uv_run(&core_->loop, UV_RUN_NOWAIT);
  ::close(core_->timer_fd);
}

void UvLoop::run() {
  uv_run(&core_->loop, UV_RUN_DEFAULT);
}

void UvLoop::stop() {
  uv_stop(&core_->loop);
}

void UvLoop::updateNow() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  now_ = TimePoint(std::chrono::seconds(time.tv_sec) +
                   std::chrono::duration_cast<Duration>(std::chrono::nanoseconds(time.tv_nsec)));
}

void UvLoop::rearm() {
  const TimePoint next = earliest();
  if (next == core_->armed_for) return;
  core_->armed_for = next;
  itimerspec spec{};
  if (next != TimePoint::max()) {
    // An absolute time of zero would disarm.
    const auto since = std::max(next.time_since_epoch(), Duration(1));
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since);
    // A time_t may have 32 bits, and is far beyond any deadline all the same.
    const auto limit = std::int64_t{std::numeric_limits<time_t>::max()};
    spec.it_value.tv_sec = static_cast<time_t>(std::min<std::int64_t>(seconds.count(), limit));
    spec.it_value.tv_nsec = static_cast<long>(std::chrono::nanoseconds(since - seconds).count());
  }
  ::timerfd_settime(core_->timer_fd, TFD_TIMER_ABSTIME, &spec, nullptr);
}

void UvLoop::wake() {
  if (core_->idle == nullptr) return;
  // An active idle handle keeps polling from blocking; it has nothing else to do.
  uv_idle_start(core_->idle.get(), [](uv_idle_t*) {});
}

std::unique_ptr<UvLoop::FdWatch> UvLoop::watch(int fd, Interest interest, FdCall call) {
  return std::make_unique<PollWatch>(&core_->loop, fd, interest,
                                     // A turn's clock is set before anything in it runs.
                                     [this, user = std::move(call)](Interest seen) mutable {
                                       updateNow();
                                       user(seen);
                                     });
}

std::unique_ptr<UvLoop::SignalWatch> UvLoop::onSignal(int signal, std::move_only_function<void()> call) {
  return std::make_unique<UvSignalWatch>(&core_->loop, signal, std::move(call));
}

}  // namespace qimux::async
