// What one firmware does and another does not. Each quirk is a single deviation from the simulator's plain
// behaviour; a firmware is a set of them (options.hpp).
#pragma once

#include <bitset>
#include <optional>
#include <span>
#include <string_view>

namespace qimux::sim {

enum class Quirk {
  UrcNoSpace,
  ClosedNoSpace,
  ClosedTwice,
  ClosedDiscards,
  IndexedSendOk,
  PdpDeactColon,
  QisackNoSpaces,
  PlainCloseOk,
  StateNoFinalOk,
  DeactInitialError,
  AlreadyConnectError,
  AlreadyConnectFail,
  EscCancels,
  LoseEdge,
  EdgeAfterEmptyRead,
  UdpConcatenates,
  UrcInSend,
  LateConnectFail,
  TypeaheadLost,
  CrCrLf,
  QimuxRefused,
  Chunked,
  HeadBlank,
  Listenning,
  ClosedIndexed,
  GarbageBeforeSync,
  StateUnanswered,
  ModeUnanswered,
  PromptMissing,
  PlusInData,
  ReadNoOk,
  NameModeFail,
  LateAddress,
  StackCme,
  UnknownCme,
  Send1459,
  DeactInitialSilent,
  UrcWhileRunning,
  ClosedKeepsIndex,
  FailKeepsIndex,
  CpinNotReady,
  Count,
};

struct QuirkInfo {
  Quirk quirk;
  std::string_view name;
  std::string_view what;
  // On which module or in whose code it was found, or who says so.
  std::string_view seen;
};

// Every quirk, in the order of the enumeration.
std::span<const QuirkInfo> quirks();
std::optional<Quirk> parseQuirk(std::string_view name);

class QuirkSet {
 public:
  bool has(Quirk quirk) const { return set_.test(static_cast<std::size_t>(quirk)); }
  void add(Quirk quirk) { set_.set(static_cast<std::size_t>(quirk)); }
  void add(const QuirkSet& other) { set_ |= other.set_; }
  void remove(const QuirkSet& other) { set_ &= ~other.set_; }

 private:
  std::bitset<static_cast<std::size_t>(Quirk::Count)> set_;
};

}  // namespace qimux::sim
