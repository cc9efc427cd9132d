// Commands, answers and URCs as lines of the log, for who looks on with the level debug. At any other level
// nothing is made of them.
//
//   at: > AT+QISEND=0,512 (512 bytes)
//   at: < SEND OK (84 ms)
//   at: URC +QIRDI: 0,1,0
//
// Payload is never shown, only its length; nor are the arguments of a command that carries a PIN, a user or a
// password, and its answers. Control bytes are the log's to escape.
#pragma once

#include "qimux/at/command.hpp"
#include "qimux/at/lexer.hpp"

#include <string>
#include <string_view>

namespace qimux::at {

// A line of ours or of the module's: secrets replaced by "***", wherever in the line they begin (an echo may
// have lost its beginning), and cut to kMostShown bytes.
std::string shown(std::string_view line);
inline constexpr std::size_t kMostShown = 160;

// The course of one command after the other. `now` is the loop's.
class Trace {
 public:
  void command(const Command& command, async::TimePoint now);
  // A part of its answer. `payload`: what it says may be that, whatever it looks like.
  void answer(const Token& token, bool payload);
  void ended(const Result<Reply>& result, async::TimePoint now);
  static void urc(std::string_view line, bool payload);

 private:
  // Answers of more lines are cut: a list of operators, or of what somebody else has asked for.
  static constexpr std::size_t kMostAnswer = 512;

  bool on_ = false;  // the running command was shown, and so is its answer
  async::TimePoint begun_{};
  std::string answer_;
};

}  // namespace qimux::at
