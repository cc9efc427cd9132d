// Commands of the terminal itself: echo, forms of answers, storing, the serial line.
#include "qimux/sim/module.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace qimux::sim {
namespace {

// The number behind a basic command: none is 0.
std::optional<long> basicValue(const Call& call, long most) {
  if (call.count() == 0) return 0;
  return call.number(0, 0, most);
}

Reply echo(Module& module, const Call& call) {
  const auto value = basicValue(call, 1);
  if (!value) return Reply::error();
  module.settings().echo = module.terminal().settings().echo = *value == 1;
  return Reply::ok();
}

Reply verbose(Module& module, const Call& call) {
  const auto value = basicValue(call, 1);
  if (!value) return Reply::error();
  module.settings().verbose = module.terminal().settings().verbose = *value == 1;
  return Reply::ok();
}

Reply cmee(Module& module, const Call& call) {
  if (call.form == Form::Read) {
    module.terminal().info(fmt::format("+CMEE: {}", module.settings().cmee));
    return Reply::ok();
  }
  const auto value = call.number(0, 0, 2);
  if (call.form != Form::Set || !value) return Reply::error();
  module.settings().cmee = module.terminal().settings().cmee = static_cast<int>(*value);
  return Reply::ok();
}

Reply quiet(Module& module, const Call& call) {
  const auto value = basicValue(call, 1);
  if (!value) return Reply::error();
  module.settings().modem.quiet = module.terminal().settings().quiet = *value == 1;
  return Reply::ok();
}

// What AT&F, AT&W and ATZ are about. The rate stays: it would not be heard any more.
void copyProfile(Settings& to, const Settings& from) {
  to.echo = from.echo;
  to.verbose = from.verbose;
  to.cmee = from.cmee;
  to.dtr_action = from.dtr_action;
  to.modem = from.modem;
}

void useProfile(Module& module, const Settings& from) {
  copyProfile(module.settings(), from);
  module.lines().setDcdAlways(from.modem.carrier == 0);
  Terminal::Settings& terminal = module.terminal().settings();
  terminal.echo = from.echo;
  terminal.verbose = from.verbose;
  terminal.cmee = from.cmee;
  terminal.quiet = from.modem.quiet;
}

Reply factory(Module& module, const Call& call) {
  if (basicValue(call, 0) != 0) return Reply::error();
  useProfile(module, Settings{});
  return Reply::ok();
}

// Calls would end; there are none.
Reply restore(Module& module, const Call& call) {
  if (basicValue(call, 0) != 0) return Reply::error();
  useProfile(module, module.stored());
  return Reply::ok();
}

Reply store(Module& module, const Call& call) {
  if (basicValue(call, 0) != 0) return Reply::error();
  const Settings& now = module.settings();
  Settings& stored = module.stored();
  copyProfile(stored, now);
  stored.baud = now.baud;
  stored.flow = now.flow;
  stored.format = now.format;
  return Reply::ok();
}

Reply rate(Module& module, const Call& call) {
  static constexpr std::array kRates{0L,    75L,    150L,   300L,   600L,   1200L,  2400L,  4800L,
                                     9600L, 14400L, 19200L, 28800L, 38400L, 57600L, 115200L};
  if (call.form == Form::Read) {
    module.terminal().info(fmt::format("+IPR: {}", module.settings().baud));
    return Reply::ok();
  }
  const auto value = call.number(0, 0, 115200);
  if (call.form != Form::Set || !value || std::ranges::find(kRates, *value) == kRates.end()) {
    return Reply::error();
  }
  const auto baud = static_cast<unsigned>(*value);
  module.settings().baud = baud;
  if (baud != 0) module.setBaudSoon(baud);
  return Reply::ok();
}

Reply pair(Module& module, const Call& call, std::array<int, 2>& value, long most) {
  if (call.form == Form::Read) {
    module.terminal().info(fmt::format("{}: {},{}", call.name, value[0], value[1]));
    return Reply::ok();
  }
  const auto first = call.number(0, 0, most);
  const auto second = call.count() > 1 ? call.number(1, 0, most) : std::optional<long>(value[1]);
  if (call.form != Form::Set || !first || !second || call.count() > 2) return Reply::error();
  value = {static_cast<int>(*first), static_cast<int>(*second)};
  return Reply::ok();
}

// AT+IFC=<how the host stops the module>,<how the module stops the host>
Reply flow(Module& module, const Call& call) {
  const Reply reply = pair(module, call, module.settings().flow, 2);
  module.terminal().setFlow(static_cast<FlowControl>(module.settings().flow[1]));
  // An XON that would end the silence is data now.
  if (module.settings().flow[0] != static_cast<int>(FlowControl::XonXoff)) {
    module.wire().hold(Wire::Hold::Xoff, false);
  }
  return reply;
}

Reply format(Module& module, const Call& call) {
  return pair(module, call, module.settings().format, 6);
}

}  // namespace

void addBasicCommands(CommandTable& table) {
  table.add("E", echo);
  table.add("V", verbose);
  table.add("&F", factory);
  table.add("&W", store);
  table.add("Z", restore);
  table.add("Q", quiet);
  table.add("+CMEE", cmee);
  table.add("+IPR", rate);
  table.add("+IFC", flow);
  table.add("+ICF", format);
}

}  // namespace qimux::sim
