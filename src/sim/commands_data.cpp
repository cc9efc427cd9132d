// Sending, receiving and what has become of it (application note 5.2 and 5.3.2).
#include "qimux/sim/module.hpp"

#include <fmt/format.h>

namespace qimux::sim {
namespace {

constexpr long kLongestRead = 1500;

// AT+QISEND=<index>[,<length>]
Reply send(Module& module, const Call& call) {
  const auto index = call.number(0, 0, kSockets - 1);
  if (call.form != Form::Set || call.count() > 2 || !index) return Reply::error();
  if (!module.stack().foreground().mux) return Reply::error();
  std::optional<std::size_t> length;
  if (call.count() == 2) {
    const auto given = call.number(1, 1, static_cast<long>(kLargestBlock));
    if (!given) return Reply::error();
    length = static_cast<std::size_t>(*given);
  }
  const int at = static_cast<int>(*index);
  if (module.stack().slot(at).state != SlotState::Connected) return Reply::error();
  module.sendPhase().begin(at, length);
  return Reply::later();
}

// AT+QISACK=<index>: sent, acknowledged, and the difference.
Reply acknowledged(Module& module, const Call& call) {
  const auto index = call.number(0, 0, kSockets - 1);
  if (call.form != Form::Set || call.count() != 1 || !index) return Reply::error();
  if (!module.stack().foreground().mux) return Reply::error();
  Slot& slot = module.stack().slot(static_cast<int>(*index));
  if (slot.state != SlotState::Connected) return Reply::error();
  const auto counters = slot.connection->counters();
  const char* blank = module.quirk(Quirk::QisackNoSpaces) ? "" : " ";
  module.terminal().info(fmt::format("+QISACK: {},{}{},{}{}", counters.sent, blank, counters.acknowledged,
                                     blank, counters.sent - counters.acknowledged));
  return Reply::ok();
}

// AT+QIRD=<context>,<role>,<index>,<length>: a block of known length, or only OK where there is nothing.
Reply read(Module& module, const Call& call) {
  const auto context = call.number(0, 0, kContexts - 1);
  const auto role = call.number(1, kClientRole, kClientRole);
  const auto index = call.number(2, 0, kSockets - 1);
  const auto most = call.number(3, 1, kLongestRead);
  if (call.form != Form::Set || call.count() != 4 || !context || !role || !index || !most) {
    return Reply::error();
  }
  const int at = static_cast<int>(*index);
  Slot& slot = module.stack().slot(at);
  const bool readable = slot.state == SlotState::Connected || slot.state == SlotState::Close;
  if (!readable || slot.context != *context || slot.indi == 0) return Reply::error();
  const ByteView data = module.stack().peek(at, static_cast<std::size_t>(*most));
  if (!data.empty()) {
    const char* blank = module.quirk(Quirk::UrcNoSpace) ? "" : " ";
    module.terminal().info(
        fmt::format("+QIRD:{}{},{},{}", blank, text(slot.remote), name(slot.protocol), data.size()));
    module.transcript().payloadOut(data);
    module.terminal().raw(data);
  }
  module.stack().take(at, data.size());
  return Reply::ok();
}

}  // namespace

void addDataCommands(CommandTable& table) {
  table.add("+QISEND", send);
  table.add("+QISACK", acknowledged);
  table.add("+QIRD", read);
}

}  // namespace qimux::sim
