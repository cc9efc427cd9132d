// The program's end of a TCP connection, as the bridge sees it: bytes in both directions, each with its own
// end.
//
// SocketStream is one in the kernel; tests have theirs on the virtual clock.
#pragma once

#include "qimux/base/bytes.hpp"

#include <functional>

namespace qimux::bridge {

class AppStream {
 public:
  virtual ~AppStream() = default;

  // Called from the loop when there may be more to read, or room to write, or an end. May be spurious.
  void onChange(std::move_only_function<void()> call) { change_ = std::move(call); }

  // Bytes that wait to be read.
  virtual std::size_t readable() = 0;
  // Takes at most out.size() of them.
  virtual std::size_t read(ByteSpan out) = 0;

  enum class Input { Open, Ended, Reset };
  // Whether more can come behind what readable() tells: Ended by a FIN, Reset by an RST (or the program's
  // end).
  virtual Input input() = 0;

  // Takes what there is room for, from the front; the program reads it when it likes.
  virtual std::size_t write(ByteView bytes) = 0;
  // False after a write() that did not take all, until there is room again.
  virtual bool writable() = 0;
  // Everything that was written has reached the program's kernel.
  virtual bool drained() = 0;

  // The end of what is written; the program reads end-of-file after it.
  virtual void endOutput() = 0;
  // The program gets ECONNRESET, and loses what it had not yet got.
  virtual void reset() = 0;

 protected:
  void changed() {
    if (change_) change_();
  }

 private:
  std::move_only_function<void()> change_;
};

}  // namespace qimux::bridge
