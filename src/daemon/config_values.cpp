#include "qimux/daemon/config_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace qimux::daemon {

namespace {

using async::Duration;

constexpr std::array kBauds = {1200,  2400,  4800,   9600,   14400,  19200, 28800,
                               38400, 57600, 115200, 230400, 460800, 921600};
constexpr std::size_t kMaxNearest = 64;

bool isControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

struct Unit {
  std::string_view name;
  Duration length;
};
constexpr std::array kUnits = {Unit{"ms", std::chrono::milliseconds(1)}, Unit{"s", std::chrono::seconds(1)},
                               Unit{"min", std::chrono::minutes(1)}, Unit{"h", std::chrono::hours(1)},
                               Unit{"d", std::chrono::hours(24)}};

// A hundred million days are the last power of ten that a Duration of microseconds can count.
constexpr std::size_t kMaxDurationDigits = 8;

std::string durationProblem(std::string_view text, std::string_view digits, std::string_view unit) {
  if (digits.empty() || digits.size() > kMaxDurationDigits) {
    return fmt::format("{} is no duration; write a whole number and its unit, like \"80s\"",
                       tomlString(text));
  }
  if (unit.empty()) return fmt::format("{} has no unit; write \"{}s\" for seconds", tomlString(text), digits);
  if (unit == "m") {
    return fmt::format("\"m\" could be minutes or milliseconds; write \"{0}min\" or \"{0}ms\"", digits);
  }
  return fmt::format("{} is no unit of time; choose one of ms, s, min, h, d", tomlString(unit));
}

// Letters added, lost, changed, or swapped with their neighbour: what fingers do.
std::size_t distance(std::string_view left, std::string_view right) {
  std::vector<std::vector<std::size_t>> far(left.size() + 1, std::vector<std::size_t>(right.size() + 1));
  for (std::size_t i = 0; i <= left.size(); ++i) {
    for (std::size_t j = 0; j <= right.size(); ++j) {
      if (i == 0 || j == 0) {
        far[i][j] = i + j;
        continue;
      }
      const std::size_t change = left[i - 1] == right[j - 1] ? 0 : 1;
      far[i][j] = std::min({far[i - 1][j - 1] + change, far[i - 1][j] + 1, far[i][j - 1] + 1});
      if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1]) {
        far[i][j] = std::min(far[i][j], far[i - 2][j - 2] + 1);
      }
    }
  }
  return far[left.size()][right.size()];
}

}  // namespace

Problem readInteger(const TomlValue& value, std::int64_t low, std::int64_t high, std::int64_t& out) {
  if (value.kind != TomlValue::Kind::Integer) {
    return fmt::format("is {}; write a number of {} to {}, without quotes", name(value.kind), low, high);
  }
  if (value.integer < low || value.integer > high) {
    return fmt::format("{} is out of range; choose {} to {}", value.integer, low, high);
  }
  out = value.integer;
  return std::nullopt;
}

Problem readPort(const TomlValue& value, std::uint16_t& out) {
  return readNumber(value, 1, 65535, out);
}

Problem readDuration(const TomlValue& value, Duration low, Duration high, Duration& out) {
  if (value.kind == TomlValue::Kind::Integer) {
    return fmt::format("a duration needs its unit; write \"{}s\" for seconds", value.integer);
  }
  std::string text;
  if (auto problem = readText(value, text)) return problem;
  const std::size_t length = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::string_view digits = std::string_view(text).substr(0, length);
  const std::string_view unit = std::string_view(text).substr(length);
  const auto* found = std::ranges::find(kUnits, unit, &Unit::name);
  if (digits.empty() || digits.size() > kMaxDurationDigits || found == kUnits.end()) {
    return durationProblem(text, digits, unit);
  }
  std::int64_t count = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), count);
  const Duration duration = found->length * count;
  if (duration < low || duration > high) {
    return fmt::format("\"{}\" is out of range; choose {} to {}", text,
                       durationText(low, DurationUnit::Hours), durationText(high, DurationUnit::Hours));
  }
  out = duration;
  return std::nullopt;
}

std::string durationText(Duration duration, DurationUnit largest) {
  auto index = static_cast<std::size_t>(largest);
  while (index > 0 && duration % kUnits[index].length != Duration::zero()) --index;
  return fmt::format("{}{}", duration / kUnits[index].length, kUnits[index].name);
}

Problem readText(const TomlValue& value, std::string& out) {
  if (value.kind != TomlValue::Kind::String) {
    return fmt::format("is {}; write a text in quotes", name(value.kind));
  }
  if (std::ranges::any_of(value.text, isControl)) {
    return "has a control character in it (a line end, a tab, Ctrl-Z ...); remove it";
  }
  out = value.text;
  return std::nullopt;
}

Problem readModuleText(const TomlValue& value, std::size_t longest, std::string& out) {
  std::string text;
  if (auto problem = readText(value, text)) return problem;
  if (text.find('"') != std::string::npos) {
    return "has a quote in it, which the module cannot take; remove it";
  }
  if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) {
    return "has letters that are not ASCII, which the module cannot take; remove them";
  }
  if (text.size() > longest) {
    return fmt::format("is {} characters long; the module takes {}", text.size(), longest);
  }
  out = std::move(text);
  return std::nullopt;
}

Problem readPin(const TomlValue& value, std::string& out) {
  if (value.kind == TomlValue::Kind::Integer) return "is a number; write its 4 to 8 digits in quotes";
  std::string text;
  if (auto problem = readText(value, text)) return problem;
  const bool digits = text.find_first_not_of("0123456789") == std::string::npos;
  if (!text.empty() && (!digits || text.size() < 4 || text.size() > 8)) {
    return "is no PIN; write its 4 to 8 digits in quotes, or \"\" for a SIM without one";
  }
  out = std::move(text);
  return std::nullopt;
}

Problem readBaud(const TomlValue& value, int& out) {
  int baud = 0;
  if (auto problem = readNumber(value, kBauds.front(), kBauds.back(), baud)) return problem;
  if (std::ranges::find(kBauds, baud) == kBauds.end()) {
    return fmt::format("{} is no line rate; choose one of {}", baud, fmt::join(kBauds, ", "));
  }
  out = baud;
  return std::nullopt;
}

Problem readMtu(const TomlValue& value, int& out) {
  constexpr int kMin = 576;
  constexpr int kMax = 1488;
  if (value.kind == TomlValue::Kind::Integer && value.integer > kMax) {
    return fmt::format(
        "{} is too much: the module sends 1460 bytes at once, and 28 are headers of IP and UDP; choose {} to "
        "{}",
        value.integer, kMin, kMax);
  }
  return readNumber(value, kMin, kMax, out);
}

Problem readHex(const TomlValue& value, std::size_t longest, Bytes& out) {
  std::string text;
  if (auto problem = readText(value, text)) return problem;
  const bool hex = text.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
  if (!hex || text.empty() || text.size() % 2 != 0) {
    return "is not hexadecimal; write two digits a byte and nothing else, like \"c000\"";
  }
  if (text.size() / 2 > longest) {
    return fmt::format("is {} bytes long; the module sends at most {} at once", text.size() / 2, longest);
  }
  out.clear();
  for (std::size_t at = 0; at < text.size(); at += 2) {
    Byte byte = 0;
    std::from_chars(text.data() + at, text.data() + at + 2, byte, 16);
    out.push_back(byte);
  }
  return std::nullopt;
}

Problem readChoiceIndex(const TomlValue& value, const std::vector<std::string_view>& names,
                        std::size_t& out) {
  std::string text;
  if (auto problem = readText(value, text)) return problem;
  const auto found = std::ranges::find(names, std::string_view(text));
  if (found == names.end()) {
    return fmt::format("{} is not known; choose \"{}\"", tomlString(text), fmt::join(names, "\" or \""));
  }
  out = static_cast<std::size_t>(found - names.begin());
  return std::nullopt;
}

std::optional<std::string_view> nearest(std::string_view text, const std::vector<std::string_view>& names) {
  if (text.size() > kMaxNearest) return std::nullopt;
  std::optional<std::string_view> best;
  // A third of the letters may be wrong: more is another word.
  std::size_t least = std::max<std::size_t>(text.size() / 3, 1) + 1;
  for (const std::string_view each : names) {
    const std::size_t far = distance(text, each);
    if (far < least) {
      least = far;
      best = each;
    }
  }
  return best;
}

}  // namespace qimux::daemon
