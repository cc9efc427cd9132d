#include "qimux/daemon/pulse.hpp"

namespace qimux::daemon {

bool Pulse::beats(async::TimePoint now, const Engine& engine) {
  const bool moved = engine.commands != commands_;
  commands_ = engine.commands;
  if (engine.deadline) {
    waiting_since_.reset();
    return now <= *engine.deadline + kGrace;
  }
  if (!engine.work) {
    waiting_since_.reset();
    return true;
  }
  if (moved || !waiting_since_) waiting_since_ = now;
  return now <= *waiting_since_ + kLongestPause;
}

}  // namespace qimux::daemon
