// The pace of a serial line: 10 bits a byte, each way by itself.
//
// A byte that the host writes is heard by the module only when it has passed the line, and the other way
// round. In the middle of a burst bytes are handed over in pieces of half a millisecond; the end of each
// burst is exact to the microsecond of the loop's clock.
#pragma once

#include "qimux/async/loop.hpp"
#include "qimux/base/bytes.hpp"
#include "qimux/sim/byte_queue.hpp"

#include <cstddef>
#include <functional>

namespace qimux::sim {

class Uart {
 public:
  using Deliver = std::move_only_function<void(ByteView)>;

  // `baud` 0: everything passes at once.
  Uart(async::Loop& loop, unsigned baud, Deliver to_module, Deliver to_host);

  void fromHost(ByteView bytes) { to_module_.send(bytes); }
  void fromModule(ByteView bytes) { to_host_.send(bytes); }
  // Bytes of the host on the line: whoever reads them from a file should wait while there are many.
  std::size_t queuedFromHost() const { return to_module_.queued(); }
  std::size_t queuedToHost() const { return to_host_.queued(); }
  // Called whenever some of it has passed.
  void onPassed(std::move_only_function<void()> call) { to_module_.onPassed(std::move(call)); }
  // The module lets CTS go: what the host has written waits on its side of the line.
  void holdHost(bool held) { to_module_.hold(held); }
  // For both ways, from the next byte on. A line without a limit keeps none.
  void setBaud(unsigned baud);

 private:
  class Lane {
   public:
    Lane(async::Loop& loop, unsigned baud, Deliver deliver);
    void send(ByteView bytes);
    std::size_t queued() const { return queue_.size(); }
    void onPassed(std::move_only_function<void()> call) { passed_ = std::move(call); }
    void setBaud(unsigned baud);
    void hold(bool held);

   private:
    void begin();
    void arm();
    void fire();
    // Bytes that have passed, of those sent since begin_.
    std::uint64_t passed(async::TimePoint now) const;
    async::TimePoint passedAt(std::uint64_t count) const;

    async::Loop& loop_;
    async::Timer timer_;
    unsigned baud_;
    Deliver deliver_;
    std::move_only_function<void()> passed_;
    ByteQueue queue_;
    async::TimePoint begin_;
    std::uint64_t delivered_ = 0;
    bool held_ = false;
  };

  Lane to_module_;
  Lane to_host_;
};

}  // namespace qimux::sim
