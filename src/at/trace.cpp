#include "qimux/at/trace.hpp"

#include "qimux/at/text.hpp"
#include "qimux/base/log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace qimux::at {
namespace {

// SIM's PIN and PUK, facility lock and its password; access point's user and password, with their questions'
// answers.
constexpr auto kSecrets = std::to_array<std::string_view>(
    {"CPIN=", "CPIN2=", "CPWD=", "CLCK=", "QICSGP=", "QICSGP:", "QIREGAPP=", "QIREGAPP:", "CGDCONT="});

std::string lengthOnly(std::size_t size) {
  return fmt::format("({} bytes)", size);
}

bool isOn() {
  return log::enabled(log::Level::Debug);
}

}  // namespace

std::string shown(std::string_view line) {
  std::size_t secret = line.size();
  for (const std::string_view head : kSecrets) {
    const auto at = line.find(head);
    if (at != std::string_view::npos) secret = std::min(secret, at + head.size());
  }
  // A question: "AT+CPIN=?"
  if (line.substr(secret) == "?") secret = line.size();
  std::string text(line.substr(0, std::min(secret, kMostShown)));
  if (text.size() < secret) return text + "...";
  return secret < line.size() ? text + "***" : text;
}

void Trace::command(const Command& command, async::TimePoint now) {
  on_ = isOn();
  if (!on_) return;
  begun_ = now;
  answer_.clear();
  const bool sends = command.ending == Command::Ending::Send;
  log::debug(fmt::format("at: > {}{}{}", shown(command.text), sends ? " " : "",
                         sends ? lengthOnly(command.payload.size()) : ""));
}

void Trace::answer(const Token& token, bool payload) {
  if (!on_ || token.kind == Token::Kind::Prompt || answer_.size() > kMostAnswer) return;
  if (!answer_.empty()) answer_ += " | ";
  if (answer_.size() > kMostAnswer) {
    answer_ += "...";
  } else if (payload || token.kind != Token::Kind::Line) {
    answer_ += lengthOnly(token.bytes.size());
  } else {
    answer_ += shown(trim(token.text()));
  }
}

void Trace::ended(const Result<Reply>& result, async::TimePoint now) {
  if (!on_) return;
  on_ = false;
  // An answer that says no speaks for itself.
  if (!result && !answered(result.error())) {
    if (!answer_.empty()) answer_ += " | ";
    answer_ += name(result.error().kind);
  }
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(now - begun_);
  log::debug(fmt::format("at: < {} ({} ms)", answer_, took.count()));
}

void Trace::urc(std::string_view line, bool payload) {
  if (!isOn()) return;
  log::debug(fmt::format("at: URC {}", payload ? lengthOnly(line.size()) : shown(line)));
}

}  // namespace qimux::at
