#include "qimux/base/log.hpp"

#include "qimux/base/bytes.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace qimux::log {
namespace {

constexpr std::array<std::string_view, 5> kNames{"error", "warning", "notice", "info", "debug"};
constexpr std::array<char, 5> kPriorities{'3', '4', '5', '6', '7'};

Level current = Level::Info;

}  // namespace

std::string_view name(Level level) {
  return kNames.at(static_cast<std::size_t>(level));
}

std::optional<Level> parseLevel(std::string_view text) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames.at(i) == text) return static_cast<Level>(i);
  }
  return std::nullopt;
}

void setLevel(Level level) {
  current = level;
}
Level level() {
  return current;
}
bool enabled(Level level) {
  return level <= current;
}

void write(Level level, std::string_view message) {
  if (!enabled(level)) return;
  static const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;
  std::string line = journal ? fmt::format("<{}>", kPriorities.at(static_cast<std::size_t>(level)))
                             : fmt::format("{}: ", name(level));
  line += printable(message);
  line += '\n';
  // A log that cannot be written is no reason to stop a link.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace qimux::log
