// The part of Multiplexer that is needed when an answer was lost, or was not what it should have been: makes
// sure of the module, and gives up what was lost, and nothing else.
#include "qimux/at/text.hpp"
#include "qimux/base/log.hpp"
#include "qimux/bridge/multiplexer.hpp"

#include <utility>

namespace qimux::bridge {
namespace {

using namespace std::chrono_literals;

// A module that says nothing for so long is taken for lost, with all its connections; one that comes back
// before works off what it was told meanwhile, and they go on.
constexpr int kQuickKnocks = 8;
constexpr auto kSilencePatience = 30s;
// Of one command, with a resynchronisation behind each; then the module has lost its senses.
constexpr int kAttempts = 3;
constexpr auto kQuestionDeadline = 5s;

}  // namespace

bool Multiplexer::holds(int slot, SessionId id) const {
  const Session* session = slots_.at(static_cast<std::size_t>(slot));
  return session != nullptr && session->id() == id && session->slot() == slot;
}

async::Task<Result<void>> Multiplexer::keepInStep() {
  if (module_->channel().inDoubt()) {
    const Error why{ErrorKind::Garbled, "AT", "the channel is out of step"};
    co_return co_await resync(why);
  }
  if (module_->channel().takeEcho()) co_return co_await switchEchoOff();
  co_return Result<void>();
}

async::Task<Result<at::Channel::Resynced>> Multiplexer::knock(Error why) {
  ++counters_.resyncs;
  recovery_.begin(RecoveryStep::Resync, why.text());
  auto synced = co_await module_->channel().resync(kQuickKnocks, kSilencePatience);
  Result<void> outcome;
  if (!synced) outcome = std::unexpected(synced.error());
  recovery_.end(outcome);
  co_return synced;
}

async::Task<Result<void>> Multiplexer::resync(Error why) {
  const auto spoiled = co_await makeSure(std::move(why));
  if (!spoiled) co_return std::unexpected(spoiled.error());
  const bool to_be_dropped = *spoiled && !lost_ && last_sender_ >= 0 && holds(last_sender_, last_sender_id_);
  if (!to_be_dropped) co_return Result<void>();
  Session& sender = *slots_.at(static_cast<std::size_t>(last_sender_));
  auto dropped = co_await giveUpSpoiled(sender, "the module took something else for its bytes");
  co_return dropped;
}

async::Task<Result<bool>> Multiplexer::makeSure(Error why) {
  bool spoiled = false;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    // RDY has ended the command: there is nothing to be sure of.
    if (why.kind == ErrorKind::Closed) setLost(Cause::Started, "module", "it has started anew (RDY)");
    if (lost_) co_return spoiled;
    const auto synced = co_await knock(why);
    if (!synced) co_return std::unexpected(synced.error());
    spoiled |= synced->payload_spoiled;
    // What has fallen silent may have started anew, and RDY may have been lost with the rest.
    const auto forgotten = co_await hasForgotten();
    if (!forgotten) {
      why = forgotten.error();
      continue;
    }
    if (*forgotten) setLost(Cause::Started, "module", "it has started anew, and RDY was not heard");
    if (lost_) co_return spoiled;
    const auto dropped = co_await dropStrayBlocks();
    if (!dropped) co_return std::unexpected(dropped.error());
    co_return spoiled;
  }
  co_return std::unexpected(why);
}

// Without AT+QIMUX=1, which it had when it came up, AT+QISTATE is an error.
async::Task<Result<bool>> Multiplexer::hasForgotten() {
  at::Command question("AT+QIMUX?", kQuestionDeadline, at::Command::Ending::Ok, "+QIMUX:");
  const auto reply = co_await module_->channel().execute(std::move(question));
  if (!reply && !at::answered(reply.error())) co_return std::unexpected(reply.error());
  co_return reply && !reply->lines.empty() && at::trim(reply->lines.front()).ends_with('0');
}

async::Task<Result<void>> Multiplexer::dropStrayBlocks() {
  const auto headers = module_->channel().takeStrayBlocks();
  for (const auto& header : headers) {
    const auto dropped = co_await dropByHeader(header);
    if (!dropped) co_return dropped;
  }
  co_return Result<void>();
}

async::Task<Result<void>> Multiplexer::dropByHeader(std::string header) {
  const auto rest = at::after(header, "+QIRD:");
  if (!rest) co_return Result<void>();
  const std::string from(at::fields(*rest, 1).front());
  for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
    Session* session = slots_.at(slot);
    if (session == nullptr || session->state() != SessionState::Connected) continue;
    if (net::text(session->remote()) != from) continue;
    const auto dropped = co_await giveUpSpoiled(*session, "bytes of it went astray");
    if (!dropped) co_return dropped;
  }
  co_return Result<void>();
}

async::Task<Result<void>> Multiplexer::giveUpSpoiled(Session& session, std::string why) {
  ++counters_.spoiled;
  auto dropped = co_await dropSocket(session, std::move(why));
  co_return dropped;
}

async::Task<Result<void>> Multiplexer::closeSurely(int slot) {
  for (int attempt = 0;; ++attempt) {
    auto closed = co_await module_->sockets().close(slot);
    if (closed || at::answered(closed.error()) || attempt == kAttempts) co_return closed;
    const auto synced = co_await knock(closed.error());
    if (!synced) co_return std::unexpected(synced.error());
  }
}

// Somebody has switched it on, or the module has started anew unheard. It costs time on the line, and nothing
// else.
async::Task<Result<void>> Multiplexer::switchEchoOff() {
  ++counters_.echoes;
  log::notice("module: the echo is on again, and switched off");
  at::Command off("ATE0", kQuestionDeadline);
  const auto done = co_await module_->channel().execute(std::move(off));
  module_->channel().takeEcho();
  if (!done && !at::answered(done.error())) co_return co_await resync(done.error());
  const auto forgotten = co_await hasForgotten();
  if (!forgotten) co_return co_await resync(forgotten.error());
  if (*forgotten) setLost(Cause::Started, "module", "it has started anew: its settings are gone");
  co_return Result<void>();
}

}  // namespace qimux::bridge
