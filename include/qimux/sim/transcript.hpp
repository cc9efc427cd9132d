// What a run looks like to a reader: one line an event, with the time and the direction.
//
//   12.345678 -> AT+QISEND=0,5          a command line as the module understood it
//   12.350102 <- SEND OK                what it answered or said by itself
//   12.350102 -- 0: 5 sent, 0 waiting   what it thought
#pragma once

#include "qimux/async/loop.hpp"
#include "qimux/base/bytes.hpp"

#include <functional>
#include <string_view>

namespace qimux::sim {

class Transcript {
 public:
  // Gets each line, without a line end. Empty: nothing is written and nothing is spent on it.
  using Sink = std::move_only_function<void(std::string_view line)>;

  Transcript(async::Loop& loop, Sink sink) : loop_(loop), start_(loop.now()), sink_(std::move(sink)) {}

  bool on() const { return static_cast<bool>(sink_); }
  void command(std::string_view line) { write("->", line); }
  void answer(std::string_view line) { write("<-", line); }
  void note(std::string_view line) { write("--", line); }
  // The first bytes, and how many there are.
  void payloadIn(ByteView bytes) { payload("->", bytes); }
  void payloadOut(ByteView bytes) { payload("<-", bytes); }

 private:
  void write(std::string_view direction, std::string_view line);
  void payload(std::string_view direction, ByteView bytes);

  async::Loop& loop_;
  async::TimePoint start_;
  Sink sink_;
};

}  // namespace qimux::sim
