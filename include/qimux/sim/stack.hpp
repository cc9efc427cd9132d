// The TCP/IP stack of the module: two PDP contexts, single and multiple connections, client and server
// (application note 3, 4, 5 and 7).
//
// The methods take what AT commands ask for; whatever happens by itself is told to the host through the
// terminal. At most six sockets are in use at a time, and at most five while a server listens (application
// note 3.4: n + m <= 5).
#pragma once

#include "qimux/async/loop.hpp"
#include "qimux/sim/air.hpp"
#include "qimux/sim/cell.hpp"
#include "qimux/sim/connection.hpp"
#include "qimux/sim/context.hpp"
#include "qimux/sim/network.hpp"
#include "qimux/sim/options.hpp"
#include "qimux/sim/server.hpp"
#include "qimux/sim/settings.hpp"
#include "qimux/sim/slot.hpp"
#include "qimux/sim/terminal.hpp"
#include "qimux/sim/transcript.hpp"

#include <array>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qimux::sim {

// The one session of transparent mode (application note 4), where it meets the line.
class SessionEvents {
 public:
  // It is up; `slot` stays in use until ended().
  virtual void began(Slot& slot) = 0;
  virtual void ended(Slot& slot) = 0;

 protected:
  ~SessionEvents() = default;
};

class Stack final : private ConnectionEvents, private ServerEvents {
 public:
  Stack(async::Loop& loop, const Options& options, Timing& timing, Network& network, Transcript& transcript,
        Terminal& terminal, Cell& cell, const Settings& settings, SessionEvents& session);
  ~Stack();

  Air& air() { return air_; }
  Network& network() { return network_; }

  // The one that commands act on (AT+QIFGCNT).
  Context& foreground() { return *contexts_[foreground_]; }
  int foregroundIndex() const { return static_cast<int>(foreground_); }
  void setForeground(int index) { foreground_ = static_cast<std::size_t>(index); }
  // Whether any context is not in IP INITIAL.
  bool anyActive() const;
  // Transparent mode has one session on the one line, of either role and context: it is there, or on its way.
  bool lineTaken() const;

  // The six of AT+QIMUX=1.
  Slot& client(int index) { return *clients_[static_cast<std::size_t>(index)]; }
  // The one that the foreground context has with AT+QIMUX=0.
  Slot& single() { return *singles_[foreground_]; }
  // What the server of a context has accepted.
  Slot& accepted(int context, int index);
  // What a command means that names an index or, with AT+QIMUX=0, none: of the role set by AT+QISRVC and the
  // foreground context. Nothing where the form does not fit AT+QIMUX.
  Slot* addressed(std::optional<long> index);
  // What AT+QIRD names; nothing where there is no such socket.
  Slot* named(int context, Role role, int index);
  // For faults: "3" a client's, "s3" an accepted one of the foreground context; 0 with AT+QIMUX=0, too.
  Slot* find(std::string_view word);

  using Activated = std::move_only_function<void(bool active)>;
  // AT+QIACT, and what other commands do by themselves: IP CONFIG, IP IND, IP GPRSACT. `done` at once where
  // the context is active. It fails without GPRS, and leaves PDP DEACT.
  void activate(Activated done);
  // AT+QIDEACT: every socket of the context is gone, its server too.
  void deactivate(std::move_only_function<void()> done);
  // The network has taken the context away: +PDP DEACT. Nothing where it is not active.
  void losePdp(int context);
  // AT+QILOCIP moves on to IP STATUS.
  std::optional<Ipv4> localAddress();

  // `slot`, of the role of a client, must be free. The outcome is told as a URC.
  void open(Slot& slot, Protocol protocol, std::string host, std::uint16_t port);
  // By a quirk: it has ended or failed, and its index is free only after close().
  bool keepsIndex(const Slot& slot) const;
  // False where there is nothing to close.
  bool close(Slot& slot);
  bool send(Slot& slot, ByteView bytes);
  // Bytes for one AT+QIRD of `most`, and what they come from; take() afterwards.
  ByteView peek(Slot& slot, std::size_t most);
  void take(Slot& slot, std::size_t count);

  // AT+QISERVER: told as a URC, SERVER OK or CONNECT FAIL. False where the context has one already.
  bool listen(Protocol protocol, int most);
  // The server of the foreground context.
  Server& server() { return *servers_[foreground_]; }
  // AT+QICLOSE in the role of a server: all that it has accepted, and the listening. False without one.
  bool closeServer();

  // The addresses of a name, over the air and back; none where there is none. Forgotten at a reset.
  void resolve(const std::string& host, Network::Resolved done);
  // An echo request over the air and back: the whole time of it, or nothing after `limit`. Forgotten at a
  // reset.
  void ping(Ipv4 address, async::Duration limit, Network::Echoed done);
  // AT+QIDNSGIP and AT+QPING do one thing at a time.
  bool asking = false;
  bool pinging = false;

  // What faults do to the next ones.
  struct Spoiled {
    int failing = 0;
    int hanging = 0;
    int delayed = 0;
    async::Duration delay{0};
    int failing_activations = 0;
    int failing_names = 0;
    bool no_credit = false;   // no activation succeeds
    bool names_dead = false;  // no name server answers
  };
  Spoiled& connects() { return spoiled_; }
  // By a fault: nothing passes any more, silently; false where it is not connected.
  bool killSocket(Slot& slot);
  // By a fault: as if the far end had closed or reset it; false where it is not connected.
  bool endSocket(Slot& slot, bool reset);
  // Everything is gone without a word: reboot, power down.
  void reset();
  // The terminal has nothing to do, or is in data mode: time to push what came.
  void push();
  // Bytes on their way to the host; while there are many, nothing is pushed. May be empty.
  std::move_only_function<std::size_t()> backlog;
  // Bytes said in this turn of the loop, which leave at its end: so many more, and pushing goes on in the
  // next.
  std::move_only_function<std::size_t()> unsaid;

 private:
  void connected(Connection& connection) override;
  void failed(Connection& connection) override;
  void arrived(Connection& connection, std::size_t size) override;
  void ended(Connection& connection, bool reset) override;
  void left(Connection& connection) override;
  void knocks(Server& server, Endpoint remote) override;

  Slot* ownerOf(const Connection& connection) const;
  int socketsInUse() const;
  bool listening() const;
  void activationEnds(Context& context);
  void loseSockets(int context);
  // What was sent before still goes out.
  void release(Slot& slot);
  void free(Slot& slot);
  void connectTo(Slot& slot, Ipv4 address);
  void openFails(Slot& slot);
  void sayConnected(Slot& slot);
  void beginSession(Slot& slot);
  void endSession(Slot& slot);
  void announce(Slot& slot, std::size_t size);
  void sayClosed(const Slot& slot);
  void settleState(int context);
  bool mayPush(const Slot& slot) const;
  bool lineFull();
  bool pushPiece(Slot& slot);
  std::string headOf(const Slot& slot, std::size_t size) const;
  void beginListening(Server& server, Protocol protocol);
  Slot* freeAccepted(const Server& server);

  async::Loop& loop_;
  const Options& options_;
  Timing& timing_;
  Network& network_;
  Transcript& transcript_;
  Terminal& terminal_;
  Cell& cell_;
  const Settings& settings_;
  SessionEvents& session_;
  Air air_;
  std::array<std::unique_ptr<Context>, kContexts> contexts_;
  std::size_t foreground_ = 0;
  // Every slot there is, in the order in which they are pushed; the arrays below name them.
  std::vector<std::unique_ptr<Slot>> slots_;
  std::array<Slot*, kSockets> clients_{};
  std::array<Slot*, kContexts> singles_{};
  std::array<std::array<Slot*, kAccepted>, kContexts> accepted_{};
  std::array<std::unique_ptr<Server>, kContexts> servers_;
  // Closed by the host, still sending.
  std::list<std::unique_ptr<Connection>> leaving_;
  Timeline later_;
  async::Timer push_again_;
  std::size_t next_push_ = 0;
  std::shared_ptr<int> alive_;
  std::uint64_t generations_ = 0;
  Spoiled spoiled_;
};

// What is said of a socket: "3, CLOSED" with AT+QIMUX=1, "CLOSED" without.
std::string tagged(const Slot& slot, std::string_view what);

}  // namespace qimux::sim
