// One run of qimuxctl, behind its command line.
#pragma once

#include "qimux/base/error.hpp"
#include "qimux/ctl/console.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace qimux::ctl {

// Documented: scripts rely on them.
enum ExitCode : int {
  kOk = 0,
  kNo = 1,           // the daemon or the module said no, a ping had no reply, or the time was over
  kUsage = 2,        // the command line
  kUnreachable = 3,  // no daemon to talk to: not running, no permission, no answer, no qimuxd
};

struct Command {
  std::string verb;      // as on the command line: a verb of the daemon, "monitor" or "wait-online"
  std::string argument;  // of at, dns, ping and log-level
  std::string socket = "/run/qimuxd/control.sock";
  // The daemon's result as JSON, one line each, in ASCII, instead of the view.
  bool json = false;
  // wait-online: without one it waits for ever; zero is one look.
  std::optional<std::chrono::milliseconds> timeout;
};

// Runs it to its end, with a word on the console's error output wherever it is not kOk.
ExitCode run(const Command& command, Console& console);

// monitor: until the user ends it (kOk) or the daemon goes. On a screen where there is one, else a line a
// second.
ExitCode monitor(const Command& command, Console& console);

// wait-online: until the link is online; also waits for the daemon to appear, and to come back.
ExitCode waitOnline(const Command& command, Console& console);

// What `error` of a connection means for the exit code, said on the console.
ExitCode fail(const Error& error, Console& console);

}  // namespace qimux::ctl
