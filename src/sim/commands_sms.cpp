// How short messages are shown, stored and told: 3GPP 27.005, 3.1 to 3.4, and AT+CSCS (27.007 5.5).
#include "qimux/sim/module.hpp"

#include <fmt/format.h>

#include <array>

namespace qimux::sim {
namespace {

constexpr std::string_view kMemory = "SM";

// AT+CSMS (3.2.1): the commands of phase 2, with messages coming and going. Phase 2+ (1), where the host
// acknowledges each message, is not there.
Reply service(Module& module, const Call& call) {
  if (call.form == Form::Read) {
    module.terminal().info("+CSMS: 0,1,1,0");
    return Reply::ok();
  }
  const auto value = call.number(0, 0, 1);
  if (call.form != Form::Set || call.count() != 1 || !value) return Reply::error();
  if (*value == 1) return Reply::cms(cms::kNotSupported);
  module.terminal().info("+CSMS: 1,1,0");
  return Reply::ok();
}

Reply flag(Module& module, const Call& call, bool& stored) {
  if (call.form == Form::Read) {
    module.terminal().info(fmt::format("{}: {}", call.name, stored ? 1 : 0));
    return Reply::ok();
  }
  const auto value = call.form == Form::Execute ? std::optional<long>(0) : call.number(0, 0, 1);
  if (!value || call.count() > 1) return Reply::error();
  stored = *value == 1;
  return Reply::ok();
}

// AT+CMGF (3.2.3), AT+CSDH (3.3.3)
Reply format(Module& module, const Call& call) {
  return flag(module, call, module.sms().settings().text_mode);
}

Reply showMore(Module& module, const Call& call) {
  return flag(module, call, module.sms().settings().show_more);
}

Reply charset(Module& module, const Call& call) {
  TeCharset& stored = module.sms().settings().charset;
  if (call.form == Form::Read) {
    module.terminal().info(fmt::format("+CSCS: \"{}\"", name(stored)));
    return Reply::ok();
  }
  const auto wanted = parseTeCharset(call.string(0).value_or(""));
  if (call.form != Form::Set || call.count() != 1 || !wanted) return Reply::error();
  stored = *wanted;
  return Reply::ok();
}

// AT+CSCA (3.3.1)
Reply centre(Module& module, const Call& call) {
  Sms& sms = module.sms();
  if (const int problem = sms.storeProblem()) return Reply::cms(problem);
  if (call.form == Form::Read) {
    module.terminal().info(
        fmt::format("+CSCA: {},{}", quoted(sms.settings(), sms.centre()), sms.centre().type));
    return Reply::ok();
  }
  const auto given = numberArgument(module, call, 0);
  if (call.form != Form::Set || call.count() > 2) return Reply::error();
  if (!given) return Reply::cms(cms::kInvalidText);
  sms.centre() = *given;
  return Reply::ok();
}

// AT+CSMP (3.3.2): <fo> with a <vp> of one octet or none; those of seven are not there.
Reply parameters(Module& module, const Call& call) {
  auto& stored = module.sms().settings().parameters;
  if (call.form == Form::Read) {
    module.terminal().info(fmt::format("+CSMP: {},{},{},{}", stored[0], stored[1], stored[2], stored[3]));
    return Reply::ok();
  }
  if (call.form != Form::Set || call.count() > stored.size()) return Reply::error();
  auto given = stored;
  for (std::size_t i = 0; i < call.count(); ++i) {
    // An empty one stays as it is.
    if (call.args[i].text.empty()) continue;
    const auto value = call.looseNumber(i, 0, 255);
    if (!value) return Reply::cms(cms::kInvalidText);
    given[i] = static_cast<int>(*value);
  }
  const int validity = given[0] >> 3 & 0x03;
  if (validity != 0 && validity != 2) return Reply::cms(cms::kNotSupported);
  stored = given;
  return Reply::ok();
}

// AT+CNMI (3.4.1). Neither cell broadcasts nor status reports ever come, so <bm> and <ds> have nothing to
// act on.
Reply indications(Module& module, const Call& call) {
  static constexpr std::array<long, 5> kMost{3, 3, 3, 2, 1};
  auto& stored = module.sms().settings().indications;
  if (call.form == Form::Read) {
    module.terminal().info(
        fmt::format("+CNMI: {},{},{},{},{}", stored[0], stored[1], stored[2], stored[3], stored[4]));
    return Reply::ok();
  }
  if (call.form == Form::Execute) {
    stored = {0, 0, 0, 0, 0};
    return Reply::ok();
  }
  if (call.count() > stored.size()) return Reply::error();
  auto given = stored;
  for (std::size_t i = 0; i < call.count(); ++i) {
    const auto value = call.number(i, 0, kMost[i]);
    if (!value) return Reply::error();
    given[i] = static_cast<int>(*value);
  }
  stored = given;
  module.sms().indicationsSet();
  return Reply::ok();
}

// AT+CPMS (3.2.2): there is only the SIM.
Reply storage(Module& module, const Call& call) {
  Sms& sms = module.sms();
  if (const int problem = sms.storeProblem()) return Reply::cms(problem);
  const std::string counts = fmt::format("{},{}", sms.store().used(), SmsStore::kPlaces);
  if (call.form == Form::Read) {
    module.terminal().info(fmt::format("+CPMS: \"{0}\",{1},\"{0}\",{1},\"{0}\",{1}", kMemory, counts));
    return Reply::ok();
  }
  if (call.form != Form::Set || call.count() > 3) return Reply::error();
  for (std::size_t i = 0; i < call.count(); ++i) {
    if (call.string(i) != kMemory) return Reply::cms(cms::kNotSupported);
  }
  module.terminal().info(fmt::format("+CPMS: {0},{0},{0}", counts));
  return Reply::ok();
}

}  // namespace

void addSmsCommands(CommandTable& table) {
  table.add("+CSMS", service);
  table.add("+CMGF", format);
  table.add("+CSDH", showMore);
  table.add("+CSCS", charset);
  table.add("+CSCA", centre);
  table.add("+CSMP", parameters);
  table.add("+CNMI", indications);
  table.add("+CPMS", storage);
}

}  // namespace qimux::sim
