#include "qimux/bridge/loss.hpp"

namespace qimux::bridge {

std::string_view name(Cause cause) {
  switch (cause) {
    case Cause::Device:
      return "device";
    case Cause::Silence:
      return "silence";
    case Cause::Started:
      return "restart";
    case Cause::PowerDown:
      return "power";
    case Cause::Sim:
      return "sim";
    case Cause::Person:
      return "person";
    case Cause::Registration:
      return "registration";
    case Cause::Activation:
      return "activation";
    case Cause::Unending:
      return "unending";
    case Cause::Context:
      return "context";
    case Cause::Stack:
      return "stack";
    case Cause::Stop:
      return "stop";
  }
  return "unknown";
}

}  // namespace qimux::bridge
