// The part of Stack in which sockets open, hear and end.
#include "qimux/sim/stack.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace qimux::sim {
namespace {

constexpr auto kClosedAgain = std::chrono::milliseconds(100);
// With so many bytes on their way to the host nothing more is pushed, for so long.
constexpr std::size_t kPushBacklog = 4096;
constexpr auto kPushAgain = std::chrono::milliseconds(5);

}  // namespace

void Stack::open(int index, Protocol protocol, std::string host, std::uint16_t port) {
  Slot& one = slot(index);
  assert(one.state == SlotState::Initial);
  one.state = SlotState::Connecting;
  one.protocol = protocol;
  one.remote = Endpoint{{}, port};
  one.context = foregroundIndex();
  one.indi = settings_.indi;
  one.generation = ++generations_;
  const auto current = [this, index, generation = one.generation, alive = std::weak_ptr(alive_)] {
    return !alive.expired() && slot(index).generation == generation;
  };
  if (foreground().state == StackState::Initial) foreground().state = StackState::Start;
  activate([this, index, current, host = std::move(host)](bool active) {
    if (!current()) return;
    if (!active) {
      openFails(index);
      return;
    }
    settleState(slot(index).context);
    if (const auto address = parseIpv4(host)) {
      connectTo(index, *address);
      return;
    }
    resolve(host, [this, index, current](std::vector<Ipv4> addresses) {
      if (!current()) return;
      if (addresses.empty()) {
        openFails(index);
      } else {
        connectTo(index, addresses.front());
      }
    });
  });
}

void Stack::connectTo(int index, Ipv4 address) {
  Slot& one = slot(index);
  one.remote.address = address;
  if (spoiled_.failing > 0) {
    --spoiled_.failing;
    transcript_.note(fmt::format("{}: connect fails by a fault", index));
    one.timer.start(air_.rtt(), [this, index] { openFails(index); });
    return;
  }
  transcript_.note(fmt::format("{}: connecting to {}", index, text(one.remote)));
  one.timer.start(options_.connect_timeout, [this, index] { openFails(index); });
  if (spoiled_.hanging > 0) {
    --spoiled_.hanging;
    transcript_.note(fmt::format("{}: connect hangs by a fault", index));
    return;
  }
  one.connection = std::make_unique<Connection>(
      loop_, options_, network_, air_, static_cast<ConnectionEvents&>(*this), one.protocol, one.remote);
}

void Stack::openFails(int index) {
  terminal_.urc(fmt::format("{}, CONNECT FAIL", index));
  free(index);
}

int Stack::indexOf(const Connection& connection) const {
  const auto it = std::ranges::find_if(
      slots_, [&connection](const auto& one) { return one->connection.get() == &connection; });
  return it == slots_.end() ? -1 : static_cast<int>(it - slots_.begin());
}

void Stack::connected(Connection& connection) {
  const int index = indexOf(connection);
  assert(index >= 0);
  if (spoiled_.delayed > 0) {
    --spoiled_.delayed;
    slot(index).timer.start(spoiled_.delay, [this, index] { sayConnected(index); });
    return;
  }
  sayConnected(index);
}

void Stack::sayConnected(int index) {
  Slot& one = slot(index);
  one.timer.stop();
  one.state = SlotState::Connected;
  terminal_.urc(fmt::format("{}, CONNECT OK", index));
  one.connection->start();
}

void Stack::failed(Connection& connection) {
  const int index = indexOf(connection);
  assert(index >= 0);
  // Not from inside the connection's own timer.
  const bool delayed = spoiled_.delayed > 0;
  if (delayed) --spoiled_.delayed;
  slot(index).timer.start(delayed ? spoiled_.delay : async::Duration{0}, [this, index] { openFails(index); });
}

void Stack::arrived(Connection& connection, std::size_t size) {
  const int index = indexOf(connection);
  if (index >= 0) announce(index, size);
}

void Stack::announce(int index, std::size_t size) {
  Slot& one = slot(index);
  if (one.indi == 0) {
    push();
    return;
  }
  if (one.indi == 1 && std::exchange(one.announced, true)) return;
  if (terminal_.busy() && options_.quirks.has(Quirk::LoseEdge)) {
    transcript_.note(fmt::format("{}: edge lost", index));
    return;
  }
  const char* blank = options_.quirks.has(Quirk::UrcNoSpace) ? "" : " ";
  std::string line = fmt::format("+QIRDI:{}{},{},{}", blank, one.context, kClientRole, index);
  if (one.indi == 2) {
    line += fmt::format(",{},{},{}", one.connection->packets(), size, one.connection->kept());
  }
  terminal_.urc(std::move(line));
}

void Stack::push() {
  for (int index = 0; index < kSockets && !terminal_.busy(); ++index) {
    if (slot(index).indi == 0 && slot(index).connection) pushSlot(index);
  }
}

void Stack::pushSlot(int index) {
  Slot& one = slot(index);
  while (one.connection && one.connection->kept() > 0 && !terminal_.busy()) {
    if (backlog && backlog() > kPushBacklog) {
      push_again_.start(kPushAgain, [this] { push(); });
      return;
    }
    const ByteView data = one.connection->peek(1460);
    transcript_.payloadOut(data);
    std::string head = fmt::format("\r\n+RECEIVE: {}, {}\r\n", index, data.size());
    if (settings_.show_remote) head += fmt::format("RECV FROM:{}\r\n", text(one.remote));
    if (settings_.head) head += fmt::format("IPD{}:", data.size());
    terminal_.raw(bytesOf(head));
    terminal_.raw(data);
    take(index, data.size());
  }
}

void Stack::ended(Connection& connection, bool reset) {
  const int index = indexOf(connection);
  if (index < 0) return;
  Slot& one = slot(index);
  transcript_.note(fmt::format("{}: {} by the far end, {} bytes unread", index, reset ? "reset" : "closed",
                               connection.kept()));
  if (options_.quirks.has(Quirk::ClosedDiscards) && !settings_.buffer_remain) connection.forgetKept();
  one.state = SlotState::Close;
  one.timer.stop();
  sayClosed(index);
  if (connection.kept() > 0) return;
  // Not from inside the connection's own timer.
  one.timer.start(async::Duration{0}, [this, index] { release(index); });
}

void Stack::sayClosed(int index) {
  const std::string line = fmt::format(
      fmt::runtime(options_.quirks.has(Quirk::ClosedNoSpace) ? "{},CLOSED" : "{}, CLOSED"), index);
  terminal_.urc(line);
  if (!options_.quirks.has(Quirk::ClosedTwice)) return;
  later_.in(kClosedAgain, [this, line] { terminal_.urc(line); });
}

bool Stack::close(int index) {
  Slot& one = slot(index);
  if (one.state == SlotState::Initial) return false;
  if (one.state == SlotState::Connecting && options_.quirks.has(Quirk::LateConnectFail)) {
    later_.in(kClosedAgain, [this, index] { terminal_.urc(fmt::format("{}, CONNECT FAIL", index)); });
  }
  release(index);
  return true;
}

void Stack::release(int index) {
  Slot& one = slot(index);
  const bool was_open = one.state == SlotState::Connected || one.state == SlotState::Close;
  if (was_open && one.connection) {
    one.connection->leave();
    leaving_.push_back(std::move(one.connection));
  }
  free(index);
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
