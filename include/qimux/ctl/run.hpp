// Another program, and what it says.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace qimux::ctl {

struct Ran {
  int code = 0;        // 128 and more: a signal ended it
  std::string output;  // standard output and error
};

// Runs `words`, found in PATH and where administrators' programs are, without a shell, in English, without
// input. Nothing where there is no such program, or it took longer than `wait` and was ended. Of more output
// than `most` the beginning is lost.
std::optional<Ran> runProgram(const std::vector<std::string>& words,
                              std::chrono::milliseconds wait = std::chrono::seconds(5),
                              std::size_t most = 1 << 20);

// qimuxd beside this program, or where it is installed.
std::string daemonProgram();

}  // namespace qimux::ctl
