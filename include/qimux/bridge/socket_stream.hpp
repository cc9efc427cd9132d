// AppStream over a connected kernel socket: one that the private namespace's listener accepted.
#pragma once

#include "qimux/async/uv_loop.hpp"
#include "qimux/base/fd.hpp"
#include "qimux/bridge/app_stream.hpp"

#include <memory>

namespace qimux::bridge {

class SocketStream final : public AppStream {
 public:
  // `fd`: a connected, non-blocking TCP socket.
  SocketStream(async::UvLoop& loop, Fd fd);
  ~SocketStream() override;

  std::size_t readable() override;
  std::size_t read(ByteSpan out) override;
  Input input() override;
  std::size_t write(ByteView bytes) override;
  bool writable() override { return writable_; }
  bool drained() override;
  void endOutput() override;
  void reset() override;

 private:
  void onReady(async::Interest seen);
  void watch();

  Fd fd_;
  std::unique_ptr<async::UvLoop::FdWatch> watch_;
  Input input_ = Input::Open;
  bool idle_ = true;  // nothing was there to be read when last looked
  bool writable_ = true;
};

}  // namespace qimux::bridge
