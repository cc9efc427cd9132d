#include "qimux/serial/tty_port.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <libserialport.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <optional>

namespace qimux::serial {
namespace {

constexpr std::int64_t kBitsPerByte = 10;  // with start and stop bit
// Half of what a tty buffers for a reader.
constexpr std::size_t kRestBound = 2048;
// Below that a wake-up is not worth saving; and so long before the end the watching begins again.
constexpr async::Duration kShortestRest = std::chrono::milliseconds(3);
constexpr async::Duration kMargin = std::chrono::milliseconds(1);

Error openError(const std::string& device, std::string_view reason) {
  return Error{ErrorKind::System, device, std::string(reason)};
}

std::string lastSerialError(sp_return status) {
  switch (status) {
    case SP_ERR_ARG:
      return "not a serial port";
    case SP_ERR_MEM:
      return "out of memory";
    case SP_ERR_SUPP:
      return "the driver does not support these settings";
    default:
      return std::strerror(sp_last_error_code());
  }
}

sp_return configure(sp_port* port, const TtySettings& settings) {
  if (const auto status = sp_set_baudrate(port, settings.baud); status != SP_OK) return status;
  if (const auto status = sp_set_bits(port, 8); status != SP_OK) return status;
  if (const auto status = sp_set_parity(port, SP_PARITY_NONE); status != SP_OK) return status;
  if (const auto status = sp_set_stopbits(port, 1); status != SP_OK) return status;
  const auto control =
      settings.flow_control == FlowControl::RtsCts ? SP_FLOWCONTROL_RTSCTS : SP_FLOWCONTROL_NONE;
  return sp_set_flowcontrol(port, control);
}

// Raw without exception: a pty starts with echo and line editing, which libserialport leaves as they are
// where it cannot see modem lines. HUPCL off: dropping DTR at a restart would put a module with AT+QSCLK=1 to
// sleep.
// `speed` only for a pty, which has no other way to learn it, and no use for it but that its other end can
// see it.
bool makeRaw(int fd, std::optional<speed_t> speed) {
  termios settings{};
  if (::tcgetattr(fd, &settings) != 0) return false;
  if (speed) ::cfsetspeed(&settings, *speed);
  ::cfmakeraw(&settings);
  settings.c_cflag |= CLOCAL | CREAD;
  settings.c_cflag &= ~static_cast<tcflag_t>(HUPCL);
  return ::tcsetattr(fd, TCSANOW, &settings) == 0;
}

// Nothing for a rate that termios has no name for.
std::optional<speed_t> speedOf(int baud) {
  switch (baud) {
    case 1200:
      return B1200;
    case 2400:
      return B2400;
    case 4800:
      return B4800;
    case 9600:
      return B9600;
    case 19200:
      return B19200;
    case 38400:
      return B38400;
    case 57600:
      return B57600;
    case 115200:
      return B115200;
    case 230400:
      return B230400;
    case 460800:
      return B460800;
    case 921600:
      return B921600;
    default:
      return std::nullopt;
  }
}

bool noSuchLine(int error_number) {
  return error_number == ENOTTY || error_number == EINVAL;
}

}  // namespace

void TtyPort::SerialCloser::operator()(sp_port* port) const {
  sp_close(port);
  sp_free_port(port);
}

Result<TtyPort::Serial> TtyPort::openSerial(const std::string& path, const TtySettings& settings) {
  sp_port* raw = nullptr;
  // Not known: a pty, or no tty at all, which makeRaw() will find out.
  if (sp_get_port_by_name(path.c_str(), &raw) != SP_OK) return Serial();
  Serial serial(raw);
  auto status = sp_open(raw, SP_MODE_READ_WRITE);
  if (status == SP_OK) status = configure(raw, settings);
  if (status != SP_OK) return std::unexpected(openError(settings.device, lastSerialError(status)));
  return serial;
}

Result<std::unique_ptr<TtyPort>> TtyPort::open(async::UvLoop& loop, const TtySettings& settings) {
  std::array<char, PATH_MAX> resolved{};
  // libserialport knows a port by its name below /sys; a link such as /dev/gsm0 has none.
  if (::realpath(settings.device.c_str(), resolved.data()) == nullptr) {
    return std::unexpected(openError(settings.device, std::strerror(errno)));
  }
  auto serial = openSerial(resolved.data(), settings);
  if (!serial) return std::unexpected(serial.error());
  Fd pty;
  int fd = -1;
  if (*serial != nullptr) {
    sp_get_port_handle(serial->get(), &fd);
  } else {
    pty = Fd(::open(resolved.data(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
    fd = pty.get();
    if (fd < 0) return std::unexpected(openError(settings.device, std::strerror(errno)));
  }
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    return std::unexpected(openError(settings.device, "in use: another process holds its lock"));
  }
  const auto speed = *serial == nullptr ? speedOf(settings.baud) : std::nullopt;
  if (!makeRaw(fd, speed)) return std::unexpected(openError(settings.device, std::strerror(errno)));
  ::ioctl(fd, TIOCEXCL);
  return std::unique_ptr<TtyPort>(new TtyPort(loop, std::move(*serial), std::move(pty), fd, settings.baud));
}

TtyPort::TtyPort(async::UvLoop& loop, Serial serial, Fd pty, int fd, int baud)
    : serial_(std::move(serial)), pty_(std::move(pty)), fd_(fd), baud_(baud), rest_(loop) {
  watch_ =
      loop.watch(fd_, async::Interest{.readable = true}, [this](async::Interest seen) { onReady(seen); });
}

TtyPort::~TtyPort() {
  watch_.reset();
}

void TtyPort::onReady(async::Interest seen) {
  if (seen.gone) return fail("poll", EIO);
  if (seen.writable) flush();
  if (seen.readable && !lost_) readAll();
}

void TtyPort::readAll() {
  std::array<Byte, 4096> chunk;
  const ssize_t count = ::read(fd_, chunk.data(), chunk.size());
  if (count > 0) return deliver(ByteView(chunk.data(), static_cast<std::size_t>(count)));
  if (count == 0) return fail("read", EIO);
  if (errno != EAGAIN && errno != EINTR) fail("read", errno);
}

Result<void> TtyPort::write(ByteView bytes) {
  if (lost_) return std::unexpected(Error{ErrorKind::Closed, "write", "the device is gone"});
  if (unwritten_.size() + bytes.size() > kWriteBound) {
    return std::unexpected(Error{ErrorKind::Full, "write", "the module does not take anything"});
  }
  unwritten_.insert(unwritten_.end(), bytes.begin(), bytes.end());
  flush();
  return {};
}

void TtyPort::flush() {
  while (!unwritten_.empty()) {
    const ssize_t count = ::write(fd_, unwritten_.data(), unwritten_.size());
    if (count < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) return fail("write", errno);
      break;
    }
    unwritten_.erase(unwritten_.begin(), unwritten_.begin() + count);
  }
  watchAgain();
}

void TtyPort::watchAgain() {
  watch_->want(async::Interest{.readable = !resting_, .writable = !unwritten_.empty()});
}

// The kernel's buffer takes what comes meanwhile. The rest ends a little before the last of the bytes can be
// there, so that nothing is late; a line that is faster than its rate, as a pty may be, just waits that long.
void TtyPort::announce(std::size_t bytes) {
  if (lost_) return;
  // More than 32 bits have room for.
  const auto waiting = static_cast<std::int64_t>(std::min(bytes, kRestBound));
  const auto span = std::chrono::microseconds(waiting * kBitsPerByte * 1'000'000 / baud_);
  if (span < kShortestRest + kMargin) return;
  resting_ = true;
  watchAgain();
  rest_.start(span - kMargin, [this] {
    resting_ = false;
    watchAgain();
  });
}

void TtyPort::fail(std::string_view call, int error_number) {
  if (lost_) return;
  lost_ = true;
  rest_.stop();
  watch_->want(async::Interest{});
  // Whatever it was that failed: a tty that works does not.
  reportLost(Error{ErrorKind::System, "serial device",
                   fmt::format("has gone ({}: {})", call, std::strerror(error_number))});
}

Result<void> TtyPort::setRate(int baud) {
  if (lost_) return std::unexpected(Error{ErrorKind::Closed, "rate", "the device is gone"});
  if (serial_ != nullptr) {
    if (const auto status = sp_set_baudrate(serial_.get(), baud); status != SP_OK) {
      return std::unexpected(Error{ErrorKind::Invalid, "rate", lastSerialError(status)});
    }
  }
  const auto speed = serial_ == nullptr ? speedOf(baud) : std::nullopt;
  if (!makeRaw(fd_, speed)) return std::unexpected(systemError("rate", errno));
  baud_ = baud;
  return {};
}

Result<void> TtyPort::setLine(ModemLine line, bool asserted) {
  int bit = line == ModemLine::Dtr ? TIOCM_DTR : TIOCM_RTS;
  if (::ioctl(fd_, asserted ? TIOCMBIS : TIOCMBIC, &bit) == 0 || noSuchLine(errno)) return {};
  return std::unexpected(systemError(line == ModemLine::Dtr ? "DTR" : "RTS", errno));
}

}  // namespace qimux::serial
