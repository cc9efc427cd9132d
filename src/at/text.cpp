#include "qimux/at/text.hpp"

#include "qimux/base/bytes.hpp"

#include <arpa/inet.h>

#include <algorithm>

namespace qimux::at {

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::vector<std::string_view> fields(std::string_view text, std::size_t most) {
  std::vector<std::string_view> found;
  while (found.size() < most) {
    const auto comma = text.find(',');
    std::string_view field = trim(text.substr(0, comma));
    if (field.size() >= 2 && field.front() == '"' && field.back() == '"')
      field = field.substr(1, field.size() - 2);
    found.push_back(field);
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  return found;
}

std::optional<std::string_view> after(std::string_view line, std::string_view prefix) {
  if (!line.starts_with(prefix)) return std::nullopt;
  return trim(line.substr(prefix.size()));
}

std::optional<std::uint32_t> dottedAddress(std::string_view text) {
  if (text.size() < 7 || text.size() > 15) return std::nullopt;
  in_addr address{};
  if (::inet_pton(AF_INET, std::string(text).c_str(), &address) != 1) return std::nullopt;
  return ntohl(address.s_addr);
}

Result<std::string> quoted(std::string_view value) {
  const bool clean =
      std::ranges::all_of(value, [](char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; });
  if (!clean) {
    return std::unexpected(
        Error{ErrorKind::Invalid, printable(value), "holds a byte that may not reach the module"});
  }
  return '"' + std::string(value) + '"';
}

}  // namespace qimux::at
