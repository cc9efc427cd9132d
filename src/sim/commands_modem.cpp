// What programs send that were written for telephone modems (ITU-T V.250; which of it Quectel's
// modules take is known from public drivers, not from a manual).
//
// There is neither speech nor CSD nor PPP here: no call is ever made or comes, so whatever is about calls
// alone can be set and has nothing to act on.
#include "qimux/sim/module.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace qimux::sim {
namespace {

Reply noCarrier(Module& module) {
  module.terminal().result(3, "NO CARRIER");
  return Reply::done();
}

// ATD<number>[;], ATA: nobody answers and nobody calls.
Reply dial(Module& module, const Call&) {
  return noCarrier(module);
}

Reply answer(Module& module, const Call& call) {
  return call.count() == 0 ? noCarrier(module) : Reply::error();
}

// ATH[0], AT+CHUP: where no call is, none is ended, and that is OK on any module.
Reply hangUp(Module&, const Call& call) {
  if (call.form != Form::Execute) return Reply::error();
  return call.count() == 0 || call.number(0, 0, 0) ? Reply::ok() : Reply::error();
}

// ATL, ATM: a loudspeaker that no module has. ATP, ATT: pulse and tone, alike on GSM. V.250 6.3.13 and
// 6.3.14, 6.3.2 and 6.3.3.
template <long Most>
Reply withoutEffect(Module&, const Call& call) {
  return call.count() == 0 || call.number(0, 0, Most) ? Reply::ok() : Reply::error();
}

// ATX0 to 4: which results of a call have names of their own. Of a call that is never made all are alike.
Reply resultCodes(Module& module, const Call& call) {
  const auto value = call.count() == 0 ? std::optional<long>(0) : call.number(0, 0, 4);
  if (!value) return Reply::error();
  module.settings().modem.result_codes = static_cast<int>(*value);
  return Reply::ok();
}

// AT&C (V.250 6.2.8): 0 DCD always on, 1 with a session of transparent mode.
Reply carrier(Module& module, const Call& call) {
  const auto value = call.count() == 0 ? std::optional<long>(0) : call.number(0, 0, 1);
  if (!value) return Reply::error();
  module.settings().modem.carrier = static_cast<int>(*value);
  module.lines().setDcdAlways(*value == 0);
  return Reply::ok();
}

// What register <n> takes. 3 to 5 are the characters that end and correct lines; others than these are not
// there. The rest is about calls. V.250 6.2 and 6.3.
struct Register {
  long least;
  long most;
};
std::optional<Register> registerRange(std::size_t number) {
  switch (number) {
    case 0:
      return Register{0, 255};
    case 3:
      return Register{13, 13};
    case 4:
      return Register{10, 10};
    case 5:
      return Register{8, 8};
    case 6:
      return Register{0, 99};
    case 7:
      return Register{1, 255};
    case 8:
      return Register{0, 255};
    case 10:
      return Register{1, 254};
    default:
      return std::nullopt;
  }
}

// ATS<n>? and ATS<n>=<value>; the argument is all that follows the S.
Reply registers(Module& module, const Call& call) {
  if (call.count() == 0) return Reply::error();
  const std::string_view text = call.args[0].text;
  const char* end = text.data() + text.size();
  std::size_t number = 0;
  const auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec != std::errc{} || parsed.ptr == end) return Reply::error();
  const auto range = registerRange(number);
  if (!range) return Reply::error();
  int& stored = module.settings().modem.registers[number];
  const std::string_view rest = text.substr(static_cast<std::size_t>(parsed.ptr - text.data()));
  if (rest == "?") {
    module.terminal().info(fmt::format("{:03}", stored));
    return Reply::ok();
  }
  const Argument given{rest.substr(1), false};
  const auto value = Call{call.name, Form::Set, {given}}.number(0, range->least, range->most);
  if (rest.front() != '=' || !value) return Reply::error();
  stored = static_cast<int>(*value);
  return Reply::ok();
}

// AT+GCAP (V.250 6.1.9).
Reply capabilities(Module& module, const Call& call) {
  if (call.form != Form::Execute) return Reply::error();
  module.terminal().info("+GCAP: +CGSM");
  return Reply::ok();
}

// AT+CPAS (27.007 8.1): 0, ready.
Reply activity(Module& module, const Call& call) {
  if (call.form != Form::Execute) return Reply::error();
  module.terminal().info("+CPAS: 0");
  return Reply::ok();
}

// AT+CLCC (27.007 7.18): a line a call.
Reply calls(Module&, const Call& call) {
  return call.form == Form::Execute || call.form == Form::Read ? Reply::ok() : Reply::error();
}

// AT+CLIP (27.007 7.7): the number of who calls. The network would tell it.
Reply callerNumber(Module& module, const Call& call) {
  bool& shown = module.settings().phone.caller_number;
  if (call.form == Form::Read) {
    module.terminal().info(fmt::format("+CLIP: {},1", shown ? 1 : 0));
    return Reply::ok();
  }
  const auto value = call.number(0, 0, 1);
  if (call.form != Form::Set || call.count() != 1 || !value) return Reply::error();
  shown = *value == 1;
  return Reply::ok();
}

// AT+CUSD (27.007 7.15): whether what the network says is shown; this one says nothing, and there is nobody
// to ask anything.
Reply networkTalk(Module& module, const Call& call) {
  constexpr int kNotSupported = 4;
  bool& shown = module.settings().phone.network_talk;
  if (call.form == Form::Read) {
    module.terminal().info(fmt::format("+CUSD: {}", shown ? 1 : 0));
    return Reply::ok();
  }
  const auto value = call.number(0, 0, 1);
  if (call.form != Form::Set || !value) return Reply::error();
  if (call.count() > 1) return Reply::cme(kNotSupported);
  shown = *value == 1;
  return Reply::ok();
}

// AT+CBC (27.007 8.4): not charging, full, and the millivolts behind it that public drivers
// read.
Reply battery(Module& module, const Call& call) {
  if (call.form != Form::Execute) return Reply::error();
  module.terminal().info("+CBC: 0,100,4100");
  return Reply::ok();
}

}  // namespace

void addModemCommands(CommandTable& table) {
  table.add("D", dial);
  table.add("A", answer);
  table.add("H", hangUp);
  table.add("+CHUP", hangUp);
  table.add("L", withoutEffect<3>);
  table.add("M", withoutEffect<3>);
  table.add("P", withoutEffect<0>);
  table.add("T", withoutEffect<0>);
  table.add("X", resultCodes);
  table.add("&C", carrier);
  table.add("S", registers);
  table.add("+GCAP", capabilities);
  table.add("+CPAS", activity);
  table.add("+CLCC", calls);
  table.add("+CBC", battery);
  table.add("+CLIP", callerNumber);
  table.add("+CUSD", networkTalk);
}

}  // namespace qimux::sim
