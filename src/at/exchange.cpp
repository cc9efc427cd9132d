#include "qimux/at/exchange.hpp"

#include "qimux/at/text.hpp"
#include "qimux/at/urc.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace qimux::at {

using Verdict = Exchange::Verdict;
using Ending = Command::Ending;

bool isHarmless(std::string_view line) {
  if (parseUrc(line, true).kind != Urc::Kind::Unknown) return true;
  if (line.starts_with("+QIRD") || line.contains("TCP,") || line.contains("UDP,")) return false;
  constexpr std::array kHeads{"+C", "+Q", "RING", "NO ", "BUSY", "*PSUTTZ", "DST:", "AT", "SEND ", "CLOSE"};
  return std::ranges::any_of(kHeads, [line](const char* head) { return line.starts_with(head); });
}

Verdict Exchange::onToken(const Token& token) {
  switch (token.kind) {
    case Token::Kind::Prompt:
      prompt_seen_ = true;
      return Verdict::SendPayload;
    case Token::Kind::Block:
      reply_.block.assign(token.bytes.begin(), token.bytes.end());
      block_taken_ = true;
      return Verdict::Taken;
    case Token::Kind::Overlong:
      if (!reads()) return Verdict::Foreign;
      [[fallthrough]];
    case Token::Kind::Torn:
      return fail(ErrorKind::Garbled, "the block is not as long as announced");
    case Token::Kind::Line:
      return onLine(trim(token.text()));
  }
  return Verdict::Foreign;
}

Verdict Exchange::onLine(std::string_view line) {
  if (isEcho(line)) {
    echo_seen_ = true;
    return Verdict::Taken;
  }
  if (auto reply = failure(line)) return error_ ? done() : fail(ErrorKind::Refused, *reply);
  switch (command_.ending) {
    case Ending::Ok:
    case Ending::Resolve:
      return onPlainLine(line);
    case Ending::Open:
      return onOpenLine(line);
    case Ending::CloseOk:
      return splitIndex(line).text == "CLOSE OK" ? done() : Verdict::Foreign;
    case Ending::DeactOk:
      return line == "DEACT OK" ? done() : Verdict::Foreign;
    case Ending::Address:
      if (!dottedAddress(line)) return Verdict::Foreign;
      keep(line);
      return done();
    case Ending::Send: {
      const std::string_view text = splitIndex(line).text;
      // Before the prompt it is an older one's: this one's payload is still waited for.
      if (!prompt_seen_) return Verdict::Foreign;
      if (text == "SEND OK") return done();
      if (text == "SEND FAIL") return fail(ErrorKind::Full, text);
      if (text == "OK" && mayBeCancelled()) return fail(ErrorKind::Cancelled, "OK in the place of SEND OK");
      return Verdict::Foreign;
    }
    case Ending::Read:
      return onReadHeader(line);
    case Ending::StateList:
      return onStateLine(line);
    case Ending::PowerDown:
      return line == "OK" || line.ends_with("POWER DOWN") ? done() : Verdict::Foreign;
  }
  return Verdict::Foreign;
}

Verdict Exchange::onOpenLine(std::string_view line) {
  if (line == "OK") return done();
  if (splitIndex(line).text != "ALREADY CONNECT") return Verdict::Foreign;
  error_ = Error{ErrorKind::Refused, command_.text, std::string(line)};
  return Verdict::Taken;
}

Verdict Exchange::onPlainLine(std::string_view line) {
  if (line == "OK") return done();
  if (command_.prefix.empty()) return Verdict::Foreign;
  if (command_.prefix != "*") return line.starts_with(command_.prefix) ? keep(line) : Verdict::Foreign;
  return parseUrc(line, false).kind == Urc::Kind::Unknown ? keep(line) : Verdict::Foreign;
}

// +QIRD: <address>:<port>,<TCP|UDP>,<length> — or with a role before it where a server socket is read.
Verdict Exchange::onReadHeader(std::string_view line) {
  if (line == "OK") {
    ok_seen_ = true;
    return done();
  }
  // What comes behind the block is the channel's to judge: it knows whether an OK is to be expected.
  if (block_taken_) return Verdict::Foreign;
  const auto rest = after(line, "+QIRD:");
  if (!rest) return isHarmless(line) ? Verdict::Foreign : fail(ErrorKind::Garbled, line);
  const auto field = fields(*rest, 8);
  const auto length = number<std::size_t>(field.back());
  if (field.size() < 3 || !length || *length > readLimit()) {
    return fail(ErrorKind::Garbled, line);
  }
  keep(line);
  block_size_ = *length;
  return Verdict::Block;
}

// As much as was asked for: the last field of AT+QIRD=<context>,<role>,<index>,<most>.
std::size_t Exchange::readLimit() const {
  const std::size_t comma = command_.text.rfind(',');
  if (comma == std::string::npos) return Lexer::kMaxBlock;
  const auto most = number<std::size_t>(std::string_view(command_.text).substr(comma + 1));
  return std::min(most.value_or(Lexer::kMaxBlock), Lexer::kMaxBlock);
}

bool Exchange::blockHoldsEnd() const {
  const std::string_view block = textOf(reply_.block);
  return block.ends_with("\r\nOK") || block.ends_with("\r\nOK\r\n");
}

// OK first, then the list; a second OK on the firmware of the manuals, none on the note's.
Verdict Exchange::onStateLine(std::string_view line) {
  if (line == "OK") {
    if (completeButForEnd()) return done();
    first_ok_ = true;
    return Verdict::Taken;
  }
  if (line.starts_with("STATE:")) return keep(line);
  if (!line.starts_with("+QISTATE:")) return Verdict::Foreign;
  ++state_lines_;
  return keep(line);
}

Verdict Exchange::keep(std::string_view line) {
  if (reply_.lines.size() < Reply::kMaxLines) reply_.lines.emplace_back(line);
  return Verdict::Taken;
}

Verdict Exchange::done() {
  done_ = true;
  return Verdict::Done;
}

Verdict Exchange::fail(ErrorKind kind, std::string_view reply) {
  error_ = Error{kind, command_.text, std::string(reply)};
  return done();
}

bool Exchange::mayBeCancelled() const {
  constexpr Byte kEscape = 0x1b;
  return std::ranges::find(command_.payload, kEscape) != command_.payload.end();
}

bool Exchange::isEcho(std::string_view line) const {
  return line == command_.text;
}

Result<Reply> Exchange::takeResult() {
  if (error_) return std::unexpected(std::move(*error_));
  return std::move(reply_);
}

}  // namespace qimux::at
