// Who the module and its SIM are.
#include "qimux/sim/module.hpp"

#include <fmt/format.h>

namespace qimux::sim {
namespace {

constexpr std::string_view kImei = "861234567890128";
constexpr std::string_view kImsi = "460001234567890";
constexpr std::string_view kIccid = "898600MFSSYYGXXXXXXP";

std::string_view model(const Module& module) {
  switch (module.options().firmware) {
    case Firmware::Note:
      return "M10";
    case Firmware::M95:
      return "M95";
    case Firmware::Mc60:
      return "MC60";
  }
  return "M10";
}

std::string revision(const Module& module) {
  return fmt::format("{}FAR02A08", model(module));
}

Reply plain(Module& module, const Call& call, std::string_view line) {
  if (call.form != Form::Execute) return Reply::error();
  module.terminal().info(line);
  return Reply::ok();
}

Reply information(Module& module, const Call& call) {
  if (call.count() > 0 && call.number(0, 0, 0) != 0) return Reply::error();
  module.terminal().info("Quectel_Ltd");
  module.terminal().info(fmt::format("Quectel_{}", model(module)));
  module.terminal().info(fmt::format("Revision: {}", revision(module)));
  return Reply::ok();
}

Reply manufacturer(Module& module, const Call& call) {
  return plain(module, call, "Quectel_Ltd");
}

Reply modelName(Module& module, const Call& call) {
  return plain(module, call, fmt::format("Quectel_{}", model(module)));
}

Reply revisionName(Module& module, const Call& call) {
  return plain(module, call, fmt::format("Revision: {}", revision(module)));
}

Reply imei(Module& module, const Call& call) {
  return plain(module, call, kImei);
}

Reply imsi(Module& module, const Call& call) {
  if (const int problem = module.cell().simProblem()) return Reply::cme(problem);
  return plain(module, call, kImsi);
}

Reply iccid(Module& module, const Call& call) {
  if (const int problem = module.cell().simProblem()) return Reply::cme(problem);
  return plain(module, call, kIccid);
}

}  // namespace

void addIdentityCommands(CommandTable& table) {
  table.add("I", information);
  table.add("+CGMI", manufacturer);
  table.add("+GMI", manufacturer);
  table.add("+CGMM", modelName);
  table.add("+GMM", modelName);
  table.add("+CGMR", revisionName);
  table.add("+GMR", revisionName);
  table.add("+GSN", imei);
  table.add("+CGSN", imei);
  table.add("+CIMI", imsi);
  table.add("+QCCID", iccid);
}

}  // namespace qimux::sim
