// One line an event, to standard error.
//
// Where standard error is the journal's (sd-daemon(3)) each line begins with its "<N>" priority; elsewhere
// with the level's name. A sink may take the events instead, and their fields with them: base itself knows no
// journal. The level can be changed while running. Control bytes in a message are escaped: what a
// module or a program sent can neither break a line nor colour a terminal.
#pragma once

#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>

namespace qimux::log {

enum class Level { Error, Warning, Notice, Info, Debug };

// "error", "warning", "notice", "info", "debug"
std::string_view name(Level level);
// That of syslog(3) and of the journal: 3 for an error to 7.
int priority(Level level);
std::optional<Level> parseLevel(std::string_view text);

void setLevel(Level level);
Level level();

// True where a message of that level would be written: guards the making of costly ones.
bool enabled(Level level);

// What an event is about, for those who look for it by name: LINK_STATE=online. Upper case letters and "_".
struct Field {
  std::string_view name;
  std::string_view value;
};
using Fields = std::span<const Field>;

void write(Level level, std::string_view message, Fields fields);
inline void write(Level level, std::string_view message, std::initializer_list<Field> fields = {}) {
  write(level, message, Fields(fields.begin(), fields.size()));
}

// Takes an event of an enabled level, with its control bytes escaped; false where it could not: then it goes
// to standard error. Empty: all go there.
using Sink = std::function<bool(Level, std::string_view message, Fields)>;
void setSink(Sink sink);
// Whether standard error is a stream to the journal, and not something that a program before us has put
// there.
bool toJournal();

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
