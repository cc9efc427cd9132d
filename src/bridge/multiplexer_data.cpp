// The part of Multiplexer that moves payload, and finds out what has become of it where the module did not
// say.
#include "qimux/base/log.hpp"
#include "qimux/bridge/multiplexer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace qimux::bridge {

using State = SessionState;

void Multiplexer::countSent(const Session& session, std::size_t size) {
  counters_.bytes_sent += size;
  const Traffic traffic{session.id(), session.protocol(), session.remote(), size, 0};
  if (traffic_call_) traffic_call_(traffic);
}

void Multiplexer::countReceived(const Session& session, std::size_t size) {
  counters_.bytes_received += size;
  const Traffic traffic{session.id(), session.protocol(), session.remote(), 0, size};
  if (traffic_call_ && size > 0) traffic_call_(traffic);
}

// How much of what a session wants to send this module takes in one turn; nothing where it never will.
ByteView Multiplexer::sendable(const Session& session, ByteView payload) const {
  if (session.protocol() == module::Protocol::Tcp) {
    return payload.first(std::min(escape_.streamPart(payload), largest_send_));
  }
  const bool may_go = payload.size() <= largest_send_ && escape_.datagramMayGo(payload);
  return may_go ? payload : ByteView{};
}

async::Task<Result<void>> Multiplexer::performSend(Session& session) {
  const int slot = session.slot();
  const ByteView wanted = session.payload(quantum(session, loop_.now()));
  if (wanted.empty()) co_return Result<void>();
  const ByteView payload = sendable(session, wanted);
  if (payload.empty()) {
    auto refused = co_await refuseToSend(session);
    co_return refused;
  }
  const std::size_t size = payload.size();
  last_sender_ = slot;
  last_sender_id_ = session.id();
  const auto done = co_await module_->sockets().send(slot, payload);
  scheduler_.charge(Scheduler::sender(slot), size + kSendOverhead);
  if (done) {
    learnEscape(payload, true, true);
    countSent(session, size);
    session.sendDone(size);
    co_return done;
  }
  switch (done.error().kind) {
    case ErrorKind::Full:
      ++counters_.send_fail;
      session.sendFull();
      co_return Result<void>();
    case ErrorKind::Refused:
      if (size == module::kMaxSend && largest_send_ == size) {
        // The manuals say "at most 1460" and "less than 1460": the next try shows which it is.
        largest_send_ = size - 1;
        co_return Result<void>();
      }
      // Not connected, it says. If the far end has closed, what it sent before is still to be read.
      session.remoteClosed();
      co_return Result<void>();
    default:
      break;
  }
  auto settled = co_await settleSend(session, payload, done.error());
  co_return settled;
}

void Multiplexer::learnEscape(ByteView payload, bool taken, bool said_so) {
  const auto before = escape_.meaning();
  if (taken) {
    escape_.taken(payload);
  } else {
    escape_.cancelled(payload, said_so);
  }
  if (escape_.meaning() == before) return;
  if (escape_.meaning() == EscapeRule::Meaning::Cancels) {
    log::warning("module: ESC (0x1b) cancels a send: what contains it cannot be sent through this module");
  } else {
    log::info("module: ESC (0x1b) in a send is data");
  }
}

// The next byte of the stream is one that this module cannot send; or the datagram has such a byte, or is too
// long for it.
async::Task<Result<void>> Multiplexer::refuseToSend(Session& session) {
  const int slot = session.slot();
  ++counters_.unsendable;
  session.unsendable();
  if (session.protocol() == module::Protocol::Udp) co_return Result<void>();
  log::warning(
      fmt::format("socket {}: the next byte is ESC, which this module cannot send: the connection "
                  "is reset",
                  slot));
  auto closed = co_await closeSurely(slot);
  co_return closed;
}

// No word of how a send ended: AT+QISACK tells whether the module has it. Nothing is sent twice on a guess.
async::Task<Result<void>> Multiplexer::settleSend(Session& session, ByteView payload, Error problem) {
  const int slot = session.slot();
  const std::size_t size = payload.size();
  const SessionId id = session.id();
  const bool cancelled = problem.kind == ErrorKind::Cancelled;
  const auto spoiled = co_await makeSure(problem);
  if (!spoiled) co_return std::unexpected(spoiled.error());
  if (lost_ || !holds(slot, id)) co_return Result<void>();
  if (session.protocol() == module::Protocol::Udp) {
    if (cancelled) learnEscape(payload, false, true);
    // Sent or lost: either is UDP.
    countSent(session, size);
    session.sendDone(size);
    co_return Result<void>();
  }
  if (session.state() != State::Connected) co_return Result<void>();
  const auto told = co_await module_->sockets().acknowledged(slot);
  const bool clean = told && !*spoiled;
  // Without a prompt nothing was written: what has gone out then is what made sure of the module.
  const bool written = module_->channel().payloadWritten();
  if (clean && written && told->sent == session.sentByModule() + size) {
    ++counters_.sends_settled;
    learnEscape(payload, true, true);
    countSent(session, size);
    session.sendDone(size);
  } else if (clean && told->sent == session.sentByModule()) {
    ++counters_.sends_settled;
    learnEscape(payload, false, cancelled);
    session.sendFull();
  } else {
    auto dropped = co_await giveUpSpoiled(session, "bytes of unknown fate were sent");
    co_return dropped;
  }
  co_return Result<void>();
}

async::Task<Result<void>> Multiplexer::performRead(Session& session) {
  const int slot = session.slot();
  const SessionId id = session.id();
  const std::size_t most = session.readSize(quantum(session, loop_.now()));
  // A datagram may come from elsewhere; a stream's far end is one.
  std::string from =
      session.protocol() == module::Protocol::Tcp ? net::text(session.remote()) : std::string();
  auto data = co_await module_->sockets().read(slot, most, std::move(from));
  if (!data) {
    if (data.error().kind == ErrorKind::Refused) {
      session.readRefused();
      co_return Result<void>();
    }
    // What the module had begun to hand over is gone, and with it the stream. Perhaps it was another's.
    auto again = co_await resync(data.error());
    if (!again || lost_) co_return again;
    auto others = co_await dropByHeader(data.error().reply);
    if (!others || !holds(slot, id)) co_return others;
    auto dropped = co_await giveUpSpoiled(session, "an answer with data was lost");
    co_return dropped;
  }
  scheduler_.charge(Scheduler::reader(slot), data->size() + kReadOverhead);
  if (data->empty()) ++counters_.empty_reads;
  countReceived(session, data->size());
  session.readDone(std::move(*data));
  co_return Result<void>();
}

}  // namespace qimux::bridge
