// The part of Stack that shows what has arrived: announced for AT+QIRD, or pushed to the line (application
// note 5.3).
#include "qimux/sim/stack.hpp"

#include <fmt/format.h>

#include <utility>

namespace qimux::sim {
namespace {

// What one push carries.
constexpr std::size_t kLargestPush = 1460;
// With so many bytes on their way to the host nothing more is pushed, for so long.
constexpr std::size_t kPushBacklog = 4096;
constexpr std::size_t kPushTurn = 65536;
constexpr async::Duration kPushAgain = std::chrono::milliseconds(5);

}  // namespace

void Stack::arrived(Connection& connection, std::size_t size) {
  if (Slot* slot = ownerOf(connection)) announce(*slot, size);
}

void Stack::announce(Slot& slot, std::size_t size) {
  if (slot.indi == 0 || slot.transparent) {
    push();
    return;
  }
  if (slot.indi == 1 && std::exchange(slot.announced, true)) return;
  if (terminal_.busy() && options_.quirks.has(Quirk::LoseEdge)) {
    transcript_.note(fmt::format("{}: edge lost", slot.index));
    return;
  }
  const char* blank = options_.quirks.has(Quirk::UrcNoSpace) ? "" : " ";
  std::string line =
      fmt::format("+QIRDI:{}{},{},{}", blank, slot.context, static_cast<int>(slot.role), slot.index);
  if (slot.indi == 2) {
    line += fmt::format(",{},{},{}", slot.connection->packets(), size, slot.connection->kept());
  }
  terminal_.urc(std::move(line));
}

bool Stack::mayPush(const Slot& slot) const {
  if (slot.transparent) return terminal_.online();
  return slot.indi == 0 && !terminal_.busy();
}

// A piece of each in turn: one that is fed faster than the line can tell keeps nobody back.
void Stack::push() {
  std::size_t silent = 0;
  while (silent < slots_.size() && !lineFull()) {
    Slot& slot = *slots_[next_push_];
    next_push_ = (next_push_ + 1) % slots_.size();
    silent = pushPiece(slot) ? 0 : silent + 1;
  }
}

// Then it is gone on with by itself.
bool Stack::lineFull() {
  const bool behind = backlog && backlog() > kPushBacklog;
  const bool turn_over = unsaid && unsaid() > kPushTurn;
  if (behind || turn_over) push_again_.start(behind ? kPushAgain : async::Duration{0}, [this] { push(); });
  return behind || turn_over;
}

// Application note 5.3.1. AT+QISHOWPT counts only beside AT+QIHEAD=1, and not with AT+QIMUX=1.
std::string Stack::headOf(const Slot& slot, std::size_t size) const {
  std::string head;
  if (slot.mux) head = fmt::format("\r\n+RECEIVE: {}, {}\r\n", slot.index, size);
  if (settings_.show_remote) head += fmt::format("RECV FROM:{}\r\n", text(slot.remote));
  if (settings_.show_local) {
    head += fmt::format("TO:{}\r\n", text(options_.local_addresses[static_cast<std::size_t>(slot.context)]));
  }
  if (settings_.head) {
    const bool protocol = settings_.show_protocol && !slot.mux;
    const char* blank = options_.quirks.has(Quirk::HeadBlank) ? " " : "";
    head += fmt::format("IPD{}{}:{}", size, protocol ? name(slot.protocol) : "", blank);
  }
  if (!slot.mux && !head.empty()) head.insert(0, "\r\n");
  return head;
}

bool Stack::pushPiece(Slot& slot) {
  if (!slot.connection || slot.connection->kept() == 0 || !mayPush(slot)) return false;
  const ByteView data = slot.connection->peek(kLargestPush);
  transcript_.payloadOut(data);
  if (!slot.transparent) terminal_.raw(bytesOf(headOf(slot, data.size())));
  terminal_.raw(data);
  take(slot, data.size());
  return true;
}

}  // namespace qimux::sim
