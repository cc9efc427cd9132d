// Reading the fields of a module's line, and writing values into a command. The module is a radio: hostile
// input.
#pragma once

#include "qimux/base/error.hpp"

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qimux::at {

// Without blanks at both ends.
std::string_view trim(std::string_view text);

// The fields of "a, b,c" without blanks around them and without the quotes of a quoted one. At most `most`.
std::vector<std::string_view> fields(std::string_view text, std::size_t most = 16);

// A whole field as an unsigned decimal number that fits T: no sign, nothing behind it.
template <typename T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty() || text.front() == '-') {
    return std::nullopt;
  }
  return value;
}

// What follows `prefix` and any blanks, where `line` begins with it.
std::optional<std::string_view> after(std::string_view line, std::string_view prefix);

// A dotted IPv4 address and nothing else, in host order.
std::optional<std::uint32_t> dottedAddress(std::string_view text);

// `value` in quotes for a command line. Invalid where it holds a quote, a backslash, or anything that is not
// printable ASCII: no CR, LF, Ctrl-Z or escape from a file, a question or a request reaches the port.
Result<std::string> quoted(std::string_view value);

}  // namespace qimux::at
