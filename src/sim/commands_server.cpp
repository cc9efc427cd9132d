// The role of a server (application note 3.2, 3.4, 4.2 and 5.6.2).
#include "qimux/sim/module.hpp"

#include <fmt/format.h>

namespace qimux::sim {
namespace {

// AT+QISERVER[=<0 TCP, 1 UDP>[,<far ends at most>]]: OK, and SERVER OK or CONNECT FAIL later.
Reply serve(Module& module, const Call& call) {
  Stack& stack = module.stack();
  const bool mux = stack.foreground().mux;
  if (call.form == Form::Read) {
    const Server& server = stack.server();
    module.terminal().info(
        fmt::format("+QISERVER: {}, {}", server.protocol() == Protocol::Tcp ? 0 : 1, server.most()));
    return Reply::ok();
  }
  if (call.form == Form::Test || call.count() > (mux ? 2U : 1U)) return Reply::error();
  const auto kind = call.count() > 0 ? call.number(0, 0, 1) : std::optional<long>(0);
  const auto most =
      call.count() > 1 ? call.number(1, 1, kAccepted) : std::optional<long>(mux ? kAccepted : 1);
  if (!kind || !most) return Reply::error();
  const StackState state = stack.foreground().state;
  if (state != StackState::Initial && !isActive(state)) {
    return refused(module, call, fmt::format("not in {}", name(state)));
  }
  if (!stack.listen(*kind == 0 ? Protocol::Tcp : Protocol::Udp, static_cast<int>(*most))) {
    return refused(module, call, "the context has a server already");
  }
  return Reply::ok();
}

// AT+QILPORT="TCP"|"UDP",<port>: what the next AT+QISERVER listens on.
Reply localPort(Module& module, const Call& call) {
  auto& ports = module.settings().local_ports;
  if (call.form == Form::Read) {
    module.terminal().info(fmt::format("TCP: {}", ports[0]));
    module.terminal().info(fmt::format("UDP: {}", ports[1]));
    return Reply::ok();
  }
  const auto protocol = call.string(0);
  const auto port = call.looseNumber(1, 1, 65535);
  if (call.form != Form::Set || call.count() != 2 || !protocol || !port) return Reply::error();
  if (*protocol != "TCP" && *protocol != "UDP") return Reply::error();
  ports[*protocol == "TCP" ? 0 : 1] = static_cast<std::uint16_t>(*port);
  return Reply::ok();
}

// AT+QISRVC=1 or 2: which of its connections AT+QISEND, AT+QISACK and AT+QICLOSE mean.
Reply role(Module& module, const Call& call) {
  if (call.form == Form::Read) {
    module.terminal().info(fmt::format("+QISRVC: {}", static_cast<int>(module.settings().role)));
    return Reply::ok();
  }
  const auto given = call.number(0, static_cast<long>(Role::Client), static_cast<long>(Role::Server));
  if (call.form != Form::Set || call.count() != 1 || !given) return Reply::error();
  module.settings().role = static_cast<Role>(*given);
  return Reply::ok();
}

std::string_view word(const Module& module, Server::State state) {
  switch (state) {
    case Server::State::Initial:
      return "INITIAL";
    case Server::State::Opening:
      return "OPENNING";
    case Server::State::Listening:
      return module.quirk(Quirk::Listenning) ? "LISTENNING" : "LISTENING";
  }
  return "INITIAL";
}

// AT+QISSTAT: the server, and with AT+QIMUX=1 each of its places.
Reply status(Module& module, const Call& call) {
  if (call.form != Form::Execute) return Reply::error();
  Stack& stack = module.stack();
  Terminal& terminal = module.terminal();
  terminal.result(0, "OK");
  terminal.info(fmt::format("S: {}", word(module, stack.server().state())));
  for (int index = 0; stack.foreground().mux && index < kAccepted; ++index) {
    const Slot& slot = stack.accepted(stack.foregroundIndex(), index);
    if (!slot.used()) {
      terminal.info(fmt::format("C: {},\"\",\"\",\"\"", index));
    } else {
      terminal.info(fmt::format("C: {},\"{}\",\"{}\",\"{}\"", index, name(slot.protocol),
                                text(slot.remote.address), slot.remote.port));
    }
  }
  return Reply::done();
}

}  // namespace

void addServerCommands(CommandTable& table) {
  table.add("+QISERVER", serve);
  table.add("+QILPORT", localPort);
  table.add("+QISRVC", role);
  table.add("+QISSTAT", status);
}

}  // namespace qimux::sim
