#include "qimux/sim/command.hpp"

#include "qimux/sim/module.hpp"

#include <fmt/format.h>

#include <cctype>
#include <charconv>

namespace qimux::sim {
namespace {

bool isLetter(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0;
}
bool isDigit(char c) {
  return c >= '0' && c <= '9';
}

bool isLetterOf(char c, char upper) {
  return std::toupper(static_cast<unsigned char>(c)) == upper;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// Up to the next `separator` outside quotes.
std::size_t findOutsideQuotes(std::string_view text, char separator) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (text[i] == separator && !quoted) return i;
  }
  return std::string_view::npos;
}

// The length of the basic command ("E0", "&W", "V") that `text` begins with.
std::size_t basicLength(std::string_view text) {
  std::size_t length = 0;
  if (text[length] == '&' && length + 1 < text.size()) ++length;
  ++length;
  while (length < text.size() && isDigit(text[length])) ++length;
  if (!isLetterOf(text.front(), 'S') || length == text.size()) return length;
  // A register is read or set: S3?, S3=13.
  if (text[length] == '?') return length + 1;
  if (text[length] != '=') return length;
  ++length;
  while (length < text.size() && isDigit(text[length])) ++length;
  return length;
}

std::vector<Argument> parseArguments(std::string_view text) {
  std::vector<Argument> args;
  while (true) {
    const std::size_t comma = findOutsideQuotes(text, ',');
    std::string_view one = trim(text.substr(0, comma));
    const bool quoted = one.size() >= 2 && one.front() == '"' && one.back() == '"';
    if (quoted) one = one.substr(1, one.size() - 2);
    args.push_back(Argument{one, quoted});
    if (comma == std::string_view::npos) return args;
    text.remove_prefix(comma + 1);
  }
}

std::optional<long> toNumber(std::string_view text, long least, long most) {
  long value = 0;
  const char* begin = text.data();
  const char* end = begin + text.size();
  const auto [stop, problem] = std::from_chars(begin, end, value);
  if (problem != std::errc{} || stop != end || value < least || value > most) return std::nullopt;
  return value;
}

}  // namespace

std::optional<long> Call::number(std::size_t index, long least, long most) const {
  if (index >= args.size() || args[index].quoted) return std::nullopt;
  return toNumber(args[index].text, least, most);
}

std::optional<long> Call::looseNumber(std::size_t index, long least, long most) const {
  if (index >= args.size()) return std::nullopt;
  return toNumber(args[index].text, least, most);
}

std::optional<std::string_view> Call::string(std::size_t index) const {
  if (index >= args.size() || !args[index].quoted) return std::nullopt;
  return args[index].text;
}

std::vector<std::string_view> splitLine(std::string_view line) {
  std::vector<std::string_view> parts;
  while (!line.empty()) {
    if (line.front() == ' ' || line.front() == ';') {
      line.remove_prefix(1);
      continue;
    }
    std::size_t length = 0;
    if (isLetterOf(line.front(), 'D')) {
      // A number to dial goes to the end of the line; its semicolon asks for speech.
      length = line.size();
    } else if (isLetter(line.front()) || line.front() == '&') {
      length = basicLength(line);
    } else {
      length = findOutsideQuotes(line, ';');
      if (length == std::string_view::npos) length = line.size();
    }
    parts.push_back(trim(line.substr(0, length)));
    line.remove_prefix(length);
  }
  return parts;
}

std::optional<Call> parseCall(std::string_view part, std::string& name_store) {
  if (part.empty()) return std::nullopt;
  Call call;
  std::size_t end = 0;
  const bool extended = part.front() == '+';
  if (extended) {
    end = 1;
    while (end < part.size() && (isLetter(part[end]) || isDigit(part[end]))) ++end;
  } else if (isLetterOf(part.front(), 'D')) {
    end = 1;
  } else {
    while (end < part.size() && !isDigit(part[end])) ++end;
  }
  name_store.assign(part.substr(0, end));
  for (char& c : name_store) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  call.name = name_store;

  const std::string_view rest = part.substr(end);
  if (!extended) {
    if (!rest.empty()) call.args.push_back(Argument{rest, false});
  } else if (rest == "?") {
    call.form = Form::Read;
  } else if (rest == "=?") {
    call.form = Form::Test;
  } else if (!rest.empty() && rest.front() == '=') {
    call.form = Form::Set;
    call.args = parseArguments(rest.substr(1));
  } else if (!rest.empty()) {
    return std::nullopt;
  }
  return call;
}

Handler CommandTable::find(std::string_view name) const {
  const auto it = handlers_.find(name);
  return it == handlers_.end() ? nullptr : it->second;
}

std::vector<std::string_view> CommandTable::names() const {
  std::vector<std::string_view> all;
  for (const auto& [name, handler] : handlers_) all.push_back(name);
  return all;
}

const CommandTable& allCommands() {
  static const CommandTable table = [] {
    CommandTable made;
    addBasicCommands(made);
    addIdentityCommands(made);
    addNetworkCommands(made);
    addStackCommands(made);
    addSocketCommands(made);
    addDataCommands(made);
    addServerCommands(made);
    addTransparentCommands(made);
    addNameCommands(made);
    addModemCommands(made);
    addClockCommands(made);
    addOperatorCommands(made);
    addSimCommands(made);
    addSmsCommands(made);
    addMessageCommands(made);
    return made;
  }();
  return table;
}

Reply refused(Module& module, const Call& call, std::string_view why) {
  module.transcript().note(fmt::format("{}: {}", call.name, why));
  return Reply::error();
}

}  // namespace qimux::sim
