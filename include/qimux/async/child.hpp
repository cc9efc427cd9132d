// Other programs: run without a shell, watched by the loop, killed with all they started where they take too
// long.
#pragma once

#include "qimux/async/task.hpp"
#include "qimux/async/uv_loop.hpp"
#include "qimux/base/error.hpp"

#include <string>
#include <vector>

namespace qimux::async {

struct Command {
  std::vector<std::string> words;          // the program, by its path or found on PATH, and its arguments
  std::vector<std::string> environment{};  // "NAME=value"; replaces the daemon's own of that name
  std::string input{};                     // what it reads; at most kMaxInput bytes
  static constexpr std::size_t kMaxInput = 4096;
};

struct Ended {
  int code = 0;         // exit code
  int signal = 0;       // not 0: what ended it
  bool killed = false;  // it was out of time
  std::string output;   // the first kMaxOutput bytes of what it wrote and complained
  static constexpr std::size_t kMaxOutput = 16 * 1024;
  bool good() const { return code == 0 && signal == 0; }
};
// "exit code 3", "signal 11", "did not end in time, and was killed"
std::string how(const Ended& ended);

// Runs `command` to its end, at most for `limit`. An error only where it could not be started. What it leaves
// running in the background goes on, unless it was killed for its time; dropping the task kills it too.
Task<Result<Ended>> runChild(UvLoop& loop, Command command, Duration limit);

}  // namespace qimux::async
