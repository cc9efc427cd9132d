// What is wrong, in the words of a person who has to do something about it.
#pragma once

#include "qimux/async/loop.hpp"
#include "qimux/bridge/loss.hpp"
#include "qimux/module/module.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace qimux::bridge {

enum class Trouble {
  DeviceMissing,       // the serial device is not there, or cannot be used
  Silent,              // the module does not answer
  SimMissing,          // no SIM, or it does not get ready
  SimPinNeeded,        // the SIM asks for its PIN, and none is configured
  SimPinWrong,         // the SIM refused the PIN; it is not tried again
  SimPuk,              // the SIM is locked
  NotRegistered,       // no network was found, or coverage is lost
  RegistrationDenied,  // the networks refuse this SIM: no roaming, no contract
  ActivationRefused,   // the network refuses the data connection: no credit, wrong APN
  UnderVoltage,        // the module's supply is weak: it says so, or starts anew again and again
  NamesDead,           // the network's name servers do not answer
};
std::string_view name(Trouble trouble);

struct Condition {
  Trouble trouble;
  std::string message;  // a sentence or two, with what to do
  async::TimePoint since;
};

// What stands behind a loss; nothing where it is just one of those things that happen (RDY, +PDP DEACT), and
// is being mended.
struct Diagnosis {
  Trouble trouble;
  std::string message;
};
std::optional<Diagnosis> diagnose(const Loss& loss, const module::Settings& settings,
                                  const module::Radio& radio);

// The message of what is not diagnosed from one loss.
std::string weakSupply(std::string_view last_word);
std::string deadNames();

}  // namespace qimux::bridge
