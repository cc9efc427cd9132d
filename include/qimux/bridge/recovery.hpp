// The steps by which a link is cured, from the mildest to the strongest, and the record of what was done.
#pragma once

#include "qimux/async/loop.hpp"
#include "qimux/base/error.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace qimux::bridge {

enum class RecoveryStep {
  Resync,       // a command without an end: ESC, empty lines, AT until OK
  BaudHunt,     // the module is looked for at other rates, and told to use ours
  CloseSocket,  // one of the six sockets is beyond doubt, and closed; its program gets a reset
  Reactivate,   // AT+QIDEACT, AT+QIACT (application note 5.5, 6.3)
  Restart,      // AT+CFUN=1,1
  ResetLine,    // EMERG_OFF, by whatever reaches it
  AwaitDevice,  // the port is given up, and opened when it can be
};
inline constexpr std::array kRecoverySteps{
    RecoveryStep::Resync,  RecoveryStep::BaudHunt,  RecoveryStep::CloseSocket, RecoveryStep::Reactivate,
    RecoveryStep::Restart, RecoveryStep::ResetLine, RecoveryStep::AwaitDevice};
std::string_view name(RecoveryStep step);

// Counts, remembers and tells the journal: each step at its begin (why) and at its end (what came of it, how
// long it took). One step at a time: what begins while another one is under way cuts that short.
class Recovery {
 public:
  explicit Recovery(async::Loop& loop) : loop_(loop) {}

  struct Entry {
    RecoveryStep step;
    std::string why;
    async::TimePoint begun;
    async::Duration took{};
    std::optional<Error> failed;  // nothing: it helped
  };

  void begin(RecoveryStep step, std::string why);
  // Nothing where no step is under way.
  void end(const Result<void>& outcome);
  bool underWay() const { return current_.has_value(); }

  std::uint64_t count(RecoveryStep step) const { return counts_.at(static_cast<std::size_t>(step)); }
  // The oldest first; at most kRemembered.
  const std::deque<Entry>& ended() const { return ended_; }
  static constexpr std::size_t kRemembered = 32;

 private:
  async::Loop& loop_;
  std::array<std::uint64_t, kRecoverySteps.size()> counts_{};
  std::optional<Entry> current_;
  std::deque<Entry> ended_;
};

}  // namespace qimux::bridge
