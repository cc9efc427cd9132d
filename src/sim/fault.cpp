#include "qimux/sim/fault.hpp"

#include "qimux/sim/module.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <vector>

namespace qimux::sim {
namespace {

constexpr double kLongestSpan = 1e6;
constexpr long kMostTimes = 1'000'000;

// The words behind the verb.
struct Words {
  std::string_view verb;
  std::vector<std::string_view> words;
  // All of them as they were written.
  std::string_view rest;

  std::optional<double> real(std::size_t index, double most) const {
    if (index >= words.size()) return std::nullopt;
    double value = 0;
    const char* begin = words[index].data();
    const char* end = begin + words[index].size();
    const auto [stop, problem] = std::from_chars(begin, end, value);
    if (problem != std::errc{} || stop != end || !std::isfinite(value) || value < 0 || value > most) {
      return std::nullopt;
    }
    return value;
  }
  std::optional<long> whole(std::size_t index, long most) const {
    const auto value = real(index, static_cast<double>(most));
    if (!value || *value != std::floor(*value)) return std::nullopt;
    return static_cast<long>(*value);
  }
  // COUNT, which is 1 where it is left out.
  std::optional<int> count(std::size_t index) const {
    if (index >= words.size()) return 1;
    const auto value = whole(index, kMostTimes);
    return value ? std::optional<int>(static_cast<int>(*value)) : std::nullopt;
  }
  std::optional<async::Duration> seconds(std::size_t index) const {
    const auto value = real(index, kLongestSpan);
    if (!value) return std::nullopt;
    return async::Duration(std::llround(*value * 1e6));
  }
};

Result<void> wrong(const Words& words, std::string_view why) {
  return std::unexpected(Error{ErrorKind::Invalid, std::string(words.verb), std::string(why)});
}

constexpr std::string_view kNeedsSocket =
    "needs a socket: 0 to 5, or s0 to s4 for one that a server accepted";

Slot* socket(Module& module, const Words& words) {
  return words.words.empty() ? nullptr : module.stack().find(words.words[0]);
}

Result<void> pdpDeact(Module& module, const Words& words) {
  const auto context = words.words.empty() ? 0 : words.whole(0, kContexts - 1);
  if (!context) return wrong(words, "needs a context, 0 or 1");
  module.stack().losePdp(static_cast<int>(*context));
  return {};
}

Result<void> endSocket(Module& module, const Words& words, bool reset) {
  Slot* slot = socket(module, words);
  if (slot == nullptr) return wrong(words, kNeedsSocket);
  if (!module.stack().endSocket(*slot, reset)) return wrong(words, "is not connected");
  return {};
}

Result<void> close(Module& module, const Words& words) {
  return endSocket(module, words, false);
}

Result<void> reset(Module& module, const Words& words) {
  return endSocket(module, words, true);
}

Result<void> dead(Module& module, const Words& words) {
  Slot* slot = socket(module, words);
  if (slot == nullptr) return wrong(words, kNeedsSocket);
  if (!module.stack().killSocket(*slot)) return wrong(words, "is not connected");
  return {};
}

Result<void> reboot(Module& module, const Words&) {
  module.reboot();
  return {};
}

Result<void> powerOff(Module& module, const Words&) {
  module.powerOff();
  return {};
}

Result<void> powerOn(Module& module, const Words&) {
  module.powerOn();
  return {};
}

Result<void> hang(Module& module, const Words& words) {
  const auto span = words.seconds(0);
  if (!span) return wrong(words, "needs a number of seconds");
  module.terminal().hang(*span);
  return {};
}

Result<void> silence(Module& module, const Words& words) {
  const auto span = words.seconds(0);
  if (!span) return wrong(words, "needs a number of seconds");
  module.wire().silence(*span);
  return {};
}

Result<void> stall(Module& module, const Words& words) {
  const auto span = words.seconds(0);
  if (!span) return wrong(words, "needs a number of seconds");
  module.stack().air().stall(*span);
  return {};
}

Result<void> loss(Module& module, const Words& words) {
  const auto probability = words.real(0, 1);
  if (!probability) return wrong(words, "needs a probability, 0 to 1");
  module.stack().air().setLoss(*probability);
  return {};
}

Result<void> noise(Module& module, const Words& words) {
  const auto probability = words.real(0, 1);
  if (!probability) return wrong(words, "needs a probability, 0 to 1");
  module.wire().setNoise(*probability);
  return {};
}

Result<void> sendFail(Module& module, const Words& words) {
  Slot* slot = socket(module, words);
  const auto count = words.count(1);
  if (slot == nullptr || !count)
    return wrong(words, "needs a socket, 0 to 5 or s0 to s4, and perhaps a count");
  slot->failing_sends = *count;
  return {};
}

Result<void> counted(Module& module, const Words& words, void (*apply)(Module&, int)) {
  const auto count = words.count(0);
  if (!count) return wrong(words, "takes a count");
  apply(module, *count);
  return {};
}

Result<void> loseUrc(Module& module, const Words& words) {
  return counted(module, words, [](Module& target, int count) { target.terminal().loseUrcs(count); });
}

Result<void> losePrompt(Module& module, const Words& words) {
  return counted(module, words, [](Module& target, int count) { target.sendPhase().losePrompts(count); });
}

Result<void> loseSendOk(Module& module, const Words& words) {
  return counted(module, words, [](Module& target, int count) { target.terminal().loseSendResults(count); });
}

Result<void> connectFail(Module& module, const Words& words) {
  return counted(module, words, [](Module& target, int count) { target.stack().connects().failing = count; });
}

Result<void> connectHang(Module& module, const Words& words) {
  return counted(module, words, [](Module& target, int count) { target.stack().connects().hanging = count; });
}

Result<void> connectDelay(Module& module, const Words& words) {
  const auto span = words.seconds(0);
  const auto count = words.count(1);
  if (!span || !count) return wrong(words, "needs a number of seconds and perhaps a count");
  module.stack().connects().delay = *span;
  module.stack().connects().delayed = *count;
  return {};
}

Result<void> activationFail(Module& module, const Words& words) {
  return counted(module, words,
                 [](Module& target, int count) { target.stack().connects().failing_activations = count; });
}

Result<void> nameFail(Module& module, const Words& words) {
  return counted(module, words,
                 [](Module& target, int count) { target.stack().connects().failing_names = count; });
}

Result<void> deregister(Module& module, const Words&) {
  module.cell().loseCoverage();
  return {};
}

Result<void> registerAgain(Module& module, const Words&) {
  module.cell().regainCoverage();
  return {};
}

Result<void> urc(Module& module, const Words& words) {
  if (words.rest.empty()) return wrong(words, "needs a text");
  module.terminal().urc(std::string(words.rest));
  return {};
}

// The text is all that is left of the line, blanks and all.
Result<void> sms(Module& module, const Words& words) {
  const std::size_t blank = words.rest.find(' ');
  if (blank == std::string_view::npos) return wrong(words, "needs a number and a text");
  return module.sms().arrive(words.rest.substr(0, blank), words.rest.substr(blank + 1));
}

Result<void> dtr(Module& module, const Words& words) {
  if (words.rest != "on" && words.rest != "off" && words.rest != "host") {
    return wrong(words, "needs on, off or host");
  }
  module.lines().forceDtr(words.rest == "host" ? std::nullopt : std::optional(words.rest == "on"));
  return {};
}

struct Fault {
  FaultInfo info;
  Result<void> (*run)(Module&, const Words&);
};

constexpr std::array kFaults{
    Fault{{"pdp-deact", "[CONTEXT]",
           "the network takes the PDP context away: +PDP DEACT, all its sockets gone"},
          pdpDeact},
    Fault{{"close", "N", "the far end of socket N closes: N, CLOSED"}, close},
    Fault{{"reset", "N", "the same, and what has not gone out is lost"}, reset},
    Fault{{"dead", "N",
           "nothing passes through socket N any more, and nobody says so before --give-up or AT+QIKALIVE"},
          dead},
    Fault{{"reboot", "", "the module starts again, without a warning"}, reboot},
    Fault{{"power-off", "", "the module is off and answers nothing"}, powerOff},
    Fault{{"power-on", "", "the module starts"}, powerOn},
    Fault{{"hang", "SECONDS", "neither hears nor says anything; then goes on with what has piled up"}, hang},
    Fault{{"silence", "SECONDS", "hears and does everything, but what it says is lost"}, silence},
    Fault{{"stall", "SECONDS", "nothing passes through the air; nothing is lost"}, stall},
    Fault{{"loss", "P",
           "each packet over the air gets lost with probability P: a datagram for good, TCP sends again"},
          loss},
    Fault{{"noise", "P", "each byte on the line is lost or changed with probability P; 0 ends it"}, noise},
    Fault{{"send-fail", "N [COUNT]", "the next COUNT blocks for socket N are answered SEND FAIL"}, sendFail},
    Fault{
        {"lose-prompt", "[COUNT]", "the next COUNT prompts of AT+QISEND are not printed; data is asked for"},
        losePrompt},
    Fault{
        {"lose-send-ok", "[COUNT]", "the next COUNT results of AT+QISEND are not printed; the data goes out"},
        loseSendOk},
    Fault{{"lose-urc", "[COUNT]", "the next COUNT unsolicited lines are not printed"}, loseUrc},
    Fault{{"connect-fail", "[COUNT]", "the next COUNT connects fail"}, connectFail},
    Fault{{"connect-hang", "[COUNT]", "the next COUNT connects get no answer until the time-out"},
          connectHang},
    Fault{{"connect-delay", "SECONDS [COUNT]",
           "the outcome of the next COUNT connects is told that much later"},
          connectDelay},
    Fault{{"activation-fail", "[COUNT]", "the next COUNT activations fail"}, activationFail},
    Fault{{"name-fail", "[COUNT]", "the next COUNT questions for a name find nothing"}, nameFail},
    Fault{{"deregister", "", "out of coverage; the PDP context stays"}, deregister},
    Fault{{"register", "", "in coverage again"}, registerAgain},
    Fault{{"sms", "FROM TEXT", "a short message comes, UTF-8; FROM is a number or a name of 11 letters"},
          sms},
    Fault{{"dtr", "on|off|host", "DTR is that, whatever the host does; host: as the host has it, again"},
          dtr},
    Fault{{"urc", "TEXT", "says TEXT out of the blue, as RING or +CMTI: \"SM\",1"}, urc},
};

constexpr auto kInfos = [] {
  std::array<FaultInfo, kFaults.size()> infos{};
  for (std::size_t i = 0; i < kFaults.size(); ++i) infos[i] = kFaults[i].info;
  return infos;
}();

Words split(std::string_view line) {
  Words result;
  while (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  const std::size_t space = line.find(' ');
  result.verb = line.substr(0, space);
  if (space == std::string_view::npos) return result;
  result.rest = line.substr(space + 1);
  std::string_view left = result.rest;
  while (!left.empty()) {
    const std::size_t end = left.find(' ');
    if (end != 0) result.words.push_back(left.substr(0, end));
    if (end == std::string_view::npos) break;
    left.remove_prefix(end + 1);
  }
  return result;
}

}  // namespace

std::span<const FaultInfo> faults() {
  return kInfos;
}

Result<void> runFault(Module& module, std::string_view line) {
  const Words words = split(line);
  for (const auto& fault : kFaults) {
    if (fault.info.verb != words.verb) continue;
    module.transcript().note(fmt::format("fault: {}", line));
    return fault.run(module, words);
  }
  return wrong(words, "is no fault; see --list-faults");
}

}  // namespace qimux::sim
