// Any bytes from the module, in any pieces, while any kind of command runs: the same tokens and the same
// result whatever the pieces, each within its bounds, and no field that the rest of the house could not bear.
#include "qimux/at/exchange.hpp"
#include "qimux/at/lexer.hpp"
#include "qimux/at/text.hpp"
#include "qimux/at/urc.hpp"
#include "qimux/module/sockets.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

using namespace qimux;
using namespace qimux::at;
using Ending = Command::Ending;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

constexpr std::array kCommands{
    std::pair(Ending::Ok, ""),      std::pair(Ending::Ok, "*"),       std::pair(Ending::Ok, "+QISACK:"),
    std::pair(Ending::Open, ""),    std::pair(Ending::Resolve, ""),   std::pair(Ending::CloseOk, ""),
    std::pair(Ending::DeactOk, ""), std::pair(Ending::Address, ""),   std::pair(Ending::Send, ""),
    std::pair(Ending::Read, ""),    std::pair(Ending::StateList, ""), std::pair(Ending::PowerDown, ""),
};

void checkUrc(std::string_view line, bool dns_pending) {
  const Urc urc = parseUrc(line, dns_pending);
  require(urc.index >= -1 && urc.index < module::kSockets);
  require(urc.role >= 0 && urc.role <= 2);
  require(urc.text.size() <= line.size());
  require(dns_pending || (urc.kind != Urc::Kind::DnsAddress && urc.kind != Urc::Kind::DnsError));
  using enum Urc::Kind;
  const bool indexed = urc.kind == ConnectOk || urc.kind == ConnectFail || urc.kind == Closed ||
                       urc.kind == DataArrived || urc.kind == Pushed || urc.kind == RemoteIp;
  require(!indexed || urc.index >= 0);
}

void checkLine(std::string_view line) {
  checkUrc(line, false);
  checkUrc(line, true);
  require(fields(line).size() <= 16);
  if (const auto value = quoted(line)) {
    require(std::ranges::all_of(*value, [](char c) { return c >= 0x20 && c < 0x7f; }));
    require(std::ranges::count(*value, '"') == 2);
  }
  if (const auto counters = module::parseSendCounters(line)) require(line.starts_with("+QISACK:"));
  (void)cmeCode(Error{ErrorKind::Refused, "AT", std::string(line)});
  (void)failure(line);
}

// A command's course over the bytes, in pieces, in words.
class Course {
 public:
  explicit Course(std::size_t which)
      : command_("AT+X", std::chrono::seconds(1), kCommands.at(which).first, kCommands.at(which).second),
        exchange_(command_) {
    lexer_.expectPrompt(command_.ending == Ending::Send);
  }

  void feed(ByteView piece) {
    lexer_.feed(piece);
    while (const auto token = lexer_.next()) take(*token);
  }

  std::string finish() {
    if (!done_) return log_ + "| unfinished";
    const auto result = exchange_.takeResult();
    if (!result) return log_ + "| " + result.error().text();
    require(result->lines.size() <= Reply::kMaxLines && result->block.size() <= Lexer::kMaxBlock);
    if (command_.ending == Ending::StateList) {
      const auto stack = module::parseStackState(result->lines);
      for (const auto& socket : stack.sockets) require(socket.state.size() <= Lexer::kMaxLine);
    }
    for (const auto& line : result->lines) log_ += "| " + line;
    return log_ + "| " + std::string(textOf(result->block));
  }

 private:
  void take(const Token& token) {
    require(token.bytes.size() <= (token.kind == Token::Kind::Block ? Lexer::kMaxBlock : Lexer::kMaxLine));
    log_ += std::to_string(static_cast<int>(token.kind)) + std::string(token.text()) + '\0';
    if (token.kind == Token::Kind::Line) {
      require(token.text().find('\n') == std::string_view::npos);
      checkLine(token.text());
    }
    if (done_) return;
    const auto verdict = exchange_.onToken(token);
    if (verdict == Exchange::Verdict::Done) done_ = true;
    if (verdict == Exchange::Verdict::Block) {
      require(exchange_.blockSize() <= Lexer::kMaxBlock);
      lexer_.expectBlock(exchange_.blockSize());
    }
  }

  Command command_;
  Exchange exchange_;
  Lexer lexer_;
  std::string log_;
  bool done_ = false;
};

}  // namespace

// The first byte chooses the command, the second the pieces.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t which = data[0] % kCommands.size();
  const std::size_t step = std::size_t{data[1]} + 1;
  const ByteView stream(data + 2, size - 2);
  Course whole(which);
  whole.feed(stream);
  Course pieces(which);
  // Pieces of 1, 2, … up to `step` bytes.
  std::size_t length = 1;
  for (ByteView rest = stream; !rest.empty(); length = length % step + 1) {
    const std::size_t now = std::min(length, rest.size());
    pieces.feed(rest.first(now));
    rest = rest.subspan(now);
  }
  require(whole.finish() == pieces.finish());
  return 0;
}
