// qimux-sim put together: a port, a line of some rate, the module, and the machine's network behind it.
#pragma once

#include "qimux/base/error.hpp"
#include "qimux/sim/options.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace qimux::sim {

// What the command line said, word for word.
struct ProgramOptions {
  std::string link;
  std::string listen;
  Options module;
  std::string firmware = "mc60";
  std::vector<std::string> quirks;
  std::vector<std::string> mappings;     // CIDR=ADDR
  std::vector<std::string> hosts;        // NAME=ADDR[,ADDR...]
  std::vector<std::string> black_holes;  // CIDR
  // IPv4 address of this machine at which far ends can knock; nobody can where empty.
  std::string inbound;
  bool resolve = false;
  std::vector<std::string> sms;        // FROM=TEXT
  std::vector<std::string> latencies;  // NAME=LEAST[-MOST]
  std::string ack_lag;                 // LEAST[-MOST]
  // A host at another rate than the module's hears and says garbage.
  bool check_rate = false;
  std::string script;
  std::string control;
  std::string transcript;
};

enum class Unit { Second, Millisecond };
// A duration on the command line: a finite number, also with a fraction, from 0 to a day. Invalid, with the
// option, the value and what it must be, for anything else.
Result<async::Duration> parseDuration(std::string_view option, std::string_view value, Unit unit);

// Whether there can be such a simulator, as far as that shows without opening a file, a port or a socket that
// stays: Invalid, with the option, its value and what it must be.
Result<void> checkOptions(const ProgramOptions& options);

// What --list-commands, --list-quirks and --list-faults print.
std::string listCommands();
std::string listQuirks();
std::string listFaults();

// Until SIGTERM or SIGINT; 0 then, 1 where something on the command line cannot be.
int runProgram(const ProgramOptions& options);

}  // namespace qimux::sim
