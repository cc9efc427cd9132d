#include "qimux/bridge/liveness.hpp"

#include "qimux/module/sockets.hpp"

namespace qimux::bridge {

std::string_view name(Liveness::State state) {
  switch (state) {
    case Liveness::State::Quiet:
      return "quiet";
    case Liveness::State::AskState:
      return "ask_state";
    case Liveness::State::AskCounters:
      return "ask_counters";
    case Liveness::State::SendProbe:
      return "send_probe";
    case Liveness::State::Awaiting:
      return "awaiting";
    case Liveness::State::Dead:
      return "dead";
  }
  return "unknown";
}

Liveness::Wish Liveness::want(async::TimePoint now) {
  if (state_ == State::Quiet && now >= moved_at_ + rules_.idle) state_ = State::AskState;
  Wish wish;
  switch (state_) {
    case State::Quiet:
      wish.next = moved_at_ + rules_.idle;
      break;
    case State::AskState:
      wish.state = true;
      break;
    case State::AskCounters:
      wish.counters = true;
      break;
    case State::SendProbe:
      wish.probe = true;
      break;
    case State::Awaiting:
      wish.counters = now >= check_at_;
      wish.next = check_at_;
      break;
    case State::Dead:
      break;
  }
  return wish;
}

void Liveness::moved(async::TimePoint now) {
  if (state_ == State::Dead) return;
  state_ = State::Quiet;
  inquiry_ = false;
  moved_at_ = now;
}

void Liveness::await(async::TimePoint now) {
  state_ = State::Awaiting;
  inquiry_ = false;
  checks_ = 0;
  check_at_ = now + rules_.first_check;
}

// Later bytes do not begin the wait anew: a program that goes on writing into a dead path would never end it.
void Liveness::sent(async::TimePoint now) {
  if (state_ == State::Quiet || state_ == State::SendProbe) await(now);
}

void Liveness::probeSent(async::TimePoint now) {
  if (state_ == State::SendProbe) await(now);
}

void Liveness::inquire(bool has_probe) {
  if (state_ != State::Quiet) return;
  inquiry_ = true;
  has_probe_ = has_probe;
  state_ = State::AskCounters;
}

void Liveness::stateTold(async::TimePoint, bool has_probe) {
  if (state_ != State::AskState) return;
  has_probe_ = has_probe;
  state_ = State::AskCounters;
}

void Liveness::countersTold(async::TimePoint now, std::uint64_t unacknowledged) {
  if (state_ == State::AskCounters) {
    if (unacknowledged > 0 && inquiry_) {
      await(now);
    } else if (unacknowledged > 0) {
      state_ = State::Dead;
    } else if (has_probe_) {
      state_ = State::SendProbe;
    } else {
      moved(now);
    }
    return;
  }
  if (state_ != State::Awaiting) return;
  if (unacknowledged == 0) return moved(now);
  if (now < check_at_) return;
  check_at_ = now + rules_.interval;
  if (++checks_ < rules_.attempts) return;
  state_ = unacknowledged <= module::kMaxSend ? State::Dead : State::Quiet;
}

}  // namespace qimux::bridge
