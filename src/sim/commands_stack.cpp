// Setting the TCP/IP stack up, and its PDP contexts (application note 3, 5.5, 5.6.1 and 7).
#include "qimux/sim/module.hpp"

#include <fmt/format.h>

namespace qimux::sim {
namespace {

// AT+X? and AT+X=<0..most> on one value.
template <typename T>
Reply value(Module& module, const Call& call, T& stored, long most) {
  if (call.form == Form::Read) {
    module.terminal().info(fmt::format("{}: {}", call.name, static_cast<int>(stored)));
    return Reply::ok();
  }
  const auto given = call.number(0, 0, most);
  if (call.form != Form::Set || call.count() != 1 || !given) return Reply::error();
  stored = static_cast<T>(*given);
  return Reply::ok();
}

Reply notHere(Module& module, const Call& call) {
  return refused(module, call, "not on this firmware");
}

// In the state of the foreground context, which is not `wanted`.
Reply onlyIn(Module& module, const Call& call, StackState wanted) {
  const StackState state = module.stack().foreground().state;
  return refused(module, call, fmt::format("not in {}, only in {}", name(state), name(wanted)));
}

Reply foreground(Module& module, const Call& call) {
  if (call.form == Form::Read) {
    module.terminal().info(fmt::format("+QIFGCNT: {},0", module.stack().foregroundIndex()));
    return Reply::ok();
  }
  const auto given = call.number(0, 0, kContexts - 1);
  if (call.form != Form::Set || call.count() != 1 || !given) return Reply::error();
  module.stack().setForeground(static_cast<int>(*given));
  return Reply::ok();
}

Reply access(Module& module, const Call& call) {
  if (call.form == Form::Read) {
    module.terminal().info("+QICSGP: 1");
    return Reply::ok();
  }
  // 0 would be CSD, which nobody offers any more.
  if (call.form != Form::Set || call.number(0, 1, 1) != 1 || call.count() > 4) return Reply::error();
  std::array<std::string, 3> given;
  for (std::size_t i = 1; i < call.count(); ++i) {
    const auto text = call.string(i);
    if (!text) return Reply::error();
    given[i - 1] = *text;
  }
  module.settings().access = given;
  return Reply::ok();
}

Reply mux(Module& module, const Call& call) {
  Context& context = module.stack().foreground();
  const auto given = call.number(0, 0, 1);
  if (call.form == Form::Set && given && *given != (context.mux ? 1 : 0)) {
    if (context.state != StackState::Initial) return onlyIn(module, call, StackState::Initial);
    if (context.transparent) return refused(module, call, "AT+QIMODE=1 has but one connection");
    if (module.quirk(Quirk::QimuxRefused) && !context.deactivated) {
      return refused(module, call, "not before AT+QIDEACT, on this firmware");
    }
  }
  return value(module, call, context.mux, 1);
}

Reply byName(Module& module, const Call& call) {
  return value(module, call, module.settings().by_name, 1);
}

Reply indication(Module& module, const Call& call) {
  const auto given = call.number(0, 0, 2);
  if (call.form == Form::Set && given && *given > module.highestIndi()) {
    return refused(module, call, fmt::format("mode {} is not on this firmware", *given));
  }
  return value(module, call, module.settings().indi, module.highestIndi());
}

Reply dataEcho(Module& module, const Call& call) {
  return value(module, call, module.settings().data_echo, 1);
}

Reply prompt(Module& module, const Call& call) {
  return value(module, call, module.settings().prompt, 3);
}

Reply head(Module& module, const Call& call) {
  return value(module, call, module.settings().head, 1);
}

Reply showRemote(Module& module, const Call& call) {
  return value(module, call, module.settings().show_remote, 1);
}

Reply showLocal(Module& module, const Call& call) {
  return value(module, call, module.settings().show_local, 1);
}

Reply showProtocol(Module& module, const Call& call) {
  return value(module, call, module.settings().show_protocol, 1);
}

Reply store(Module& module, const Call& call) {
  if (call.form != Form::Execute) return Reply::error();
  const Settings& now = module.settings();
  Settings& stored = module.stored();
  stored.by_name = now.by_name;
  stored.prompt = now.prompt;
  stored.head = now.head;
  stored.show_remote = now.show_remote;
  stored.access = now.access;
  stored.transparent = now.transparent;
  return Reply::ok();
}

Reply registerTask(Module& module, const Call& call) {
  Context& context = module.stack().foreground();
  if (call.form == Form::Read || call.form == Form::Test) return Reply::error();
  if (context.state != StackState::Initial) return onlyIn(module, call, StackState::Initial);
  if (call.form == Form::Set) {
    Call as_access = call;
    as_access.args.insert(as_access.args.begin(), Argument{"1", false});
    if (access(module, as_access).kind != Reply::Kind::Ok) return Reply::error();
  }
  context.state = StackState::Start;
  return Reply::ok();
}

Reply activate(Module& module, const Call& call) {
  if (call.form != Form::Execute) return Reply::error();
  const StackState state = module.stack().foreground().state;
  if (state == StackState::Initial) {
    return refused(module, call, "in IP INITIAL, AT+QIREGAPP comes first");
  }
  if (state != StackState::Start) return onlyIn(module, call, StackState::Start);
  module.stack().activate([&terminal = module.terminal()](bool active) {
    terminal.complete(active ? Reply::ok() : Reply::error());
  });
  return Reply::later();
}

Reply deactivate(Module& module, const Call& call) {
  if (call.form != Form::Execute) return Reply::error();
  const bool idle = module.stack().foreground().state == StackState::Initial;
  if (hits(module.terminal().mishaps().unanswered_deactivations)) return Reply::done();
  if (idle && module.quirk(Quirk::DeactInitialSilent)) return Reply::done();
  if (idle && module.quirk(Quirk::DeactInitialError)) {
    return refused(module, call, "not in IP INITIAL, on this firmware");
  }
  module.stack().deactivate([&terminal = module.terminal()] {
    terminal.info("DEACT OK");
    terminal.complete(Reply::done());
  });
  return Reply::later();
}

// The bare address, and no OK behind it.
Reply localAddress(Module& module, const Call& call) {
  if (call.form != Form::Execute) return Reply::error();
  const auto address = module.stack().localAddress();
  if (!address) {
    const StackState state = module.stack().foreground().state;
    return refused(module, call, fmt::format("in {}, the context has no address", name(state)));
  }
  module.terminal().info(text(*address));
  return Reply::done();
}

Reply keepalive(Module& module, const Call& call) {
  if (module.options().firmware != Firmware::Mc60) return notHere(module, call);
  auto& stored = module.settings().keepalive;
  if (call.form == Form::Read) {
    module.terminal().info(fmt::format("+QIKALIVE: {},{},{}", stored[0], stored[1], stored[2]));
    return Reply::ok();
  }
  // 0 is on. Effective for connections that open from now on.
  const auto off = call.number(0, 0, 1);
  const auto idle = call.count() > 1 ? call.number(1, 60, 1800) : std::optional<long>(stored[1]);
  const auto interval = call.count() > 2 ? call.number(2, 10, 20) : std::optional<long>(stored[2]);
  if (call.form != Form::Set || !off || !idle || !interval) return Reply::error();
  stored = {static_cast<int>(*off), static_cast<int>(*idle), static_cast<int>(*interval)};
  auto& watch = module.stack().air().keepalive;
  watch.reset();
  if (*off == 0) watch = Air::KeepAlive{std::chrono::seconds(*idle), std::chrono::seconds(*interval)};
  return Reply::ok();
}

Reply configure(Module& module, const Call& call) {
  if (module.options().firmware != Firmware::Mc60) return notHere(module, call);
  if (call.form != Form::Set) return Reply::error();
  if (call.string(0) != "TCP/BufferRemain") return Reply::error();
  bool& remain = module.settings().buffer_remain;
  if (call.count() == 1) {
    module.terminal().info(fmt::format("+QCFG: \"TCP/BufferRemain\",{}", remain ? 1 : 0));
    return Reply::ok();
  }
  const auto given = call.number(1, 0, 1);
  if (!given || call.count() > 2) return Reply::error();
  remain = *given == 1;
  return Reply::ok();
}

}  // namespace

void addStackCommands(CommandTable& table) {
  table.add("+QIFGCNT", foreground);
  table.add("+QICSGP", access);
  table.add("+QIMUX", mux);
  table.add("+QIDNSIP", byName);
  table.add("+QINDI", indication);
  table.add("+QISDE", dataEcho);
  table.add("+QIPROMPT", prompt);
  table.add("+QIHEAD", head);
  table.add("+QISHOWRA", showRemote);
  table.add("+QISHOWLA", showLocal);
  table.add("+QISHOWPT", showProtocol);
  table.add("+QISCON", store);
  table.add("+QIREGAPP", registerTask);
  table.add("+QIACT", activate);
  table.add("+QIDEACT", deactivate);
  table.add("+QILOCIP", localAddress);
  table.add("+QIKALIVE", keepalive);
  table.add("+QCFG", configure);
}

}  // namespace qimux::sim
