// A byte pipe to the module: what the AT room needs of a serial port, and nothing of how it is one.
#pragma once

#include "qimux/base/bytes.hpp"
#include "qimux/base/error.hpp"

#include <functional>
#include <string_view>

namespace qimux::serial {

// A line towards the module that software can pull.
enum class ModemLine { Dtr, Rts };

class Port {
 public:
  virtual ~Port() = default;

  // Called from the loop with what has arrived; the view is valid during the call. Set before anything
  // arrives.
  void onData(std::move_only_function<void(ByteView)> call) { data_ = std::move(call); }
  // Called once from the loop when the device is gone (unplugged, end of file, I/O error). The port is dead
  // then: writes are dropped; the owner destroys it.
  void onLost(std::move_only_function<void(Error)> call) { lost_ = std::move(call); }

  // Sends all of `bytes` in order; what the kernel does not take at once is kept. Full, and nothing is sent,
  // where more than kWriteBound would be kept: the module does not take anything any more.
  virtual Result<void> write(ByteView bytes) = 0;

  // Asserts or releases a line. A pty or a socket has none: that is success, and nothing happens.
  virtual Result<void> setLine(ModemLine line, bool asserted) = 0;

  // Bits per second from now on, in both directions. What was written before goes out at the old rate. A pty
  // or a socket has none: that is success. Invalid: the driver cannot do it, and the rate is what it was.
  virtual Result<void> setRate(int /*baud*/) { return {}; }

  // At least so many bytes are on their way, and nobody can do anything before they are there: a port that
  // knows its rate need not wake for each few of them. Only a hint; what comes is reported all the same, a
  // little later at most.
  virtual void announce(std::size_t /*bytes*/) {}

  static constexpr std::size_t kWriteBound = 16384;

 protected:
  void deliver(ByteView bytes) {
    if (data_) data_(bytes);
  }
  void reportLost(Error error) {
    if (lost_) lost_(std::move(error));
  }

 private:
  std::move_only_function<void(ByteView)> data_;
  std::move_only_function<void(Error)> lost_;
};

}  // namespace qimux::serial
