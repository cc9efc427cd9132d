// One run of qimuxctl, behind its command line.
#pragma once

#include "qimux/base/error.hpp"
#include "qimux/ctl/console.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace qimux::ctl {

// Documented: scripts rely on them.
enum ExitCode : int {
  kOk = 0,
  kNo = 1,           // the daemon or the module said no, a ping had no reply, or the time was over
  kUsage = 2,        // the command line
  kUnreachable = 3,  // no daemon to talk to: not running, no permission, no answer, no qimuxd
};

struct Command {
  std::string verb;      // as on the command line
  std::string argument;  // of at, dns, ping, log-level and probe; of reset "restart" or "line", of usage "7d"
  std::string socket = "/run/qimuxd/control.sock";
  std::string instance = "gsm0";  // the interface: of --instance, or the usual one
  std::string config = "/etc/qimuxd/qimuxd.toml";
  // JSON in ASCII, one line each, instead of the view; what went wrong is a line of it too.
  bool json = false;
  // wait-online, reset --wait: without one it waits for ever; zero is one look.
  std::optional<std::chrono::milliseconds> timeout;
  std::string textfile;        // metrics: where to write, instead of to the output
  bool wait = false;           // reset: until the link is online again
  std::optional<int> baud;     // probe: the one rate to try
  bool imei = false;           // probe: ask for it
  bool personal_data = false;  // bugreport: show it
};

// Runs it to its end, with a word on the console's error output wherever it is not kOk.
ExitCode run(const Command& command, Console& console);

// monitor: until the user ends it (kOk) or the daemon goes. On a screen where there is one, else a line a
// second.
ExitCode monitor(const Command& command, Console& console);

// wait-online: until the link is online; also waits for the daemon to appear, and to come back.
ExitCode waitOnline(const Command& command, Console& console);

// metrics, reset, probe, bugreport and doctor: verbs that are more than one question and its answer.
ExitCode metrics(const Command& command, Console& console);
ExitCode reset(const Command& command, Console& console);
ExitCode probe(const Command& command, Console& console);
ExitCode bugreport(const Command& command, Console& console);
ExitCode doctor(const Command& command, Console& console);

// Says what went wrong, as "qimuxctl: message", or where JSON is wanted as
// {"error":{"message":message,"exit_code":code}} on the output. Gives `code` back.
ExitCode complain(const Command& command, Console& console, ExitCode code, std::string_view message);
// What `error` of a connection means for the exit code, said on the console.
ExitCode fail(const Error& error, const Command& command, Console& console);

}  // namespace qimux::ctl
