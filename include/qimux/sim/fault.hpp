// What may go wrong, by name: one verb a line, as in --script, --control and tests.
//
// To add one, add a row to the table in fault.cpp.
#pragma once

#include "qimux/base/error.hpp"

#include <span>
#include <string_view>

namespace qimux::sim {

class Module;

struct FaultInfo {
  std::string_view verb;
  std::string_view arguments;  // "N [COUNT]"
  std::string_view what;
};

// Every fault there is, in the order in which --list-faults shows them.
std::span<const FaultInfo> faults();

// Whether it is a verb with arguments that it takes, without running it. A socket that is not connected shows
// only when it runs.
Result<void> checkFault(std::string_view line);

// "send-fail 2 5". Invalid, with what is wrong, where there is no such verb or it does not fit; nothing has
// happened then.
Result<void> runFault(Module& module, std::string_view line);

}  // namespace qimux::sim
