// The part of Connection that finds out whether the path still lives (application note 6).
//
// An idle path that is dead is not noticed unless AT+QIKALIVE asks for it: TCP says nothing while it has
// nothing to say.
#include "qimux/sim/connection.hpp"

#include <algorithm>

namespace qimux::sim {
namespace {

// How exactly the end of patience is met.
constexpr int kLooks = 16;
constexpr async::Duration kShortestLook = std::chrono::milliseconds(1);
constexpr int kProbes = 3;

}  // namespace

void Connection::expectAnswer() {
  if (protocol_ == Protocol::Udp || answer_timer_.armed()) return;
  unanswered_since_ = loop_.now();
  answered_ = counters().acknowledged;
  answer_timer_.start(std::max(kShortestLook, options_.give_up / kLooks), [this] { checkAnswer(); });
}

void Connection::checkAnswer() {
  if (ended_ || !socket_) return;
  const Counters now = counters();
  if (now.acknowledged == now.sent) return;
  if (now.acknowledged > answered_) unanswered_since_ = loop_.now();
  answered_ = now.acknowledged;
  // A far end whose window is closed answers all the same; one that never got the data cannot.
  const bool in_the_air = !up_.empty() && up_.front().due > loop_.now();
  const bool silent = dead_ || in_the_air || socket_->silence() >= options_.give_up;
  if (silent && loop_.now() - unanswered_since_ >= options_.give_up) {
    end(true);
    return;
  }
  answer_timer_.start(std::max(kShortestLook, options_.give_up / kLooks), [this] { checkAnswer(); });
}

void Connection::watchIdle() {
  if (protocol_ == Protocol::Udp || !air_.keepalive) return;
  keepalive_ = air_.keepalive;
  // For paths that are dead outside of this process; for all others the probes here do.
  socket_->keepAlive(keepalive_->idle, keepalive_->interval, kProbes);
  idle_timer_.startAt(active_ + keepalive_->idle, [this] { probe(); });
}

void Connection::probe() {
  if (ended_ || !socket_) return;
  const Counters sent = counters();
  // What waits for its acknowledgement probes by itself.
  if (sent.sent != sent.acknowledged) active_ = loop_.now();
  const bool quiet = loop_.now() - active_ >= keepalive_->idle;
  const bool answers = !dead_ && socket_->silence() == async::Duration{0} && !air_.loses() && !air_.loses();
  if (!quiet || answers) {
    probes_ = 0;
    if (quiet) active_ = loop_.now();
    idle_timer_.startAt(active_ + keepalive_->idle, [this] { probe(); });
    return;
  }
  if (probes_++ == kProbes) {
    end(true);
    return;
  }
  idle_timer_.start(keepalive_->interval, [this] { probe(); });
}

}  // namespace qimux::sim
