#include "qimux/ctl/value.hpp"

#include "qimux/base/bytes.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace qimux::ctl {
namespace {

constexpr std::string_view kNothing = "-";
constexpr double kMinute = 60;
constexpr double kHour = 3600;
constexpr double kDay = 86400;

std::string dump(const Json& value) {
  return printable(value.dump(-1, ' ', true, Json::error_handler_t::replace));
}

std::string text(const Json& value) {
  if (value.is_string()) {
    const auto& content = value.get_ref<const std::string&>();
    return content.empty() ? std::string(kNothing) : printable(content);
  }
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (!value.is_structured()) return value.is_null() ? std::string(kNothing) : dump(value);
  std::string joined;
  for (const auto& [key, item] : value.items()) {
    if (!joined.empty()) joined += ", ";
    if (value.is_object()) joined += printable(key) + " ";
    // One level is for reading; deeper ones are shown as the JSON that they are.
    joined += item.is_structured() ? dump(item) : text(item);
  }
  return joined.empty() ? std::string(kNothing) : joined;
}

// To three digits, and the letter of its power of 1000.
std::pair<std::string, std::string_view> scaled(double value) {
  constexpr std::array<std::string_view, 6> kPowers{"", "k", "M", "G", "T", "P"};
  constexpr double kThousand = 1000;
  constexpr double kMost = 999e15;
  value = std::min(value, kMost);
  std::size_t power = 0;
  // 999.5 would be rounded to 1000.
  for (; value >= kThousand - 0.5 && power + 1 < kPowers.size(); ++power) value /= kThousand;
  constexpr double kTwoDigits = 99.95;
  return {power == 0 || value >= kTwoDigits ? fmt::format("{:.0f}", value) : fmt::format("{:.1f}", value),
          kPowers.at(power)};
}

std::string bytes(double value) {
  constexpr double kPlain = 9999.5;
  if (value < kPlain) return fmt::format("{:.0f} B", value);
  const auto [digits, power] = scaled(value);
  return fmt::format("{} {}B", digits, power);
}

// Whole units of `big` and the rest of it in units of `small`.
std::pair<long, long> parts(double seconds, double big, double small) {
  const auto whole = static_cast<long>(seconds / big);
  const auto rest = static_cast<long>((seconds - static_cast<double>(whole) * big) / small);
  return {whole, rest};
}

std::string span(double seconds) {
  if (seconds < kMinute) return fmt::format("{} s", static_cast<long>(seconds));
  if (seconds < kHour) {
    const auto [minutes, rest] = parts(seconds, kMinute, 1);
    return fmt::format("{} min {:02} s", minutes, rest);
  }
  if (seconds < kDay) {
    const auto [hours, rest] = parts(seconds, kHour, kMinute);
    return fmt::format("{} h {:02} min", hours, rest);
  }
  const auto [days, rest] = parts(seconds, kDay, kHour);
  return fmt::format("{} d {:02} h", days, rest);
}

std::string age(double seconds) {
  if (seconds < kMinute) return fmt::format("{}s", static_cast<long>(seconds));
  if (seconds < kHour) return fmt::format("{}m", static_cast<long>(seconds / kMinute));
  if (seconds < kDay) {
    const auto [hours, rest] = parts(seconds, kHour, kMinute);
    return fmt::format("{}h{:02}", hours, rest);
  }
  const auto [days, rest] = parts(seconds, kDay, kHour);
  constexpr long kTwoDigits = 99;
  return days > kTwoDigits ? fmt::format("{}d", days) : fmt::format("{}d{:02}", days, rest);
}

std::string counts(const Json& value) {
  if (!value.is_object()) return text(value);
  std::string joined;
  for (const auto& [key, item] : value.items()) {
    if (item == 0) continue;
    if (!joined.empty()) joined += ", ";
    joined += printable(key) + " " + text(item);
  }
  return joined.empty() ? "none" : joined;
}

}  // namespace

const Json* find(const Json& json, std::string_view path) {
  const Json* here = &json;
  while (!path.empty()) {
    if (!here->is_object()) return nullptr;
    const std::string key(path.substr(0, path.find('.')));
    path.remove_prefix(std::min(path.size(), key.size() + 1));
    const auto place = here->find(key);
    if (place == here->end()) return nullptr;
    here = &*place;
  }
  return here;
}

double number(const Json* value, double otherwise) {
  return value != nullptr && value->is_number() ? value->get<double>() : otherwise;
}

std::string render(const Json* value, Format format) {
  if (value == nullptr || value->is_null()) return std::string(kNothing);
  if (format == Format::Counts) return counts(*value);
  if (format == Format::Text || !value->is_number()) return text(*value);
  const double amount = value->get<double>();
  if (format == Format::Dbm) return text(*value) + " dBm";
  if (format == Format::Milliseconds) return text(*value) + " ms";
  if (amount < 0) return text(*value);
  if (format == Format::Bytes) return bytes(amount);
  // Longer than any daemon runs, and short enough for a long.
  constexpr double kMostSeconds = kDay * 9999;
  if (format == Format::Span) return span(std::min(amount, kMostSeconds));
  if (format == Format::Age) return age(std::min(amount, kMostSeconds));
  const auto [digits, power] = scaled(amount);
  return digits + std::string(power);
}

std::string shorten(std::string text, std::size_t width) {
  if (width == 0 || text.size() <= width) return text;
  const std::size_t tail = (width - 1) / 2;
  const std::size_t head = width - 1 - tail;
  return text.substr(0, head) + "~" + text.substr(text.size() - tail);
}

}  // namespace qimux::ctl
