// The clock, and who sets it: AT+CCLK (3GPP 27.007 8.15), AT+CTZU (8.40), AT+QNTP (Quectel MC60 AT manual
// V1.2).
#include "qimux/sim/module.hpp"

#include <fmt/format.h>

#include <memory>

namespace qimux::sim {
namespace {

constexpr std::size_t kLongestHost = 100;
// +QNTP
constexpr int kSet = 0;
constexpr int kNoAnswer = 2;
constexpr int kBusy = 3;
constexpr int kNoSuchHost = 4;
constexpr int kNoContext = 5;
// A server that does not answer is given up.
constexpr auto kGivesUp = std::chrono::seconds(10);

Reply clock(Module& module, const Call& call) {
  if (call.form == Form::Read) {
    module.terminal().info(fmt::format("+CCLK: \"{}\"", module.clock().shown()));
    return Reply::ok();
  }
  const auto time = call.string(0);
  if (call.form != Form::Set || call.count() != 1 || !time) return Reply::error();
  return module.clock().set(*time) ? Reply::ok() : Reply::cme(3);
}

// This network never tells the time, so there is nothing to take over, whatever is set.
Reply timeZone(Module& module, const Call& call) {
  if (call.form == Form::Read) {
    module.terminal().info(fmt::format("+CTZU: {}", module.settings().phone.take_network_time ? 1 : 0));
    return Reply::ok();
  }
  const auto value = call.number(0, 0, 1);
  if (call.form != Form::Set || call.count() != 1 || !value) return Reply::error();
  module.settings().phone.take_network_time = *value == 1;
  return Reply::ok();
}

void told(Module& module, int result) {
  module.settings().phone.asking_time = false;
  module.terminal().urc(fmt::format("+QNTP: {}", result));
}

// Whoever answers an echo is taken for a time server: what it would say is the wall clock.
void ask(Module& module, const Asker& asker, Ipv4 server) {
  const auto heard = [&module, asker](bool answered) {
    if (!asker.active()) {
      told(module, kNoContext);
      return;
    }
    if (answered) module.clock().set(module.options().wall_clock());
    told(module, answered ? kSet : kNoAnswer);
  };
  if (!module.options().wall_clock) {
    module.later().in(kGivesUp, [heard] { heard(false); });
    return;
  }
  module.stack().ping(server, kGivesUp,
                      [heard](std::optional<async::Duration> time) { heard(time.has_value()); });
}

void begin(Module& module, const Asker& asker, const std::string& server) {
  if (const auto address = parseIpv4(server)) {
    ask(module, asker, *address);
    return;
  }
  module.stack().resolve(server, [&module, asker](const std::vector<Ipv4>& found) {
    if (!asker.active()) {
      told(module, kNoContext);
    } else if (found.empty()) {
      told(module, kNoSuchHost);
    } else {
      ask(module, asker, found.front());
    }
  });
}

// AT+QNTP[="server"[,port]]: OK, and +QNTP: <result> later.
Reply synchronize(Module& module, const Call& call) {
  PhoneSettings& settings = module.settings().phone;
  if (call.form == Form::Read) {
    module.terminal().info(fmt::format("+QNTP: \"{}\",{}", settings.time_server, settings.time_port));
    return Reply::ok();
  }
  const auto server = call.form == Form::Set ? call.string(0) : settings.time_server;
  const auto port =
      call.count() > 1 ? call.looseNumber(1, 1, 65535) : std::optional<long>(settings.time_port);
  if (call.count() > 2 || !server || server->empty() || server->size() > kLongestHost || !port) {
    return Reply::error();
  }
  if (settings.asking_time) {
    module.terminal().urc(fmt::format("+QNTP: {}", kBusy));
    return Reply::ok();
  }
  const std::string name(*server);
  settings.time_server = name;
  settings.time_port = static_cast<int>(*port);
  Stack& stack = module.stack();
  Context& context = stack.foreground();
  if (context.state == StackState::Initial) context.state = StackState::Start;
  if (context.state == StackState::PdpDeact) {
    told(module, kNoContext);
    return Reply::ok();
  }
  settings.asking_time = true;
  stack.activate([&module, &context, name](bool active) {
    if (active) {
      begin(module, Asker(context), name);
    } else {
      told(module, kNoContext);
    }
  });
  return Reply::ok();
}

}  // namespace

void addClockCommands(CommandTable& table) {
  table.add("+CCLK", clock);
  table.add("+CTZU", timeZone);
  table.add("+QNTP", synchronize);
}

}  // namespace qimux::sim
