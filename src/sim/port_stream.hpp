// A descriptor that is read and written without blocking: what both kinds of port are made of.
#pragma once

#include "qimux/async/uv_loop.hpp"
#include "qimux/base/fd.hpp"
#include "qimux/sim/byte_queue.hpp"
#include "qimux/sim/port.hpp"

#include <functional>
#include <memory>
#include <string>

namespace qimux::sim {

// A listening unix socket. One that nobody listens on any more is replaced; any other file of that name is an
// error that names it.
Result<Fd> listenUnix(const std::string& path);

class Stream {
 public:
  // `gone`, where given, is called once the other side has closed; it may destroy this.
  Stream(async::UvLoop& loop, Fd fd, Port::Received received, std::move_only_function<void()> gone = {});

  void write(ByteView bytes);
  void pause(bool paused);
  std::size_t waiting() const { return out_.size(); }
  void setReadSize(std::size_t bytes) { read_size_ = bytes; }

 private:
  void report(async::Interest seen);
  bool readSome();
  void writeSome();
  void apply();

  Fd fd_;
  Port::Received received_;
  std::move_only_function<void()> gone_;
  std::unique_ptr<async::UvLoop::FdWatch> watch_;
  ByteQueue out_;
  bool paused_ = false;
  std::size_t read_size_ = 65536;
};

}  // namespace qimux::sim
