// Whether the AT engine still does its work: what the service manager's watchdog is fed by.
//
// A loop that turns is not enough: the engine can hang on an answer that nobody waits for any more. So it is
// asked what it does. Waiting for a device, pausing between attempts, and having nothing to do are healthy.
#pragma once

#include "qimux/async/loop.hpp"

#include <cstdint>
#include <optional>

namespace qimux::daemon {

// What the engine says of itself at one moment.
struct Engine {
  std::uint64_t commands = 0;                  // begun so far; begins anew with each device
  std::optional<async::TimePoint> deadline{};  // of the command that runs
  bool work = false;                           // something waits for a command to be sent
};

class Pulse {
 public:
  // A command ends by its deadline, or a few seconds later where the end of a block is awaited.
  static constexpr async::Duration kGrace = std::chrono::seconds(15);
  // Work that waits, and no command: longer than any pause that a way up makes between two of them.
  static constexpr async::Duration kLongestPause = std::chrono::minutes(3);

  // False where no progress is made: a command runs beyond its deadline, or work has been waiting without a
  // command for too long. Asked every now and then; the state of health is that of the last two.
  bool beats(async::TimePoint now, const Engine& engine);

 private:
  std::uint64_t commands_ = 0;
  std::optional<async::TimePoint> waiting_since_;
};

}  // namespace qimux::daemon
