// The real loop: libuv, with the monotonic clock in microseconds, file descriptors and signals.
//
// libuv's own timers count milliseconds, which is 11 bytes of a 115200-baud line. Ours share one timerfd; it
// is armed only for the earliest deadline, so an idle loop does not wake.
#pragma once

#include "qimux/async/loop.hpp"

#include <functional>
#include <memory>

namespace qimux::async {

// What a watched descriptor is or should be watched for.
struct Interest {
  bool readable = false;
  bool writable = false;
  // Set in a report only: the descriptor is dead (a tty was unplugged). Nothing will be reported any more.
  bool gone = false;
};

class UvLoop final : public Loop {
 public:
  UvLoop();
  ~UvLoop() override;

  TimePoint now() const override { return now_; }

  // Until stop().
  void run();
  void stop();

  using FdCall = std::move_only_function<void(Interest)>;

  // Watches one descriptor until it is destroyed, which must be before the descriptor is closed.
  // Level-triggered. One watch for a descriptor at a time.
  class FdWatch {
   public:
    virtual ~FdWatch() = default;
    virtual void want(Interest interest) = 0;
  };
  std::unique_ptr<FdWatch> watch(int fd, Interest interest, FdCall call);

  // Calls back at each delivery of the signal while the result lives.
  class SignalWatch {
   public:
    virtual ~SignalWatch() = default;
  };
  std::unique_ptr<SignalWatch> onSignal(int signal, std::move_only_function<void()> call);

 private:
  struct Core;

  void rearm() override;
  void wake() override;
  void updateNow();

  std::unique_ptr<Core> core_;
  TimePoint now_{};
};

}  // namespace qimux::async
