#include "qimux/bridge/escape.hpp"

#include <algorithm>

namespace qimux::bridge {
namespace {

constexpr Byte kEscape = 0x1b;
constexpr int kConvinced = 2;

std::size_t firstEscape(ByteView bytes) {
  return static_cast<std::size_t>(std::ranges::find(bytes, kEscape) - bytes.begin());
}

bool hasEscape(ByteView bytes) {
  return firstEscape(bytes) < bytes.size();
}

// A module ignores whatever stands before AT in a line, and A/ repeats its last command.
bool couldCommand(ByteView bytes) {
  for (std::size_t i = 0; i + 1 < bytes.size(); ++i) {
    const bool first = bytes[i] == 'A' || bytes[i] == 'a';
    const Byte second = bytes[i + 1];
    if (first && (second == 'T' || second == 't' || second == '/')) return true;
  }
  return false;
}

}  // namespace

std::string_view name(EscapeRule::Meaning meaning) {
  switch (meaning) {
    case EscapeRule::Meaning::Unknown:
      return "unknown";
    case EscapeRule::Meaning::Data:
      return "data";
    case EscapeRule::Meaning::Cancels:
      return "cancels";
  }
  return "unknown";
}

bool EscapeRule::meet(std::string_view module) {
  if (module == module_) return false;
  module_ = module;
  meaning_ = Meaning::Unknown;
  silent_ = 0;
  return true;
}

std::size_t EscapeRule::streamPart(ByteView bytes) const {
  const std::size_t escape = firstEscape(bytes);
  switch (meaning_) {
    case Meaning::Data:
      return bytes.size();
    case Meaning::Cancels:
      return escape;
    case Meaning::Unknown:
      return std::min(bytes.size(), escape + 1);
  }
  return bytes.size();
}

bool EscapeRule::datagramMayGo(ByteView bytes) const {
  const std::size_t escape = firstEscape(bytes);
  if (meaning_ == Meaning::Data || escape == bytes.size()) return true;
  return meaning_ == Meaning::Unknown && !couldCommand(bytes.subspan(escape));
}

void EscapeRule::taken(ByteView payload) {
  if (hasEscape(payload)) meaning_ = Meaning::Data;
}

void EscapeRule::cancelled(ByteView payload, bool said_so) {
  if (meaning_ != Meaning::Unknown || !hasEscape(payload)) return;
  if (said_so || ++silent_ >= kConvinced) meaning_ = Meaning::Cancels;
}

}  // namespace qimux::bridge
