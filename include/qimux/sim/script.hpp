// Faults by the clock: "at SECONDS VERB ...", one a line, counted from the start of the script. Empty lines
// and those that begin with # mean nothing.
#pragma once

#include "qimux/base/error.hpp"
#include "qimux/sim/timeline.hpp"

#include <string_view>

namespace qimux::sim {

class Module;

class Script {
 public:
  explicit Script(Module& module);

  // Adds every line of `text` to what will happen. Invalid, with the number of the line, where one is wrong;
  // nothing of it happens then. A fault that cannot be when its time comes (a socket that is not connected)
  // is noted in the transcript.
  Result<void> load(std::string_view text);

 private:
  Module& module_;
  Timeline timeline_;
};

}  // namespace qimux::sim
