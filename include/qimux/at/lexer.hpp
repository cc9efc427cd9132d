// From the module's bytes to tokens: lines, prompts and blocks of payload.
//
// A line ends with LF; CRs around it and empty lines are dropped. "> " has no line end and is a prompt only
// while one is expected. A block is the number of bytes that was announced, whatever they are: payload is
// never searched for lines. Behind it comes one line end and then a line: if not, bytes were lost or came in
// between, and the block is not what was sent. Any chunking gives the same tokens, any
// garbage gives some, and memory is bounded.
#pragma once

#include "qimux/base/bytes.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

namespace qimux::at {

struct Token {
  enum class Kind {
    Line,      // `bytes` without its line end
    Overlong,  // the first kMaxLine bytes of a line that has more; the rest of it was dropped
    Prompt,    // `bytes` is empty
    Block,     // `bytes` is the payload
    Torn,      // what follows the block is no new line: it was longer or shorter than announced
  };
  Kind kind;
  // Valid until the next call of the lexer.
  ByteView bytes;

  std::string_view text() const { return textOf(bytes); }
};

class Lexer {
 public:
  // With its CRs, without its LF. The longest line of these modules is a 256-character echo; an answer is
  // shorter.
  static constexpr std::size_t kMaxLine = 512;
  // AT+QIRD gives at most 1500 bytes.
  static constexpr std::size_t kMaxBlock = 1500;

  void feed(ByteView bytes);
  // Nothing where more bytes are needed.
  std::optional<Token> next();

  // From now on '>' at the start of a line is a prompt, once.
  void expectPrompt(bool expected) { prompt_expected_ = expected; }
  // The next `size` bytes (at most kMaxBlock) are a block. To be called before the next() that follows its
  // header line.
  void expectBlock(std::size_t size);
  // Bytes of an expected block that have not come yet.
  std::size_t missing() const {
    return block_expected_ && block_ > rest().size() ? block_ - rest().size() : 0;
  }
  // Forgets a half line, an expected prompt and an expected block.
  void reset();

 private:
  std::optional<Token> nextLine();
  void consume(std::size_t count) { start_ += count; }
  ByteView rest() const { return ByteView(buffer_).subspan(start_); }

  Bytes buffer_;
  std::size_t start_ = 0;  // of what is unread in buffer_
  std::size_t block_ = 0;
  bool block_expected_ = false;
  bool behind_block_ = false;
  bool prompt_expected_ = false;
  bool blank_after_prompt_ = false;
  bool dropping_line_ = false;
};

}  // namespace qimux::at
