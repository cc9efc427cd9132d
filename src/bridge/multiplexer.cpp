#include "qimux/bridge/multiplexer.hpp"

#include "qimux/at/text.hpp"
#include "qimux/base/log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace qimux::bridge {
namespace {

using namespace std::chrono_literals;
using State = SessionState;

constexpr std::size_t kCountersCost = 56;
// A bulk flow's turn beside an interactive one: 64 ms instead of 130 at 115200 baud.
constexpr std::size_t kShortQuantum = 730;
// AT+QISACK may take this share of a busy line.
constexpr double kCountersShare = 0.02;
constexpr double kCountersBurst = 4.0 * kCountersCost;

Loss lossBy(const Error& error) {
  return Loss{at::answered(error) ? Cause::Stack : Cause::Silence, error};
}

bool isStateWord(std::string_view word) {
  constexpr std::array kWords{"CONNECTED", "INITIAL", "CONNECTING",    "CLOSE",
                              "CLOSED",    "CLOSING", "REMOTE CLOSING"};
  return std::ranges::find(kWords, word) != kWords.end();
}

void tellLost(const Session& session) {
  if (session.state() != State::Connected) return;
  const std::string slot = std::to_string(session.slot());
  log::write(log::Level::Info,
             fmt::format("socket {}: lost with the link, to {}", slot, net::text(session.remote())),
             {{"SOCKET", slot}});
}

bool holdsSlot(State state) {
  return state == State::Opening || state == State::Connected || state == State::Closing;
}

}  // namespace

class Multiplexer::Sweeper final : public async::Ready {
 public:
  explicit Sweeper(Multiplexer& owner) : owner_(owner) {}
  void run() override { owner_.sweep(); }

 private:
  Multiplexer& owner_;
};

Multiplexer::Multiplexer(async::Loop& loop, MultiplexerOptions options)
    : loop_(loop),
      options_(options),
      wake_(loop),
      pool_(options.pool),
      recovery_(loop),
      sweeper_(std::make_unique<Sweeper>(*this)),
      name_timer_(loop),
      ping_timer_(loop),
      counters_budget_(kCountersBurst),
      budget_at_(loop.now()) {}

Multiplexer::~Multiplexer() = default;

void Multiplexer::changed() {
  wake_.set();
  if (!sweeper_->linked()) loop_.enqueue(*sweeper_);
}

void Multiplexer::setKeepalive(LivenessRules rules, std::map<std::uint16_t, Bytes> probes) {
  new_keepalive_ = Keepalive{rules, std::move(probes)};
  if (!serving()) takeKeepalive();
  changed();
}

void Multiplexer::takeKeepalive() {
  if (!new_keepalive_) return;
  options_.session.liveness = new_keepalive_->rules;
  options_.session.probes = std::move(new_keepalive_->probes);
  new_keepalive_.reset();
}

bool Multiplexer::hasTurn() const {
  return serving() && !(asleep_until_ && loop_.now() < *asleep_until_ && !wake_.isSet());
}

// Destroys what has ended: from the loop, never from inside a session's own call.
void Multiplexer::sweep() {
  releaseSlots();
  std::size_t finishing = 0;
  Session* oldest = nullptr;
  for (auto it = sessions_.begin(); it != sessions_.end();) {
    Session& session = *it->second;
    if (session.state() == State::Ended) {
      counters_.datagrams_dropped += session.dropped();
      pool_.withdraw(it->first);
      it = sessions_.erase(it);
      continue;
    }
    if (session.state() == State::Finishing && ++finishing == 1) oldest = &session;
    ++it;
  }
  if (finishing <= options_.finishing) return;
  ++counters_.cut_short;
  static_cast<TcpSession*>(oldest)->cutShort();
}

void Multiplexer::releaseSlots() {
  for (int slot = 0; slot < module::kSockets; ++slot) {
    Session*& occupant = slots_.at(static_cast<std::size_t>(slot));
    if (occupant == nullptr || holdsSlot(occupant->state())) continue;
    occupant = nullptr;
    pool_.release(slot);
    wake_.set();
  }
}

bool Multiplexer::hasRoom(module::Protocol protocol) {
  const bool room = pool_.hasRoom(protocol);
  if (!room) ++counters_.queue_full;
  return room;
}

Result<void> Multiplexer::admit(Session& session) {
  if (pool_.enqueue(session.id(), session.remote().address, session.protocol())) return {};
  ++counters_.queue_full;
  return std::unexpected(Error{ErrorKind::Full, "connect queue", "has no room"});
}

Result<TcpSession*> Multiplexer::connect(net::Endpoint remote, TcpObserver& observer) {
  const SessionId id = next_id_++;
  auto session =
      std::make_unique<TcpSession>(loop_, options_.session, id, remote, observer, [this] { changed(); });
  if (const auto admitted = admit(*session); !admitted) return std::unexpected(admitted.error());
  TcpSession* raw = session.get();
  sessions_.emplace(id, std::move(session));
  changed();
  return raw;
}

Result<UdpSession*> Multiplexer::associate(net::Endpoint remote, UdpObserver& observer) {
  const SessionId id = next_id_++;
  auto session =
      std::make_unique<UdpSession>(loop_, options_.session, id, remote, observer, [this] { changed(); });
  if (const auto admitted = admit(*session); !admitted) return std::unexpected(admitted.error());
  UdpSession* raw = session.get();
  sessions_.emplace(id, std::move(session));
  changed();
  return raw;
}

std::uint64_t Multiplexer::unconfirmed() const {
  std::uint64_t sum = 0;
  for (const auto& [id, session] : sessions_) {
    if (session->protocol() != module::Protocol::Tcp) continue;
    sum += static_cast<const TcpSession&>(*session).unconfirmed();
  }
  return sum;
}

// The least recently used idle UDP association gives way to a waiter.
async::TimePoint Multiplexer::makeRoom(async::TimePoint now) {
  constexpr auto kNever = async::TimePoint::max();
  if (!pool_.starved(now)) return kNever;
  Session* first = nullptr;
  for (auto* session : slots_) {
    if (session == nullptr) continue;
    if (session->state() == State::Closing) return kNever;  // room is being made already
    if (first == nullptr || session->yieldsAt() < first->yieldsAt()) first = session;
  }
  if (first == nullptr || first->yieldsAt() > now) return first == nullptr ? kNever : first->yieldsAt();
  ++counters_.yielded;
  static_cast<UdpSession*>(first)->abandon();
  return kNever;
}

void Multiplexer::grantSlots(async::TimePoint now) {
  while (const auto grant = pool_.grant(now)) {
    Session& session = *sessions_.at(grant->id);
    if (session.state() != State::Waiting) {
      // Given up in this very turn: its sweeper is on its way.
      pool_.settled(grant->slot, true, now);
      pool_.release(grant->slot);
      continue;
    }
    slots_.at(static_cast<std::size_t>(grant->slot)) = &session;
    scheduler_.forget(Scheduler::sender(grant->slot));
    scheduler_.forget(Scheduler::reader(grant->slot));
    session.granted(grant->slot);
    counters_agree_.at(static_cast<std::size_t>(grant->slot)) = false;
  }
}

std::size_t Multiplexer::quantum(const Session& session, async::TimePoint now) const {
  const bool beside_interactive = std::ranges::any_of(slots_, [&](const Session* other) {
    return other != nullptr && other != &session && other->interactive(now);
  });
  return beside_interactive ? kShortQuantum : module::kMaxRead;
}

bool Multiplexer::mayAskCounters(async::TimePoint now) {
  const double elapsed = std::chrono::duration<double>(now - budget_at_).count();
  budget_at_ = now;
  counters_budget_ =
      std::min(kCountersBurst, counters_budget_ + elapsed * options_.line_rate * kCountersShare);
  return counters_budget_ >= kCountersCost;
}

// The open of that slot has run out of time.
void Multiplexer::noAnswer(int slot) {
  ++counters_.unreachable;
  pool_.settled(slot, false, loop_.now());
}

async::TimePoint Multiplexer::askedAt(const Session& session) const {
  return counters_asked_.at(static_cast<std::size_t>(session.slot()));
}

Multiplexer::Turn Multiplexer::chooseTurn() {
  const auto now = loop_.now();
  releaseSlots();
  Turn open, close, counters, check, idle;
  idle.until = makeRoom(now);
  if (!opens_held_) grantSlots(now);

  std::vector<Scheduler::Candidate> candidates;
  std::vector<Turn> bulk;
  for (auto* session : slots_) {
    if (session == nullptr) continue;
    const bool was_opening = session->state() == State::Opening;
    const Want want = session->want(now);
    if (!holdsSlot(session->state())) continue;
    if (was_opening && want.close) noAnswer(session->slot());
    idle.until = std::min(idle.until, want.next);
    if (want.close) close = Turn{Turn::Kind::Close, session};
    if (want.open && !opens_held_) open = Turn{Turn::Kind::Open, session};
    // Who was asked for longest ago: the budget must not go to one of them alone.
    if (want.acknowledged && (counters.session == nullptr || askedAt(*session) < askedAt(*counters.session)))
      counters = Turn{Turn::Kind::Counters, session};
    // The list of states and a name's answer cannot be told apart.
    if (want.check && !name_) check = Turn{Turn::Kind::Check, session};
    const std::size_t turn = quantum(*session, now);
    if (want.send > 0) {
      candidates.push_back({Scheduler::sender(session->slot()), std::min(want.send, turn) + kSendOverhead});
      bulk.push_back(Turn{Turn::Kind::Send, session});
    }
    if (want.read > 0) {
      candidates.push_back({Scheduler::reader(session->slot()), std::min(want.read, turn) + kReadOverhead});
      bulk.push_back(Turn{Turn::Kind::Read, session});
    }
    if (want.poll && want.read == 0) {
      candidates.push_back({Scheduler::reader(session->slot()), kReadOverhead});
      bulk.push_back(Turn{Turn::Kind::Read, session});
    }
  }
  if (close.session != nullptr) return close;
  if (open.session != nullptr) return open;
  if (runnableJob() && (!job_was_last_ || candidates.empty())) return Turn{Turn::Kind::Job, nullptr};
  if (counters.session != nullptr && (candidates.empty() || mayAskCounters(now))) return counters;
  // Rare, and what it decides keeps one of six sockets: before those that could go on for ever.
  if (check.session != nullptr) return check;
  if (const auto chosen = scheduler_.pick(candidates)) return bulk.at(*chosen);
  if (!name_) {
    if (now >= heartbeatAt()) return Turn{Turn::Kind::Heartbeat, nullptr};
    idle.until = std::min(idle.until, heartbeatAt());
  }
  return idle;
}

async::Task<Loss> Multiplexer::serve(module::Module& module) {
  assert(module_ == nullptr);
  module_ = &module;
  const bool another = escape_.meet(module.identity().imei + ' ' + module.identity().revision);
  if (another) {
    largest_send_ = module::kMaxSend;
    counters_work_ = false;
  }
  options_.session.packet_sizes = module.indication() == module::Indication::PerPacket;
  module.channel().takeEcho();
  changed();
  while (!lost_) {
    wake_.reset();
    takeKeepalive();
    const auto healthy = co_await keepInStep();
    if (!healthy && !lost_) lost_ = lossBy(healthy.error());
    if (lost_) break;
    const Turn turn = chooseTurn();
    if (turn.kind == Turn::Kind::Idle) {
      asleep_until_ = turn.until;
      co_await wake_.waitUntil(turn.until);
      asleep_until_.reset();
      continue;
    }
    job_was_last_ = turn.kind == Turn::Kind::Job;
    const auto done = co_await perform(turn);
    if (!done && !lost_) lost_ = lossBy(done.error());
  }
  co_return *lost_;
}

async::Task<Result<void>> Multiplexer::perform(Turn turn) {
  switch (turn.kind) {
    case Turn::Kind::Open:
      return performOpen(*turn.session);
    case Turn::Kind::Close:
      return performClose(*turn.session);
    case Turn::Kind::Counters:
      return performCounters(*turn.session);
    case Turn::Kind::Check:
      return performCheck(*turn.session);
    case Turn::Kind::Send:
      return performSend(*turn.session);
    case Turn::Kind::Read:
      return performRead(*turn.session);
    case Turn::Kind::Heartbeat:
      return performHeartbeat();
    case Turn::Kind::Job:
    case Turn::Kind::Idle:
      break;
  }
  const auto place = jobs_.begin() + static_cast<std::ptrdiff_t>(*runnableJob());
  Job job = std::move(*place);
  jobs_.erase(place);
  return performJob(std::move(job));
}

async::Task<Result<module::StackState>> Multiplexer::lookAtStack() {
  auto told = co_await module_->sockets().state();
  if (told && told->state == "PDP DEACT" && !lost_) {
    setLost(Cause::Context, "PDP context", "is gone, says AT+QISTATE");
  }
  if (!told && at::answered(told.error()) && !lost_) {
    const auto forgotten = co_await hasForgotten();
    if (!forgotten) co_return std::unexpected(forgotten.error());
    if (*forgotten) setLost(Cause::Started, "module", "it has started anew, and RDY was not heard");
  }
  co_return told;
}

async::Task<Result<void>> Multiplexer::performOpen(Session& session) {
  const int slot = session.slot();
  const SessionId id = session.id();
  const auto remote = session.remote();
  session.openSent(loop_.now() + options_.session.connect_timeout);
  const auto done = co_await module_->sockets().open(slot, session.protocol(), remote.address, remote.port);
  if (done) co_return done;
  if (!at::answered(done.error())) {
    auto again = co_await resync(done.error());
    if (!again || lost_) co_return again;
  } else if (!name_) {
    // For its own sake, or because context or module are not what they were: then it waits for them to
    // return.
    const auto stack = co_await lookAtStack();
    if (!stack && !at::answered(stack.error())) {
      auto again = co_await resync(stack.error());
      if (!again) co_return again;
    }
    if (lost_) co_return Result<void>();
  }
  if (!holds(slot, id)) co_return Result<void>();
  log::write(log::Level::Warning, fmt::format("socket {}: {}", slot, done.error().text()),
             {{"SOCKET", std::to_string(slot)}});
  ++counters_.unreachable;
  pool_.settled(slot, true, loop_.now());
  session.failed(Failure::Unreachable);
  co_return Result<void>();
}

// The session first: it is told at once, and without it the slot is free when the module has closed it.
async::Task<Result<void>> Multiplexer::dropSocket(Session& session, std::string why) {
  const int slot = session.slot();
  recovery_.begin(RecoveryStep::CloseSocket,
                  fmt::format("socket {} to {}: {}", slot, net::text(session.remote()), why));
  session.lost();
  auto closed = co_await closeSurely(slot);
  recovery_.end(closed);
  co_return closed;
}

async::Task<Result<void>> Multiplexer::performClose(Session& session) {
  const int slot = session.slot();
  const SessionId id = session.id();
  if (session.foundDead()) {
    ++counters_.dead;
    recovery_.begin(RecoveryStep::CloseSocket,
                    fmt::format("socket {}: nothing that was sent to {} is acknowledged any more: the "
                                "connection is dead, and reset",
                                slot, net::text(session.remote())));
  }
  auto done = co_await closeSurely(slot);
  recovery_.end(done);
  if (!done || !holds(slot, id)) co_return done;
  if (session.state() == State::Closing) session.closed();
  if (session.state() == State::Waiting && !admit(session)) session.failed(Failure::NoSlot);
  changed();
  co_return Result<void>();
}

async::Task<Result<void>> Multiplexer::performCounters(Session& session) {
  const auto& line = module_->channel().counters();
  const std::uint64_t before = line.bytes_in + line.bytes_out;
  ++counters_.acknowledge_queries;
  counters_asked_.at(static_cast<std::size_t>(session.slot())) = loop_.now();
  auto told = co_await module_->sockets().acknowledged(session.slot());
  // Digits can be lost so that the rest still adds up: what is said twice is meant.
  if (told && told->sent != session.sentByModule()) {
    told = co_await module_->sockets().acknowledged(session.slot());
  }
  const std::uint64_t cost = line.bytes_in + line.bytes_out - before;
  counters_.acknowledge_bytes += cost;
  counters_budget_ -= static_cast<double>(cost);
  if (!told) {
    if (!at::answered(told.error())) co_return co_await resync(told.error());
    static_cast<TcpSession&>(session).countersRefused(counters_work_);
    co_return Result<void>();
  }
  bool& agree = counters_agree_.at(static_cast<std::size_t>(session.slot()));
  const bool all = told->sent == session.sentByModule();
  if (agree && !all) co_return co_await giveUpSpoiled(session, "the module has not sent what it was given");
  agree = agree || all;
  counters_work_ = counters_work_ || all;
  session.counters(*told);
  co_return Result<void>();
}

async::Task<Result<void>> Multiplexer::performCheck(Session& session) {
  const int slot = session.slot();
  const auto told = co_await lookAtStack();
  if (lost_) co_return Result<void>();
  if (told) {
    const auto& socket = told->sockets.at(static_cast<std::size_t>(slot));
    if (!isStateWord(socket.state) && std::exchange(unclear_state_, socket.state) != socket.state) {
      // Damaged on the way; but what is said twice is a word that this firmware has.
      const Error garbled{ErrorKind::Garbled, "AT+QISTATE", "socket is " + socket.state};
      co_return co_await resync(garbled);
    }
    session.checked(socket.connected());
    co_return Result<void>();
  }
  if (!at::answered(told.error())) co_return co_await resync(told.error());
  if (session.endHeard()) {
    session.checked(false);
    co_return Result<void>();
  }
  // A module that has forgotten AT+QIMUX=1 refuses it: it has started anew, and what was in the socket is
  // lost.
  auto dropped = co_await dropSocket(session, "AT+QISTATE is refused");
  co_return dropped;
}

async::TimePoint Multiplexer::heartbeatAt() const {
  return module_->channel().lastHeard() + options_.heartbeat;
}

// A module that answers lives; and what it answers tells whether it is still the one that was brought up.
async::Task<Result<void>> Multiplexer::performHeartbeat() {
  const auto told = co_await lookAtStack();
  if (lost_) co_return Result<void>();
  if (!told && !at::answered(told.error())) co_return co_await resync(told.error());
  if (module_->reportsRegistration()) co_return Result<void>();
  const auto asked = co_await module_->refreshRegistration();
  if (!asked) co_return co_await resync(asked.error());
  if (registration_call_) registration_call_();
  co_return Result<void>();
}

// The slot whose open is awaited, where it is the only one; else -1. Some firmware does not say whose open it
// refuses.
int Multiplexer::onlyOpening() const {
  const auto awaits = [](const Session* session) {
    return session != nullptr && session->state() == State::Opening && session->openSent();
  };
  if (std::ranges::count_if(slots_, awaits) != 1) return -1;
  return static_cast<int>(std::ranges::find_if(slots_, awaits) - slots_.begin());
}

void Multiplexer::onUrc(const at::Urc& urc) {
  using Kind = at::Urc::Kind;
  const int index = urc.kind == Kind::AlreadyConnect && urc.index < 0 ? onlyOpening() : urc.index;
  Session* session = index >= 0 ? slots_.at(static_cast<std::size_t>(index)) : nullptr;
  switch (urc.kind) {
    case Kind::ConnectOk:
      if (session == nullptr || !session->openSent()) break;
      pool_.settled(urc.index, true, loop_.now());
      if (session->state() == State::Opening) ++counters_.opened;
      session->connected();
      break;
    case Kind::ConnectFail:
    case Kind::AlreadyConnect:
      if (session == nullptr || !session->openSent()) break;
      pool_.settled(index, true, loop_.now());
      if (session->state() == State::Opening) ++counters_.refused;
      session->failed(urc.kind == Kind::ConnectFail ? Failure::Refused : Failure::Unreachable);
      break;
    case Kind::Closed:
      if (session != nullptr) session->remoteClosed();
      break;
    case Kind::DataArrived:
      if (session == nullptr || urc.role != 1) break;
      if (urc.backlog) {
        session->arrived(urc.backlog->newest, urc.backlog->total);
      } else {
        session->arrived(std::nullopt, std::nullopt);
      }
      break;
    case Kind::PdpDeact:
      setLost(Cause::Context, "PDP context", "+PDP DEACT");
      break;
    case Kind::Ready:
      setLost(Cause::Started, "module", "it has started anew (RDY)");
      break;
    case Kind::PowerDown:
      setLost(Cause::PowerDown, "module", urc.text);
      break;
    case Kind::Pushed:
      setLost(Cause::Started, "module", "it pushes data: its settings are gone");
      break;
    case Kind::SimState:
      // "NOT READY" and "NOT INSERTED": it was pulled out, or has no contact.
      if (urc.text.starts_with("NOT ")) setLost(Cause::Sim, "SIM", "is " + urc.text);
      break;
    case Kind::DnsAddress:
    case Kind::DnsError:
      onDnsUrc(urc);
      break;
    case Kind::Ping:
      onPingUrc(urc);
      break;
    default:
      break;
  }
  changed();
}

// What is heard first is what has happened: RDY behind a POWER DOWN is not news.
void Multiplexer::setLost(Cause cause, std::string what, std::string how) {
  endServing(Loss{cause, Error{ErrorKind::Closed, std::move(what), std::move(how)}});
}

void Multiplexer::endServing(Loss loss) {
  if (!lost_) lost_ = std::move(loss);
  changed();
}

void Multiplexer::holdOpens(bool hold) {
  opens_held_ = hold;
  changed();
}

void Multiplexer::linkLost() {
  module_ = nullptr;
  asleep_until_.reset();
  lost_.reset();
  opens_held_ = false;
  names_dead_since_.reset();
  names_unanswered_ = 0;
  const Error error{ErrorKind::Closed, "link", "was lost"};
  for (auto* session : slots_) {
    if (session == nullptr) continue;
    tellLost(*session);
    session->lost();
    if (session->state() == State::Waiting && !admit(*session)) session->failed(Failure::NoSlot);
  }
  // An open that was pending is nobody's fault.
  for (int slot = 0; slot < module::kSockets; ++slot) pool_.settled(slot, true, loop_.now());
  releaseSlots();
  finishName(std::unexpected(error));
  finishPing(std::unexpected(error));
  finishRunning(std::unexpected(error));
  while (!jobs_.empty()) {
    fail(jobs_.front(), error);
    jobs_.pop_front();
  }
  changed();
}

}  // namespace qimux::bridge
