#include "qimux/base/file.hpp"

#include "support/catch.hpp"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <string>
#include <vector>

using namespace qimux;
namespace fs = std::filesystem;

namespace {

struct Directory {
  Directory() {
    std::string pattern = "/tmp/qimux-file-XXXXXX";
    path = ::mkdtemp(pattern.data());
  }
  ~Directory() { fs::remove_all(path); }
  long entries() const { return std::distance(fs::directory_iterator(path), fs::directory_iterator()); }
  std::string path;
};

std::vector<std::string> synchronised;
bool power_is_lost = false;
constexpr int kLost = 77;

mode_t modeOf(const std::string& path) {
  struct stat state{};
  REQUIRE(::stat(path.c_str(), &state) == 0);
  return state.st_mode & 07777;
}

}  // namespace

// In place of the C library's: what was made to last, in order.
extern "C" int fsync(int fd) {
  if (power_is_lost) ::_exit(kLost);
  struct stat state{};
  const bool directory = ::fstat(fd, &state) == 0 && S_ISDIR(state.st_mode);
  synchronised.push_back(directory ? "directory" : "file of " + std::to_string(state.st_size));
  if (directory) {
    for (const auto& entry : fs::directory_iterator("/proc/self/fd/" + std::to_string(fd)))
      synchronised.back() += " with " + entry.path().filename().string();
  }
  return static_cast<int>(::syscall(SYS_fsync, fd));
}

TEST_CASE(
    "a file that is replaced outlives a loss of power: first its content is on the disk, then its name") {
  const Directory directory;
  synchronised.clear();
  REQUIRE(replaceFile(directory.path + "/x", "text", 0600));
  CHECK(synchronised == std::vector<std::string>{"file of 4", "directory with x"});
  synchronised.clear();
  REQUIRE(fs::create_directory(directory.path + "/y"));
  CHECK_FALSE(replaceFile(directory.path + "/y", "text", 0600));
  CHECK(synchronised == std::vector<std::string>{"file of 4"});
}

TEST_CASE("a file in the working directory is replaced, too") {
  const Directory directory;
  const auto before = fs::current_path();
  fs::current_path(directory.path);
  const auto done = replaceFile("x", "text", 0600);
  fs::current_path(before);
  CHECK(done);
  CHECK(readFile(directory.path + "/x", 10).value_or("") == "text");
}

TEST_CASE("a file is replaced as a whole, has its mode, and nothing else is left") {
  const Directory directory;
  const std::string path = directory.path + "/x.prom";
  const mode_t before = ::umask(0077);
  REQUIRE(replaceFile(path, "one\n", 0644));
  CHECK(modeOf(path) == 0644);
  REQUIRE(replaceFile(path, "another one\n", 0640));
  ::umask(before);
  CHECK(modeOf(path) == 0640);
  CHECK(readFile(path, 100).value_or("") == "another one\n");
  CHECK(directory.entries() == 1);
}

TEST_CASE("what root writes belongs to whom its directory belongs") {
  const Directory directory;
  const std::string path = directory.path + "/x";
  if (::geteuid() != 0 || ::chown(directory.path.c_str(), 1234, 2345) != 0) return;
  REQUIRE(replaceFile(path, "one", 0600));
  struct stat state{};
  REQUIRE(::stat(path.c_str(), &state) == 0);
  CHECK(state.st_uid == 1234);
  CHECK(state.st_gid == 2345);
  CHECK(modeOf(path) == 0600);
}

TEST_CASE("what was cut off in the middle of a replacement is found by its name, and removed") {
  const Directory directory;
  const std::string path = directory.path + "/x";
  REQUIRE(replaceFile(path, "old", 0600));
  // The power is lost before the rename: as if by a kill of another process.
  const pid_t child = ::fork();
  if (child == 0) {
    power_is_lost = true;
    static_cast<void>(replaceFile(path, "new", 0600));
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WEXITSTATUS(status) == kLost);
  CHECK(directory.entries() == 2);
  removeLeftovers(path);
  CHECK(directory.entries() == 1);
  CHECK(readFile(path, 10).value_or("") == "old");
  removeLeftovers(directory.path + "/none/x");
}

TEST_CASE("whoever has the old file open reads it to its end") {
  const Directory directory;
  const std::string path = directory.path + "/x";
  REQUIRE(replaceFile(path, "old", 0600));
  fs::create_hard_link(path, directory.path + "/reader");
  REQUIRE(replaceFile(path, "new", 0600));
  CHECK(readFile(directory.path + "/reader", 100).value_or("") == "old");
}

TEST_CASE("where it cannot be written the old one stays, and nothing is left behind") {
  const Directory directory;
  const std::string path = directory.path + "/x";
  fs::create_directory(path);
  const auto done = replaceFile(path, "text", 0644);
  REQUIRE_FALSE(done);
  CHECK(done.error().kind == ErrorKind::System);
  CHECK(done.error().what == path);
  CHECK(directory.entries() == 1);
  CHECK_FALSE(replaceFile(directory.path + "/none/x", "text", 0644));
}

TEST_CASE("a file that is too long or missing is not read") {
  const Directory directory;
  const std::string path = directory.path + "/x";
  REQUIRE(replaceFile(path, std::string(10'000, 'x'), 0600));
  CHECK(readFile(path, 10'000).value_or("").size() == 10'000);
  CHECK(readFile(path, 9'999).error().kind == ErrorKind::Full);
  CHECK(readFile(directory.path + "/none", 10).error().kind == ErrorKind::System);
}
