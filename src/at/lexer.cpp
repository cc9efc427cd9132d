#include "qimux/at/lexer.hpp"

#include <algorithm>
#include <array>
#include <cassert>

namespace qimux::at {
namespace {

bool isLineEnd(Byte byte) {
  return byte == '\r' || byte == '\n';
}

// CR LF and the first byte of a line, as far as they have come. Not another CR LF: those may be the last
// bytes of a block that was longer than announced.
constexpr std::size_t kLineBegin = 3;
bool beginsLine(ByteView bytes) {
  constexpr std::array<Byte, 2> kEnd{'\r', '\n'};
  const std::size_t size = std::min(bytes.size(), kEnd.size());
  if (!std::equal(kEnd.begin(), kEnd.begin() + size, bytes.begin())) return false;
  return bytes.size() < kLineBegin || !isLineEnd(bytes[2]);
}

}  // namespace

void Lexer::feed(ByteView bytes) {
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(start_));
  start_ = 0;
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

void Lexer::expectBlock(std::size_t size) {
  assert(size <= kMaxBlock);
  block_ = size;
  block_expected_ = true;
}

void Lexer::reset() {
  buffer_.clear();
  start_ = 0;
  block_expected_ = behind_block_ = prompt_expected_ = blank_after_prompt_ = dropping_line_ = false;
}

std::optional<Token> Lexer::next() {
  if (block_expected_) {
    if (rest().size() < block_) return std::nullopt;
    const Token token{Token::Kind::Block, rest().first(block_)};
    consume(block_);
    block_expected_ = false;
    behind_block_ = true;
    return token;
  }
  if (behind_block_) {
    if (beginsLine(rest())) {
      if (rest().size() < kLineBegin) return std::nullopt;
      behind_block_ = false;
    } else {
      behind_block_ = false;
      return Token{Token::Kind::Torn, {}};
    }
  }
  if (blank_after_prompt_) {
    if (rest().empty()) return std::nullopt;
    blank_after_prompt_ = false;
    if (rest().front() == ' ') consume(1);
  }
  if (!dropping_line_) {
    while (!rest().empty() && isLineEnd(rest().front())) consume(1);
    if (prompt_expected_ && !rest().empty() && rest().front() == '>') {
      consume(1);
      prompt_expected_ = false;
      blank_after_prompt_ = true;
      return Token{Token::Kind::Prompt, {}};
    }
  }
  return nextLine();
}

std::optional<Token> Lexer::nextLine() {
  const ByteView bytes = rest();
  const auto end = std::find(bytes.begin(), bytes.end(), Byte{'\n'});
  const auto length = static_cast<std::size_t>(end - bytes.begin());
  if (dropping_line_) {
    consume(end == bytes.end() ? length : length + 1);
    if (end == bytes.end()) return std::nullopt;
    dropping_line_ = false;
    return next();
  }
  if (end == bytes.end()) {
    if (length <= kMaxLine) return std::nullopt;
    dropping_line_ = true;
    consume(length);
    return Token{Token::Kind::Overlong, bytes.first(kMaxLine)};
  }
  consume(length + 1);
  ByteView line = bytes.first(length);
  // Before its CRs are dropped: a line that came in pieces was measured with them.
  if (line.size() > kMaxLine) return Token{Token::Kind::Overlong, line.first(kMaxLine)};
  while (!line.empty() && line.back() == '\r') line = line.first(line.size() - 1);
  return Token{Token::Kind::Line, line};
}

}  // namespace qimux::at
