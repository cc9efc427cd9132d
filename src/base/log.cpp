#include "qimux/base/log.hpp"

#include "qimux/base/bytes.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>
#include <utility>

namespace qimux::log {
namespace {

constexpr std::array<std::string_view, 5> kNames{"error", "warning", "notice", "info", "debug"};

Level current = Level::Info;
Sink sink_of_all;

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

int priority(Level level) {
  constexpr int kOfAnError = 3;
  return kOfAnError + static_cast<int>(level);
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

void setSink(Sink sink) {
  sink_of_all = std::move(sink);
}

bool toJournal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat ours{};
  if (stream == nullptr || ::fstat(STDERR_FILENO, &ours) != 0) return false;
  return fmt::format("{}:{}", ours.st_dev, ours.st_ino) == stream;
}

void write(Level level, std::string_view message, Fields fields) {
  if (!enabled(level)) return;
  const std::string text = printable(message);
  if (sink_of_all && sink_of_all(level, text, fields)) return;
  std::string line = toJournal() ? fmt::format("<{}>", priority(level)) : fmt::format("{}: ", name(level));
  line += text;
  line += '\n';
  // A log that cannot be written is no reason to stop a link.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace qimux::log
