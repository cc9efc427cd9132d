// Whether a TCP connection that is silent still lives (application note 6.1 and 6.2).
//
// Operators drop idle connections without a word, so the module may say CONNECTED for ever. For one
// connection this says when to ask, and draws the conclusion:
//
//   Quiet ──idle──> AskState ──CONNECTED──> AskCounters ──nothing unacknowledged──> SendProbe ──sent──┐
//     ^                                         └──something is──> Dead                               │
//     └──data came, or an acknowledgement── Awaiting <─────────────────────────────────────────────────┘
//                                              └── `attempts` times unacknowledged ──> Dead
//
// AskState has no way to Dead: a socket that is not CONNECTED is ended by its owner, who first reads what is
// left in it. Without a probe for the port the check ends behind AskCounters, and begins anew after another
// idle time; and what the program itself has sent last takes the probe's place: Awaiting begins with it. The
// first check of it is after `first_check`, the others `interval` apart. More than one send's worth that
// stays unacknowledged may be a far end whose program does not read: of that only AskCounters makes a dead
// one.
//
// inquire() begins a check at once: a program's own TCP keepalive is the wish to know. Then what is
// unacknowledged may be fresh, so that AskCounters awaits it instead of calling it dead.
#pragma once

#include "qimux/async/loop.hpp"

#include <cstdint>
#include <string_view>

namespace qimux::bridge {

struct LivenessRules {
  async::Duration idle = std::chrono::minutes(8);
  async::Duration first_check = std::chrono::seconds(5);
  async::Duration interval = std::chrono::seconds(10);
  int attempts = 12;
};

class Liveness {
 public:
  enum class State { Quiet, AskState, AskCounters, SendProbe, Awaiting, Dead };

  Liveness(const LivenessRules& rules, async::TimePoint now) : rules_(rules), moved_at_(now) {}

  State state() const { return state_; }

  struct Wish {
    bool state = false;     // AT+QISTATE
    bool counters = false;  // AT+QISACK
    bool probe = false;     // send it
    async::TimePoint next = async::TimePoint::max();
  };
  Wish want(async::TimePoint now);

  // Data came, or something more was acknowledged: the path lives.
  void moved(async::TimePoint now);
  // The program's own bytes went out.
  void sent(async::TimePoint now);
  void probeSent(async::TimePoint now);
  // Somebody wants to know now. Nothing where a check is under way. Begins at AskCounters: AT+QISTATE can be
  // kept waiting by names that nobody answers, and a program's patience may be short.
  void inquire(bool has_probe);
  // AT+QISTATE said CONNECTED.
  void stateTold(async::TimePoint now, bool has_probe);
  // What AT+QISACK calls unacknowledged; any answer to it, also one that was not asked for here.
  void countersTold(async::TimePoint now, std::uint64_t unacknowledged);

 private:
  void await(async::TimePoint now);

  const LivenessRules& rules_;
  State state_ = State::Quiet;
  async::TimePoint moved_at_;
  async::TimePoint check_at_{};
  int checks_ = 0;
  bool has_probe_ = false;
  bool inquiry_ = false;  // the check was begun by inquire()
};

std::string_view name(Liveness::State state);

}  // namespace qimux::bridge
