#include "qimux/async/child.hpp"

#include "support/catch.hpp"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <fstream>
#include <optional>
#include <thread>

namespace {

using Clock = std::chrono::steady_clock;

// While there is one, whoever reads a pipe by the page finds it full, however often.
struct Flood {
  Flood() {
    until = Clock::now() + std::chrono::seconds(20);
    given_up = false;
  }
  Flood(const Flood&) = delete;
  Flood& operator=(const Flood&) = delete;
  ~Flood() { until = {}; }

  static inline Clock::time_point until{};
  static inline bool given_up = false;  // it had to end by itself: nothing else has had its turn
};

bool flooded(int fd, std::size_t size) {
  constexpr std::size_t kPage = 4096;
  struct stat state{};
  if (Flood::until == Clock::time_point{} || size < kPage || ::fstat(fd, &state) != 0) return false;
  Flood::given_up = Flood::given_up || Clock::now() >= Flood::until;
  return S_ISFIFO(state.st_mode) && !Flood::given_up;
}

}  // namespace

// In place of the C library's.
extern "C" ssize_t read(int fd, void* buffer, std::size_t size) {
  if (!flooded(fd, size)) return ::syscall(SYS_read, fd, buffer, size);
  std::memset(buffer, 'x', size);
  return static_cast<ssize_t>(size);
}

namespace qimux::async {
namespace {

using namespace std::chrono_literals;

Task<void> keep(UvLoop& loop, Command command, Duration limit, std::optional<Result<Ended>>& result) {
  result.emplace(co_await runChild(loop, std::move(command), limit));
  loop.stop();
}

Result<Ended> runHere(Command command, Duration limit = 30s) {
  UvLoop loop;
  std::optional<Result<Ended>> result;
  Scope scope(loop);
  scope.spawn(keep(loop, std::move(command), limit, result));
  loop.run();
  return *result;
}

Command shell(std::string script) {
  return {.words = {"/bin/sh", "-c", std::move(script)}};
}

bool alive(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  if (!std::getline(stat, text)) return false;
  return text.substr(text.rfind(')') + 2, 1) != "Z";
}

}  // namespace

TEST_CASE("a child's exit code, its signal and what it wrote to either output are known") {
  const auto good = runHere(shell("echo one; echo two >&2; exit 0"));
  REQUIRE(good);
  CHECK(good->good());
  CHECK(good->output == "one\ntwo\n");
  const auto bad = runHere(shell("exit 3"));
  CHECK_FALSE(bad->good());
  CHECK(how(*bad) == "exit code 3");
  CHECK(how(*runHere(shell("kill -11 $$"))) == "signal 11");
}

TEST_CASE("a child reads its input and its environment, and no word of it is a shell's") {
  Command command = shell("cat; printf '%s' \"$QIMUX_TEST\"");
  command.input = "nameserver 192.0.2.1\n";
  command.environment = {"QIMUX_TEST=$(id); `id`"};
  const auto ended = runHere(command);
  CHECK(ended->output == "nameserver 192.0.2.1\n$(id); `id`");
  const auto words = runHere({.words = {"printf", "%s|", "a b", "$HOME;"}});
  CHECK(words->output == "a b|$HOME;|");
}

TEST_CASE("what systemd tells its service it does not tell the children") {
  ::setenv("NOTIFY_SOCKET", "/nowhere", 1);
  CHECK(runHere(shell("echo \"[$NOTIFY_SOCKET]\""))->output == "[]\n");
  ::unsetenv("NOTIFY_SOCKET");
}

TEST_CASE("a child that takes too long is killed with all that it started") {
  const auto begin = std::chrono::steady_clock::now();
  const auto ended = runHere(shell("sleep 600 & echo $!; wait"), 300ms);
  CHECK(std::chrono::steady_clock::now() - begin < 60s);
  REQUIRE(ended);
  CHECK(ended->killed);
  CHECK(how(*ended) == "did not end in time, and was killed");
  const pid_t sleeper = std::stoi(ended->output);
  for (int i = 0; i < 500 && alive(sleeper); ++i) ::usleep(10000);
  CHECK_FALSE(alive(sleeper));
}

TEST_CASE("what a child writes is bounded, and it need not wait for a reader") {
  const auto ended = runHere(shell("head -c 1000000 /dev/zero; echo end >&2"));
  REQUIRE(ended);
  CHECK(ended->good());
  CHECK(ended->output.size() == Ended::kMaxOutput);
}

TEST_CASE("a child that writes faster than it is read is killed in its time all the same") {
  std::optional<Result<Ended>> ended;
  {
    const Flood flood;
    ended = runHere(shell("echo; sleep 600"), 300ms);
    CHECK_FALSE(Flood::given_up);
  }
  REQUIRE(*ended);
  CHECK((*ended)->killed);
  CHECK((*ended)->output.size() == Ended::kMaxOutput);
}

TEST_CASE(
    "a child that ended before its time is not taken for one that was killed, when both are seen at once") {
  UvLoop loop;
  std::optional<Result<Ended>> result;
  Scope scope(loop);
  constexpr auto kLimit = 50ms;
  scope.spawn(keep(loop, shell("exit 3"), kLimit, result));
  // The loop sees nothing until the child has ended and the time is over, too.
  loop.post([&] {
    siginfo_t child{};
    CHECK(::waitid(P_ALL, 0, &child, WEXITED | WNOWAIT) == 0);
    std::this_thread::sleep_for(2 * kLimit);
  });
  loop.run();
  REQUIRE(*result);
  CHECK_FALSE((*result)->killed);
  CHECK(how(**result) == "exit code 3");
}

TEST_CASE("a program that stays in the background is not waited for") {
  const auto begin = std::chrono::steady_clock::now();
  const auto ended = runHere(shell("sleep 600 & echo $!"));
  CHECK(std::chrono::steady_clock::now() - begin < 60s);
  CHECK(ended->good());
  CHECK(::kill(std::stoi(ended->output), SIGKILL) == 0);
}

TEST_CASE("a program that is not there is an error, not a crash", "[native]") {
  const auto ended = runHere({.words = {"/nonexistent/program"}});
  REQUIRE_FALSE(ended);
  CHECK(ended.error().text() == "/nonexistent/program: No such file or directory (system)");
}

}  // namespace qimux::async
