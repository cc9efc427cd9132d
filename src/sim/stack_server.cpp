// The part of Stack in which far ends come in by themselves (application note 3.2, 3.4 and 5.1).
#include "qimux/sim/stack.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace qimux::sim {

bool Stack::listen(Protocol protocol, int most) {
  Server& one = server();
  if (one.state() != Server::State::Initial) return false;
  one.begin(protocol, most);
  if (foreground().state == StackState::Initial) foreground().state = StackState::Start;
  activate([this, &one, protocol](bool active) {
    // AT+QICLOSE or the loss of the context has ended it meanwhile.
    if (one.state() != Server::State::Opening) return;
    if (!active) {
      one.stop();
      terminal_.urc("CONNECT FAIL");
      return;
    }
    later_.in(timing_.of("+QISERVER"), [this, &one, protocol, attempt = one.attempt()] {
      if (one.state() == Server::State::Opening && one.attempt() == attempt) beginListening(one, protocol);
    });
  });
  return true;
}

void Stack::beginListening(Server& one, Protocol protocol) {
  const std::uint16_t port = settings_.local_ports[protocol == Protocol::Tcp ? 0 : 1];
  if (!one.listen(network_, port)) transcript_.note(fmt::format("port {} cannot be listened on", port));
  if (one.state() == Server::State::Listening && one.listener().deaf()) {
    transcript_.note("nobody can get in: no --inbound");
  }
  terminal_.urc(one.state() == Server::State::Listening ? "SERVER OK" : "CONNECT FAIL");
}

bool Stack::closeServer() {
  Server& one = server();
  if (one.state() == Server::State::Initial) return false;
  one.stop();
  for (Slot* slot : accepted_[foreground_]) {
    if (slot->used()) release(*slot);
  }
  return true;
}

Slot* Stack::freeAccepted(const Server& server) {
  const auto& places = accepted_[static_cast<std::size_t>(server.context())];
  const bool mux = contexts_[static_cast<std::size_t>(server.context())]->mux;
  const auto used = std::ranges::count_if(places, [](const Slot* slot) { return slot->used(); });
  if (used >= (mux ? server.most() : 1) || socketsInUse() >= kAccepted) return nullptr;
  return *std::ranges::find_if(places, [](const Slot* slot) { return !slot->used(); });
}

void Stack::knocks(Server& server, Endpoint remote) {
  const Context& context = *contexts_[static_cast<std::size_t>(server.context())];
  Slot* slot = freeAccepted(server);
  const bool line_taken = context.transparent && lineTaken();
  if (slot == nullptr || line_taken) {
    transcript_.note(fmt::format("{} turned away: all places are taken", text(remote)));
    server.listener().refuse();
    return;
  }
  slot->state = SlotState::Connected;
  slot->protocol = server.protocol();
  slot->remote = remote;
  slot->mux = context.mux;
  slot->transparent = context.transparent;
  slot->indi = settings_.indi;
  slot->generation = ++generations_;
  slot->connection =
      std::make_unique<Connection>(loop_, options_, air_, static_cast<ConnectionEvents&>(*this),
                                   slot->protocol, remote, server.listener());
  settleState(slot->context);
  terminal_.urc(tagged(*slot, fmt::format("REMOTE IP: {}", text(remote.address))));
  if (slot->transparent) {
    beginSession(*slot);
  } else {
    slot->connection->start();
  }
}

}  // namespace qimux::sim
