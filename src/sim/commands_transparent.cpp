// Transparent mode and the line's way between its two modes (application note 4).
#include "qimux/sim/module.hpp"

#include <fmt/format.h>

namespace qimux::sim {
namespace {

constexpr long kLongestWait = 100;
constexpr long kLargestSize = 1460;

// AT+QIMODE=0 or 1; like AT+QIMUX it wants an idle context, and not more than one connection.
Reply mode(Module& module, const Call& call) {
  Context& context = module.stack().foreground();
  if (module.quirk(Quirk::ModeUnanswered) && module.cell().starting()) return Reply::done();
  if (call.form == Form::Read) {
    module.terminal().info(fmt::format("+QIMODE: {}", context.transparent ? 1 : 0));
    return Reply::ok();
  }
  const auto given = call.number(0, 0, 1);
  if (call.form != Form::Set || call.count() != 1 || !given) return Reply::error();
  const bool transparent = *given == 1;
  // One context and one connection (application note 7.2).
  if (transparent && (context.mux || module.stack().anyActive())) return Reply::error();
  if (transparent != context.transparent && context.state != StackState::Initial) return Reply::error();
  context.transparent = transparent;
  return Reply::ok();
}

// AT+QITCFG=<retries>,<wait in 100 ms>,<size>,<escape by +++>
Reply configure(Module& module, const Call& call) {
  Transparent& stored = module.settings().transparent;
  if (module.stack().foreground().mux) return Reply::error();
  if (call.form == Form::Read) {
    module.terminal().info(
        fmt::format("+QITCFG: {},{},{},{}", stored.retries, stored.wait, stored.size, stored.escape ? 1 : 0));
    return Reply::ok();
  }
  const auto retries = call.number(0, 0, 8);
  const auto wait = call.number(1, 0, kLongestWait);
  const auto size = call.number(2, 1, kLargestSize);
  const auto escape = call.number(3, 0, 1);
  if (call.form != Form::Set || call.count() != 4 || !retries || !wait || !size || !escape) {
    return Reply::error();
  }
  stored =
      Transparent{static_cast<int>(*retries), static_cast<int>(*wait), static_cast<int>(*size), *escape == 1};
  return Reply::ok();
}

// ATO: back to data mode.
Reply online(Module& module, const Call& call) {
  if (call.count() > 0 && call.number(0, 0, 0) != 0) return Reply::error();
  if (module.dataMode().resume()) return Reply::done();
  module.terminal().result(3, "NO CARRIER");
  return Reply::done();
}

// AT&D: what comes of it when the host's DTR goes off: 0 nothing, 1 command mode, 2 the end of the session.
Reply dtr(Module& module, const Call& call) {
  const auto action = call.count() == 0 ? std::optional<long>(0) : call.number(0, 0, 2);
  if (!action) return Reply::error();
  module.settings().dtr_action = static_cast<int>(*action);
  return Reply::ok();
}

}  // namespace

void addTransparentCommands(CommandTable& table) {
  table.add("+QIMODE", mode);
  table.add("+QITCFG", configure);
  table.add("O", online);
  table.add("&D", dtr);
}

}  // namespace qimux::sim
