#include "port_stream.hpp"
#include "qimux/base/fd.hpp"
#include "qimux/sim/port.hpp"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <system_error>
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
  static constexpr std::array kSpeeds{Speed{B75, 75},         Speed{B150, 150},       Speed{B300, 300},
                                      Speed{B600, 600},       Speed{B1200, 1200},     Speed{B2400, 2400},
                                      Speed{B4800, 4800},     Speed{B9600, 9600},     Speed{B19200, 19200},
                                      Speed{B38400, 38400},   Speed{B57600, 57600},   Speed{B115200, 115200},
                                      Speed{B230400, 230400}, Speed{B460800, 460800}, Speed{B921600, 921600}};
  termios mode{};
  if (::tcgetattr(fd, &mode) < 0) return 0;
  const auto it = std::ranges::find(kSpeeds, ::cfgetospeed(&mode), &Speed::code);
  return it == kSpeeds.end() ? 0 : it->baud;
}

// Not for writing: so its closing is another event than that of a host, and is never merged with it.
Fd openSlave(const char* path) {
  return Fd(::open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC));
}

// Where a symbolic link leads; empty where it is none.
std::string targetOf(const std::string& link) {
  std::error_code problem;
  return std::filesystem::read_symlink(link, problem).string();
}

// A pseudo terminal has a name as long as a program holds its other end.
bool isPtyInUse(const std::string& target) {
  return target.starts_with("/dev/pts/") && ::access(target.c_str(), F_OK) == 0;
}

Result<void> placeLink(const std::string& link, const std::string& target) {
  struct stat found{};
  if (::lstat(link.c_str(), &found) == 0) {
    const auto wrong = [&link](std::string why) {
      return std::unexpected(Error{ErrorKind::Invalid, link, std::move(why)});
    };
    if (!S_ISLNK(found.st_mode)) return wrong("exists and is no symbolic link; choose another path");
    const std::string other = targetOf(link);
    // A link to ours was left by somebody who had that number before.
    if (other != target && isPtyInUse(other)) {
      return wrong("leads to " + other +
                   ", which belongs to a running program; end that, remove the link, or choose another path");
    }
    ::unlink(link.c_str());
  }
  if (::symlink(target.c_str(), link.c_str()) < 0) return std::unexpected(systemError(link, errno));
  return {};
}

// The slave is held open, so the master never sees a hangup and the terminal keeps its mode. What a real port
// does when its last user goes, forget exclusive use and what was not read, is done here by hand.
//
// Who else has it open cannot be counted: inotify makes one event of several that are alike. So its events
// only say that it is time to look, and a look is exact: our own slave is closed for a moment, and the master
// hangs up where that was the last one.
class PtyPort final : public Port {
 public:
  PtyPort(async::UvLoop& loop, Fd master, Fd slave, std::string path, std::string link, Received received)
      : path_(std::move(path)),
        link_(std::move(link)),
        master_(master.get()),
        slave_(std::move(slave)),
        received_(std::move(received)),
        stream_(loop, std::move(master), [this](ByteView bytes) { heard(bytes); }),
        again_(loop) {
    notify_ = Fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    if (!notify_.valid() || ::inotify_add_watch(notify_.get(), path_.c_str(), IN_OPEN | IN_CLOSE) < 0) return;
    notify_watch_ = loop.watch(notify_.get(), async::Interest{.readable = true}, [this](async::Interest) {
      // The two of our own last look have been taken away by it: these are a host's.
      usersChanged((takeEvents().seen & IN_OPEN) != 0);
    });
  }

  ~PtyPort() override {
    if (targetOf(link_) == path_) ::unlink(link_.c_str());
  }

  void write(ByteView bytes) override { stream_.write(bytes); }
  void pause(bool paused) override {
    paused_ = paused;
    stream_.pause(paused_ || !slave_.valid());
  }
  std::size_t waiting() const override { return stream_.waiting(); }
  unsigned hostBaud() const override { return speedOf(master_); }
  void onHost(std::move_only_function<void(bool here)> call) override { on_host_ = std::move(call); }
  void setReadSize(std::size_t bytes) override { stream_.setReadSize(bytes); }

 private:
  struct Events {
    unsigned seen = 0;
    int count = 0;
  };

  Events takeEvents() {
    alignas(inotify_event) std::array<char, 4096> buffer;
    Events taken;
    ssize_t size = 0;
    while ((size = ::read(notify_.get(), buffer.data(), buffer.size())) > 0) {
      for (ssize_t at = 0; at < size;) {
        const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
        taken.seen |= event->mask;
        ++taken.count;
        at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      }
    }
    return taken;
  }

  // Bytes prove that somebody is or was there.
  void heard(ByteView bytes) {
    used_ = true;
    if (here_) {
      received_(bytes);
      return;
    }
    tellHost(true);
    received_(bytes);
    usersChanged(false);
  }

  void usersChanged(bool opened) {
    if (!slave_.valid()) return;
    const bool here = look();
    // One that came and went between two looks was there.
    if (here || opened) tellHost(true);
    tellHost(here);
    if (here || !used_ || !slave_.valid()) return;
    used_ = false;
    ::tcflush(slave_.get(), TCIFLUSH);
  }

  // Exclusive use would keep us out, too; it is given back to a host that is there.
  bool look() {
    int exclusive = 0;
    ::ioctl(slave_.get(), TIOCGEXCL, &exclusive);
    ::ioctl(slave_.get(), TIOCNXCL);
    slave_.reset();
    pollfd hangup{master_, 0, 0};
    const bool here = ::poll(&hangup, 1, 0) == 0;
    reopen();
    if (here && exclusive != 0) ::ioctl(slave_.get(), TIOCEXCL);
    // Ours are one closing and one opening. A host's among them are worth another look.
    if (notify_watch_ && takeEvents().count != 2)
      again_.start(async::Duration{0}, [this] { usersChanged(false); });
    return here;
  }

  void reopen() {
    slave_ = openSlave(path_.c_str());
    stream_.pause(paused_ || !slave_.valid());
    // Without a slave the master would be reported as hung up for ever.
    if (slave_.valid()) return;
    again_.start(std::chrono::milliseconds(100), [this] {
      reopen();
      if (slave_.valid()) usersChanged(false);
    });
  }

  void tellHost(bool here) {
    if (std::exchange(here_, here) != here && on_host_) on_host_(here);
  }

  std::string path_;
  std::string link_;
  // The stream's.
  int master_;
  Fd slave_;
  Received received_;
  Stream stream_;
  Fd notify_;
  std::unique_ptr<async::UvLoop::FdWatch> notify_watch_;
  async::Timer again_;
  std::move_only_function<void(bool here)> on_host_;
  bool here_ = false;
  bool used_ = false;
  bool paused_ = false;
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
  Fd slave = openSlave(name.data());
  if (!slave.valid()) return std::unexpected(systemError(name.data(), errno));
  if (auto raw = makeRaw(slave.get()); !raw) return std::unexpected(raw.error());
  if (auto placed = placeLink(link, name.data()); !placed) return std::unexpected(placed.error());
  return std::make_unique<PtyPort>(loop, std::move(master), std::move(slave), name.data(), link,
                                   std::move(received));
}

}  // namespace qimux::sim
