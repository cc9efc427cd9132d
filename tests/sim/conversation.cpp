#include "sim/conversation.hpp"

#include <fmt/format.h>

#include <utility>

namespace qimux::simtest {

void fit(ConversationPlan& plan, int id) {
  ProgramPlan& program = plan.program;
  PeerPlan& peer = plan.peer;
  program.up_stream = static_cast<StreamId>(id) * 2;
  program.down_stream = program.up_stream + 1;
  if (peer.kind == PeerKind::Echo) {
    program.down_stream = program.up_stream;
    program.down_total = program.up_total;
  }
  if (peer.kind == PeerKind::Answer) {
    program.down_total = program.up_total / program.request * program.response;
    peer.request = program.request;
    peer.response = program.response;
  }
  peer.up_stream = program.up_stream;
  peer.down_stream = program.down_stream;
  peer.up_total = program.up_total;
  peer.down_total = program.down_total;
}

Conversation::Conversation(World& world, int id, const ConversationPlan& plan, std::uint64_t seed)
    : world_(world),
      id_(id),
      plan_(plan),
      program_(world.loop(), plan.program, seed, [this](const std::string& what) { wrong(what); }),
      handshake_(world.loop()),
      patience_(world.loop()) {
  const sim::Options& module = world.options().module;
  discards_ = module.quirks.has(sim::Quirk::ClosedDiscards) && module.firmware != sim::Firmware::Mc60;
  if (plan_.refused) return;
  world.network().serveTcp(simEndpoint(endpointOf(id)), [this, seed] {
    return std::make_unique<Peer>(world_.loop(), plan_.peer, seed + 1, record_,
                                  [this](const std::string& what) { wrong(what); });
  });
}

void Conversation::wrong(const std::string& what) {
  world_.violation(fmt::format("tcp {}: {}; {}", id_, what, summary()));
}

std::string Conversation::summary() const {
  return fmt::format(
      "program ({}) wrote {} of {}, read {} of {}{}{}{}{}{}; taken {}, acknowledged {}{}; far end ({}) "
      "received "
      "{}, sent {}{}{}{}{}",
      name(plan_.program.end), program_.written(), plan_.program.up_total, program_.read(),
      plan_.program.down_total, program_.halfClosed() ? ", half-closed" : "",
      program_.sawEnd() ? ", saw the end" : "", program_.sawReset() ? ", saw a reset" : "",
      program_.gaveUp() ? ", gave up" : "", program_.over() ? "" : ", still there", taken_, acknowledged_,
      failure_ ? fmt::format(", failed: {}", name(*failure_)) : "", name(plan_.peer.end), record_.received,
      record_.sent, record_.closed ? ", closed" : "", record_.reset ? ", reset" : "",
      record_.ended ? ", saw the end" : "", record_.ended_reset ? " as a reset" : "");
}

void Conversation::start() {
  started_ = true;
  world_.note(fmt::format("tcp {}: connects to {}", id_, net::text(endpointOf(id_))));
  auto session = world_.multiplexer().connect(endpointOf(id_), *this);
  if (!session) {
    failure_ = bridge::Failure::NoSlot;
    return lastCall();
  }
  session_ = *session;
  if (plan_.abandon_after) patience_.start(*plan_.abandon_after, [this] { abandon(); });
}

void Conversation::abandon() {
  if (connected_ || session_ == nullptr) return;
  world_.note(fmt::format("tcp {}: waits no longer", id_));
  abandoned_ = true;
  session_over_ = true;
  std::exchange(session_, nullptr)->abandon();
}

void Conversation::lastCall() {
  if (session_over_) wrong("a call after the last one");
  session_ = nullptr;
  session_over_ = true;
}

void Conversation::connected() {
  if (session_over_ || connected_) wrong("connected, again or after the end");
  if (plan_.refused) wrong("connected to nobody");
  connected_ = true;
  connected_at_ = world_.loop().now();
  handshake_.start(plan_.handshake, [this] { attach(); });
}

void Conversation::attach() {
  // The connection was lost during the handshake: the program gets a reset for it, and never was there.
  if (session_ == nullptr) return;
  attached_ = true;
  program_.begin();
  session_->attach(program_.conduit().open());
}

void Conversation::failed(bridge::Failure failure) {
  if (connected_) wrong("failed after it was connected");
  failure_ = failure;
  lastCall();
}

void Conversation::taken(std::uint64_t bytes) {
  if (bytes <= taken_ || bytes > program_.written()) wrong(fmt::format("taken says {}", bytes));
  taken_ = bytes;
}

void Conversation::acknowledged(std::uint64_t bytes) {
  if (bytes <= acknowledged_ || bytes > taken_) wrong(fmt::format("acknowledged says {}", bytes));
  acknowledged_ = bytes;
  // After a reset nobody can tell any more what had arrived before it.
  if (bytes > record_.received && !record_.reset) {
    wrong(fmt::format("{} bytes are shown as acknowledged, the far end has {}", bytes, record_.received));
  }
}

void Conversation::released() {
  if (acknowledged_ != taken_) wrong("released with unacknowledged bytes");
  if (record_.received < taken_ && !record_.reset) wrong("released before the far end has all");
}

void Conversation::ended() {
  world_.note(fmt::format("tcp {}: ended; {}", id_, summary()));
  lastCall();
}

void Conversation::judge(Weather weather) {
  if (abandoned_) return;
  if (!connected_ || failure_) return judgeFailure(weather);
  if (!attached_) {
    if (weather != Weather::Stormy) wrong("lost before the program had it");
    return;
  }
  judgeUp(weather);
  judgeDown(weather);
}

void Conversation::judgeFailure(Weather weather) {
  if (!failure_) return wrong("ended without a connection and without a failure");
  if (plan_.refused && *failure_ == bridge::Failure::Refused) return;
  if (weather == Weather::Fair) wrong("could not connect");
}

void Conversation::judgeUp(Weather weather) {
  const bool whole = record_.received == program_.written() && !record_.spoiled;
  // A clean end is a promise, whatever the weather; but a far end that closes first need not have heard all.
  if (clean() && !whole && !record_.closed && !record_.reset && !cut_)
    wrong("the program saw a clean end, and the far end has not got all");
  // A program that is gone answers what still comes with a reset, and so cuts off its own last words.
  const bool cut_off = plan_.program.end == ProgramEnd::CloseAfterWrite && plan_.program.down_total > 0;
  const bool undisturbed = !program_.gaveUp() && !record_.closed && !record_.reset && !cut_off;
  if (weather == Weather::Stormy || !undisturbed) return;
  if (program_.sawReset()) wrong("the program got a reset that nobody sent");
  if (!whole) wrong("the far end has not got all");
}

void Conversation::judgeDown(Weather weather) {
  if (clean() && !program_.halfClosed() && !cut_) {
    if (!record_.closed && !record_.reset) wrong("the program saw an end that nobody made");
    if (record_.closed && program_.read() != record_.sent && !discards_)
      wrong("the program saw a clean end too early");
  }
  const bool reads_all = !program_.gaveUp() && plan_.program.end != ProgramEnd::CloseAfterWrite;
  if (weather == Weather::Stormy || !reads_all || record_.reset || discards_) return;
  // Also a reset because of its own unsent bytes comes behind what the far end has sent.
  const std::uint64_t due = record_.closed ? record_.sent : plan_.program.down_total;
  if (program_.read() < due && plan_.program.end != ProgramEnd::AfterAll)
    wrong("the program has not got all");
  if (program_.read() < due && program_.sawEnd()) wrong("the program has not got all before the end");
}

}  // namespace qimux::simtest
