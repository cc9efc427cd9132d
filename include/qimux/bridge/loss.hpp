// Why there is no link: what was lost, or what stood in the way of getting it.
//
// The cause chooses the cure (Ladder); the error is what a person reads.
#pragma once

#include "qimux/base/error.hpp"

#include <string_view>

namespace qimux::bridge {

enum class Cause {
  Device,        // the port is gone, or cannot be opened
  Silence,       // the module does not answer, or not so that it could be understood
  Started,       // it has started anew by itself: RDY
  PowerDown,     // it has said that it switches off
  Sim,           // no SIM, or one that does not get ready
  Person,        // a PIN or a PUK is needed that nobody but a person can give
  Registration,  // no network takes us, or it has left us
  Activation,    // the network refuses the PDP context
  Unending,      // AT+QIACT or AT+QIDEACT had no answer in its time (application note 5.5)
  Context,       // the PDP context is gone
  Stack,         // the module refuses what it has to take, or contradicts itself
  Stop,          // none of these: we were asked to end
};
std::string_view name(Cause cause);

struct Loss {
  Cause cause;
  Error error;
};

}  // namespace qimux::bridge
