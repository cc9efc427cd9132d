// The part of Stack in which connections open and end.
#include "qimux/sim/stack.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace qimux::sim {
namespace {

constexpr auto kClosedAgain = std::chrono::milliseconds(100);

}  // namespace

std::string tagged(const Slot& slot, std::string_view what) {
  return slot.mux ? fmt::format("{}, {}", slot.index, what) : std::string(what);
}

int Stack::socketsInUse() const {
  return static_cast<int>(std::ranges::count_if(slots_, [](const auto& one) { return one->used(); }));
}

bool Stack::listening() const {
  return std::ranges::any_of(servers_,
                             [](const auto& one) { return one->state() != Server::State::Initial; });
}

void Stack::open(Slot& slot, Protocol protocol, std::string host, std::uint16_t port) {
  assert(!slot.used() && slot.role == Role::Client);
  const bool room = socketsInUse() < (listening() ? kAccepted : kSockets);
  slot.state = SlotState::Connecting;
  slot.protocol = protocol;
  slot.remote = Endpoint{{}, port};
  slot.context = foregroundIndex();
  slot.mux = foreground().mux;
  slot.transparent = foreground().transparent;
  slot.indi = settings_.indi;
  slot.generation = ++generations_;
  const auto current = [&slot, generation = slot.generation, alive = std::weak_ptr(alive_)] {
    return !alive.expired() && slot.generation == generation;
  };
  if (!room) {
    transcript_.note("no socket left: sockets and accepted ones together are all in use");
    slot.timer.start(async::Duration{0}, [this, &slot] { openFails(slot); });
    return;
  }
  if (foreground().state == StackState::Initial) foreground().state = StackState::Start;
  activate([this, &slot, current, host = std::move(host)](bool active) {
    if (!current()) return;
    if (!active) {
      openFails(slot);
      return;
    }
    settleState(slot.context);
    if (const auto address = parseIpv4(host)) {
      connectTo(slot, *address);
      return;
    }
    resolve(host, [this, &slot, current](std::vector<Ipv4> addresses) {
      if (!current()) return;
      if (addresses.empty()) {
        openFails(slot);
      } else {
        connectTo(slot, addresses.front());
      }
    });
  });
}

void Stack::connectTo(Slot& slot, Ipv4 address) {
  slot.remote.address = address;
  if (spoiled_.failing > 0) {
    --spoiled_.failing;
    transcript_.note(fmt::format("{}: connect fails by a fault", slot.index));
    slot.timer.start(air_.rtt(), [this, &slot] { openFails(slot); });
    return;
  }
  transcript_.note(fmt::format("{}: connecting to {}", slot.index, text(slot.remote)));
  slot.timer.start(options_.connect_timeout, [this, &slot] { openFails(slot); });
  if (spoiled_.hanging > 0) {
    --spoiled_.hanging;
    transcript_.note(fmt::format("{}: connect hangs by a fault", slot.index));
    return;
  }
  slot.connection = std::make_unique<Connection>(
      loop_, options_, network_, air_, static_cast<ConnectionEvents&>(*this), slot.protocol, slot.remote);
}

void Stack::openFails(Slot& slot) {
  terminal_.urc(tagged(slot, "CONNECT FAIL"));
  free(slot);
  if (slot.mux && options_.quirks.has(Quirk::FailKeepsIndex)) slot.state = SlotState::Close;
}

bool Stack::keepsIndex(const Slot& slot) const {
  if (slot.state != SlotState::Close || !slot.mux || slot.role != Role::Client) return false;
  return options_.quirks.has(slot.connection ? Quirk::ClosedKeepsIndex : Quirk::FailKeepsIndex);
}

Slot* Stack::ownerOf(const Connection& connection) const {
  const auto it = std::ranges::find_if(
      slots_, [&connection](const auto& one) { return one->connection.get() == &connection; });
  return it == slots_.end() ? nullptr : it->get();
}

void Stack::connected(Connection& connection) {
  Slot* slot = ownerOf(connection);
  assert(slot != nullptr);
  if (spoiled_.delayed > 0) {
    --spoiled_.delayed;
    slot->timer.start(spoiled_.delay, [this, slot] { sayConnected(*slot); });
    return;
  }
  sayConnected(*slot);
}

void Stack::sayConnected(Slot& slot) {
  slot.timer.stop();
  slot.state = SlotState::Connected;
  settleState(slot.context);
  if (slot.transparent) {
    beginSession(slot);
    return;
  }
  terminal_.urc(tagged(slot, "CONNECT OK"));
  slot.connection->start();
}

void Stack::beginSession(Slot& slot) {
  session_.began(slot);
  slot.connection->start();
}

// In data mode the rest is shown; in command mode there is no way left to ask for it.
void Stack::endSession(Slot& slot) {
  if (terminal_.online()) {
    transcript_.payloadOut(slot.connection->peek(slot.connection->kept()));
    terminal_.raw(slot.connection->peek(slot.connection->kept()));
  }
  slot.connection->forgetKept();
  session_.ended(slot);
}

void Stack::failed(Connection& connection) {
  Slot* slot = ownerOf(connection);
  assert(slot != nullptr);
  // Not from inside the connection's own timer.
  const bool delayed = spoiled_.delayed > 0;
  if (delayed) --spoiled_.delayed;
  slot->timer.start(delayed ? spoiled_.delay : async::Duration{0}, [this, slot] { openFails(*slot); });
}

void Stack::ended(Connection& connection, bool reset) {
  Slot* slot = ownerOf(connection);
  if (slot == nullptr) return;
  transcript_.note(fmt::format("{}: {} by the far end, {} bytes unread", slot->index,
                               reset ? "reset" : "closed", connection.kept()));
  if (options_.quirks.has(Quirk::ClosedDiscards) && !settings_.buffer_remain) connection.forgetKept();
  slot->state = SlotState::Close;
  slot->timer.stop();
  settleState(slot->context);
  if (slot->transparent) {
    endSession(*slot);
  } else if (slot->indi == 0 && connection.kept() > 0) {
    // What came before the end is pushed before the end is told: take() tells it.
    slot->end_untold = true;
    push();
    return;
  }
  sayClosed(*slot);
  if (connection.kept() > 0 || keepsIndex(*slot)) return;
  // Not from inside the connection's own timer.
  slot->timer.start(async::Duration{0}, [this, slot] { release(*slot); });
}

void Stack::sayClosed(const Slot& slot) {
  std::string line = tagged(slot, "CLOSED");
  if (slot.mux && options_.quirks.has(Quirk::ClosedNoSpace)) line = fmt::format("{},CLOSED", slot.index);
  if (!slot.mux && options_.quirks.has(Quirk::ClosedIndexed)) line = fmt::format("{}, CLOSED", slot.index);
  if (slot.end_told) {
    for (int i = 0; i < slot.end_told->times; ++i) {
      later_.in(slot.end_told->delay + i * kClosedAgain, [this, line] { terminal_.urc(line); });
    }
    return;
  }
  terminal_.urc(line);
  if (!options_.quirks.has(Quirk::ClosedTwice)) return;
  later_.in(kClosedAgain, [this, line] { terminal_.urc(line); });
}

bool Stack::close(Slot& slot) {
  if (!slot.used()) return false;
  if (slot.state == SlotState::Connecting && options_.quirks.has(Quirk::LateConnectFail)) {
    later_.in(kClosedAgain, [this, line = tagged(slot, "CONNECT FAIL")] { terminal_.urc(line); });
  }
  release(slot);
  return true;
}

void Stack::release(Slot& slot) {
  const bool was_open = slot.state == SlotState::Connected || slot.state == SlotState::Close;
  if (was_open && slot.connection) {
    slot.connection->leave();
    leaving_.push_back(std::move(slot.connection));
  }
  free(slot);
}

void Stack::left(Connection& connection) {
  const auto it =
      std::ranges::find_if(leaving_, [&connection](const auto& one) { return one.get() == &connection; });
  if (it == leaving_.end()) return;
  // It is still calling us.
  loop_.post([gone = std::shared_ptr<Connection>(std::move(*it))] {});
  leaving_.erase(it);
}

}  // namespace qimux::sim
