#include "qimux/daemon/control_socket.hpp"

#include "support/catch.hpp"

#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

using namespace qimux;
using qimux::daemon::ControlSocket;

namespace {

class Directory {
 public:
  Directory() { REQUIRE(::mkdtemp(path_) != nullptr); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return std::string(path_) + "/" + name; }

 private:
  char path_[32] = "/tmp/qimux-control-XXXXXX";
};

struct stat statOf(const std::string& path) {
  struct stat seen{};
  REQUIRE(::lstat(path.c_str(), &seen) == 0);
  return seen;
}

mode_t modeOf(const std::string& path) {
  return statOf(path).st_mode & 07777;
}

bool connects(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  const Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

// The name of the group that this process made its files with, which it may always give.
std::string ownGroup() {
  const ::group* entry = ::getgrgid(::getegid());
  return entry == nullptr ? "" : entry->gr_name;
}

}  // namespace

TEST_CASE("without a group the socket is its user's alone, and goes with its owner") {
  const Directory directory;
  const std::string path = directory / "control.sock";
  {
    const auto socket = ControlSocket::listen(path, "");
    REQUIRE(socket);
    CHECK(modeOf(path) == 0600);
    CHECK(S_ISSOCK(statOf(path).st_mode));
    CHECK(connects(path));
    CHECK_FALSE(std::filesystem::exists(path + ".new"));
  }
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a group is let in, whatever the umask") {
  const Directory directory;
  const std::string path = directory / "control.sock";
  const mode_t before = ::umask(0);
  const auto socket = ControlSocket::listen(path, ownGroup());
  CHECK(::umask(before) == 0);
  REQUIRE(socket);
  CHECK(modeOf(path) == 0660);
  CHECK(statOf(path).st_gid == ::getegid());
}

TEST_CASE("a group that does not exist leaves the socket narrow") {
  const Directory directory;
  const auto socket = ControlSocket::listen(directory / "control.sock", "no-such-group-here");
  REQUIRE(socket);
  CHECK(modeOf(directory / "control.sock") == 0600);
}

TEST_CASE("a missing directory is made, and goes again") {
  const Directory directory;
  {
    const auto socket = ControlSocket::listen(directory / "run/control.sock", "");
    REQUIRE(socket);
    CHECK(connects(directory / "run/control.sock"));
  }
  CHECK_FALSE(std::filesystem::exists(directory / "run"));
}

TEST_CASE("a directory whose parent is missing is not made") {
  const Directory directory;
  const auto socket = ControlSocket::listen(directory / "a/b/control.sock", "");
  REQUIRE_FALSE(socket);
  CHECK(socket.error().kind == ErrorKind::System);
  CHECK_FALSE(std::filesystem::exists(directory / "a"));
}

TEST_CASE("a socket that nobody listens on is replaced") {
  const Directory directory;
  const std::string path = directory / "control.sock";
  {
    auto crashed = ControlSocket::listen(path, "");
    REQUIRE(crashed);
    std::filesystem::create_hard_link(path, directory / "kept");
  }
  std::filesystem::rename(directory / "kept", path);
  CHECK_FALSE(connects(path));
  const auto socket = ControlSocket::listen(path, "");
  REQUIRE(socket);
  CHECK(connects(path));
}

TEST_CASE("a living daemon is not pushed aside") {
  const Directory directory;
  const std::string path = directory / "control.sock";
  const auto first = ControlSocket::listen(path, "");
  REQUIRE(first);
  const auto second = ControlSocket::listen(path, "");
  REQUIRE_FALSE(second);
  CHECK(second.error().kind == ErrorKind::Full);
  CHECK(connects(path));
}

TEST_CASE("a file that is no socket stays") {
  const Directory directory;
  const std::string path = directory / "control.sock";
  std::ofstream(path) << "precious";
  const auto socket = ControlSocket::listen(path, "");
  REQUIRE_FALSE(socket);
  CHECK(socket.error().kind == ErrorKind::Invalid);
  CHECK(std::filesystem::file_size(path) == 8);
}

TEST_CASE("what another put in its place stays at the end") {
  const Directory directory;
  const std::string path = directory / "control.sock";
  {
    const auto socket = ControlSocket::listen(path, "");
    REQUIRE(socket);
    std::filesystem::remove(path);
    std::ofstream(path) << "another's";
  }
  CHECK(std::filesystem::exists(path));
}

TEST_CASE("a path that does not fit into a socket's address is refused") {
  const auto long_path = ControlSocket::listen("/tmp/" + std::string(120, 'x'), "");
  REQUIRE_FALSE(long_path);
  CHECK(long_path.error().kind == ErrorKind::Invalid);
  CHECK_FALSE(ControlSocket::listen("", ""));
}

TEST_CASE("moving a socket moves the duty to remove it") {
  const Directory directory;
  auto first = ControlSocket::listen(directory / "first", "");
  auto second = ControlSocket::listen(directory / "second", "");
  REQUIRE(first);
  REQUIRE(second);
  *first = std::move(*second);
  CHECK_FALSE(std::filesystem::exists(directory / "first"));
  CHECK(connects(directory / "second"));
}
