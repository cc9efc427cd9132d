// The way through the air and the network behind it: so many bytes a second each way for all sockets
// together, a time that everything takes on top, and what gets lost.
#pragma once

#include "qimux/async/loop.hpp"
#include "qimux/sim/options.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>

namespace qimux::sim {

class Air {
 public:
  // Takes rtt, rate, loss, ack_lag and seed of `options`, now.
  Air(async::Loop& loop, const Options& options);

  // When bytes that start now are at the far end (up) or in the module (down), behind all that started
  // before them.
  async::TimePoint up(std::size_t bytes) { return pass(up_free_, bytes); }
  async::TimePoint down(std::size_t bytes) { return pass(down_free_, bytes); }

  async::Duration rtt() const { return rtt_; }
  async::Duration oneWay() const { return rtt_ / 2; }
  // Nothing passes for a while (a cell change, a bad place): what is sent meanwhile waits, nothing is lost.
  void stall(async::Duration span);

  // Each packet gets lost with this probability, 0 to 1.
  void setLoss(double probability) { loss_ = probability; }
  // Of one packet.
  bool loses();
  // What a packet of TCP takes longer because it had to be sent again: a retransmission time-out of at least
  // a second, which doubles each time, until one gets through.
  async::Duration retransmissions();
  // By how much an acknowledgement comes late at the earliest (Options::ack_lag).
  async::Duration ackLag();

  // AT+QIKALIVE: how idle TCP connections that open from now on are watched; none where not set.
  struct KeepAlive {
    async::Duration idle;
    async::Duration interval;
  };
  std::optional<KeepAlive> keepalive;

 private:
  async::TimePoint pass(async::TimePoint& free, std::size_t bytes);

  async::Loop& loop_;
  async::Duration rtt_;
  std::uint64_t rate_;
  double loss_;
  Span ack_lag_;
  std::mt19937_64 random_;
  async::TimePoint up_free_;
  async::TimePoint down_free_;
};

}  // namespace qimux::sim
