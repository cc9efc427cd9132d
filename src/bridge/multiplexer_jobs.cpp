// The questions on the channel that are no session's: names, echoes, and people's commands.
#include "qimux/at/text.hpp"
#include "qimux/base/log.hpp"
#include "qimux/bridge/multiplexer.hpp"

#include <fmt/format.h>

#include <utility>

namespace qimux::bridge {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMaxJobs = 32;
constexpr auto kQuestionDeadline = 5s;
constexpr auto kCommandDeadline = 60s;
// The module gives a name server 14 s.
constexpr auto kNameDeadline = 20s;
// How many addresses follow is not announced: they come one right behind the other.
constexpr auto kNameQuiet = 100ms;
constexpr std::size_t kMaxAddresses = 8;
constexpr int kNamesDead = 3;
constexpr int kEchoSeconds = 5;
constexpr auto kEchoDeadline = 8s;
// From +QPING's reply to its summary, which comes right behind it.
constexpr auto kSummaryDeadline = 2s;
// "ERROR: 4": no such host (the numbers are the manual's for AT+QIDNSGIP).
constexpr std::uint32_t kNoSuchHost = 4;

// Two of the commands that people may give do not end with OK.
at::Command::Ending endingOf(std::string_view command) {
  if (command == "AT+QISTATE") return at::Command::Ending::StateList;
  if (command == "AT+QILOCIP") return at::Command::Ending::Address;
  return at::Command::Ending::Ok;
}

}  // namespace

void Multiplexer::enqueue(Job job) {
  if (jobs_.size() < kMaxJobs && module_ != nullptr) {
    jobs_.push_back(std::move(job));
    return changed();
  }
  if (module_ != nullptr) ++counters_.jobs_full;
  const Error error = module_ == nullptr ? Error{ErrorKind::Closed, "link", "is not online"}
                                         : Error{ErrorKind::Full, "module", "too many questions wait"};
  loop_.post([failed = std::move(job), error]() mutable { fail(failed, error); });
}

void Multiplexer::fail(Job& job, const Error& error) {
  if (job.name_done) job.name_done(std::unexpected(error));
  if (job.ping_done) job.ping_done(std::unexpected(error));
  if (job.command_done) job.command_done(std::unexpected(error));
  if (job.radio_done) job.radio_done();
}

void Multiplexer::resolve(std::string host, std::move_only_function<void(Result<Addresses>)> done) {
  Job job{.kind = Job::Kind::Name, .text = std::move(host)};
  job.name_done = std::move(done);
  enqueue(std::move(job));
}

void Multiplexer::ping(std::uint32_t address, std::move_only_function<void(Result<async::Duration>)> done) {
  Job job{.kind = Job::Kind::Ping, .text = net::text(address), .address = address};
  job.ping_done = std::move(done);
  enqueue(std::move(job));
}

void Multiplexer::execute(std::string command,
                          std::move_only_function<void(Result<std::vector<std::string>>)> done) {
  Job job{.kind = Job::Kind::Command, .text = std::move(command)};
  job.command_done = std::move(done);
  enqueue(std::move(job));
}

void Multiplexer::refreshRadio(std::move_only_function<void()> done) {
  Job job{.kind = Job::Kind::Radio, .text = {}};
  job.radio_done = std::move(done);
  enqueue(std::move(job));
}

// Names and echoes are one at a time: their answers carry no tag.
std::optional<std::size_t> Multiplexer::runnableJob() const {
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    const auto kind = jobs_.at(i).kind;
    const bool blocked = (kind == Job::Kind::Name && name_) || (kind == Job::Kind::Ping && ping_) ||
                         (kind == Job::Kind::Command && (name_ || ping_));
    if (!blocked) return i;
  }
  return std::nullopt;
}

// Whoever asked is kept where linkLost() finds it: these coroutines may be destroyed at any of their awaits.
// And it is kept before the command is sent: what it answers may come right behind its OK.
async::Task<Result<void>> Multiplexer::performJob(Job job) {
  const auto value = at::quoted(job.text);
  if (!value) {
    fail(job, value.error());
    return nothingToDo();
  }
  switch (job.kind) {
    case Job::Kind::Name:
      return performName(std::move(job), *value);
    case Job::Kind::Ping:
      return performPing(std::move(job), *value);
    case Job::Kind::Command:
    case Job::Kind::Radio:
      break;
  }
  return performCommand(std::move(job));
}

async::Task<Result<void>> Multiplexer::nothingToDo() {
  co_return Result<void>();
}

async::Task<Result<void>> Multiplexer::performName(Job job, std::string host) {
  ++counters_.names;
  addresses_.clear();
  name_ = std::move(job);
  at::Command command("AT+QIDNSGIP=" + host, kQuestionDeadline, at::Command::Ending::Resolve);
  const auto reply = co_await module_->channel().execute(std::move(command));
  if (reply) {
    const Error late{ErrorKind::Timeout, "AT+QIDNSGIP", "no answer"};
    const bool answering = !name_ || !addresses_.empty();
    if (!answering) name_timer_.start(kNameDeadline, [this, late] { finishName(std::unexpected(late)); });
    co_return Result<void>();
  }
  finishName(std::unexpected(reply.error()));
  if (reply.error().kind == ErrorKind::Refused) co_return Result<void>();
  co_return co_await resync(reply.error());
}

async::Task<Result<void>> Multiplexer::performPing(Job job, std::string address) {
  ++counters_.pings;
  ping_ = std::move(job);
  at::Command command(fmt::format("AT+QPING={},{},1", address, kEchoSeconds), kQuestionDeadline);
  const auto reply = co_await module_->channel().execute(std::move(command));
  if (reply) {
    const Error late{ErrorKind::Timeout, "AT+QPING", "no reply"};
    const bool awaited = ping_ && ping_->ping_done;
    if (awaited) ping_timer_.start(kEchoDeadline, [this, late] { finishPing(std::unexpected(late)); });
    co_return Result<void>();
  }
  finishPing(std::unexpected(reply.error()));
  if (reply.error().kind == ErrorKind::Refused) co_return Result<void>();
  co_return co_await resync(reply.error());
}

async::Task<Result<void>> Multiplexer::performCommand(Job job) {
  running_ = std::move(job);
  if (running_->kind == Job::Kind::Radio) {
    co_await module_->refreshRadio();
    finishRunning(Lines());
    co_return Result<void>();
  }
  at::Command command(running_->text, kCommandDeadline, endingOf(running_->text), "*");
  auto reply = co_await module_->channel().execute(std::move(command));
  if (reply) {
    finishRunning(std::move(reply->lines));
    co_return Result<void>();
  }
  finishRunning(std::unexpected(reply.error()));
  if (reply.error().kind == ErrorKind::Refused) co_return Result<void>();
  co_return co_await resync(reply.error());
}

void Multiplexer::finishRunning(Result<Lines> result) {
  if (!running_) return;
  auto job = std::move(*running_);
  running_.reset();
  if (job.command_done) job.command_done(std::move(result));
  if (job.radio_done) job.radio_done();
}

void Multiplexer::onDnsUrc(const at::Urc& urc) {
  if (!name_) return;
  if (urc.kind == at::Urc::Kind::DnsError) {
    const auto kind = urc.value == kNoSuchHost ? ErrorKind::Invalid : ErrorKind::Refused;
    return finishName(std::unexpected(Error{kind, name_->text, fmt::format("ERROR: {}", urc.value)}));
  }
  if (addresses_.size() < kMaxAddresses) addresses_.push_back(urc.address);
  name_timer_.start(kNameQuiet, [this] { finishName(std::exchange(addresses_, {})); });
}

// "No such host" is an answer; so many questions in a row without one are a name server that is dead.
void Multiplexer::learnOfNames(const Result<Addresses>& result) {
  const bool answered = result || result.error().kind == ErrorKind::Invalid;
  if (!result && result.error().kind == ErrorKind::Closed) return;
  names_unanswered_ = answered ? 0 : names_unanswered_ + 1;
  if (answered) {
    names_dead_since_.reset();
  } else if (names_unanswered_ == kNamesDead) {
    names_dead_since_ = loop_.now();
    log::warning("trouble: names_dead: the network's name servers do not answer");
  }
}

// A question is its header, the name and its type; an answer repeats it, and has 16 bytes for each address.
void Multiplexer::countName(std::size_t name_length, std::size_t addresses) {
  constexpr std::size_t kAround = 12 + 2 + 4;
  constexpr std::size_t kRecord = 16;
  constexpr std::uint16_t kPort = 53;
  const std::size_t question = name_length + kAround;
  const std::size_t answer = addresses > 0 ? question + kRecord * addresses : 0;
  const Traffic traffic{0, module::Protocol::Udp, net::Endpoint{0, kPort}, question, answer};
  if (traffic_call_) traffic_call_(traffic);
}

void Multiplexer::finishName(Result<Addresses> result) {
  name_timer_.stop();
  if (module_ != nullptr) module_->channel().closeName();
  if (!name_) return;
  learnOfNames(result);
  auto job = std::move(*name_);
  name_.reset();
  countName(job.text.size(), result ? result->size() : 0);
  job.name_done(std::move(result));
  changed();
}

// +QPING: 0,<ip>,<bytes>,<ms>,<ttl> for a reply, 1 for none; 2,… as the summary behind either; 3 to 5 where
// it cannot be tried.
void Multiplexer::onPingUrc(const at::Urc& urc) {
  if (!ping_) return;
  const auto field = at::fields(urc.text, 8);
  const auto code = at::number<unsigned>(field[0]);
  if (code == 0u && field.size() >= 4) {
    const auto milliseconds = at::number<std::uint32_t>(field[3]);
    if (milliseconds) return tellPing(std::chrono::milliseconds(*milliseconds));
  }
  if (code == 0u) return;
  const Error none{ErrorKind::Timeout, "AT+QPING", "+QPING: " + urc.text};
  if (code == 1u) return tellPing(std::unexpected(none));
  finishPing(std::unexpected(none));
}

// Who asked need not wait for the summary, but the next one must: it would take that for its own answer.
void Multiplexer::tellPing(Result<async::Duration> result) {
  ping_timer_.start(kSummaryDeadline, [this] {
    finishPing(std::unexpected(Error{ErrorKind::Timeout, "AT+QPING", "no summary"}));
  });
  auto done = std::exchange(ping_->ping_done, nullptr);
  if (done) done(std::move(result));
}

void Multiplexer::finishPing(Result<async::Duration> result) {
  ping_timer_.stop();
  if (!ping_) return;
  auto job = std::move(*ping_);
  ping_.reset();
  if (job.ping_done) job.ping_done(std::move(result));
  changed();
}

}  // namespace qimux::bridge
