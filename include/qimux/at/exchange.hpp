// The course of one command, without I/O: takes the module's tokens, says what they mean for it.
#pragma once

#include "qimux/at/command.hpp"
#include "qimux/at/lexer.hpp"

namespace qimux::at {

// What is neither of the answer to a read nor a URC that this program knows, but nothing to worry about:
// other URCs of modules, late answers, other programs' commands. Anything else in front of a block may be its
// header, damaged; and then the block would be read as lines.
bool isHarmless(std::string_view line);

class Exchange {
 public:
  explicit Exchange(const Command& command) : command_(command) {}

  enum class Verdict {
    Foreign,      // not of this command: a URC
    Taken,        // part of the answer; more follows
    SendPayload,  // the prompt has come: write the payload now
    Block,        // a header was read: the next blockSize() bytes are payload
    Done,         // result() is complete
  };
  Verdict onToken(const Token& token);

  std::size_t blockSize() const { return block_size_; }
  bool promptSeen() const { return prompt_seen_; }
  // Once after Done.
  Result<Reply> takeResult();

  // The answer is complete but for a last line that some firmware gives and some does not: the second OK of a
  // StateList, the ERROR behind ALREADY CONNECT. Which it is, is known only after some silence; then
  // finish().
  bool completeButForEnd() const { return state_lines_ == 6 || error_.has_value(); }
  void finish() { done_ = true; }
  // No answer will come any more: the module has said why.
  void breakOff(ErrorKind kind, std::string_view said) { fail(kind, said); }
  // The block of a Read is here, and only its OK is missing.
  bool blockTaken() const { return block_taken_; }
  bool okSeen() const { return ok_seen_; }
  // The block ends as an answer does: it may have swallowed the end of its own.
  bool blockHoldsEnd() const;
  bool garbled() const { return error_ && error_->kind == ErrorKind::Garbled; }
  bool reads() const { return command_.ending == Command::Ending::Read; }
  bool sends() const { return command_.ending == Command::Ending::Send; }
  // The command came back as it was written.
  bool echoSeen() const { return echo_seen_; }
  // A name's answer follows: from now on a bare address is one.
  bool opensName() const { return command_.ending == Command::Ending::Resolve && !error_; }

 private:
  Verdict onLine(std::string_view line);
  Verdict onOpenLine(std::string_view line);
  Verdict onPlainLine(std::string_view line);
  Verdict onReadHeader(std::string_view line);
  std::size_t readLimit() const;
  Verdict onStateLine(std::string_view line);
  Verdict keep(std::string_view line);
  Verdict done();
  Verdict fail(ErrorKind kind, std::string_view reply);
  bool mayBeCancelled() const;
  bool isEcho(std::string_view line) const;

  const Command& command_;
  Reply reply_;
  std::optional<Error> error_;
  std::size_t block_size_ = 0;
  int state_lines_ = 0;
  bool block_taken_ = false;
  bool ok_seen_ = false;
  bool first_ok_ = false;
  bool prompt_seen_ = false;
  bool echo_seen_ = false;
  bool done_ = false;
};

}  // namespace qimux::at
