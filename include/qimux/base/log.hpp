// One line an event, to standard error.
//
// Under systemd (JOURNAL_STREAM is set) each line begins with the journal's "<N>" priority; elsewhere with
// the level's name. The level can be changed while running. Control bytes in a message are escaped: what a
// module or a program sent can neither break a line nor colour a terminal.
#pragma once

#include <optional>
#include <string_view>

namespace qimux::log {

enum class Level { Error, Warning, Notice, Info, Debug };

// "error", "warning", "notice", "info", "debug"
std::string_view name(Level level);
std::optional<Level> parseLevel(std::string_view text);

void setLevel(Level level);
Level level();

// True where a message of that level would be written: guards the making of costly ones.
bool enabled(Level level);

void write(Level level, std::string_view message);
inline void error(std::string_view message) {
  write(Level::Error, message);
}
inline void warning(std::string_view message) {
  write(Level::Warning, message);
}
inline void notice(std::string_view message) {
  write(Level::Notice, message);
}
inline void info(std::string_view message) {
  write(Level::Info, message);
}
inline void debug(std::string_view message) {
  write(Level::Debug, message);
}

}  // namespace qimux::log
