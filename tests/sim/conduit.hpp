// The kernels between a program and the bridge: a connected pair of sockets with bounded buffers, without a
// file descriptor.
//
//   program --put()--> [up] --read()--> bridge
//   program <--get()-- [program's buffer][bridge's buffer] <--write()-- bridge
//
// It behaves as SocketStream does over a real pair: what a program that reset the connection had written is
// gone; what is written to a program that has closed resets it; a reset by the bridge loses what had not
// reached the program's kernel.
#pragma once

#include "qimux/bridge/app_stream.hpp"
#include "qimux/sim/byte_queue.hpp"

#include <cstddef>
#include <functional>
#include <memory>

namespace qimux::simtest {

struct ConduitBounds {
  std::size_t up = 4096;       // written by the program, not yet taken by the bridge
  std::size_t program = 4096;  // in the program's kernel, not yet read by it
  std::size_t bridge = 4096;   // in the bridge's own socket
};

class Conduit {
 public:
  explicit Conduit(ConduitBounds bounds) : bounds_(bounds) {}
  Conduit(const Conduit&) = delete;
  Conduit& operator=(const Conduit&) = delete;

  // The bridge's end, once. The conduit must outlive it.
  std::unique_ptr<bridge::AppStream> open();

  // Something is to be read, or there is room, or an end. Called from inside the bridge's calls: it may only
  // plan.
  void onChange(std::function<void()> call) { change_ = std::move(call); }

  // The program's system calls.
  std::size_t put(ByteView bytes);
  std::size_t room() const;
  std::size_t get(ByteSpan into);
  std::size_t waiting() const { return down_.size(); }
  bool endSeen() const { return down_.empty() && ended_ && !reset_; }
  bool resetSeen() const { return down_.empty() && reset_; }
  void shutdown();
  // With unread bytes, a reset as in the kernel.
  void close();
  void abort();

  bool gone() const { return gone_; }
  bool bridgeLeft() const { return left_; }
  bool broken() const { return reset_; }

 private:
  class Stream;
  void tellProgram() {
    if (change_) change_();
  }
  void tellBridge();

  ConduitBounds bounds_;
  std::function<void()> change_;
  Stream* stream_ = nullptr;
  sim::ByteQueue up_;
  sim::ByteQueue down_;
  bool program_ended_ = false;
  bool program_reset_ = false;
  bool gone_ = false;
  bool ended_ = false;  // the bridge will write no more
  bool reset_ = false;  // the program gets ECONNRESET
  bool left_ = false;   // the bridge's end is closed
};

}  // namespace qimux::simtest
