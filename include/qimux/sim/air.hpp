// The way through the air and the network behind it: so many bytes a second each way for all sockets
// together, and a time that everything takes on top.
#pragma once

#include "qimux/async/loop.hpp"

#include <cstddef>
#include <cstdint>

namespace qimux::sim {

class Air {
 public:
  // `rate` in bytes a second, 0 = no limit; `rtt` is there and back.
  Air(async::Loop& loop, async::Duration rtt, std::uint64_t rate) : loop_(loop), rtt_(rtt), rate_(rate) {}

  // When bytes that start now are at the far end (up) or in the module (down), behind all that started
  // before them.
  async::TimePoint up(std::size_t bytes) { return pass(up_free_, bytes); }
  async::TimePoint down(std::size_t bytes) { return pass(down_free_, bytes); }

  async::Duration rtt() const { return rtt_; }
  async::Duration oneWay() const { return rtt_ / 2; }
  // Nothing passes for a while (a cell change, a bad place): what is sent meanwhile waits, nothing is lost.
  void stall(async::Duration span);

 private:
  async::TimePoint pass(async::TimePoint& free, std::size_t bytes);

  async::Loop& loop_;
  async::Duration rtt_;
  std::uint64_t rate_;
  async::TimePoint up_free_;
  async::TimePoint down_free_;
};

}  // namespace qimux::sim
