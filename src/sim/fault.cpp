#include "qimux/sim/fault.hpp"

#include "fault_line.hpp"
#include "fault_words.hpp"
#include "qimux/sim/module.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace qimux::sim {
namespace {

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

// Told late, or more than once.
Result<void> closed(Module& module, const Words& words) {
  Slot& slot = socket(module, words);
  if (slot.state != SlotState::Connected) return wrong(words, "is not connected");
  slot.end_told = Slot::Told{*words.seconds(1), *words.count(2)};
  return endSocket(module, words, false);
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

Result<void> underVoltage(Module& module, const Words& words) {
  module.underVoltage(*words.count(0));
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

Result<void> sendFail(Module& module, const Words& words) {
  socket(module, words).failing_sends = *words.count(1);
  return {};
}

Result<void> counted(Module& module, const Words& words, void (*apply)(Module&, int)) {
  apply(module, *words.count(0));
  return {};
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

Result<void> noCredit(Module& module, const Words& words) {
  module.stack().connects().no_credit = words.rest == "on";
  return {};
}

Result<void> dnsDead(Module& module, const Words& words) {
  module.stack().connects().names_dead = words.rest == "on";
  return {};
}

Result<void> simRemoved(Module& module, const Words&) {
  module.cell().removeCard();
  return {};
}

Result<void> simInserted(Module& module, const Words&) {
  module.cell().insertCard();
  return {};
}

Result<void> roamingDenied(Module& module, const Words&) {
  module.cell().denyRegistration();
  return {};
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
    Fault{{"closed", "N SECONDS [COUNT]",
           "the far end of socket N closes, and N, CLOSED is said that much later, COUNT times"},
          Arguments::SocketSecondsCount,
          closed},
    Fault{{"under-voltage", "[COUNT]",
           "UNDER_VOLTAGE WARNING, power down, and RDY two seconds later; COUNT times, every 20 seconds"},
          Arguments::Count,
          underVoltage},
    Fault{{"lose-bytes", "P",
           "each byte that the module says is lost with probability P: a host that is too slow for its UART; "
           "0 ends it"},
          Arguments::Probability,
          loseBytes},
    Fault{{"steal", "N", "another process reads the next N bytes that the module says"},
          Arguments::Bytes,
          steal},
    Fault{{"foreign", "TEXT",
           "another process types TEXT and a CR, between the host's bytes, but not into the data of a send"},
          Arguments::Text,
          foreign},
    Fault{{"foreign-bytes", "N",
           "another process types N bytes of anything, and as many come out of the line; not in the data of "
           "a send"},
          Arguments::Bytes,
          foreignBytes},
    Fault{{"echo", "on|off", "the echo is on, or off, whatever the host has set"}, Arguments::OnOff, echo},
    Fault{{"baud", "RATE",
           "the module talks at another rate, also after a restart; garbage on both sides with --check-rate"},
          Arguments::Rate,
          baud},
    Fault{
        {"drop", "N", "byte N of the next +QIRD header is lost, counted from 0"}, Arguments::Place, dropByte},
    Fault{{"flip", "N", "the lowest bit of byte N of the next +QIRD header is changed, counted from 0"},
          Arguments::Place,
          flipByte},
    Fault{{"garble", "[COUNT]", "the next COUNT lines of answers are garbage of the same length"},
          Arguments::Count,
          garble},
    Fault{{"cut-read", "[COUNT]", "the next COUNT blocks of AT+QIRD end in the middle, and nothing follows"},
          Arguments::Count,
          cutRead},
    Fault{{"overlong", "[COUNT]", "the next COUNT blocks of AT+QIRD are longer than their headers say"},
          Arguments::Count,
          overlong},
    Fault{{"no-answer", "[COUNT]", "the next COUNT commands are neither executed nor answered"},
          Arguments::Count,
          noAnswer},
    Fault{{"no-credit", "on|off", "the network refuses every activation, or does so no longer"},
          Arguments::OnOff,
          noCredit},
    Fault{{"deact-hang", "[COUNT]", "the next COUNT AT+QIDEACT are neither executed nor answered"},
          Arguments::Count,
          deactHang},
    Fault{{"dns-dead", "on|off", "name servers do not answer, or do again: ERROR: 5 after 14 seconds"},
          Arguments::OnOff,
          dnsDead},
    Fault{{"sim-removed", "", "the SIM is pulled out: +CPIN: NOT INSERTED, no registration, no context"},
          Arguments::None,
          simRemoved},
    Fault{{"sim-inserted", "", "the SIM is back, and found at the next start"}, Arguments::None, simInserted},
    Fault{
        {"roaming-denied", "", "the network denies registration, and takes the context away, until register"},
        Arguments::None,
        roamingDenied},
    Fault{
        {"heal", "", "ends all faults that wait for the next commands, answers, bytes, packets or connects"},
        Arguments::None,
        heal},
    Fault{{"sms", "FROM TEXT", "a short message comes, UTF-8; FROM is a number or a name of 11 letters"},
          Arguments::Message,
          sms},
    Fault{{"dtr", "on|off|host",
           "DTR is that, whatever the host does (off: the pin is HIGH); host: as the host has it, again"},
          Arguments::OnOffHost,
          dtr},
    Fault{{"urc", "TEXT", "says TEXT out of the blue, as RING or +CMTI: \"SM\",1"}, Arguments::Text, urc},
};

constexpr auto kInfos = [] {
  std::array<FaultInfo, kFaults.size()> infos{};
  for (std::size_t i = 0; i < kFaults.size(); ++i) infos[i] = kFaults[i].info;
  return infos;
}();

}  // namespace

std::span<const FaultInfo> faults() {
  return kInfos;
}

Result<void> checkFault(std::string_view line) {
  const Words words = splitWords(line);
  const auto* fault = std::ranges::find(kFaults, words.verb, [](const Fault& row) { return row.info.verb; });
  if (fault == kFaults.end()) return wrong(words, "is no fault; see --list-faults");
  if (!fits(words, fault->arguments)) return wrong(words, rule(fault->arguments));
  return {};
}

Result<void> runFault(Module& module, std::string_view line) {
  const Words words = splitWords(line);
  const auto* fault = std::ranges::find(kFaults, words.verb, [](const Fault& row) { return row.info.verb; });
  if (fault != kFaults.end()) module.transcript().note(fmt::format("fault: {}", line));
  if (auto checked = checkFault(line); !checked) return checked;
  return fault->run(module, words);
}

}  // namespace qimux::sim
