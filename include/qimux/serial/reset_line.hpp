// The line that resets a module which nothing else reaches: EMERG_OFF, by whatever is wired to it.
//
// EMERG_OFF is pulled low for some tens of milliseconds (20 on an M95, 50 on the safe side); it is driven by
// a transistor, so the line here is *asserted* (DTR or RTS set, a GPIO high) for as long. Where the module
// does not start again by itself (PWRKEY not tied low), a command can do what the board needs.
#pragma once

#include "qimux/async/task.hpp"
#include "qimux/async/uv_loop.hpp"
#include "qimux/serial/port.hpp"

#include <memory>
#include <string>
#include <vector>

namespace qimux::serial {

struct ResetSettings {
  enum class Kind { None, Dtr, Rts, Gpio, Command };
  Kind kind = Kind::None;
  std::string chip;                  // Gpio: "gpiochip0" or "/dev/gpiochip0"
  unsigned line = 0;                 // Gpio: the line's offset in it
  std::vector<std::string> command;  // Command: an absolute path, then its arguments
  friend bool operator==(const ResetSettings&, const ResetSettings&) = default;
};

class ResetLine {
 public:
  // How long a line is asserted, and how long a command may take before it is killed.
  static constexpr async::Duration kPulse = std::chrono::milliseconds(300);
  static constexpr async::Duration kCommandTime = std::chrono::seconds(30);

  virtual ~ResetLine() = default;
  // Done when the line is released again, or the command has ended with 0. Dropped under way, the line is
  // released all the same, and the command killed. `port` is the open device; only DTR and RTS need it.
  virtual async::Task<Result<void>> pulse(Port& port) = 0;
  // Whether a pulse could be had now, without one: the GPIO's chip may be opened, has the line, and nobody
  // else holds it; the command may be run. A module is reset once in years, and that is no time to learn of
  // it.
  virtual Result<void> check() const { return {}; }

  // Null for None. A GPIO is taken at the first pulse, and kept: nobody else gets it, and its level holds.
  static std::unique_ptr<ResetLine> make(async::UvLoop& loop, const ResetSettings& settings);
};

// One output line of a GPIO chip: libgpiod 1.6 or 2.x, whichever it was built with; without it, System.
class GpioOutput {
 public:
  static Result<std::unique_ptr<GpioOutput>> open(const std::string& chip, unsigned line);
  // Whether open() would succeed. The line's direction and level stay as they are.
  static Result<void> check(const std::string& chip, unsigned line);
  virtual ~GpioOutput() = default;
  virtual Result<void> set(bool high) = 0;
};

}  // namespace qimux::serial
