// A tty (UART, USB adapter, pty) as a Port: opened exclusively, raw, non-blocking, watched by the loop.
//
// libserialport opens and configures; reading and writing is ours, because its calls block and report no
// unplug.
#pragma once

#include "qimux/async/uv_loop.hpp"
#include "qimux/base/fd.hpp"
#include "qimux/serial/port.hpp"

#include <deque>
#include <memory>
#include <string>

struct sp_port;

namespace qimux::serial {

enum class FlowControl { None, RtsCts };

struct TtySettings {
  std::string device;  // path; a symbolic link is followed
  int baud = 115200;   // 8 data bits, no parity, 1 stop bit
  FlowControl flow_control = FlowControl::None;
};

class TtyPort final : public Port {
 public:
  // System: the device is missing, not a tty, held by another process (TIOCEXCL, or a lock on it), or may not
  // be opened. The text names the device and the cause.
  static Result<std::unique_ptr<TtyPort>> open(async::UvLoop& loop, const TtySettings& settings);
  ~TtyPort() override;

  Result<void> write(ByteView bytes) override;
  Result<void> setLine(ModemLine line, bool asserted) override;
  Result<void> setRate(int baud) override;
  void announce(std::size_t bytes) override;

 private:
  struct SerialCloser {
    void operator()(sp_port* port) const;
  };
  using Serial = std::unique_ptr<sp_port, SerialCloser>;

  static Result<Serial> openSerial(const std::string& path, const TtySettings& settings);
  TtyPort(async::UvLoop& loop, Serial serial, Fd pty, int fd, int baud);
  void onReady(async::Interest seen);
  void readAll();
  void flush();
  void watchAgain();
  void fail(std::string_view call, int error_number);

  Serial serial_;  // null for a pty
  Fd pty_;         // invalid for anything else
  int fd_;         // of the one of them that is there
  Bytes unwritten_;
  bool lost_ = false;
  bool resting_ = false;  // not watched for bytes until rest_ is over
  int baud_;
  async::Timer rest_;
  std::unique_ptr<async::UvLoop::FdWatch> watch_;  // goes before the descriptor
};

}  // namespace qimux::serial
