// Every command that the simulator implements, for people: what --list-commands prints, and the first column
// of the table in src/sim/README.md.
#pragma once

#include <span>
#include <string_view>

namespace qimux::sim {

struct CommandInfo {
  // As it is typed, without arguments: "ATE", "AT&W", "AT+QIOPEN"; "+++" stands for itself.
  std::string_view name;
  std::string_view what;
  // Who says so: a section of the application note, or the manual or standard that it leaves it to.
  std::string_view source;
};

// In the order of use: the line, the module, the SIM and the network, the stack, its sockets.
std::span<const CommandInfo> catalogue();

}  // namespace qimux::sim
