// One of the six sockets from the inside: what the host has given to it and what it keeps for the host, with
// the air between it and the network's socket.
//
//   send() -> air -> Socket -> far end       sent, acknowledged
//   read() <- kept bytes <- air <- Socket    the bound on what is kept closes the far end's window
#pragma once

#include "qimux/async/loop.hpp"
#include "qimux/sim/air.hpp"
#include "qimux/sim/byte_queue.hpp"
#include "qimux/sim/network.hpp"
#include "qimux/sim/options.hpp"
#include "qimux/sim/timeline.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

namespace qimux::sim {

class Connection;

// What a connection tells the stack; from the loop, never from inside a call to it.
class ConnectionEvents {
 public:
  virtual void connected(Connection& connection) = 0;
  virtual void failed(Connection& connection) = 0;
  // One packet more is kept for the host.
  virtual void arrived(Connection& connection, std::size_t size) = 0;
  // The far end has closed or reset it; what is kept can still be read.
  virtual void ended(Connection& connection, bool reset) = 0;
  // After leave(): everything has gone out, and the connection may be destroyed.
  virtual void left(Connection& connection) = 0;

 protected:
  ~ConnectionEvents() = default;
};

class Connection final : private SocketEvents {
 public:
  struct Counters {
    std::uint64_t sent = 0;
    std::uint64_t acknowledged = 0;
  };

  Connection(async::Loop& loop, const Options& options, Network& network, Air& air, ConnectionEvents& events,
             Protocol protocol, Endpoint remote);
  // Of the far end that knocks at `listener`: open at once, connected() is not called; receives after
  // start().
  Connection(async::Loop& loop, const Options& options, Air& air, ConnectionEvents& events, Protocol protocol,
             Endpoint remote, Listener& listener);

  Protocol protocol() const { return protocol_; }
  Endpoint remote() const { return remote_; }
  bool open() const { return open_ && !ended_; }

  // Once, when it is open: begins to receive.
  void start();

  // All of it, or nothing where the send buffer has no room for it.
  bool send(ByteView bytes);
  // The far end's acknowledgement, the way back and Options::ack_lag have to be over. UDP never acknowledges
  // (application note 5.2.2).
  Counters counters();

  std::size_t kept() const { return kept_.size(); }
  // Packets of which something is kept.
  std::size_t packets() const { return packets_.size(); }
  // What one AT+QIRD of `most` bytes returns; valid until the next call. Then take() it.
  ByteView peek(std::size_t most) const;
  void take(std::size_t count);
  void forgetKept();

  // No more events but left(), when what was sent has gone out; at the latest after half a minute.
  void leave();
  // From now on nothing passes in either direction, and nobody is told: what operators do to idle
  // connections.
  void die();
  // As if the far end had closed it or reset it just now.
  void end(bool reset);
  // The far end shall see a reset when this is destroyed.
  void abort();

 private:
  Connection(async::Loop& loop, const Options& options, Air& air, ConnectionEvents& events, Protocol protocol,
             Endpoint remote);

  struct Parcel {
    async::TimePoint due;
    Bytes bytes;
    Take what = Take::Data;
  };
  struct Mark {
    async::TimePoint when;
    std::uint64_t written;
  };

  void opened() override;
  void refused() override;
  void readable() override;
  void writable() override;

  std::size_t room() const;
  bool receiveOne();
  void deliver(ByteView bytes, Take what);
  void downlink();
  void uplink();
  // True where all of it is out; else `written_here_` tells how much is.
  bool write(ByteView bytes);
  void finishLeaving();
  // Data that waits for an answer: the path is given up when none comes for Options::give_up.
  void expectAnswer();
  void checkAnswer();
  // Air::keepalive.
  void watchIdle();
  void probe();

  async::Loop& loop_;
  const Options& options_;
  Air& air_;
  ConnectionEvents& events_;
  Protocol protocol_;
  Endpoint remote_;
  std::unique_ptr<Socket> socket_;
  bool open_ = false;
  bool ended_ = false;
  bool leaving_ = false;
  bool dead_ = false;
  bool started_ = false;

  std::uint64_t sent_ = 0;
  std::uint64_t written_ = 0;
  std::uint64_t reported_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::size_t written_here_ = 0;
  std::deque<Mark> marks_;
  std::deque<Parcel> up_;
  std::size_t up_offset_ = 0;
  // TCP keeps the order: behind what had to be sent again.
  async::TimePoint up_clear_;
  async::Timer up_timer_;

  std::deque<Parcel> down_;
  std::size_t down_bytes_ = 0;
  async::TimePoint down_clear_;
  async::Timer down_timer_;
  ByteQueue kept_;
  std::deque<std::size_t> packets_;

  async::Timer answer_timer_;
  async::TimePoint unanswered_since_;
  std::uint64_t answered_ = 0;
  async::Timer idle_timer_;
  std::optional<Air::KeepAlive> keepalive_;
  async::TimePoint active_;
  int probes_ = 0;

  async::Timer result_timer_;
};

}  // namespace qimux::sim
