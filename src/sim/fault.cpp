#include "qimux/sim/fault.hpp"

#include "qimux/sim/module.hpp"
#include "qimux/sim/sms_pdu.hpp"

#include <fmt/format.h>

#include <algorithm>
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

// What stands behind a verb. It can be checked before anything runs.
enum class Arguments {
  None,
  Context,
  Socket,
  SocketCount,
  Count,
  Seconds,
  SecondsCount,
  Probability,
  OnOff,
  Text,
  Message
};

bool isSocket(std::string_view word) {
  const bool server = word.starts_with('s');
  if (server) word.remove_prefix(1);
  return word.size() == 1 && word[0] >= '0' && word[0] < '0' + (server ? kAccepted : kSockets);
}

// "+4912345 two words": the text is all that is left of the line, blanks and all.
struct Letter {
  std::string_view from;
  std::string_view text;
};

std::optional<Letter> letter(const Words& words) {
  const std::size_t blank = words.rest.find(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  return Letter{words.rest.substr(0, blank), words.rest.substr(blank + 1)};
}

bool fits(const Words& words, Arguments arguments) {
  const bool socket = !words.words.empty() && isSocket(words.words[0]);
  switch (arguments) {
    case Arguments::None:
      return true;
    case Arguments::Context:
      return words.words.empty() || words.whole(0, kContexts - 1);
    case Arguments::Socket:
      return socket;
    case Arguments::SocketCount:
      return socket && words.count(1);
    case Arguments::Count:
      return words.count(0).has_value();
    case Arguments::Seconds:
      return words.seconds(0).has_value();
    case Arguments::SecondsCount:
      return words.seconds(0) && words.count(1);
    case Arguments::Probability:
      return words.real(0, 1).has_value();
    case Arguments::OnOff:
      return words.rest == "on" || words.rest == "off" || words.rest == "host";
    case Arguments::Text:
      return !words.rest.empty();
    case Arguments::Message: {
      const auto message = letter(words);
      return message && composeDeliver(message->from, message->text, 0);
    }
  }
  return false;
}

std::string_view rule(Arguments arguments) {
  switch (arguments) {
    case Arguments::None:
      return {};
    case Arguments::Context:
      return "needs a context, 0 or 1";
    case Arguments::Socket:
      return "needs a socket: 0 to 5, or s0 to s4 for one that a server accepted";
    case Arguments::SocketCount:
      return "needs a socket, 0 to 5 or s0 to s4, and perhaps a count";
    case Arguments::Count:
      return "takes a count";
    case Arguments::Seconds:
      return "needs a number of seconds";
    case Arguments::SecondsCount:
      return "needs a number of seconds and perhaps a count";
    case Arguments::Probability:
      return "needs a probability, 0 to 1";
    case Arguments::OnOff:
      return "needs on, off or host";
    case Arguments::Text:
      return "needs a text";
    case Arguments::Message:
      return "needs a number or a short name, and a text";
  }
  return {};
}

// What follows runs with arguments that fit.

Slot& socket(Module& module, const Words& words) {
  return *module.stack().find(words.words[0]);
}

Result<void> pdpDeact(Module& module, const Words& words) {
  module.stack().losePdp(words.words.empty() ? 0 : static_cast<int>(*words.whole(0, kContexts - 1)));
  return {};
}

Result<void> endSocket(Module& module, const Words& words, bool reset) {
  if (!module.stack().endSocket(socket(module, words), reset)) return wrong(words, "is not connected");
  return {};
}

Result<void> close(Module& module, const Words& words) {
  return endSocket(module, words, false);
}

Result<void> reset(Module& module, const Words& words) {
  return endSocket(module, words, true);
}

Result<void> dead(Module& module, const Words& words) {
  if (!module.stack().killSocket(socket(module, words))) return wrong(words, "is not connected");
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
  module.terminal().hang(*words.seconds(0));
  return {};
}

Result<void> silence(Module& module, const Words& words) {
  module.wire().silence(*words.seconds(0));
  return {};
}

Result<void> stall(Module& module, const Words& words) {
  module.stack().air().stall(*words.seconds(0));
  return {};
}

Result<void> loss(Module& module, const Words& words) {
  module.stack().air().setLoss(*words.real(0, 1));
  return {};
}

Result<void> noise(Module& module, const Words& words) {
  module.wire().setNoise(*words.real(0, 1));
  return {};
}

Result<void> sendFail(Module& module, const Words& words) {
  socket(module, words).failing_sends = *words.count(1);
  return {};
}

Result<void> counted(Module& module, const Words& words, void (*apply)(Module&, int)) {
  apply(module, *words.count(0));
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
  module.stack().connects().delay = *words.seconds(0);
  module.stack().connects().delayed = *words.count(1);
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
  module.terminal().urc(std::string(words.rest));
  return {};
}

Result<void> sms(Module& module, const Words& words) {
  const auto message = letter(words);
  return module.sms().arrive(message->from, message->text);
}

Result<void> dtr(Module& module, const Words& words) {
  module.lines().forceDtr(words.rest == "host" ? std::nullopt : std::optional(words.rest == "on"));
  return {};
}

struct Fault {
  FaultInfo info;
  Arguments arguments;
  Result<void> (*run)(Module&, const Words&);
};

constexpr std::array kFaults{
    Fault{{"pdp-deact", "[CONTEXT]",
           "the network takes the PDP context away: +PDP DEACT, all its sockets gone"},
          Arguments::Context,
          pdpDeact},
    Fault{{"close", "N",
           "the far end of socket N closes: N, CLOSED; N is 0 to 5, or s0 to s4 of those that a server "
           "accepted"},
          Arguments::Socket,
          close},
    Fault{{"reset", "N", "the same, and what has not gone out is lost"}, Arguments::Socket, reset},
    Fault{{"dead", "N",
           "nothing passes through socket N any more, and nobody says so before --give-up or AT+QIKALIVE"},
          Arguments::Socket,
          dead},
    Fault{{"reboot", "", "the module starts again, without a warning"}, Arguments::None, reboot},
    Fault{{"power-off", "", "the module is off and answers nothing"}, Arguments::None, powerOff},
    Fault{{"power-on", "", "the module starts"}, Arguments::None, powerOn},
    Fault{{"hang", "SECONDS", "neither hears nor says anything; then goes on with what has piled up"},
          Arguments::Seconds,
          hang},
    Fault{{"silence", "SECONDS", "hears and does everything, but what it says is lost"},
          Arguments::Seconds,
          silence},
    Fault{{"stall", "SECONDS", "nothing passes through the air; nothing is lost"}, Arguments::Seconds, stall},
    Fault{{"loss", "P",
           "each packet over the air gets lost with probability P: a datagram for good, TCP sends again"},
          Arguments::Probability,
          loss},
    Fault{{"noise", "P", "each byte on the line is lost or changed with probability P; 0 ends it"},
          Arguments::Probability,
          noise},
    Fault{{"send-fail", "N [COUNT]", "the next COUNT blocks for socket N are answered SEND FAIL"},
          Arguments::SocketCount,
          sendFail},
    Fault{
        {"lose-prompt", "[COUNT]", "the next COUNT prompts of AT+QISEND are not printed; data is asked for"},
        Arguments::Count,
        losePrompt},
    Fault{
        {"lose-send-ok", "[COUNT]", "the next COUNT results of AT+QISEND are not printed; the data goes out"},
        Arguments::Count,
        loseSendOk},
    Fault{{"lose-urc", "[COUNT]", "the next COUNT unsolicited lines are not printed"},
          Arguments::Count,
          loseUrc},
    Fault{{"connect-fail", "[COUNT]", "the next COUNT connects fail"}, Arguments::Count, connectFail},
    Fault{{"connect-hang", "[COUNT]", "the next COUNT connects get no answer until the time-out"},
          Arguments::Count,
          connectHang},
    Fault{{"connect-delay", "SECONDS [COUNT]",
           "the outcome of the next COUNT connects is told that much later"},
          Arguments::SecondsCount,
          connectDelay},
    Fault{
        {"activation-fail", "[COUNT]", "the next COUNT activations fail"}, Arguments::Count, activationFail},
    Fault{{"name-fail", "[COUNT]", "the next COUNT questions for a name find nothing"},
          Arguments::Count,
          nameFail},
    Fault{{"deregister", "", "out of coverage; the PDP context stays"}, Arguments::None, deregister},
    Fault{{"register", "", "in coverage again"}, Arguments::None, registerAgain},
    Fault{{"sms", "FROM TEXT", "a short message comes, UTF-8; FROM is a number or a name of 11 letters"},
          Arguments::Message,
          sms},
    Fault{{"dtr", "on|off|host",
           "DTR is that, whatever the host does (off: the pin is HIGH); host: as the host has it, again"},
          Arguments::OnOff,
          dtr},
    Fault{{"urc", "TEXT", "says TEXT out of the blue, as RING or +CMTI: \"SM\",1"}, Arguments::Text, urc},
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

Result<void> checkFault(std::string_view line) {
  const Words words = split(line);
  const auto* fault = std::ranges::find(kFaults, words.verb, [](const Fault& row) { return row.info.verb; });
  if (fault == kFaults.end()) return wrong(words, "is no fault; see --list-faults");
  if (!fits(words, fault->arguments)) return wrong(words, rule(fault->arguments));
  return {};
}

Result<void> runFault(Module& module, std::string_view line) {
  const Words words = split(line);
  const auto* fault = std::ranges::find(kFaults, words.verb, [](const Fault& row) { return row.info.verb; });
  if (fault != kFaults.end()) module.transcript().note(fmt::format("fault: {}", line));
  if (auto checked = checkFault(line); !checked) return checked;
  return fault->run(module, words);
}

}  // namespace qimux::sim
