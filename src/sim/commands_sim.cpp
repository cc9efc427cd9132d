// The SIM: its PIN (AT+CLCK, AT+CPWD, 3GPP 27.007 7.4 and 7.5; AT+QTRPIN and AT+QPINC, known from public
// drivers, not from a manual), its number (AT+CNUM, 7.1) and its phone book (AT+CPBS, AT+CPBR, 8.11 and
// 8.12), in which nothing stands but that number.
#include "qimux/sim/module.hpp"

#include <fmt/format.h>

namespace qimux::sim {
namespace {

constexpr int kNotAllowed = 3;
constexpr int kBadIndex = 21;
constexpr int kEntries = 250;

Reply lock(Module& module, const Call& call) {
  Cell& cell = module.cell();
  const auto mode = call.number(1, 0, 2);
  if (call.form != Form::Set || call.count() > 3 || call.string(0) != "SC" || !mode) return Reply::error();
  if (*mode == 2) {
    if (const int problem = cell.simProblem()) return Reply::cme(problem);
    module.terminal().info(fmt::format("+CLCK: {}", cell.pinAsked() ? 1 : 0));
    return Reply::ok();
  }
  const auto pin = call.string(2);
  if (!pin) return Reply::cme(kNotAllowed);
  const int problem = cell.askPin(*mode == 1, *pin);
  return problem == 0 ? Reply::ok() : Reply::cme(problem);
}

Reply password(Module& module, const Call& call) {
  const auto old = call.string(1);
  const auto fresh = call.string(2);
  if (call.form != Form::Set || call.count() != 3 || call.string(0) != "SC" || !old || !fresh) {
    return Reply::error();
  }
  const int problem = module.cell().changePin(*old, *fresh);
  return problem == 0 ? Reply::ok() : Reply::cme(problem);
}

// AT+QTRPIN: tries left for PIN, second PIN, PUK, second PUK. Nothing here asks for the second ones.
Reply allTriesLeft(Module& module, const Call& call) {
  const Cell& cell = module.cell();
  if (call.form != Form::Execute) return Reply::error();
  if (cell.sim() == SimState::Absent || cell.sim() == SimState::Starting) {
    return Reply::cme(cell.simProblem());
  }
  module.terminal().info(fmt::format("+QTRPIN: {},{},{},{}", cell.pinTriesLeft(), Cell::kPinTries,
                                     cell.pukTriesLeft(), Cell::kPukTries));
  return Reply::ok();
}

// AT+QPINC, AT+QPINC?, AT+QPINC="SC": the same on newer modules.
Reply triesLeft(Module& module, const Call& call) {
  const Cell& cell = module.cell();
  if (cell.sim() == SimState::Absent || cell.sim() == SimState::Starting) {
    return Reply::cme(cell.simProblem());
  }
  const bool all = call.form == Form::Read || call.form == Form::Execute;
  const auto which = call.string(0);
  const bool first = all || which == "SC";
  const bool second = all || which == "P2";
  if (!first && !second) return Reply::error();
  if (first) {
    module.terminal().info(fmt::format("+QPINC: \"SC\",{},{}", cell.pinTriesLeft(), cell.pukTriesLeft()));
  }
  if (second) module.terminal().info(fmt::format("+QPINC: \"P2\",{},{}", Cell::kPinTries, Cell::kPukTries));
  return Reply::ok();
}

Reply ownNumber(Module& module, const Call& call) {
  if (call.form != Form::Execute) return Reply::error();
  if (const int problem = module.cell().simProblem()) return Reply::cme(problem);
  const auto number = parseNumber(module.options().own_number);
  if (number) {
    module.terminal().info(
        fmt::format("+CNUM: \"\",{},{},7,4", quoted(module.sms().settings(), *number), number->type));
  }
  return Reply::ok();
}

// "SM", the phone book of the SIM, and "ON", its own numbers.
Reply phoneBook(Module& module, const Call& call) {
  if (const int problem = module.cell().simProblem()) return Reply::cme(problem);
  bool& own = module.settings().phone.own_numbers;
  if (call.form == Form::Read) {
    module.terminal().info(own ? "+CPBS: \"ON\",1,1" : fmt::format("+CPBS: \"SM\",0,{}", kEntries));
    return Reply::ok();
  }
  const auto wanted = call.string(0);
  if (call.form != Form::Set || call.count() != 1 || (wanted != "SM" && wanted != "ON")) {
    return Reply::cme(kNotAllowed);
  }
  own = wanted == "ON";
  return Reply::ok();
}

// AT+CPBR=<from>[,<to>]: a line an entry, so mostly none.
Reply readPhoneBook(Module& module, const Call& call) {
  if (const int problem = module.cell().simProblem()) return Reply::cme(problem);
  const bool own = module.settings().phone.own_numbers;
  const int last = own ? 1 : kEntries;
  if (call.form == Form::Test) {
    module.terminal().info(fmt::format("+CPBR: (1-{}),40,14", last));
    return Reply::ok();
  }
  if (call.form != Form::Set || call.count() > 2) return Reply::error();
  const auto from = call.number(0, 1, last);
  const auto to = call.count() > 1 ? call.number(1, 1, last) : from;
  if (!from || !to) return Reply::cme(kBadIndex);
  const auto number = parseNumber(module.options().own_number);
  if (own && number) {
    module.terminal().info(
        fmt::format("+CPBR: 1,{},{},\"\"", quoted(module.sms().settings(), *number), number->type));
  }
  return Reply::ok();
}

}  // namespace

void addSimCommands(CommandTable& table) {
  table.add("+CLCK", lock);
  table.add("+CPWD", password);
  table.add("+QTRPIN", allTriesLeft);
  table.add("+QPINC", triesLeft);
  table.add("+CNUM", ownNumber);
  table.add("+CPBS", phoneBook);
  table.add("+CPBR", readPhoneBook);
}

}  // namespace qimux::sim
