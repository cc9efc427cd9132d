#include "qimux/module/module.hpp"

#include "qimux/at/text.hpp"
#include "qimux/base/log.hpp"

#include <fmt/format.h>

#include <utility>

namespace qimux::module {
namespace {

using namespace std::chrono_literals;
using at::Command;

// Maximum response times of the manuals with room for a slow line.
constexpr auto kShort = 3s;
constexpr auto kSimDeadline = 6s;
constexpr auto kActivation = 155s;
// Application note 5.5: if DEACT OK has not come within a minute, the module needs a reset.
constexpr auto kDeactivation = 60s;
// A SIM is "busy" for seconds after the module's start.
constexpr auto kSimPatience = 20s;
// Where it says outright that there is none: while a module starts that may be too early a word.
constexpr auto kNoSimPatience = 5s;
constexpr auto kSimRetry = 500ms;
constexpr auto kRegistrationBeat = 500ms;
constexpr auto kRegistrationGlance = 50ms;

constexpr int kCmeNoSim = 10;
constexpr int kCmePinNeeded = 11;
constexpr int kCmePukNeeded = 12;
constexpr int kCmeSimFailure = 13;
constexpr int kCmeSimBusy = 14;

std::unexpected<Error> invalid(std::string what, std::string why) {
  return std::unexpected(Error{ErrorKind::Invalid, std::move(what), std::move(why)});
}

}  // namespace

std::optional<int> signalDbm(std::uint32_t csq) {
  if (csq > 31) return std::nullopt;
  return -113 + 2 * static_cast<int>(csq);
}

Module::Module(async::Loop& loop, at::Channel& channel, Settings settings)
    : loop_(loop), channel_(channel), settings_(std::move(settings)), sockets_(channel, settings_.context) {}

async::Task<Result<at::Reply>> Module::command(std::string text, async::Duration deadline,
                                               std::string prefix) {
  Command request(std::move(text), deadline, Command::Ending::Ok, std::move(prefix));
  auto reply = co_await channel_.execute(std::move(request));
  co_return reply;
}

async::Task<Result<bool>> Module::optional(std::string text) {
  const auto reply = co_await command(std::move(text), kShort);
  if (reply) co_return true;
  if (reply.error().kind == ErrorKind::Refused) co_return false;
  co_return std::unexpected(reply.error());
}

async::Task<Result<std::string>> Module::ask(std::string text, std::string prefix) {
  auto reply = co_await command(std::move(text), kShort, prefix);
  if (!reply) co_return std::unexpected(reply.error());
  if (reply->lines.empty()) co_return std::string();
  std::string_view line = reply->lines.front();
  if (prefix != "*") line = at::trim(line.substr(prefix.size()));
  co_return std::string(line);
}

async::Task<Result<void>> Module::synchronise() {
  auto answering = co_await channel_.resync();
  if (!answering) co_return std::unexpected(answering.error());
  static constexpr const char* kManners[] = {"ATE0", "ATV1", "AT+CMEE=1"};
  for (const char* text : kManners) {
    auto done = co_await optional(text);
    if (!done) co_return std::unexpected(done.error());
  }
  auto reports = co_await optional("AT+CGREG=1");
  if (!reports) co_return std::unexpected(reports.error());
  reports_registration_ = *reports;
  struct Question {
    const char* text;
    std::string Identity::* field;
  };
  static constexpr Question kQuestions[] = {{"AT+CGMI", &Identity::manufacturer},
                                            {"AT+CGMM", &Identity::model},
                                            {"AT+CGMR", &Identity::revision},
                                            {"AT+GSN", &Identity::imei}};
  for (const auto& question : kQuestions) {
    auto answer = co_await ask(question.text, "*");
    if (answer) {
      identity_.*question.field = printable(*answer);
    } else if (answer.error().kind != ErrorKind::Refused) {
      co_return std::unexpected(answer.error());
    }
  }
  co_return Result<void>();
}

// "READY", "SIM PIN", "SIM PUK", "NOT INSERTED"; "BUSY" while the SIM cannot tell yet.
async::Task<Result<std::string>> Module::simState() {
  auto reply = co_await command("AT+CPIN?", kSimDeadline, "+CPIN:");
  if (reply) {
    if (reply->lines.empty()) co_return std::string("BUSY");
    co_return std::string(at::trim(std::string_view(reply->lines.front()).substr(6)));
  }
  switch (at::cmeCode(reply.error()).value_or(-1)) {
    case kCmeNoSim:
      co_return std::string("NOT INSERTED");
    case kCmePinNeeded:
      co_return std::string("SIM PIN");
    case kCmePukNeeded:
      co_return std::string("SIM PUK");
    case kCmeSimFailure:
    case kCmeSimBusy:
      co_return std::string("BUSY");
    default:
      break;
  }
  // Without AT+CMEE's numbers a busy SIM is a bare ERROR.
  if (reply.error().kind == ErrorKind::Refused) co_return std::string("BUSY");
  co_return std::unexpected(reply.error());
}

// +QPINC: "SC",<left of PIN>,<left of PUK>, on firmware that knows it.
async::Task<Result<bool>> Module::lastTry() {
  const auto answer = co_await ask("AT+QPINC=\"SC\"", "+QPINC:");
  if (!answer && answer.error().kind != ErrorKind::Refused) co_return std::unexpected(answer.error());
  if (!answer) co_return false;
  const auto field = at::fields(*answer, 4);
  co_return field.size() >= 2 && at::number<int>(field[1]).value_or(3) <= 1;
}

async::Task<Result<void>> Module::enterPin() {
  if (settings_.pin.empty())
    co_return invalid("module.pin", "the SIM asks for its PIN, and none is configured");
  PinMemory& memory = *settings_.pin_memory;
  if (memory.refused || memory.unanswered > 1)
    co_return invalid("module.pin", "the SIM refused this PIN; it is not tried again");
  const auto last = co_await lastTry();
  if (!last) co_return std::unexpected(last.error());
  if (*last)
    co_return invalid("module.pin", "the SIM has one try left, which is kept for a person with a telephone");
  const auto pin = at::quoted(settings_.pin);
  if (!pin) co_return std::unexpected(pin.error());
  const auto reply = co_await command("AT+CPIN=" + *pin, kSimDeadline);
  if (reply) co_return Result<void>();
  memory.refused = reply.error().kind == ErrorKind::Refused;
  if (!memory.refused) ++memory.unanswered;
  if (memory.refused && memory.on_refused) memory.on_refused();
  const char* why = memory.refused ? "the SIM refused it: " : "";
  // The command's text stays out of the error: it holds the PIN.
  co_return std::unexpected(Error{reply.error().kind, "module.pin", why + reply.error().reply});
}

async::Task<Result<void>> Module::unlockSim() {
  const auto begin = loop_.now();
  bool entered = false;
  for (;;) {
    auto state = co_await simState();
    if (!state) co_return std::unexpected(state.error());
    if (*state == "READY") co_return Result<void>();
    if (*state == "SIM PIN" && !entered) {
      auto unlocked = co_await enterPin();
      if (!unlocked) co_return unlocked;
      entered = true;
    } else if (state->starts_with("SIM PUK")) {
      co_return invalid("SIM",
                        "is locked and asks for its PUK: enter it with a telephone, or replace the SIM");
    } else if (loop_.now() >= begin + (*state == "NOT INSERTED" ? kNoSimPatience : kSimPatience)) {
      co_return std::unexpected(Error{ErrorKind::Timeout, "SIM", "is " + *state});
    }
    co_await async::sleep(loop_, kSimRetry);
  }
}

async::Task<Result<void>> Module::awaitRegistration(async::Duration limit) {
  const auto deadline = loop_.now() + limit;
  for (;;) {
    auto asked = co_await refreshRegistration();
    if (!asked) co_return asked;
    if (radio_.registered()) co_return asked;
    if (loop_.now() >= deadline) {
      const char* why = radio_.registration == 3 ? "the network denies registration" : "no network was found";
      co_return std::unexpected(Error{ErrorKind::Timeout, "registration", why});
    }
    // Its own word (+CGREG: 1) may come sooner than the next question.
    const auto next = loop_.now() + kRegistrationBeat;
    while (loop_.now() < next && !radio_.registered()) co_await async::sleep(loop_, kRegistrationGlance);
  }
}

// Whatever a predecessor left: its sockets and context end here. In IP INITIAL there is nothing, and some
// firmware answers ERROR there, or nothing at all: where the state can be asked for, it is.
async::Task<Result<void>> Module::leaveOldContext(bool multiplexing) {
  if (multiplexing) {
    const auto stack = co_await sockets_.state(kShort);
    if (!stack && !at::answered(stack.error())) {
      // That is IP INITIAL too, to firmware that says nothing there; where the module says nothing at all,
      // this fails.
      const auto answers = co_await channel_.resync();
      if (!answers) co_return std::unexpected(answers.error());
      co_return Result<void>();
    }
    if (stack && stack->state == "IP INITIAL") co_return Result<void>();
  }
  auto gone = co_await deactivate();
  if (!gone && gone.error().kind != ErrorKind::Refused) co_return gone;
  co_return Result<void>();
}

async::Task<Result<void>> Module::chooseMultiplexing() {
  // Some firmware refuses to set what is set already: ask first.
  auto mux = co_await ask("AT+QIMUX?", "+QIMUX:");
  if (mux && *mux == "1") co_return Result<void>();
  const auto set = co_await command("AT+QIMUX=1", kShort);
  if (!set) co_return std::unexpected(set.error());
  co_return Result<void>();
}

async::Task<Result<void>> Module::chooseIndication() {
  auto per_packet = co_await optional("AT+QINDI=2");
  if (!per_packet) co_return std::unexpected(per_packet.error());
  if (*per_packet) {
    indication_ = Indication::PerPacket;
    co_return Result<void>();
  }
  indication_ = Indication::Edge;
  const auto edge = co_await command("AT+QINDI=1", kShort);
  if (!edge) co_return std::unexpected(edge.error());
  co_return Result<void>();
}

async::Task<Result<void>> Module::configureStack() {
  const std::string foreground = fmt::format("AT+QIFGCNT={}", settings_.context);
  const auto context = co_await command(foreground, kShort);
  if (!context) co_return std::unexpected(context.error());
  // With a context of single mode it is refused, and comes again behind its end.
  auto mux = co_await chooseMultiplexing();
  if (!mux && !at::answered(mux.error())) co_return mux;
  auto cleared = co_await leaveOldContext(mux.has_value());
  if (!cleared) co_return cleared;
  if (!settings_.apn.empty()) {
    const auto apn = at::quoted(settings_.apn);
    const auto user = at::quoted(settings_.user);
    const auto password = at::quoted(settings_.password);
    if (!apn || !user || !password) co_return invalid("module.apn", "APN, user or password cannot be sent");
    std::string access = "AT+QICSGP=1," + *apn;
    if (!settings_.user.empty() || !settings_.password.empty()) access += ',' + *user + ',' + *password;
    const auto set = co_await command(access, kShort);
    // Its text holds the password.
    if (!set) co_return std::unexpected(Error{set.error().kind, "AT+QICSGP", set.error().reply});
  }
  if (!mux) mux = co_await chooseMultiplexing();
  if (!mux) co_return mux;
  static constexpr const char* kRequired[] = {"AT+QIMODE=0", "AT+QIDNSIP=0"};
  for (const char* text : kRequired) {
    const auto set = co_await command(text, kShort);
    if (!set) co_return std::unexpected(set.error());
  }
  auto indication = co_await chooseIndication();
  if (!indication) co_return indication;
  // Without echo of payload, with prompts, as a client; and unread data stays readable after a remote close.
  static constexpr const char* kWhereKnown[] = {"AT+QISDE=0", "AT+QIPROMPT=1", "AT+QISRVC=1",
                                                "AT+QCFG=\"TCP/BufferRemain\",1"};
  for (const char* text : kWhereKnown) {
    auto set = co_await optional(text);
    if (!set) co_return std::unexpected(set.error());
  }
  co_return Result<void>();
}

async::Task<Result<void>> Module::activate() {
  address_ = 0;
  auto configured = co_await configureStack();
  if (!configured) co_return configured;
  const auto registered = co_await command("AT+QIREGAPP", 10s);
  if (!registered) co_return std::unexpected(registered.error());
  const auto active = co_await command("AT+QIACT", kActivation);
  if (!active) co_return std::unexpected(active.error());
  Command local("AT+QILOCIP", kShort, Command::Ending::Address);
  const auto reply = co_await channel_.execute(std::move(local));
  if (!reply) co_return std::unexpected(reply.error());
  address_ = at::dottedAddress(reply->lines.front()).value_or(0);
  co_return Result<void>();
}

async::Task<Result<void>> Module::deactivate() {
  address_ = 0;
  Command command("AT+QIDEACT", kDeactivation, Command::Ending::DeactOk);
  const auto reply = co_await channel_.execute(std::move(command));
  if (!reply) co_return std::unexpected(reply.error());
  co_return Result<void>();
}

async::Task<Result<void>> Module::refreshRegistration() {
  const auto answer = co_await ask("AT+CGREG?", "+CGREG:");
  if (!answer && !at::answered(answer.error())) co_return std::unexpected(answer.error());
  if (answer) {
    const auto field = at::fields(*answer, 4);
    if (field.size() >= 2) radio_.registration = at::number<int>(field[1]).value_or(0);
  }
  co_return Result<void>();
}

async::Task<void> Module::refreshRadio() {
  const auto signal = co_await ask("AT+CSQ", "+CSQ:");
  if (signal) {
    const auto csq = at::number<std::uint32_t>(at::fields(*signal, 2).front());
    radio_.rssi_dbm = csq ? signalDbm(*csq) : std::nullopt;
  }
  static_cast<void>(co_await refreshRegistration());
  const auto network = co_await ask("AT+COPS?", "+COPS:");
  if (network) {
    const auto field = at::fields(*network, 4);
    if (field.size() >= 3) radio_.network = printable(field[2]);
  }
}

}  // namespace qimux::module
