// The bridge's side of the module: all sessions, the six sockets they share, and the one AT channel they take
// turns on.
//
// serve() is the only one who sends commands while the link is up. In each turn it looks at what every
// session wants, and does one thing: closes and opens first (somebody waits for them), then questions of
// names, echoes and people, then the sends and reads in the order of the Scheduler, AT+QISACK within its
// budget or when the line has nothing better to do. Where nothing is wanted it sleeps until something is.
#pragma once

#include "qimux/bridge/escape.hpp"
#include "qimux/bridge/loss.hpp"
#include "qimux/bridge/recovery.hpp"
#include "qimux/bridge/scheduler.hpp"
#include "qimux/bridge/slot_pool.hpp"
#include "qimux/bridge/tcp_session.hpp"
#include "qimux/bridge/udp_session.hpp"
#include "qimux/module/module.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace qimux::bridge {

struct MultiplexerOptions {
  PoolLimits pool;
  SessionRules session;
  // A line that has been silent for so long is asked something (AT+QISTATE): a module that hangs,
  // or has started anew without saying so, is found out before a program needs it.
  async::Duration heartbeat = std::chrono::seconds(60);
  std::uint32_t line_rate = 11520;  // bytes/s of the serial line: what AT+QISACK's budget is a share of
  // Connections that have given their socket back while their program does not take what it was sent. Of more
  // than these the oldest is reset: each of them is a descriptor, and a kernel's buffers.
  std::size_t finishing = 64;
};

class Multiplexer {
 public:
  Multiplexer(async::Loop& loop, MultiplexerOptions options);
  ~Multiplexer();

  // Waits for a socket, and then opens. Full: the connect queue is. The session belongs to the multiplexer
  // and lives until its observer's last call, or until it is abandoned.
  Result<TcpSession*> connect(net::Endpoint remote, TcpObserver& observer);
  // Whether the queue has room for one more; where not, that is counted as a refusal. Who asks first spares
  // itself the making of what would be thrown away: a flood is refused at little cost.
  bool hasRoom(module::Protocol protocol);
  Result<UdpSession*> associate(net::Endpoint remote, UdpObserver& observer);

  // The following answer through their callback, always, and never from inside the call. Each waits its turn
  // in a bounded queue: Full where there is no room.
  using Addresses = std::vector<std::uint32_t>;
  // AT+QIDNSGIP (application note 8.2). Invalid: no such name. Timeout or Refused: could not be asked.
  void resolve(std::string host, std::move_only_function<void(Result<Addresses>)> done);
  // AT+QPING, one echo. Timeout: no reply.
  void ping(std::uint32_t address, std::move_only_function<void(Result<async::Duration>)> done);
  // Any command that does not change the module's state; the lines of its answer.
  using Lines = std::vector<std::string>;
  void execute(std::string command, std::move_only_function<void(Result<Lines>)> done);
  // Asks for signal and operator again.
  void refreshRadio(std::move_only_function<void()> done);

  // Whatever was lost until now does not count: a new context is about to be activated.
  void forgetLoss() { lost_.reset(); }
  // Serves until the link is lost, which the result tells; at once where that was between the activation and
  // now. Owner of the channel meanwhile.
  async::Task<Loss> serve(module::Module& module);
  // The URCs of that module.
  void onUrc(const at::Urc& urc);
  // serve() has ended or was destroyed: what was in the six sockets is gone.
  void linkLost();
  bool serving() const { return module_ != nullptr; }
  // Ends serve() after the command that runs, with that result.
  void endServing(Loss loss);
  // Without coverage no open can succeed: they wait, what is open goes on.
  void holdOpens(bool hold);
  // Called when the registration was asked for by the heartbeat.
  void onRegistration(std::function<void()> call) { registration_call_ = std::move(call); }
  // Other times and probes, for all connections there are. They hold from the next turn on: a probe that is
  // being sent is not pulled away.
  void setKeepalive(LivenessRules rules, std::map<std::uint16_t, Bytes> probes);
  // Serving, and not asleep for want of anything to do.
  bool hasTurn() const;
  // Payload that has crossed the module, as it happens: a session's bytes, or the look-up of a name (no
  // session; the module makes those datagrams itself, so their size is what it must be at least).
  struct Traffic {
    SessionId session = 0;
    module::Protocol protocol = module::Protocol::Udp;
    net::Endpoint remote{};
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
  };
  void onTraffic(std::function<void(const Traffic&)> call) { traffic_call_ = std::move(call); }
  // Since when questions for names have had no answer at all; nothing while they have, or nobody asks.
  const std::optional<async::TimePoint>& namesDeadSince() const { return names_dead_since_; }
  // What was done to mend things, here and by the link.
  Recovery& recovery() { return recovery_; }
  const Recovery& recovery() const { return recovery_; }

  // By slot; null where it is free.
  const Session* occupant(int slot) const { return slots_.at(static_cast<std::size_t>(slot)); }
  std::size_t waiting() const { return pool_.waiting(); }
  // All there are, with and without a socket.
  std::size_t sessions() const { return sessions_.size(); }
  std::size_t jobs() const { return jobs_.size(); }
  std::uint64_t unconfirmed() const;

  struct Counters {
    std::uint64_t opened = 0;
    std::uint64_t refused = 0;
    std::uint64_t unreachable = 0;
    std::uint64_t queue_full = 0;
    std::uint64_t yielded = 0;
    std::uint64_t bytes_sent = 0;
    std::uint64_t bytes_received = 0;
    std::uint64_t send_fail = 0;
    std::uint64_t resyncs = 0;
    std::uint64_t sends_settled = 0;  // whose end was lost, and AT+QISACK told
    std::uint64_t dead = 0;           // connections that were found dead (application note 6)
    std::uint64_t unsendable = 0;     // datagrams and connections given up: the module cannot send that
    std::uint64_t spoiled = 0;        // connections given up because bytes of unknown fate went to them
    std::uint64_t echoes = 0;         // how often the echo was on, and switched off again
    std::uint64_t acknowledge_queries = 0;
    std::uint64_t acknowledge_bytes = 0;  // what those cost on the line
    std::uint64_t empty_reads = 0;
    std::uint64_t names = 0;
    std::uint64_t pings = 0;
    std::uint64_t jobs_full = 0;          // names, echoes and commands for which there was no room
    std::uint64_t cut_short = 0;          // connections whose program did not read, and that were too many
    std::uint64_t datagrams_dropped = 0;  // of associations that have ended
  };
  const Counters& counters() const { return counters_; }

 private:
  struct Turn {
    enum class Kind { Idle, Job, Open, Close, Counters, Check, Send, Read, Heartbeat } kind = Kind::Idle;
    Session* session = nullptr;
    async::TimePoint until = async::TimePoint::max();
  };
  // One of the questions that are no session's.
  struct Job {
    enum class Kind { Name, Ping, Command, Radio } kind;
    std::string text;
    std::uint32_t address = 0;
    std::move_only_function<void(Result<Addresses>)> name_done{};
    std::move_only_function<void(Result<async::Duration>)> ping_done{};
    std::move_only_function<void(Result<std::vector<std::string>>)> command_done{};
    std::move_only_function<void()> radio_done{};
  };
  class Sweeper;

  void changed();
  void takeKeepalive();
  void sweep();
  Result<void> admit(Session& session);
  // When to look again; max() where nobody waits or nobody will give way.
  async::TimePoint makeRoom(async::TimePoint now);
  void grantSlots(async::TimePoint now);
  void releaseSlots();
  Turn chooseTurn();
  void noAnswer(int slot);
  int onlyOpening() const;
  async::TimePoint heartbeatAt() const;
  async::TimePoint askedAt(const Session& session) const;
  std::optional<std::size_t> runnableJob() const;
  bool mayAskCounters(async::TimePoint now);
  std::size_t quantum(const Session& session, async::TimePoint now) const;

  async::Task<Result<void>> perform(Turn turn);
  async::Task<Result<void>> performOpen(Session& session);
  async::Task<Result<void>> performClose(Session& session);
  async::Task<Result<void>> performSend(Session& session);
  async::Task<Result<void>> performRead(Session& session);
  async::Task<Result<void>> performCounters(Session& session);
  async::Task<Result<void>> performCheck(Session& session);
  async::Task<Result<void>> performHeartbeat();
  async::Task<Result<void>> performJob(Job job);
  async::Task<Result<void>> performName(Job job, std::string host);
  async::Task<Result<void>> performPing(Job job, std::string address);
  async::Task<Result<void>> performCommand(Job job);
  static async::Task<Result<void>> nothingToDo();
  ByteView sendable(const Session& session, ByteView payload) const;
  void learnEscape(ByteView payload, bool taken, bool said_so);
  async::Task<Result<void>> refuseToSend(Session& session);
  async::Task<Result<void>> settleSend(Session& session, ByteView payload, Error problem);
  // An answer was lost or made no sense: everything that may have been lost with it is given up.
  async::Task<Result<void>> resync(Error why);
  // The same, but for the last send; true where its payload was spoiled.
  async::Task<Result<bool>> makeSure(Error why);
  async::Task<Result<at::Channel::Resynced>> knock(Error why);
  async::Task<Result<void>> dropStrayBlocks();
  // The sessions with this far end: a block of one of them went astray.
  async::Task<Result<void>> dropByHeader(std::string header);
  // Before each turn: where the line is out of step, or echoes, that is mended first.
  async::Task<Result<void>> keepInStep();
  async::Task<Result<void>> switchEchoOff();
  // AT+QICLOSE, and again where it is not answered.
  async::Task<Result<void>> closeSurely(int slot);
  async::Task<Result<void>> giveUpSpoiled(Session& session, std::string why);
  // Sessions may be gone behind an await that can lose them.
  bool holds(int slot, SessionId id) const;
  // What is in the session's socket is lost; the socket is closed.
  async::Task<Result<void>> dropSocket(Session& session, std::string why);
  async::Task<Result<bool>> hasForgotten();
  void setLost(Cause cause, std::string what, std::string how);
  void learnOfNames(const Result<Addresses>& result);
  // AT+QISTATE. Ends serve() where it shows that the context is gone, or the module has started anew, and the
  // URC that said so was lost.
  async::Task<Result<module::StackState>> lookAtStack();

  void countSent(const Session& session, std::size_t size);
  void countReceived(const Session& session, std::size_t size);
  void countName(std::size_t name_length, std::size_t addresses);
  void enqueue(Job job);
  static void fail(Job& job, const Error& error);
  void onDnsUrc(const at::Urc& urc);
  void onPingUrc(const at::Urc& urc);
  void finishName(Result<Addresses> result);
  void finishRunning(Result<Lines> result);
  void tellPing(Result<async::Duration> result);
  void finishPing(Result<async::Duration> result);

  async::Loop& loop_;
  MultiplexerOptions options_;
  async::Event wake_;
  SlotPool pool_;
  Scheduler scheduler_;
  EscapeRule escape_;
  std::size_t largest_send_ = module::kMaxSend;  // some firmware takes less than that
  std::map<SessionId, std::unique_ptr<Session>> sessions_;
  std::array<Session*, module::kSockets> slots_{};
  SessionId next_id_ = 1;
  module::Module* module_ = nullptr;
  std::optional<Loss> lost_;
  std::optional<async::TimePoint> asleep_until_;
  struct Keepalive {
    LivenessRules rules;
    std::map<std::uint16_t, Bytes> probes;
  };
  std::optional<Keepalive> new_keepalive_;
  bool opens_held_ = false;
  Recovery recovery_;
  std::function<void()> registration_call_;
  std::function<void(const Traffic&)> traffic_call_;
  int names_unanswered_ = 0;  // in a row
  std::optional<async::TimePoint> names_dead_since_;
  std::unique_ptr<Sweeper> sweeper_;

  std::deque<Job> jobs_;
  bool job_was_last_ = false;
  std::optional<Job> running_;  // somebody's command, or the radio's
  std::optional<Job> name_;     // asked, answer awaited
  Addresses addresses_;
  async::Timer name_timer_;
  std::optional<Job> ping_;  // asked; without its ping_done: answered, and the summary is awaited
  async::Timer ping_timer_;

  double counters_budget_;
  async::TimePoint budget_at_;
  std::array<async::TimePoint, module::kSockets> counters_asked_{};
  // AT+QISACK has once told what was sent, exactly: from then on a difference is a loss.
  std::array<bool, module::kSockets> counters_agree_{};
  bool counters_work_ = false;  // on this module they have agreed before
  std::string unclear_state_;   // the word that AT+QISTATE last said and nobody knows
  // Whose bytes went out last.
  int last_sender_ = -1;
  SessionId last_sender_id_ = 0;
  Counters counters_;
};

}  // namespace qimux::bridge
