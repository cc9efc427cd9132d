#include "qimux/sim/stack.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace qimux::sim {
namespace {

// What an operator hands out at an activation.
constexpr Ipv4 kPrimaryDns{0xd38812ab};
constexpr Ipv4 kSecondaryDns{0xd3887032};
// A name server that does not answer.
constexpr auto kNameServerPatience = std::chrono::seconds(14);

}  // namespace

std::string_view name(SlotState state) {
  switch (state) {
    case SlotState::Initial:
      return "INITIAL";
    case SlotState::Connecting:
      return "CONNECTING";
    case SlotState::Connected:
      return "CONNECTED";
    case SlotState::Close:
      return "CLOSE";
  }
  return "INITIAL";
}

Stack::Stack(async::Loop& loop, const Options& options, Timing& timing, Network& network,
             Transcript& transcript, Terminal& terminal, Cell& cell, const Settings& settings,
             SessionEvents& session)
    : loop_(loop),
      options_(options),
      timing_(timing),
      network_(network),
      transcript_(transcript),
      terminal_(terminal),
      cell_(cell),
      settings_(settings),
      session_(session),
      air_(loop, options),
      later_(loop),
      push_again_(loop),
      alive_(std::make_shared<int>(0)) {
  const auto make = [this](Role role, int context, int index) {
    return slots_.emplace_back(std::make_unique<Slot>(loop_, role, context, index)).get();
  };
  for (int index = 0; index < kSockets; ++index) {
    clients_[static_cast<std::size_t>(index)] = make(Role::Client, 0, index);
  }
  for (int context = 0; context < kContexts; ++context) {
    const auto at = static_cast<std::size_t>(context);
    contexts_[at] = std::make_unique<Context>(loop);
    servers_[at] = std::make_unique<Server>(static_cast<ServerEvents&>(*this), context);
    singles_[at] = make(Role::Client, context, 0);
    for (int index = 0; index < kAccepted; ++index) {
      accepted_[at][static_cast<std::size_t>(index)] = make(Role::Server, context, index);
    }
  }
}

Stack::~Stack() = default;

bool Stack::anyActive() const {
  return std::ranges::any_of(contexts_, [](const auto& one) { return one->state != StackState::Initial; });
}

bool Stack::lineTaken() const {
  return std::ranges::any_of(slots_, [](const auto& one) { return one->transparent && one->used(); });
}

Slot& Stack::accepted(int context, int index) {
  return *accepted_[static_cast<std::size_t>(context)][static_cast<std::size_t>(index)];
}

Slot* Stack::addressed(std::optional<long> index) {
  if (index.has_value() != foreground().mux) return nullptr;
  if (settings_.role == Role::Server) {
    if (index.value_or(0) >= kAccepted) return nullptr;
    return &accepted(foregroundIndex(), static_cast<int>(index.value_or(0)));
  }
  if (!index) {
    // The one session of transparent mode needs no AT+QISRVC (application note 4.2).
    Slot& session = accepted(foregroundIndex(), 0);
    return foreground().transparent && session.used() ? &session : &single();
  }
  if (*index >= kSockets) return nullptr;
  return &client(static_cast<int>(*index));
}

Slot* Stack::named(int context, Role role, int index) {
  if (role == Role::Server) return index < kAccepted ? &accepted(context, index) : nullptr;
  if (contexts_[static_cast<std::size_t>(context)]->mux) {
    Slot& slot = client(index);
    return slot.context == context ? &slot : nullptr;
  }
  return index == 0 ? singles_[static_cast<std::size_t>(context)] : nullptr;
}

Slot* Stack::find(std::string_view word) {
  const bool server = word.starts_with('s');
  if (server) word.remove_prefix(1);
  if (word.size() != 1 || word[0] < '0' || word[0] >= '0' + (server ? kAccepted : kSockets)) return nullptr;
  const int index = word[0] - '0';
  if (server) return &accepted(foregroundIndex(), index);
  return index == 0 && !foreground().mux ? &single() : &client(index);
}

void Stack::activate(Activated done) {
  Context& context = foreground();
  if (isActive(context.state)) {
    done(true);
    return;
  }
  context.waiting.push_back(std::move(done));
  if (context.waiting.size() > 1) return;
  context.state = StackState::Config;
  const async::Duration time = timing_.of("+QIACT");
  context.timer.start(time / 2, [this, &context, time] {
    context.state = StackState::Ind;
    context.timer.start(time - time / 2, [this, &context] { activationEnds(context); });
  });
}

void Stack::activationEnds(Context& context) {
  const bool spoiled = spoiled_.failing_activations > 0;
  if (spoiled) --spoiled_.failing_activations;
  const auto& known = options_.access_points;
  const std::string& access = settings_.access[0];
  const bool good = known.empty() || std::ranges::find(known, access) != known.end();
  transcript_.note(fmt::format("access point \"{}\"{}", access, good ? "" : ": there is none of that name"));
  const bool active = cell_.online() && !spoiled && good && !spoiled_.no_credit;
  context.state = active ? StackState::GprsAct : StackState::PdpDeact;
  if (active) context.dns = {kPrimaryDns, kSecondaryDns};
  transcript_.note(active ? "context active" : "activation failed");
  for (auto& done : std::exchange(context.waiting, {})) done(active);
}

void Stack::deactivate(std::move_only_function<void()> done) {
  Context& context = foreground();
  context.timer.stop();
  for (auto& waiting : std::exchange(context.waiting, {})) waiting(false);
  loseSockets(foregroundIndex());
  later_.in(timing_.of("+QIDEACT"), [&context, done = std::move(done)]() mutable {
    context.state = StackState::Initial;
    context.deactivated = true;
    done();
  });
}

void Stack::losePdp(int index) {
  Context& context = *contexts_[static_cast<std::size_t>(index)];
  if (!isActive(context.state)) return;
  loseSockets(index);
  context.state = StackState::PdpDeact;
  terminal_.urc(options_.quirks.has(Quirk::PdpDeactColon) ? "+PDP: DEACT" : "+PDP DEACT");
}

void Stack::loseSockets(int context) {
  ++contexts_[static_cast<std::size_t>(context)]->losses;
  servers_[static_cast<std::size_t>(context)]->stop();
  for (const auto& one : slots_) {
    if (!one->used() || one->context != context) continue;
    if (one->connection) one->connection->abort();
    free(*one);
  }
}

std::optional<Ipv4> Stack::localAddress() {
  Context& context = foreground();
  if (!isActive(context.state)) return std::nullopt;
  if (context.state == StackState::GprsAct) context.state = StackState::Status;
  return options_.local_addresses[foreground_];
}

void Stack::free(Slot& slot) {
  const bool session = slot.transparent && slot.state == SlotState::Connected;
  slot.state = SlotState::Initial;
  slot.connection.reset();
  slot.timer.stop();
  slot.announced = slot.end_untold = false;
  slot.failing_sends = 0;
  slot.end_told.reset();
  slot.generation = ++generations_;
  settleState(slot.context);
  if (session) session_.ended(slot);
}

void Stack::settleState(int index) {
  Context& context = *contexts_[static_cast<std::size_t>(index)];
  if (!isActive(context.state)) return;
  if (!context.mux) {
    const Slot& slot = *singles_[static_cast<std::size_t>(index)];
    if (slot.state == SlotState::Connecting) {
      context.state = slot.protocol == Protocol::Tcp ? StackState::TcpConnecting : StackState::UdpConnecting;
    } else if (slot.state == SlotState::Connected) {
      context.state = StackState::ConnectOk;
    } else if (context.state != StackState::GprsAct && context.state != StackState::Status) {
      context.state = StackState::Close;
    }
    return;
  }
  const bool used = std::ranges::any_of(
      slots_, [index](const auto& other) { return other->context == index && other->used(); });
  if (used) {
    context.state = StackState::Processing;
  } else if (context.state == StackState::Processing) {
    context.state = StackState::Status;
  }
}

void Stack::reset() {
  for (int context = 0; context < kContexts; ++context) loseSockets(context);
  leaving_.clear();
  later_.clear();
  for (auto& context : contexts_) {
    context->timer.stop();
    context->waiting.clear();
    context->state = StackState::Initial;
    context->mux = context->transparent = false;
    context->deactivated = false;
    context->dns = {};
  }
  foreground_ = 0;
  asking = pinging = false;
  alive_ = std::make_shared<int>(0);
}

bool Stack::send(Slot& slot, ByteView bytes) {
  if (slot.state != SlotState::Connected) return false;
  if (slot.failing_sends > 0) {
    --slot.failing_sends;
    transcript_.note(fmt::format("{}: send fails by a fault", slot.index));
    return false;
  }
  const bool taken = slot.connection->send(bytes);
  if (transcript_.on()) {
    const auto counters = slot.connection->counters();
    transcript_.note(fmt::format("{}: {} sent, {} acknowledged{}", slot.index, counters.sent,
                                 counters.acknowledged, taken ? "" : ", no room"));
  }
  return taken;
}

ByteView Stack::peek(Slot& slot, std::size_t most) {
  return slot.connection ? slot.connection->peek(most) : ByteView{};
}

void Stack::take(Slot& slot, std::size_t count) {
  if (!slot.connection) return;
  slot.connection->take(count);
  const bool empty_now = slot.connection->kept() == 0;
  if (empty_now && (count == 0 || !options_.quirks.has(Quirk::EdgeAfterEmptyRead))) slot.announced = false;
  if (!empty_now || slot.state != SlotState::Close) return;
  // Ended and read to the end: nothing is left of it.
  if (std::exchange(slot.end_untold, false)) sayClosed(slot);
  if (!keepsIndex(slot)) release(slot);
}

void Stack::resolve(const std::string& host, Network::Resolved done) {
  if (spoiled_.names_dead) {
    transcript_.note("no name server answers, by a fault");
    later_.in(kNameServerPatience, [done = std::move(done)]() mutable { done({}); });
    return;
  }
  network_.resolve(host, [this, alive = std::weak_ptr(alive_),
                          done = std::move(done)](std::vector<Ipv4> addresses) mutable {
    if (alive.expired()) return;
    if (spoiled_.failing_names > 0) {
      --spoiled_.failing_names;
      addresses.clear();
    }
    later_.in(air_.rtt(), [done = std::move(done), addresses = std::move(addresses)]() mutable {
      done(std::move(addresses));
    });
  });
}

void Stack::ping(Ipv4 address, async::Duration limit, Network::Echoed done) {
  if (air_.rtt() > limit || air_.loses() || air_.loses()) {
    later_.in(limit, [done = std::move(done)]() mutable { done(std::nullopt); });
    return;
  }
  network_.ping(address, limit - air_.rtt(),
                [this, alive = std::weak_ptr(alive_),
                 done = std::move(done)](std::optional<async::Duration> time) mutable {
                  if (alive.expired()) return;
                  if (time) *time += air_.rtt();
                  later_.in(air_.rtt(), [done = std::move(done), time]() mutable { done(time); });
                });
}

bool Stack::killSocket(Slot& slot) {
  if (slot.state != SlotState::Connected) return false;
  slot.connection->die();
  return true;
}

bool Stack::endSocket(Slot& slot, bool reset) {
  if (slot.state != SlotState::Connected) return false;
  slot.connection->end(reset);
  return true;
}

}  // namespace qimux::sim
