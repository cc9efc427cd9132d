#include "qimux/bridge/trouble.hpp"

#include <fmt/format.h>

namespace qimux::bridge {

std::string_view name(Trouble trouble) {
  switch (trouble) {
    case Trouble::DeviceMissing:
      return "device_missing";
    case Trouble::Silent:
      return "silent";
    case Trouble::SimMissing:
      return "sim_missing";
    case Trouble::SimPinNeeded:
      return "sim_pin_needed";
    case Trouble::SimPinWrong:
      return "sim_pin_wrong";
    case Trouble::SimPuk:
      return "sim_puk";
    case Trouble::NotRegistered:
      return "not_registered";
    case Trouble::RegistrationDenied:
      return "registration_denied";
    case Trouble::ActivationRefused:
      return "activation_refused";
    case Trouble::UnderVoltage:
      return "under_voltage";
    case Trouble::NamesDead:
      return "names_dead";
  }
  return "unknown";
}

namespace {

constexpr int kDenied = 3;  // of +CGREG

std::string accessPoint(const module::Settings& settings) {
  return settings.apn.empty() ? "module.apn is not set" : fmt::format("module.apn is \"{}\"", settings.apn);
}

Diagnosis personNeeded(const Loss& loss, const module::Settings& settings) {
  if (loss.error.what == "SIM")
    return {Trouble::SimPuk,
            "The SIM is locked and asks for its PUK: unlock it in a telephone, or replace it."};
  if (settings.pin.empty())
    return {Trouble::SimPinNeeded,
            "The SIM asks for its PIN: set module.pin, or switch the PIN off in a telephone."};
  return {Trouble::SimPinWrong,
          "The SIM does not get the PIN of module.pin (again), so that it is not locked: " +
              loss.error.reply + ". Put the right one there and restart qimuxd."};
}

}  // namespace

std::optional<Diagnosis> diagnose(const Loss& loss, const module::Settings& settings,
                                  const module::Radio& radio) {
  switch (loss.cause) {
    case Cause::Device:
      return Diagnosis{
          Trouble::DeviceMissing,
          fmt::format("{}: {}. The module is waited for; is it plugged in, and serial.device its "
                      "name?",
                      loss.error.what, loss.error.reply)};
    case Cause::Silence:
      return Diagnosis{
          Trouble::Silent,
          "The module does not answer: is it powered, wired and switched on, and serial.device its "
          "port? Other rates than serial.baud are tried."};
    case Cause::Sim:
      return Diagnosis{Trouble::SimMissing,
                       fmt::format("The SIM {}: insert it, or clean its contacts.", loss.error.reply)};
    case Cause::Person:
      return personNeeded(loss, settings);
    case Cause::Registration:
      if (radio.registration == kDenied)
        return Diagnosis{
            Trouble::RegistrationDenied,
            "The network refuses this SIM: is it activated, may it be used here (roaming), and for "
            "data?"};
      return Diagnosis{
          Trouble::NotRegistered,
          "No network takes the module: is the antenna connected, and is there GSM coverage here?"};
    case Cause::Activation:
      return Diagnosis{
          Trouble::ActivationRefused,
          fmt::format("The network refuses the data connection ({}): is there credit, and is the "
                      "access point right? {}.",
                      loss.error.reply, accessPoint(settings))};
    case Cause::Unending:
      return Diagnosis{Trouble::ActivationRefused,
                       fmt::format("The network leaves {} without an answer.", loss.error.what)};
    default:
      return std::nullopt;
  }
}

std::string weakSupply(std::string_view last_word) {
  return fmt::format(
      "The module's supply is too weak ({}): it needs 3.4 V or more, and peaks of 2 A while it sends.",
      last_word);
}

std::string deadNames() {
  return "The network's name servers do not answer: names cannot be resolved, addresses can be reached.";
}

}  // namespace qimux::bridge
