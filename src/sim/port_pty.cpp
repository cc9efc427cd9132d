#include "port_stream.hpp"
#include "qimux/base/fd.hpp"
#include "qimux/sim/port.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <utility>

namespace qimux::sim {
namespace {

Result<void> makeRaw(int fd) {
  termios mode{};
  if (::tcgetattr(fd, &mode) < 0) return std::unexpected(systemError("tcgetattr", errno));
  ::cfmakeraw(&mode);
  ::cfsetspeed(&mode, B115200);
  if (::tcsetattr(fd, TCSANOW, &mode) < 0) return std::unexpected(systemError("tcsetattr", errno));
  return {};
}

unsigned speedOf(int fd) {
  struct Speed {
    speed_t code;
    unsigned baud;
  };
  static constexpr std::array kSpeeds{Speed{B75, 75},       Speed{B150, 150},     Speed{B300, 300},
                                      Speed{B600, 600},     Speed{B1200, 1200},   Speed{B2400, 2400},
                                      Speed{B4800, 4800},   Speed{B9600, 9600},   Speed{B19200, 19200},
                                      Speed{B38400, 38400}, Speed{B57600, 57600}, Speed{B115200, 115200}};
  termios mode{};
  if (::tcgetattr(fd, &mode) < 0) return 0;
  const auto it = std::ranges::find(kSpeeds, ::cfgetospeed(&mode), &Speed::code);
  return it == kSpeeds.end() ? 0 : it->baud;
}

Result<void> placeLink(const std::string& link, const std::string& target) {
  struct stat found{};
  if (::lstat(link.c_str(), &found) == 0) {
    if (!S_ISLNK(found.st_mode))
      return std::unexpected(Error{ErrorKind::Invalid, link, "exists and is no symbolic link"});
    ::unlink(link.c_str());
  }
  if (::symlink(target.c_str(), link.c_str()) < 0) return std::unexpected(systemError(link, errno));
  return {};
}

// The slave is held open, so the master never sees a hangup and the terminal keeps its mode. What a real port
// does when its last user goes, forget exclusive use and what was not read, is done here by hand.
class PtyPort final : public Port {
 public:
  PtyPort(async::UvLoop& loop, Fd master, Fd slave, const std::string& path, std::string link,
          Received received)
      : slave_(std::move(slave)),
        link_(std::move(link)),
        stream_(loop, std::move(master), [this, call = std::move(received)](ByteView bytes) mutable {
          used_ = true;
          call(bytes);
        }) {
    notify_ = Fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    if (!notify_.valid() || ::inotify_add_watch(notify_.get(), path.c_str(), IN_OPEN | IN_CLOSE) < 0) return;
    notify_watch_ = loop.watch(notify_.get(), async::Interest{.readable = true},
                               [this](async::Interest) { usersChanged(); });
  }

  ~PtyPort() override { ::unlink(link_.c_str()); }

  void write(ByteView bytes) override { stream_.write(bytes); }
  void pause(bool paused) override { stream_.pause(paused); }
  std::size_t waiting() const override { return stream_.waiting(); }
  unsigned hostBaud() const override { return speedOf(slave_.get()); }
  void onHost(std::move_only_function<void(bool here)> call) override { on_host_ = std::move(call); }
  void setReadSize(std::size_t bytes) override { stream_.setReadSize(bytes); }

 private:
  void usersChanged() {
    alignas(inotify_event) std::array<char, 4096> buffer;
    ssize_t size = 0;
    while ((size = ::read(notify_.get(), buffer.data(), buffer.size())) > 0) {
      for (ssize_t at = 0; at < size;) {
        const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
        users_ += (event->mask & IN_OPEN) != 0 ? 1 : -1;
        at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
        tellHost();
      }
    }
    if (users_ > 0 || !used_) return;
    used_ = false;
    ::ioctl(slave_.get(), TIOCNXCL);
    ::tcflush(slave_.get(), TCIFLUSH);
  }

  void tellHost() {
    const bool here = users_ > 0;
    if (std::exchange(here_, here) != here && on_host_) on_host_(here);
  }

  Fd slave_;
  std::string link_;
  Stream stream_;
  Fd notify_;
  std::unique_ptr<async::UvLoop::FdWatch> notify_watch_;
  std::move_only_function<void(bool here)> on_host_;
  int users_ = 0;
  bool here_ = false;
  bool used_ = false;
};

}  // namespace

Result<std::unique_ptr<Port>> openPty(async::UvLoop& loop, const std::string& link, Port::Received received) {
  Fd master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  if (!master.valid()) return std::unexpected(systemError("posix_openpt", errno));
  if (::grantpt(master.get()) < 0 || ::unlockpt(master.get()) < 0) {
    return std::unexpected(systemError("unlockpt", errno));
  }
  std::array<char, 64> name{};
  if (::ptsname_r(master.get(), name.data(), name.size()) != 0)
    return std::unexpected(systemError("ptsname", errno));
  Fd slave(::open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!slave.valid()) return std::unexpected(systemError(name.data(), errno));
  if (auto raw = makeRaw(slave.get()); !raw) return std::unexpected(raw.error());
  if (auto placed = placeLink(link, name.data()); !placed) return std::unexpected(placed.error());
  return std::make_unique<PtyPort>(loop, std::move(master), std::move(slave), name.data(), link,
                                   std::move(received));
}

}  // namespace qimux::sim
