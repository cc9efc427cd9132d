// Sending, receiving and what has become of it (application note 5.2 and 5.3).
#include "qimux/sim/module.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace qimux::sim {
namespace {

constexpr long kLongestRead = 1500;
constexpr long kLongestPeriod = 100;

// AT+QISEND=<index>[,<length>] with AT+QIMUX=1, else AT+QISEND[=<length>].
Reply send(Module& module, const Call& call) {
  const bool mux = module.stack().foreground().mux;
  const std::size_t most = mux ? 2 : 1;
  if (call.form == Form::Read || call.form == Form::Test || call.count() > most) return Reply::error();
  const auto index = mux ? call.number(0, 0, kSockets - 1) : std::nullopt;
  Slot* slot = module.stack().addressed(index);
  std::optional<std::size_t> length;
  if (call.count() == most) {
    const long longest = static_cast<long>(kLargestBlock) - (module.quirk(Quirk::Send1459) ? 1 : 0);
    const auto given = call.number(most - 1, 1, longest);
    if (!given) return Reply::error();
    length = static_cast<std::size_t>(*given);
  }
  // In transparent mode the line itself sends.
  if (slot == nullptr || slot->state != SlotState::Connected || slot->transparent) return Reply::error();
  if (module.sendPhase().swallowed()) return Reply::done();
  module.sendPhase().begin(*slot, length);
  return Reply::later();
}

// AT+QIAUTOS=1,<seconds> or =0: what AT+QISEND has asked for goes out by itself (application note 5.2.2.3).
Reply timed(Module& module, const Call& call) {
  TimedSending& stored = module.settings().timed;
  if (call.form == Form::Read) {
    module.terminal().info(fmt::format("+QIAUTOS: {},{}", stored.on ? 1 : 0, stored.period));
    return Reply::ok();
  }
  const auto on = call.number(0, 0, 1);
  const auto period =
      call.count() > 1 ? call.number(1, 1, kLongestPeriod) : std::optional<long>(stored.period);
  if (call.form != Form::Set || call.count() > 2 || !on || !period) return Reply::error();
  stored = TimedSending{*on == 1, static_cast<int>(*period)};
  return Reply::ok();
}

// AT+QISACK[=<index>]: sent, acknowledged, and the difference.
Reply acknowledged(Module& module, const Call& call) {
  const bool mux = module.stack().foreground().mux;
  if (call.form != (mux ? Form::Set : Form::Execute) || call.count() > 1) return Reply::error();
  const auto index = mux ? call.number(0, 0, kSockets - 1) : std::nullopt;
  const Slot* slot = module.stack().addressed(index);
  if (slot == nullptr || slot->state != SlotState::Connected) return Reply::error();
  const auto counters = slot->connection->counters();
  const char* blank = module.quirk(Quirk::QisackNoSpaces) ? "" : " ";
  module.terminal().info(fmt::format("+QISACK: {},{}{},{}{}", counters.sent, blank, counters.acknowledged,
                                     blank, counters.sent - counters.acknowledged));
  return Reply::ok();
}

// "+QIRD: 1.2.3.4:80,TCP,100", but for what faults do to it.
std::string readHeader(Module& module, const Slot& slot, std::size_t size) {
  const char* blank = module.quirk(Quirk::UrcNoSpace) ? "" : " ";
  std::string header = fmt::format("+QIRD:{}{},{},{}", blank, text(slot.remote), name(slot.protocol), size);
  Mishaps& mishaps = module.terminal().mishaps();
  if (const auto at = std::exchange(mishaps.changed_byte, std::nullopt); at && *at < header.size()) {
    header[*at] = static_cast<char>(header[*at] ^ 1);
  }
  if (const auto at = std::exchange(mishaps.lost_byte, std::nullopt); at && *at < header.size()) {
    header.erase(*at, 1);
  }
  return header;
}

// What there is of the block, in front of its OK; false where the rest of it, and all behind it, is not said.
bool sayBlock(Module& module, ByteView data) {
  Mishaps& mishaps = module.terminal().mishaps();
  module.transcript().payloadOut(data);
  if (hits(mishaps.cut_reads)) {
    module.transcript().note("cut by a fault");
    module.terminal().raw(data.first(data.size() / 2));
    return false;
  }
  module.terminal().raw(data);
  if (hits(mishaps.overlong_reads)) {
    module.transcript().note("goes on, by a fault");
    module.terminal().raw(data.first((data.size() + 1) / 2));
  }
  return true;
}

// AT+QIRD=<context>,<role>,<index>,<length>: a block of known length, or only OK where there is nothing.
Reply read(Module& module, const Call& call) {
  const auto context = call.number(0, 0, kContexts - 1);
  const auto role = call.number(1, static_cast<long>(Role::Client), static_cast<long>(Role::Server));
  const auto index = call.number(2, 0, kSockets - 1);
  const auto most = call.number(3, 1, kLongestRead);
  if (call.form != Form::Set || call.count() != 4 || !context || !role || !index || !most) {
    return Reply::error();
  }
  Slot* slot =
      module.stack().named(static_cast<int>(*context), static_cast<Role>(*role), static_cast<int>(*index));
  const bool readable =
      slot != nullptr && (slot->state == SlotState::Connected || slot->state == SlotState::Close);
  if (!readable || slot->indi == 0 || slot->transparent) return Reply::error();
  const ByteView data = module.stack().peek(*slot, static_cast<std::size_t>(*most));
  bool silent = false;
  if (!data.empty()) {
    module.terminal().info(readHeader(module, *slot, data.size()));
    silent = !sayBlock(module, data) || module.quirk(Quirk::ReadNoOk);
  }
  module.stack().take(*slot, data.size());
  return silent ? Reply::done() : Reply::ok();
}

}  // namespace

void addDataCommands(CommandTable& table) {
  table.add("+QISEND", send);
  table.add("+QIAUTOS", timed);
  table.add("+QISACK", acknowledged);
  table.add("+QIRD", read);
}

}  // namespace qimux::sim
