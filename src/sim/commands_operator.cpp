// The network's name and the SIM's: AT+COPS (3GPP 27.007 7.3), AT+QSPN and AT+CSQN, which are known from
// public drivers, not from a manual.
#include "qimux/sim/module.hpp"

#include <fmt/format.h>

#include <array>

namespace qimux::sim {
namespace {

constexpr int kNoNetwork = 30;
constexpr int kNotSupported = 4;
// Looking for networks takes a module half a minute where there are many; here is one. Where --latency, or
// the field's figures, name +COPS, it takes that.
constexpr auto kSearch = std::chrono::seconds(3);

// The one network, in the formats of <format>: long, short, numeric.
constexpr std::array<std::string_view, 3> kNames{"CHINA MOBILE", "CMCC", "46000"};

Reply current(Module& module) {
  const int format = module.settings().phone.operator_format;
  const int mode = module.settings().phone.operator_mode;
  if (module.cell().registered()) {
    module.terminal().info(
        fmt::format("+COPS: {},{},\"{}\"", mode, format, kNames[static_cast<std::size_t>(format)]));
  } else {
    module.terminal().info(fmt::format("+COPS: {}", mode));
  }
  return Reply::ok();
}

// AT+COPS=<mode>[,<format>[,<oper>]]: 0 by itself, 1 the one that is named, 3 only sets the format. The
// others (2, off the network; 4, one or the other) are not there.
Reply select(Module& module, const Call& call) {
  const auto mode = call.number(0, 0, 4);
  const auto format =
      call.count() > 1 ? call.number(1, 0, 2) : std::optional<long>(module.settings().phone.operator_format);
  if (!mode || !format || call.count() > 3) return Reply::error();
  if (*mode == 2 || *mode == 4) return Reply::cme(kNotSupported);
  if (*mode == 1) {
    const auto wanted = call.string(2);
    if (!wanted) return Reply::error();
    if (*wanted != kNames[static_cast<std::size_t>(*format)]) return Reply::cme(kNoNetwork);
  }
  if (*mode == 3 && call.count() < 2) return Reply::error();
  if (*mode != 3) module.settings().phone.operator_mode = static_cast<int>(*mode);
  module.settings().phone.operator_format = static_cast<int>(*format);
  return Reply::ok();
}

Reply search(Module& module) {
  const bool given = module.options().latencies.contains("+COPS");
  module.later().in(given ? module.timing().of("+COPS") : kSearch, [&module] {
    const bool there = module.cell().gsm() != Registration::Idle;
    if (there) {
      module.terminal().info(fmt::format("+COPS: ({},\"{}\",\"{}\",\"{}\"),,(0,1,3),(0-2)",
                                         module.cell().registered() ? 2 : 1, kNames[0], kNames[1],
                                         kNames[2]));
    }
    module.terminal().complete(there ? Reply::ok() : Reply::cme(kNoNetwork));
  });
  return Reply::later();
}

Reply operators(Module& module, const Call& call) {
  if (call.form == Form::Execute) return Reply::error();
  if (const int problem = module.cell().simProblem()) return Reply::cme(problem);
  if (call.form == Form::Test) return search(module);
  return call.form == Form::Read ? current(module) : select(module, call);
}

// AT+QSPN?: the name on the SIM, and that the network's is not shown beside it.
Reply providerName(Module& module, const Call& call) {
  if (call.form != Form::Read) return Reply::error();
  if (const int problem = module.cell().simProblem()) return Reply::cme(problem);
  module.terminal().info(fmt::format("+QSPN: \"{}\",0", kNames[1]));
  return Reply::ok();
}

// AT+CSQN: whether changes of +CSQ are told. Off is all that is there.
Reply signalReports(Module& module, const Call& call) {
  if (call.form == Form::Read) {
    module.terminal().info("+CSQN: 0");
    return Reply::ok();
  }
  return call.form == Form::Set && call.number(0, 0, 0) ? Reply::ok() : Reply::error();
}

}  // namespace

void addOperatorCommands(CommandTable& table) {
  table.add("+COPS", operators);
  table.add("+QSPN", providerName);
  table.add("+CSQN", signalReports);
}

}  // namespace qimux::sim
