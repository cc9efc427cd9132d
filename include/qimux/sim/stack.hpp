// The TCP/IP stack of the module with AT+QIMUX=1: two PDP contexts and six sockets (application note 3.3, 5
// and 7).
//
// Each context has a state of application note 5.6.1. The methods take what AT commands ask for; whatever
// happens by itself is told to the host through the terminal.
#pragma once

#include "qimux/async/loop.hpp"
#include "qimux/sim/air.hpp"
#include "qimux/sim/cell.hpp"
#include "qimux/sim/connection.hpp"
#include "qimux/sim/network.hpp"
#include "qimux/sim/options.hpp"
#include "qimux/sim/settings.hpp"
#include "qimux/sim/terminal.hpp"
#include "qimux/sim/transcript.hpp"

#include <array>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace qimux::sim {

inline constexpr int kSockets = 6;
inline constexpr int kContexts = 2;
// The role of the module in +QIRDI and AT+QIRD: 1 as a client.
inline constexpr int kClientRole = 1;

enum class StackState { Initial, Start, Config, Ind, GprsAct, Status, Processing, PdpDeact };
// "IP INITIAL", ...
std::string_view name(StackState state);
// Whether a context in that state has an address.
bool isActive(StackState state);

struct Context {
  explicit Context(async::Loop& loop) : timer(loop) {}

  StackState state = StackState::Initial;
  bool mux = false;
  // AT+QIDEACT was given since the start.
  bool deactivated = false;
  std::array<Ipv4, 2> dns{};
  // Who waits for the end of an activation.
  std::vector<std::move_only_function<void(bool active)>> waiting;
  async::Timer timer;
};

enum class SlotState {
  Initial,
  Connecting,
  Connected,
  Close,  // ended by the far end, with something left to read
};
// The word in +QISTATE.
std::string_view name(SlotState state);

struct Slot {
  explicit Slot(async::Loop& loop) : timer(loop) {}

  SlotState state = SlotState::Initial;
  Protocol protocol = Protocol::Tcp;
  Endpoint remote;
  int context = 0;
  // AT+QINDI when it was opened.
  int indi = 0;
  // AT+QINDI=1: announced, and not read empty since.
  bool announced = false;
  std::unique_ptr<Connection> connection;
  async::Timer timer;
  // Which open this is: what belongs to an earlier one of the same index is void.
  std::uint64_t generation = 0;
  // By a fault: so many sends fail.
  int failing_sends = 0;
};

class Stack final : private ConnectionEvents {
 public:
  Stack(async::Loop& loop, const Options& options, Network& network, Transcript& transcript,
        Terminal& terminal, Cell& cell, const Settings& settings);
  ~Stack();

  Air& air() { return air_; }
  Network& network() { return network_; }

  // The one that commands act on (AT+QIFGCNT).
  Context& foreground() { return *contexts_[foreground_]; }
  int foregroundIndex() const { return static_cast<int>(foreground_); }
  void setForeground(int index) { foreground_ = static_cast<std::size_t>(index); }
  Slot& slot(int index) { return *slots_[static_cast<std::size_t>(index)]; }

  using Activated = std::move_only_function<void(bool active)>;
  // AT+QIACT, and what other commands do by themselves: IP CONFIG, IP IND, IP GPRSACT. `done` at once where
  // the context is active. It fails without GPRS, and leaves PDP DEACT.
  void activate(Activated done);
  // AT+QIDEACT: every socket of the context is gone.
  void deactivate(std::move_only_function<void()> done);
  // The network has taken the context away: +PDP DEACT. Nothing where it is not active.
  void losePdp(int context);
  // AT+QILOCIP moves on to IP STATUS.
  std::optional<Ipv4> localAddress();

  // The index must be free. Its outcome is told as a URC.
  void open(int index, Protocol protocol, std::string host, std::uint16_t port);
  // False where there is nothing to close.
  bool close(int index);
  bool send(int index, ByteView bytes);
  // Bytes for one AT+QIRD of `most`, and what they come from; take() afterwards.
  ByteView peek(int index, std::size_t most);
  void take(int index, std::size_t count);

  // The addresses of a name, over the air and back; none where there is none. Forgotten at a reset.
  void resolve(const std::string& host, Network::Resolved done);
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
  };
  Spoiled& connects() { return spoiled_; }
  // By a fault: nothing passes any more, silently; false where it is not connected.
  bool killSocket(int index);
  // By a fault: as if the far end had closed or reset it; false where it is not connected.
  bool endSocket(int index, bool reset);
  // Everything is gone without a word: reboot, power down.
  void reset();
  // The terminal has nothing to do: time to push what came (AT+QINDI=0).
  void push();
  // Bytes on their way to the host; while there are many, nothing is pushed. May be empty.
  std::move_only_function<std::size_t()> backlog;

 private:
  void connected(Connection& connection) override;
  void failed(Connection& connection) override;
  void arrived(Connection& connection, std::size_t size) override;
  void ended(Connection& connection, bool reset) override;
  void left(Connection& connection) override;

  int indexOf(const Connection& connection) const;
  void activationEnds(Context& context);
  void dropSockets(int context);
  // What was sent before still goes out.
  void release(int index);
  void free(int index);
  void connectTo(int index, Ipv4 address);
  void openFails(int index);
  void sayConnected(int index);
  void announce(int index, std::size_t size);
  void sayClosed(int index);
  void settleState(int context);
  void pushSlot(int index);

  async::Loop& loop_;
  const Options& options_;
  Network& network_;
  Transcript& transcript_;
  Terminal& terminal_;
  Cell& cell_;
  const Settings& settings_;
  Air air_;
  std::array<std::unique_ptr<Context>, kContexts> contexts_;
  std::size_t foreground_ = 0;
  std::array<std::unique_ptr<Slot>, kSockets> slots_;
  // Closed by the host, still sending.
  std::list<std::unique_ptr<Connection>> leaving_;
  Timeline later_;
  async::Timer push_again_;
  std::shared_ptr<int> alive_;
  std::uint64_t generations_ = 0;
  Spoiled spoiled_;
};

}  // namespace qimux::sim
