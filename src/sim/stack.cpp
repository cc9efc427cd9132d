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

}  // namespace

std::string_view name(StackState state) {
  switch (state) {
    case StackState::Initial:
      return "IP INITIAL";
    case StackState::Start:
      return "IP START";
    case StackState::Config:
      return "IP CONFIG";
    case StackState::Ind:
      return "IP IND";
    case StackState::GprsAct:
      return "IP GPRSACT";
    case StackState::Status:
      return "IP STATUS";
    case StackState::Processing:
      return "IP PROCESSING";
    case StackState::PdpDeact:
      return "PDP DEACT";
  }
  return "IP INITIAL";
}

bool isActive(StackState state) {
  return state == StackState::GprsAct || state == StackState::Status || state == StackState::Processing;
}

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

Stack::Stack(async::Loop& loop, const Options& options, Network& network, Transcript& transcript,
             Terminal& terminal, Cell& cell, const Settings& settings)
    : loop_(loop),
      options_(options),
      network_(network),
      transcript_(transcript),
      terminal_(terminal),
      cell_(cell),
      settings_(settings),
      air_(loop, options.rtt, options.rate),
      later_(loop),
      push_again_(loop),
      alive_(std::make_shared<int>(0)) {
  for (auto& context : contexts_) context = std::make_unique<Context>(loop);
  for (auto& slot : slots_) slot = std::make_unique<Slot>(loop);
}

Stack::~Stack() = default;

void Stack::activate(Activated done) {
  Context& context = foreground();
  if (isActive(context.state)) {
    done(true);
    return;
  }
  context.waiting.push_back(std::move(done));
  if (context.waiting.size() > 1) return;
  context.state = StackState::Config;
  context.timer.start(options_.activation / 2, [this, &context] {
    context.state = StackState::Ind;
    context.timer.start(options_.activation - options_.activation / 2,
                        [this, &context] { activationEnds(context); });
  });
}

void Stack::activationEnds(Context& context) {
  const bool spoiled = spoiled_.failing_activations > 0;
  if (spoiled) --spoiled_.failing_activations;
  const bool active = cell_.online() && !spoiled;
  context.state = active ? StackState::GprsAct : StackState::PdpDeact;
  if (active) context.dns = {kPrimaryDns, kSecondaryDns};
  transcript_.note(active ? "context active" : "no GPRS: activation failed");
  for (auto& done : std::exchange(context.waiting, {})) done(active);
}

void Stack::deactivate(std::move_only_function<void()> done) {
  Context& context = foreground();
  context.timer.stop();
  for (auto& waiting : std::exchange(context.waiting, {})) waiting(false);
  dropSockets(foregroundIndex());
  later_.in(options_.deactivation, [&context, done = std::move(done)]() mutable {
    context.state = StackState::Initial;
    context.deactivated = true;
    done();
  });
}

void Stack::losePdp(int index) {
  Context& context = *contexts_[static_cast<std::size_t>(index)];
  if (!isActive(context.state)) return;
  dropSockets(index);
  context.state = StackState::PdpDeact;
  terminal_.urc(options_.quirks.has(Quirk::PdpDeactColon) ? "+PDP: DEACT" : "+PDP DEACT");
}

void Stack::dropSockets(int context) {
  for (int index = 0; index < kSockets; ++index) {
    Slot& one = slot(index);
    if (one.state == SlotState::Initial || one.context != context) continue;
    if (one.connection) one.connection->abort();
    free(index);
  }
}

std::optional<Ipv4> Stack::localAddress() {
  Context& context = foreground();
  if (!isActive(context.state)) return std::nullopt;
  if (context.state == StackState::GprsAct) context.state = StackState::Status;
  // Each context has its own.
  return Ipv4{options_.local_address.value + static_cast<std::uint32_t>(foreground_)};
}

void Stack::free(int index) {
  Slot& one = slot(index);
  one.state = SlotState::Initial;
  one.connection.reset();
  one.timer.stop();
  one.announced = false;
  one.failing_sends = 0;
  one.generation = ++generations_;
  settleState(one.context);
}

void Stack::settleState(int context) {
  Context& one = *contexts_[static_cast<std::size_t>(context)];
  if (!isActive(one.state)) return;
  const bool used = std::ranges::any_of(slots_, [context](const auto& other) {
    return other->context == context && other->state != SlotState::Initial;
  });
  if (used) {
    one.state = StackState::Processing;
  } else if (one.state == StackState::Processing) {
    one.state = StackState::Status;
  }
}

void Stack::reset() {
  for (int index = 0; index < kSockets; ++index) {
    if (slot(index).connection) slot(index).connection->abort();
    free(index);
  }
  leaving_.clear();
  later_.clear();
  for (auto& context : contexts_) {
    context->timer.stop();
    context->waiting.clear();
    context->state = StackState::Initial;
    context->mux = false;
    context->deactivated = false;
    context->dns = {};
  }
  foreground_ = 0;
  asking = pinging = false;
  alive_ = std::make_shared<int>(0);
}

bool Stack::send(int index, ByteView bytes) {
  Slot& one = slot(index);
  if (one.state != SlotState::Connected) return false;
  if (one.failing_sends > 0) {
    --one.failing_sends;
    transcript_.note(fmt::format("{}: send fails by a fault", index));
    return false;
  }
  const bool taken = one.connection->send(bytes);
  if (transcript_.on()) {
    const auto counters = one.connection->counters();
    transcript_.note(fmt::format("{}: {} sent, {} acknowledged{}", index, counters.sent,
                                 counters.acknowledged, taken ? "" : ", no room"));
  }
  return taken;
}

ByteView Stack::peek(int index, std::size_t most) {
  Slot& one = slot(index);
  return one.connection ? one.connection->peek(most) : ByteView{};
}

void Stack::take(int index, std::size_t count) {
  Slot& one = slot(index);
  if (!one.connection) return;
  one.connection->take(count);
  const bool empty_now = one.connection->kept() == 0;
  if (empty_now && (count == 0 || !options_.quirks.has(Quirk::EdgeAfterEmptyRead))) one.announced = false;
  // Ended and read to the end: nothing is left of it.
  if (empty_now && one.state == SlotState::Close) release(index);
}

void Stack::resolve(const std::string& host, Network::Resolved done) {
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

bool Stack::killSocket(int index) {
  Slot& one = slot(index);
  if (one.state != SlotState::Connected) return false;
  one.connection->die();
  return true;
}

bool Stack::endSocket(int index, bool reset) {
  Slot& one = slot(index);
  if (one.state != SlotState::Connected) return false;
  one.connection->end(reset);
  return true;
}

}  // namespace qimux::sim
