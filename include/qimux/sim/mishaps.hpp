// What faults do to the next commands and answers. A restart ends them.
#pragma once

#include <cstddef>
#include <optional>

namespace qimux::sim {

struct Mishaps {
  int unanswered = 0;  // commands that are neither executed nor answered
  int unanswered_deactivations = 0;
  int garbled = 0;  // lines of answers
  // Of the next header of AT+QIRD.
  std::optional<std::size_t> lost_byte;
  std::optional<std::size_t> changed_byte;
  // Blocks of AT+QIRD.
  int cut_reads = 0;
  int overlong_reads = 0;
};

// Whether this one is hit: counts down.
inline bool hits(int& left) {
  if (left == 0) return false;
  --left;
  return true;
}

}  // namespace qimux::sim
