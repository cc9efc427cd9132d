// The server of one context: AT+QISERVER (application note 3.2, 3.4 and 4.2).
#pragma once

#include "qimux/sim/network.hpp"

#include <cstdint>
#include <memory>
#include <string_view>

namespace qimux::sim {

class Server;

class ServerEvents {
 public:
  // A far end wants to come in: take it by Server::listener(). From the loop.
  virtual void knocks(Server& server, Endpoint remote) = 0;

 protected:
  ~ServerEvents() = default;
};

class Server final : private ListenerEvents {
 public:
  // The words of AT+QISSTAT; closing takes no time here.
  enum class State { Initial, Opening, Listening };

  Server(ServerEvents& events, int context) : events_(events), context_(context) {}

  // The context is being activated for it.
  void begin(Protocol protocol, int most);
  // False where the port is taken: back to Initial.
  bool listen(Network& network, std::uint16_t port);
  void stop();

  int context() const { return context_; }
  State state() const { return state_; }
  // Counts the calls of begin().
  int attempt() const { return attempts_; }
  Protocol protocol() const { return protocol_; }
  // Far ends at a time.
  int most() const { return most_; }
  // While Listening.
  Listener& listener() { return *listener_; }

 private:
  void knocks(Endpoint remote) override { events_.knocks(*this, remote); }

  ServerEvents& events_;
  int context_;
  State state_ = State::Initial;
  Protocol protocol_ = Protocol::Tcp;
  int most_ = 1;
  int attempts_ = 0;
  std::unique_ptr<Listener> listener_;
};

}  // namespace qimux::sim
