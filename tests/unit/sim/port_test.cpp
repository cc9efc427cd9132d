// The pseudo terminal and the listening socket, from the host's side.
#include "qimux/sim/port.hpp"

#include "qimux/base/fd.hpp"
#include "support/catch.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <string>

using namespace qimux;
using namespace qimux::sim;
using namespace std::chrono_literals;

namespace {

struct Directory {
  Directory() {
    std::string pattern = "/tmp/qimux-port-XXXXXX";
    path = ::mkdtemp(pattern.data());
  }
  ~Directory() { std::filesystem::remove_all(path); }
  std::string path;
};

struct Machine {
  Port::Received received() {
    return [this](ByteView bytes) {
      heard += textOf(bytes);
      loop.stop();
    };
  }
  // Until something was received, or `span` has passed.
  void run(async::Duration span = 10s) {
    async::Timer limit(loop);
    limit.start(span, [this] { loop.stop(); });
    loop.run();
  }
  async::UvLoop loop;
  std::string heard;
};

std::string readSome(int fd) {
  std::array<char, 100> buffer{};
  const ssize_t size = ::read(fd, buffer.data(), buffer.size());
  return {buffer.data(), size < 0 ? 0 : static_cast<std::size_t>(size)};
}

Fd openTty(const std::string& path) {
  return Fd(::open(path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK));
}

sockaddr_un addressOf(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

Fd connectTo(const std::string& path) {
  Fd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
  const sockaddr_un address = addressOf(path);
  REQUIRE(::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return client;
}

}  // namespace

TEST_CASE("a port tells when its first host comes and its last one goes") {
  Directory directory;
  Machine machine;
  std::string told;
  const auto tell = [&](bool here) {
    told += here ? "here " : "gone ";
    machine.loop.stop();
  };
  SECTION("pseudo terminal") {
    auto port = openPty(machine.loop, directory.path + "/tty", machine.received());
    REQUIRE(port.has_value());
    (*port)->onHost(tell);
    Fd first(::open((directory.path + "/tty").c_str(), O_RDWR | O_NOCTTY));
    machine.run();
    CHECK(told == "here ");
    Fd second(::open((directory.path + "/tty").c_str(), O_RDWR | O_NOCTTY));
    first.reset();
    machine.run(50ms);
    CHECK(told == "here ");
    second.reset();
    machine.run();
    CHECK(told == "here gone ");
    // Away and back between two looks is told all the same.
    Fd(::open((directory.path + "/tty").c_str(), O_RDWR | O_NOCTTY)).reset();
    machine.run();
    CHECK(told == "here gone here gone ");
  }
  SECTION("socket") {
    const std::string path = directory.path + "/socket";
    auto port = openListener(machine.loop, "unix:" + path, machine.received());
    REQUIRE(port.has_value());
    (*port)->onHost(tell);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    Fd client(::socket(AF_UNIX, SOCK_STREAM, 0));
    REQUIRE(::connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    machine.run();
    CHECK(told == "here ");
    client.reset();
    machine.run();
    CHECK(told == "here gone ");
  }
}

TEST_CASE("the pseudo terminal is raw, survives its users, and forgets what the last one left", "[native]") {
  Directory directory;
  Machine machine;
  const std::string link = directory.path + "/tty";
  auto port = openPty(machine.loop, link, machine.received());
  REQUIRE(port);
  for (int user = 0; user < 2; ++user) {
    machine.heard.clear();
    Fd host(::open(link.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK));
    REQUIRE(host.valid());
    int exclusive = 1;
    REQUIRE(::ioctl(host.get(), TIOCGEXCL, &exclusive) == 0);
    CHECK(exclusive == 0);
    REQUIRE(::ioctl(host.get(), TIOCEXCL) == 0);
    REQUIRE(::write(host.get(), "AT\r\n\x03", 5) == 5);
    machine.run();
    CHECK(machine.heard == "AT\r\n\x03");
    (*port)->write(bytesOf("\r\nOK\r\n"));
    CHECK(readSome(host.get()) == "\r\nOK\r\n");
    CHECK((*port)->hostBaud() == 115200);
    (*port)->write(bytesOf("never read"));
    host.reset();
    machine.run(50ms);
  }
  Fd late(::open(link.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK));
  CHECK(readSome(late.get()).empty());
}

TEST_CASE("the link replaces a link but no file, and goes with the port") {
  Directory directory;
  Machine machine;
  const std::string link = directory.path + "/tty";
  std::filesystem::create_symlink("/nowhere", link);
  {
    const auto port = openPty(machine.loop, link, machine.received());
    REQUIRE(port);
    CHECK(std::filesystem::read_symlink(link).string().starts_with("/dev/pts/"));
  }
  CHECK_FALSE(std::filesystem::is_symlink(link));
  Fd(::open(link.c_str(), O_CREAT | O_RDWR, 0600)).reset();
  CHECK_FALSE(openPty(machine.loop, link, machine.received()));
}

TEST_CASE("a listening socket serves one client after another") {
  Directory directory;
  Machine machine;
  const std::string path = directory.path + "/socket";
  auto port = openListener(machine.loop, "unix:" + path, machine.received());
  REQUIRE(port);
  for (int user = 0; user < 2; ++user) {
    machine.heard.clear();
    Fd host(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    REQUIRE(::connect(host.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::write(host.get(), "AT\r", 3) == 3);
    machine.run();
    CHECK(machine.heard == "AT\r");
    (*port)->write(bytesOf("OK"));
    CHECK(readSome(host.get()) == "OK");
  }
}

TEST_CASE("while paused the host's bytes stay where they are") {
  Directory directory;
  Machine machine;
  auto port = openPty(machine.loop, directory.path + "/tty", machine.received());
  REQUIRE(port);
  Fd host(::open((directory.path + "/tty").c_str(), O_RDWR | O_NOCTTY));
  (*port)->pause(true);
  REQUIRE(::write(host.get(), "AT", 2) == 2);
  machine.run(50ms);
  CHECK(machine.heard.empty());
  (*port)->pause(false);
  machine.run();
  CHECK(machine.heard == "AT");
}

TEST_CASE("who has a pseudo terminal open is known, however quickly they come and go", "[native]") {
  Directory directory;
  Machine machine;
  const std::string link = directory.path + "/tty";
  auto port = openPty(machine.loop, link, machine.received());
  REQUIRE(port);
  bool here = false;
  (*port)->onHost([&](bool now) { here = now; });
  SECTION("two come in one turn, and go in one turn") {
    Fd first = openTty(link);
    Fd second = openTty(link);
    machine.run(50ms);
    CHECK(here);
    first.reset();
    second.reset();
    machine.run(50ms);
    CHECK_FALSE(here);
  }
  SECTION("two come in one turn, and one of them goes") {
    Fd first = openTty(link);
    Fd second = openTty(link);
    machine.run(50ms);
    first.reset();
    machine.run(50ms);
    CHECK(here);
    second.reset();
    machine.run(50ms);
    CHECK_FALSE(here);
  }
  SECTION("one comes, and two go in one turn") {
    Fd first = openTty(link);
    machine.run(50ms);
    Fd second = openTty(link);
    machine.run(50ms);
    Fd third = openTty(link);
    first.reset();
    second.reset();
    machine.run(50ms);
    CHECK(here);
  }
  SECTION("exclusive use outlives the look") {
    Fd host = openTty(link);
    REQUIRE(::ioctl(host.get(), TIOCEXCL) == 0);
    machine.run(50ms);
    int exclusive = 0;
    REQUIRE(::ioctl(host.get(), TIOCGEXCL, &exclusive) == 0);
    CHECK(exclusive == 1);
  }
}

TEST_CASE("a link to another program's pseudo terminal stays, and so does one that is no longer ours") {
  Directory directory;
  Machine machine;
  const std::string link = directory.path + "/tty";
  auto first = openPty(machine.loop, link, machine.received());
  REQUIRE(first);
  const auto target = std::filesystem::read_symlink(link);
  const auto second = openPty(machine.loop, link, machine.received());
  REQUIRE_FALSE(second);
  CHECK(second.error().text().find(link) != std::string::npos);
  CHECK(second.error().text().find("belongs to a running program") != std::string::npos);
  CHECK(std::filesystem::read_symlink(link) == target);
  std::filesystem::remove(link);
  std::filesystem::create_symlink("/nowhere", link);
  first->reset();
  CHECK(std::filesystem::is_symlink(link));
}

TEST_CASE("a socket's path replaces a dead socket, and nothing else") {
  Directory directory;
  Machine machine;
  const std::string path = directory.path + "/socket";
  SECTION("a file") {
    Fd(::open(path.c_str(), O_CREAT | O_RDWR, 0600)).reset();
    const auto port = openListener(machine.loop, "unix:" + path, machine.received());
    REQUIRE_FALSE(port);
    CHECK(port.error().text().find(path) != std::string::npos);
    CHECK(port.error().text().find("no socket") != std::string::npos);
    CHECK(std::filesystem::is_regular_file(path));
  }
  SECTION("a socket that somebody listens on") {
    const auto first = openListener(machine.loop, "unix:" + path, machine.received());
    REQUIRE(first);
    const auto second = openListener(machine.loop, "unix:" + path, machine.received());
    REQUIRE_FALSE(second);
    CHECK(second.error().text().find("belongs to a running program") != std::string::npos);
    CHECK(std::filesystem::is_socket(path));
  }
  SECTION("a dead one") {
    const sockaddr_un address = addressOf(path);
    Fd dead(::socket(AF_UNIX, SOCK_STREAM, 0));
    REQUIRE(::bind(dead.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    dead.reset();
    CHECK(openListener(machine.loop, "unix:" + path, machine.received()));
  }
}

TEST_CASE("a client that waited and has gone again says nothing to anybody") {
  Directory directory;
  Machine machine;
  const std::string path = directory.path + "/socket";
  auto port = openListener(machine.loop, "unix:" + path, machine.received());
  REQUIRE(port);
  Fd first = connectTo(path);
  machine.run(50ms);
  Fd gone = connectTo(path);
  REQUIRE(::write(gone.get(), "ATD\r", 4) == 4);
  gone.reset();
  Fd next = connectTo(path);
  REQUIRE(::write(next.get(), "AT\r", 3) == 3);
  machine.run(50ms);
  CHECK(machine.heard.empty());
  first.reset();
  machine.run();
  machine.run(50ms);
  CHECK(machine.heard == "AT\r");
  (*port)->write(bytesOf("OK"));
  CHECK(readSome(next.get()) == "OK");
}

TEST_CASE("without descriptors a listener waits, and does not spin") {
  Directory directory;
  Machine machine;
  const std::string path = directory.path + "/socket";
  auto port = openListener(machine.loop, "unix:" + path, machine.received());
  REQUIRE(port);
  Fd client = connectTo(path);
  REQUIRE(::write(client.get(), "AT\r", 3) == 3);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none{3, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  const std::clock_t start = std::clock();
  machine.run(400ms);
  const double used = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(used < 0.05);
  CHECK(machine.heard.empty());
  machine.run();
  CHECK(machine.heard == "AT\r");
}

TEST_CASE("nonsense to listen on is an error") {
  Machine machine;
  for (const char* where : {"", "tcp:", "tcp:127.0.0.1", "tcp:127.0.0.1:x", "tcp:nowhere:80",
                            "unix:", "/tmp/x", "tcp:127.0.0.1:70000"}) {
    CAPTURE(where);
    CHECK_FALSE(openListener(machine.loop, where, machine.received()));
  }
}
