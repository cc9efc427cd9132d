// Opening, closing and looking at sockets (application note 3.3, 5.4 and 5.6.2).
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

Reply occupied(Module& module, int index) {
  if (module.quirk(Quirk::AlreadyConnectFail)) {
    module.terminal().urc(fmt::format("{}, CONNECT FAIL", index));
    return Reply::ok();
  }
  module.terminal().info("ALREADY CONNECT");
  return module.quirk(Quirk::AlreadyConnectError) ? Reply::error() : Reply::done();
}

// AT+QIOPEN=<index>,"TCP"|"UDP","<host>",<port>
Reply open(Module& module, const Call& call) {
  Stack& stack = module.stack();
  if (call.form != Form::Set || call.count() != 4) return Reply::error();
  // Without AT+QIMUX=1 there is no index, and a single connection is not there.
  if (!stack.foreground().mux) return Reply::error();
  const auto index = call.number(0, 0, kSockets - 1);
  const auto protocol = parseProtocol(call.string(1).value_or(""));
  const auto host = call.string(2);
  const auto port = call.looseNumber(3, 1, 65535);
  if (!index || !protocol || !host || host->empty() || host->size() > kLongestHost || !port) {
    return Reply::error();
  }
  // AT+QIDNSIP tells whether it shall be an address or a name.
  if (!module.settings().by_name && !parseIpv4(*host)) return Reply::error();
  if (stack.foreground().state == StackState::PdpDeact) return Reply::error();
  const int at = static_cast<int>(*index);
  const SlotState state = stack.slot(at).state;
  if (state == SlotState::Connected || state == SlotState::Connecting) return occupied(module, at);
  if (state == SlotState::Close) stack.close(at);
  stack.open(at, *protocol, std::string(*host), static_cast<std::uint16_t>(*port));
  return Reply::ok();
}

// AT+QICLOSE=<index>; the bare form belongs to a single connection.
Reply close(Module& module, const Call& call) {
  const auto index = call.number(0, 0, kSockets - 1);
  if (call.form != Form::Set || call.count() != 1 || !index) return Reply::error();
  if (!module.stack().foreground().mux) return Reply::error();
  if (!module.stack().close(static_cast<int>(*index))) return Reply::error();
  module.terminal().info(module.quirk(Quirk::PlainCloseOk) ? "CLOSE OK"
                                                           : fmt::format("{}, CLOSE OK", *index));
  return Reply::done();
}

// OK, the state, six lines, and on most firmwares a second OK.
Reply state(Module& module, const Call& call) {
  if (call.form != Form::Execute || !module.stack().foreground().mux) return Reply::error();
  Terminal& terminal = module.terminal();
  terminal.info("OK");
  terminal.info(fmt::format("STATE: {}", name(module.stack().foreground().state)));
  for (int index = 0; index < kSockets; ++index) {
    const Slot& slot = module.stack().slot(index);
    const bool used = slot.state != SlotState::Initial;
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
    terminal.info("OK");
    terminal.info(fmt::format("STATE: {}", name(module.stack().foreground().state)));
    return Reply::done();
  }
  for (int index = 0; index < kSockets; ++index) {
    const Slot& slot = module.stack().slot(index);
    if (slot.state == SlotState::Initial) {
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
