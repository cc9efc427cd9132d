// SIM, registration, power and sleep.
#include "qimux/sim/module.hpp"

#include <fmt/format.h>

namespace qimux::sim {
namespace {

constexpr int kSimFailure = 13;
constexpr int kSimBusy = 14;
constexpr int kSimAbsent = 10;
constexpr auto kPowerDown = std::chrono::milliseconds(500);

// AT+CPIN: application note knows nothing of it; 3GPP 27.007 8.3.
Reply pin(Module& module, const Call& call) {
  Cell& cell = module.cell();
  if (call.form == Form::Read) {
    if (cell.sim() == SimState::Absent) return Reply::cme(kSimAbsent);
    if (cell.sim() == SimState::Starting) return Reply::cme(kSimBusy);
    if (cell.sim() == SimState::Blocked) return Reply::cme(kSimFailure);
    module.terminal().info(fmt::format("+CPIN: {}", cell.simText()));
    return Reply::ok();
  }
  if (call.form != Form::Set || call.count() == 0 || call.count() > 2) return Reply::error();
  const std::string_view first = call.args[0].text;
  const int problem = call.count() == 2 ? cell.enterPuk(first, call.args[1].text) : cell.enterPin(first);
  return problem == 0 ? Reply::ok() : Reply::cme(problem);
}

Reply function(Module& module, const Call& call) {
  Cell& cell = module.cell();
  if (call.form == Form::Read) {
    module.terminal().info(fmt::format("+CFUN: {}", static_cast<int>(cell.function())));
    return Reply::ok();
  }
  const auto value = call.number(0, 0, 4);
  const auto restart = call.count() > 1 ? call.number(1, 0, 1) : std::optional<long>(0);
  if (call.form != Form::Set || !value || !restart) return Reply::error();
  if (*restart == 1) {
    if (*value != 1) return Reply::error();
    // Its OK is still heard.
    module.later().in(module.options().command_latency + kPowerDown,
                      [&module] { module.loop().post([&module] { module.reboot(); }); });
    return Reply::ok();
  }
  if (*value != 0 && *value != 1 && *value != 4) return Reply::error();
  const bool stops = *value == 0 && cell.function() != Function::Minimum;
  cell.setFunction(static_cast<Function>(*value));
  if (stops && module.quirk(Quirk::CpinNotReady)) module.terminal().urc("+CPIN: NOT READY");
  return Reply::ok();
}

Reply signal(Module& module, const Call& call) {
  if (call.form != Form::Execute) return Reply::error();
  const int strength = module.cell().signal();
  module.terminal().info(fmt::format("+CSQ: {},{}", strength, strength == 99 ? 99 : 0));
  return Reply::ok();
}

Reply registration(Module& module, const Call& call, Registration state, int& reports) {
  if (call.form == Form::Read) {
    module.terminal().info(
        fmt::format("{}: {},{}", call.name, reports, module.cell().describe(state, reports)));
    return Reply::ok();
  }
  const auto value = call.number(0, 0, 2);
  if (call.form != Form::Set || !value) return Reply::error();
  reports = static_cast<int>(*value);
  return Reply::ok();
}

Reply gsmRegistration(Module& module, const Call& call) {
  return registration(module, call, module.cell().gsm(), module.cell().gsm_reports);
}

Reply gprsRegistration(Module& module, const Call& call) {
  return registration(module, call, module.cell().gprs(), module.cell().gprs_reports);
}

Reply attach(Module& module, const Call& call) {
  Cell& cell = module.cell();
  if (call.form == Form::Read) {
    module.terminal().info(fmt::format("+CGATT: {}", cell.online() ? 1 : 0));
    return Reply::ok();
  }
  const auto value = call.number(0, 0, 1);
  if (call.form != Form::Set || !value) return Reply::error();
  if (const int problem = cell.simProblem()) return Reply::cme(problem);
  cell.attach(*value == 1);
  return Reply::ok();
}

Reply initState(Module& module, const Call& call) {
  if (call.form != Form::Execute) return Reply::error();
  module.terminal().info(fmt::format("+QINISTAT: {}", module.cell().initState()));
  return Reply::ok();
}

Reply networkStatus(Module& module, const Call& call) {
  if (call.form != Form::Execute) return Reply::error();
  const bool home = module.cell().gsm() == Registration::Home;
  module.terminal().info(home ? "+QNSTATUS: 0" : "+QNSTATUS: 255");
  return Reply::ok();
}

Reply callReady(Module& module, const Call& call) {
  if (call.form == Form::Read) {
    module.terminal().info(fmt::format("+QIURC: {}", module.cell().call_ready_shown ? 1 : 0));
    return Reply::ok();
  }
  const auto value = call.number(0, 0, 1);
  if (call.form != Form::Set || !value) return Reply::error();
  module.settings().call_ready = module.cell().call_ready_shown = *value == 1;
  return Reply::ok();
}

Reply powerDown(Module& module, const Call& call) {
  const auto value = call.number(0, 0, 1);
  if (call.form != Form::Set || !value) return Reply::error();
  module.later().in(module.options().command_latency + kPowerDown, [&module] { module.powerOff(); });
  if (*value == 0) return Reply::ok();
  module.terminal().info("NORMAL POWER DOWN");
  return Reply::done();
}

// 1 sleeps while DTR is high (application note 9), 2 after silence; see Module::asleep().
Reply sleep(Module& module, const Call& call) {
  if (call.form == Form::Read) {
    module.terminal().info(fmt::format("{}: {}", call.name, module.settings().sleep));
    return Reply::ok();
  }
  const auto value = call.number(0, 0, 2);
  if (call.form != Form::Set || !value) return Reply::error();
  module.settings().sleep = static_cast<int>(*value);
  return Reply::ok();
}

// The application note's name for it, which the manuals do not have.
Reply sleepByNote(Module& module, const Call& call) {
  return module.options().firmware == Firmware::Note ? sleep(module, call) : Reply::error();
}

}  // namespace

void addNetworkCommands(CommandTable& table) {
  table.add("+CPIN", pin);
  table.add("+CFUN", function);
  table.add("+CSQ", signal);
  table.add("+CREG", gsmRegistration);
  table.add("+CGREG", gprsRegistration);
  table.add("+CGATT", attach);
  table.add("+QINISTAT", initState);
  table.add("+QNSTATUS", networkStatus);
  table.add("+QIURC", callReady);
  table.add("+QPOWD", powerDown);
  table.add("+QSCLK", sleep);
  table.add("+QCLK", sleepByNote);
}

}  // namespace qimux::sim
