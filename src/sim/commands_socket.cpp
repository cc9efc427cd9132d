// Opening, closing and looking at connections (application note 3, 5.4 and 5.6.2).
#include "qimux/sim/module.hpp"

#include <fmt/format.h>

namespace qimux::sim {
namespace {

constexpr std::size_t kLongestHost = 100;

std::optional<Protocol> parseProtocol(std::string_view text) {
  if (text == "TCP" || text == "tcp") return Protocol::Tcp;
  if (text == "UDP" || text == "udp") return Protocol::Udp;
  return std::nullopt;
}

Reply occupied(Module& module, const Slot& slot) {
  if (module.quirk(Quirk::AlreadyConnectFail)) {
    module.terminal().urc(tagged(slot, "CONNECT FAIL"));
    return Reply::ok();
  }
  module.terminal().info("ALREADY CONNECT");
  return module.quirk(Quirk::AlreadyConnectError) ? Reply::error() : Reply::done();
}

// A name where AT+QIDNSIP=0 wants an address.
Reply noAddress(Module& module, long index) {
  if (!module.quirk(Quirk::NameModeFail)) return Reply::error();
  const bool mux = module.stack().foreground().mux;
  module.terminal().urc(mux ? fmt::format("{}, CONNECT FAIL", index) : "CONNECT FAIL");
  return Reply::ok();
}

// AT+QIOPEN=<index>,"TCP"|"UDP","<host>",<port>; without the index where AT+QIMUX=0.
Reply open(Module& module, const Call& call) {
  Stack& stack = module.stack();
  const std::size_t first = stack.foreground().mux ? 1 : 0;
  if (call.form != Form::Set || call.count() != first + 3) return Reply::error();
  const auto index = first == 1 ? call.number(0, 0, kSockets - 1) : std::optional<long>(0);
  const auto protocol = parseProtocol(call.string(first).value_or(""));
  const auto host = call.string(first + 1);
  const auto port = call.looseNumber(first + 2, 1, 65535);
  if (!index || !protocol || !host || host->empty() || host->size() > kLongestHost || !port) {
    return Reply::error();
  }
  // AT+QIDNSIP tells whether it shall be an address or a name.
  if (!module.settings().by_name && !parseIpv4(*host)) return noAddress(module, *index);
  Slot& slot = first == 1 ? stack.client(static_cast<int>(*index)) : stack.single();
  if (slot.state == SlotState::Connected || slot.state == SlotState::Connecting || stack.keepsIndex(slot)) {
    return occupied(module, slot);
  }
  if (const StackState state = stack.foreground().state; !mayOpen(state, stack.foreground().mux)) {
    const bool early = state == StackState::GprsAct;
    return refused(module, call,
                   fmt::format("not in {}{}", name(state), early ? ", AT+QILOCIP comes first" : ""));
  }
  if (stack.foreground().transparent && stack.lineTaken()) return Reply::error();
  if (slot.state == SlotState::Close) stack.close(slot);
  stack.open(slot, *protocol, std::string(*host), static_cast<std::uint16_t>(*port));
  return Reply::ok();
}

Reply closed(Module& module, const Slot& slot) {
  module.terminal().info(module.quirk(Quirk::PlainCloseOk) ? "CLOSE OK" : tagged(slot, "CLOSE OK"));
  return Reply::done();
}

// AT+QICLOSE in the role of a server: what it has accepted, then the listening itself (application note 3.2).
// With AT+QIMUX=1 the bare form closes all of it.
Reply closeAsServer(Module& module, const Call& call) {
  Stack& stack = module.stack();
  const bool mux = stack.foreground().mux;
  if (!mux && call.form == Form::Set) return Reply::error();
  Slot* slot = stack.addressed(mux ? call.number(0, 0, kAccepted - 1) : std::nullopt);
  if (slot != nullptr && slot->used()) {
    stack.close(*slot);
    return closed(module, *slot);
  }
  if (call.form != Form::Execute || !stack.closeServer()) return Reply::error();
  module.terminal().info("CLOSE OK");
  return Reply::done();
}

// AT+QICLOSE[=<index>]
Reply close(Module& module, const Call& call) {
  Stack& stack = module.stack();
  if (call.form == Form::Read || call.form == Form::Test || call.count() > 1) return Reply::error();
  if (module.settings().role == Role::Server) return closeAsServer(module, call);
  const bool mux = stack.foreground().mux;
  if (mux != (call.form == Form::Set)) return Reply::error();
  Slot* slot = stack.addressed(mux ? call.number(0, 0, kSockets - 1) : std::nullopt);
  if (slot == nullptr || !stack.close(*slot)) return Reply::error();
  return closed(module, *slot);
}

void sayState(Module& module) {
  const StackState state = module.stack().foreground().state;
  module.terminal().info(module.settings().verbose ? fmt::format("STATE: {}", name(state))
                                                   : fmt::format("STATE: {}", digit(state)));
}

// OK, the state, six lines, and on most firmwares a second OK.
Reply state(Module& module, const Call& call) {
  if (call.form != Form::Execute || !module.stack().foreground().mux) return Reply::error();
  const bool idle = module.stack().foreground().state == StackState::Initial;
  if (idle && module.quirk(Quirk::StateUnanswered)) return Reply::done();
  Terminal& terminal = module.terminal();
  terminal.result(0, "OK");
  sayState(module);
  for (int index = 0; index < kSockets; ++index) {
    const Slot& slot = module.stack().client(index);
    const bool used = slot.used();
    terminal.info(fmt::format("+QISTATE: {},\"{}\",\"{}\",\"{}\",\"{}\"", index,
                              used ? name(slot.protocol) : "", used ? text(slot.remote.address) : "",
                              used ? std::to_string(slot.remote.port) : "", name(slot.state)));
  }
  return module.quirk(Quirk::StateNoFinalOk) ? Reply::done() : Reply::ok();
}

// AT+QISTAT: with AT+QIMUX=1 the sockets, else the state behind its OK.
Reply status(Module& module, const Call& call) {
  if (call.form != Form::Execute) return Reply::error();
  Terminal& terminal = module.terminal();
  if (!module.stack().foreground().mux) {
    terminal.result(0, "OK");
    sayState(module);
    return Reply::done();
  }
  for (int index = 0; index < kSockets; ++index) {
    const Slot& slot = module.stack().client(index);
    if (!slot.used()) {
      terminal.info(fmt::format("+QISTAT: {},\"\", \"\"", index));
    } else {
      terminal.info(fmt::format("+QISTAT: {},\"{}\",\"{}\",\"{}\"", index, name(slot.protocol),
                                text(slot.remote.address), slot.remote.port));
    }
  }
  return Reply::ok();
}

}  // namespace

void addSocketCommands(CommandTable& table) {
  table.add("+QIOPEN", open);
  table.add("+QICLOSE", close);
  table.add("+QISTATE", state);
  table.add("+QISTAT", status);
}

}  // namespace qimux::sim
