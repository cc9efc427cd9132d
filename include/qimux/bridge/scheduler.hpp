// Whose turn it is on the AT channel: start-time fair queueing over the two directions of each socket.
//
// Costs are bytes on the line. Each contender has a finish tag, the virtual time up to which it has been
// served. A turn goes to the smallest start tag, which is its finish tag, or the present virtual time where
// it was idle: an interactive flow that used little starts at once, before bulk flows that have had their
// share, and six busy ones get equal shares. Where tags are equal the smaller turn goes first.
//
// (Deficit round robin gives the same shares, but lets a flow that has just become busy wait for a whole
// round.)
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace qimux::bridge {

// What AT+QISEND and AT+QIRD cost on the line beside their payload, in the application note's own spellings.
inline constexpr std::size_t kSendOverhead = 36;
inline constexpr std::size_t kReadOverhead = 66;

class Scheduler {
 public:
  // Two for each socket: what is sent, and what is read.
  static constexpr std::size_t kContenders = 12;
  static constexpr std::size_t sender(int slot) { return static_cast<std::size_t>(slot); }
  static constexpr std::size_t reader(int slot) { return static_cast<std::size_t>(slot) + kContenders / 2; }

  struct Candidate {
    std::size_t contender;
    std::size_t cost;  // expected, in bytes on the line
  };

  // The index of the candidate whose turn it is; nothing where there is none. Moves the virtual time there.
  std::optional<std::size_t> pick(std::span<const Candidate> candidates);
  // What the turn cost in the end.
  void charge(std::size_t contender, std::size_t cost);
  // The contender is somebody new, without a past.
  void forget(std::size_t contender);

 private:
  std::uint64_t startOf(std::size_t contender) const;
  std::uint64_t virtual_time_ = 0;
  std::array<std::uint64_t, kContenders> finish_{};
};

}  // namespace qimux::bridge
