// A session: one TCP connection or UDP association through the module, from the wish for a socket to its end.
//
// It is the state machine of one user of a socket, without commands: it says what it wants of the AT channel
// next, and is told what came of it. The Multiplexer owns all sessions and serves their wants in turn.
#pragma once

#include "qimux/async/loop.hpp"
#include "qimux/bridge/liveness.hpp"
#include "qimux/bridge/slot_pool.hpp"
#include "qimux/module/sockets.hpp"
#include "qimux/net/address.hpp"

#include <cstdint>
#include <map>
#include <string_view>

namespace qimux::bridge {

enum class SessionState {
  Waiting,    // for a socket: has no slot
  Opening,    // QIOPEN is to be sent, or its result is awaited
  Connected,  // the socket moves data
  Closing,    // QICLOSE is to be sent
  Finishing,  // the socket is given back; the program still takes what was read for it
  Ended,      // nothing left; about to be destroyed
};
std::string_view name(SessionState state);

// Why an open came to nothing.
enum class Failure {
  Refused,      // the module said CONNECT FAIL
  Unreachable,  // no answer in time, or the module's socket failed
  Offline,      // no link for too long
  NoSlot,       // the queue is full, or the wait was too long
};
std::string_view name(Failure failure);

// What a session wants of the channel now.
struct Want {
  bool open = false;
  bool close = false;
  bool acknowledged = false;                        // AT+QISACK
  bool check = false;                               // AT+QISTATE: is the socket what we think it is?
  std::size_t send = 0;                             // bytes for one AT+QISEND
  std::size_t read = 0;                             // bytes that one AT+QIRD is expected to give; 0: none
  bool poll = false;                                // one AT+QIRD only to see whether an arrival was missed
  async::TimePoint next = async::TimePoint::max();  // when to ask again though nothing has happened
};

// What time and dialect a session lives with. All sessions share one.
struct SessionRules {
  async::Duration connect_timeout = std::chrono::seconds(80);
  async::Duration udp_idle = std::chrono::seconds(300);
  async::Duration half_close_linger = std::chrono::seconds(30);
  bool ask_acknowledged = true;  // tcp.acknowledge = "remote"
  LivenessRules liveness{};
  std::map<std::uint16_t, Bytes> probes{};  // by the far end's port: what is sent to see whether it lives
  // Each arrival is told with its size (AT+QINDI=2). The multiplexer sets it when the link is up.
  bool packet_sizes = false;
};

class Session {
 public:
  Session(async::Loop& loop, const SessionRules& rules, SessionId id, module::Protocol protocol,
          net::Endpoint remote)
      : loop_(loop), rules_(rules), id_(id), protocol_(protocol), remote_(remote), last_active_(loop.now()) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  virtual ~Session() = default;

  SessionId id() const { return id_; }
  module::Protocol protocol() const { return protocol_; }
  net::Endpoint remote() const { return remote_; }
  SessionState state() const { return state_; }
  int slot() const { return slot_; }  // -1 without
  std::uint64_t sent() const { return sent_; }
  // What AT+QISACK must call sent: the program's bytes and ours.
  std::uint64_t sentByModule() const { return sent_ + probed_; }
  std::uint64_t acknowledged() const { return acknowledged_; }
  std::uint64_t received() const { return received_; }
  // Datagrams for which there was no room.
  virtual std::uint64_t dropped() const { return 0; }
  async::TimePoint lastActive() const { return last_active_; }
  // Has had a short exchange lately: bulk flows take shorter turns beside it.
  bool interactive(async::TimePoint now) const;
  bool openSent() const { return open_sent_; }

  virtual Want want(async::TimePoint now) = 0;
  // From when on it may give way to one that waits for a socket, as nothing is under way; max() for not at
  // all.
  virtual async::TimePoint yieldsAt() const = 0;
  // At most `quantum` (up to module::kMaxSend) bytes for the send that was wanted, valid until it has ended;
  // empty where the wish is gone. A datagram comes whole.
  virtual ByteView payload(std::size_t quantum) = 0;
  // How much the wanted read asks for at most; `quantum` is a fair turn.
  virtual std::size_t readSize(std::size_t quantum) const = 0;

  // What has come of it.
  void granted(int slot);
  void openSent(async::TimePoint deadline);
  virtual void connected() = 0;
  virtual void failed(Failure failure) = 0;
  virtual void sendDone(std::size_t size) = 0;
  virtual void sendFull() = 0;
  // What payload() gave cannot be sent through this module at all: a stream ends, a datagram is dropped.
  virtual void unsendable() = 0;
  virtual void readDone(Bytes data) = 0;
  virtual void readRefused() = 0;  // the module's socket is gone, and nothing is left in it
  virtual void counters(const module::SendCounters& counters) = 0;
  virtual void arrived(std::optional<std::size_t> newest, std::optional<std::size_t> total) = 0;
  virtual void remoteClosed() = 0;
  virtual void checked(bool connected) = 0;
  // It was ended because nothing showed that its path still lives.
  virtual bool foundDead() const { return false; }
  // Whether the far end, or the module for it, has said that the connection ends. UDP knows no such word.
  virtual bool endHeard() const { return true; }
  // The socket is gone, with what was in it: the context, the module or the link was lost.
  virtual void lost() = 0;
  // QICLOSE is done: the slot is given back.
  virtual void closed() = 0;

 protected:
  void enter(SessionState next);
  void touch() { last_active_ = loop_.now(); }

  async::Loop& loop_;
  const SessionRules& rules_;
  SessionState state_ = SessionState::Waiting;
  int slot_ = -1;
  bool open_sent_ = false;
  async::TimePoint open_deadline_ = async::TimePoint::max();
  std::uint64_t sent_ = 0;
  std::uint64_t probed_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::uint64_t received_ = 0;
  async::TimePoint last_small_ = async::TimePoint::min();

 private:
  SessionId id_;
  module::Protocol protocol_;
  net::Endpoint remote_;
  async::TimePoint last_active_;
};

}  // namespace qimux::bridge
