#include "qimux/bridge/session.hpp"

#include <cassert>

namespace qimux::bridge {
namespace {

using namespace std::chrono_literals;
constexpr auto kInteractiveMemory = 3s;

bool allowed(SessionState from, SessionState to) {
  using enum SessionState;
  switch (to) {
    case Waiting:
      return from == Opening || from == Connected || from == Closing;  // UDP starts again after a loss
    case Opening:
      return from == Waiting;
    case Connected:
      return from == Opening;
    case Closing:
      return from == Opening || from == Connected;
    case Finishing:
      return from == Closing || from == Opening || from == Connected;
    case Ended:
      return from != Ended;
  }
  return false;
}

}  // namespace

std::string_view name(SessionState state) {
  switch (state) {
    case SessionState::Waiting:
      return "waiting";
    case SessionState::Opening:
      return "opening";
    case SessionState::Connected:
      return "connected";
    case SessionState::Closing:
      return "closing";
    case SessionState::Finishing:
      return "finishing";
    case SessionState::Ended:
      return "ended";
  }
  return "unknown";
}

std::string_view name(Failure failure) {
  switch (failure) {
    case Failure::Refused:
      return "refused";
    case Failure::Unreachable:
      return "unreachable";
    case Failure::Offline:
      return "offline";
    case Failure::NoSlot:
      return "no_slot";
  }
  return "unknown";
}

void Session::enter(SessionState next) {
  assert(allowed(state_, next));
  state_ = next;
  const bool has_slot =
      next == SessionState::Opening || next == SessionState::Connected || next == SessionState::Closing;
  if (!has_slot) slot_ = -1;
  assert(!has_slot || slot_ >= 0);
}

void Session::granted(int slot) {
  slot_ = slot;
  open_sent_ = false;
  enter(SessionState::Opening);
}

void Session::openSent(async::TimePoint deadline) {
  open_sent_ = true;
  open_deadline_ = deadline;
}

bool Session::interactive(async::TimePoint now) const {
  return last_small_ != async::TimePoint::min() && now - last_small_ < kInteractiveMemory;
}

}  // namespace qimux::bridge
