// Which AT commands a user may have put to the module while the daemon lives on it.
//
// An allow-list, not a deny-list: the daemon's picture of the module (six sockets, one context, echo off,
// numeric errors, one baud rate) is right only as long as nobody else changes it, the command sets of the
// modules differ, and a deny-list lets through whatever a firmware knows that we do not. So only commands
// that ask are let through, each in the forms in which it only asks. What is refused is told why, and what
// does the job instead.
#pragma once

#include "qimux/base/error.hpp"

#include <cstddef>
#include <string_view>

namespace qimux::daemon {

inline constexpr std::size_t kMaxAtCommand = 200;

// Invalid, with the reason, unless `command` may go to the module. What passes consists of capitals, digits
// and
// + & ? = only, begins with AT, and is one command: no line end, quote, semicolon or control byte.
Result<void> checkAtCommand(std::string_view command);

}  // namespace qimux::daemon
