#include "qimux/serial/tty_port.hpp"

#include "support/catch.hpp"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/file.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string>

using namespace qimux;
using namespace qimux::serial;
using namespace std::chrono_literals;

namespace {

// A pty whose master is the module.
class Pty {
 public:
  Pty() : master_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)) {
    if (::grantpt(master_.get()) != 0 || ::unlockpt(master_.get()) != 0) std::abort();
    path_ = ::ptsname(master_.get());
    // Kept open: a master without any slave would report a hang-up of its own.
    keep_ = Fd(::open(path_.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  }
  const std::string& path() const { return path_; }
  TtySettings settings() const { return TtySettings{.device = path_}; }
  void say(std::string_view text) {
    REQUIRE(::write(master_.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  std::string hear() {
    std::array<char, 4096> buffer;
    const auto count = ::read(master_.get(), buffer.data(), buffer.size());
    return std::string(buffer.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
  }
  int slave() const { return keep_.get(); }
  void unplug() {
    keep_.reset();
    master_.reset();
  }

 private:
  Fd master_;
  Fd keep_;
  std::string path_;
};

struct Rig {
  Rig() {
    auto opened = TtyPort::open(loop, pty.settings());
    REQUIRE(opened);
    port = std::move(*opened);
    port->onData([this](ByteView bytes) { received += textOf(bytes); });
    port->onLost([this](const Error& error) { losses.push_back(error); });
  }
  // Until `done`, which is a matter of microseconds; 10 s is for a defect.
  bool runUntil(std::function<bool()> done) {
    bool late = false;
    async::Timer limit(loop);
    limit.start(10s, [&] { late = true; });
    std::function<void()> look = [&] {
      if (done() || late) return loop.stop();
      beat.start(1ms, [&] { look(); });
    };
    beat.start(0ms, [&] { look(); });
    loop.run();
    return !late;
  }

  async::UvLoop loop;
  async::Timer beat{loop};
  Pty pty;
  std::string received;
  std::vector<Error> losses;
  std::unique_ptr<TtyPort> port;
};

}  // namespace

TEST_CASE("bytes go both ways, all 256 of them, unchanged") {
  Rig rig;
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  rig.pty.say(all);
  CHECK(rig.runUntil([&] { return rig.received.size() >= all.size(); }));
  CHECK(rig.received == all);

  CHECK(rig.port->write(bytesOf(all)));
  std::string heard;
  CHECK(rig.runUntil([&] {
    heard += rig.pty.hear();
    return heard.size() >= all.size();
  }));
  CHECK(heard == all);
  // Nothing is echoed back to the module.
  CHECK(rig.received == all);
}

TEST_CASE("the tty is raw: no echo, no line editing, no signals, and DTR stays at a close") {
  Rig rig;
  termios settings{};
  REQUIRE(::tcgetattr(rig.pty.slave(), &settings) == 0);
  CHECK((settings.c_lflag & static_cast<tcflag_t>(ECHO | ICANON | ISIG | IEXTEN)) == 0);
  CHECK((settings.c_iflag & static_cast<tcflag_t>(ICRNL | IXON | ISTRIP)) == 0);
  CHECK((settings.c_oflag & static_cast<tcflag_t>(OPOST)) == 0);
  CHECK((settings.c_cflag & static_cast<tcflag_t>(HUPCL)) == 0);
}

TEST_CASE("a second opener is refused while the first lives, and not after") {
  Rig rig;
  auto second = TtyPort::open(rig.loop, rig.pty.settings());
  REQUIRE_FALSE(second);
  CHECK(second.error().kind == ErrorKind::System);
  CHECK(second.error().what == rig.pty.path());
  CHECK_FALSE(second.error().reply.empty());
  rig.port.reset();
  CHECK(TtyPort::open(rig.loop, rig.pty.settings()));
}

TEST_CASE("somebody else's lock on the device is respected") {
  async::UvLoop loop;
  const Pty pty;
  REQUIRE(::flock(pty.slave(), LOCK_EX | LOCK_NB) == 0);
  const auto opened = TtyPort::open(loop, pty.settings());
  REQUIRE_FALSE(opened);
  CHECK(opened.error().reply == "in use: another process holds its lock");
}

TEST_CASE("a symbolic link is followed, and errors name it") {
  async::UvLoop loop;
  const Pty pty;
  std::string directory = "/tmp/qimux-tty-XXXXXX";
  REQUIRE(::mkdtemp(directory.data()) != nullptr);
  const std::string link = directory + "/gsm0";
  std::filesystem::create_symlink(pty.path(), link);
  {
    const auto opened = TtyPort::open(loop, TtySettings{.device = link});
    CHECK(opened);
    const auto second = TtyPort::open(loop, TtySettings{.device = link});
    REQUIRE_FALSE(second);
    CHECK(second.error().what == link);
  }
  std::filesystem::remove_all(directory);
}

TEST_CASE("what is missing, or no tty, is said so") {
  async::UvLoop loop;
  const auto missing = TtyPort::open(loop, TtySettings{.device = "/dev/qimux-does-not-exist"});
  REQUIRE_FALSE(missing);
  CHECK(missing.error().text() == "/dev/qimux-does-not-exist: No such file or directory (system)");
  const auto file = TtyPort::open(loop, TtySettings{.device = "/dev/null"});
  REQUIRE_FALSE(file);
  CHECK(file.error().kind == ErrorKind::System);
  CHECK(file.error().what == "/dev/null");
}

TEST_CASE("a hang-up is reported once, and writes are refused from then on") {
  Rig rig;
  rig.pty.unplug();
  CHECK(rig.runUntil([&] { return !rig.losses.empty(); }));
  int turns = 0;
  CHECK(rig.runUntil([&] { return ++turns > 20; }));
  REQUIRE(rig.losses.size() == 1);
  CHECK(rig.losses.front().kind == ErrorKind::System);
  const auto written = rig.port->write(bytesOf("AT\r"));
  REQUIRE_FALSE(written);
  CHECK(written.error().kind == ErrorKind::Closed);
}

TEST_CASE("what the kernel does not take at once is kept, in order, up to a bound") {
  Rig rig;
  // A pty holds some kilobytes; nobody reads.
  std::string sent;
  Result<void> written;
  for (int i = 0; i < 100 && written; ++i) {
    const std::string piece(1000, static_cast<char>('a' + i % 26));
    written = rig.port->write(bytesOf(piece));
    if (written) sent += piece;
  }
  REQUIRE_FALSE(written);
  CHECK(written.error().kind == ErrorKind::Full);
  CHECK(sent.size() >= Port::kWriteBound - 1000);
  std::string heard;
  CHECK(rig.runUntil([&] {
    heard += rig.pty.hear();
    return heard.size() >= sent.size();
  }));
  CHECK(heard == sent);
  CHECK(rig.port->write(bytesOf("AT\r")));
}

TEST_CASE("a pty has no modem lines, and that is no error") {
  Rig rig;
  CHECK(rig.port->setLine(ModemLine::Dtr, true));
  CHECK(rig.port->setLine(ModemLine::Rts, false));
}

TEST_CASE("a port that was told of much to come rests, and then reports what came meanwhile") {
  Rig rig;
  int reports = 0;
  rig.port->onData([&](ByteView bytes) {
    ++reports;
    rig.received += textOf(bytes);
  });
  // 1500 bytes need 130 ms at 115200 baud.
  const auto begin = rig.loop.now();
  rig.port->announce(1500);
  for (int i = 0; i < 10; ++i) rig.pty.say("ten bytes.");
  REQUIRE(rig.runUntil([&] { return rig.received.size() == 100; }));
  CHECK(reports == 1);
  CHECK(rig.loop.now() - begin >= 120ms);
  // The rest is over: the next bytes are reported as they come, also after a word of little to come.
  rig.port->announce(5);
  rig.pty.say("more");
  REQUIRE(rig.runUntil([&] { return rig.received.size() == 104; }));
  CHECK(rig.losses.empty());
}

TEST_CASE("a port that is unplugged while it rests is lost once") {
  Rig rig;
  rig.port->announce(1500);
  rig.pty.unplug();
  REQUIRE(rig.runUntil([&] { return !rig.losses.empty(); }));
  CHECK(rig.losses.size() == 1);
}
