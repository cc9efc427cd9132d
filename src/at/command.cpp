#include "qimux/at/command.hpp"

#include "qimux/at/text.hpp"

namespace qimux::at {

std::optional<std::string> failure(std::string_view line) {
  line = trim(line);
  if (line == "ERROR" || line.starts_with("+CME ERROR:") || line.starts_with("+CMS ERROR:"))
    return std::string(line);
  return std::nullopt;
}

std::optional<int> cmeCode(const Error& error) {
  const auto rest = after(error.reply, "+CME ERROR:");
  if (!rest) return std::nullopt;
  return number<int>(*rest);
}

bool answered(const Error& error) {
  return error.kind == ErrorKind::Refused || error.kind == ErrorKind::Full;
}

}  // namespace qimux::at
