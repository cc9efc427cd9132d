#include "qimux/ctl/console.hpp"

#include "fake_daemon.hpp"
#include "qimux/ctl/command.hpp"
#include "support/catch.hpp"

#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

using namespace qimux::ctl;
using namespace qimux::ctl::test;

namespace {

std::string online(const std::string&) {
  return std::string(R"({"ok":true,"result":{"link":"online","version":"0.1.0"}})") + "\n";
}

// A process on a terminal of its own that monitors a daemon, and what it writes there.
class OnTerminal {
 public:
  OnTerminal(unsigned short rows, unsigned short columns, const char* term, bool colour,
             bool hang_up = false) {
    const std::string path = socketPath();
    const winsize size{rows, columns, 0, 0};
    int master = -1;
    int gate[2];
    REQUIRE(::pipe(gate) == 0);
    // Before the daemon's thread: a process with one thread is all that a fork keeps whole.
    child_ = ::forkpty(&master, nullptr, nullptr, &size);
    if (child_ == 0) monitorIn(path, gate[0], term, colour);
    REQUIRE(child_ > 0);
    master_ = qimux::Fd(master);
    daemon_.emplace(online, hang_up, path);
    REQUIRE(::write(gate[1], "x", 1) == 1);
    ::close(gate[0]);
    ::close(gate[1]);
  }
  OnTerminal(const OnTerminal&) = delete;
  OnTerminal& operator=(const OnTerminal&) = delete;
  ~OnTerminal() {
    if (child_ <= 0) return;
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
  // Reads until `words` have been seen, or the other end is closed.
  bool until(std::string_view words) {
    char chunk[4096];
    while (seen.find(words) == std::string::npos) {
      const ssize_t got = ::read(master_.get(), chunk, sizeof chunk);
      if (got <= 0) return false;
      seen.append(chunk, static_cast<std::size_t>(got));
    }
    return true;
  }
  void type(char key) { REQUIRE(::write(master_.get(), &key, 1) == 1); }
  int finish() {
    until("never said");
    int status = 0;
    REQUIRE(::waitpid(std::exchange(child_, -1), &status, 0) > 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  void signal(int number) const { ::kill(child_, number); }
  bool stopped() const {
    int status = 0;
    return ::waitpid(child_, &status, WUNTRACED) == child_ && WIFSTOPPED(status);
  }
  std::string seen;

 private:
  [[noreturn]] static void monitorIn(const std::string& path, int gate, const char* term, bool colour) {
    ::setenv("TERM", term, 1);
    ::unsetenv("NO_COLOR");
    if (!colour) ::setenv("NO_COLOR", "1", 1);
    char go = 0;
    Command command;
    command.verb = "monitor";
    command.socket = path;
    const int code = ::read(gate, &go, 1) == 1 ? run(command, *openConsole()) : kUsage;
    // An orderly exit, for the sake of coverage; what the test's own output had in its buffer goes nowhere.
    const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    ::dup2(nowhere, STDOUT_FILENO);
    ::dup2(nowhere, STDERR_FILENO);
    std::exit(code);
  }

  pid_t child_ = -1;
  qimux::Fd master_;
  std::optional<FakeDaemon> daemon_;
};

constexpr char kCtrlC = 3;
constexpr char kCtrlZ = 26;

}  // namespace

TEST_CASE("Ctrl-C gives the terminal back, and is no failure") {
  OnTerminal program(24, 80, "xterm", true);
  REQUIRE(program.until("IDLE"));
  CHECK(program.seen.starts_with("\x1b[?1049h\x1b[?25l\x1b[H"));
  CHECK(program.seen.find("\x1b[1;32monline\x1b[0m") != std::string::npos);
  program.type(kCtrlC);
  CHECK(program.finish() == kOk);
  CHECK(program.seen.ends_with("\x1b[?25h\x1b[?1049l"));
}

TEST_CASE("so does being told to end") {
  OnTerminal program(24, 80, "xterm", true);
  REQUIRE(program.until("IDLE"));
  program.signal(SIGTERM);
  CHECK(program.finish() == kOk);
  CHECK(program.seen.ends_with("\x1b[?25h\x1b[?1049l"));
}

TEST_CASE("Ctrl-Z gives the terminal back for the while") {
  OnTerminal program(24, 80, "xterm", true);
  REQUIRE(program.until("IDLE"));
  program.type(kCtrlZ);
  REQUIRE(program.stopped());
  REQUIRE(program.until("\x1b[?1049l"));
  program.seen.clear();
  program.signal(SIGCONT);
  // Back on the screen with the last frame.
  REQUIRE(program.until("IDLE"));
  CHECK(program.seen.find("\x1b[?1049h") != std::string::npos);
  program.type(kCtrlC);
  CHECK(program.finish() == kOk);
}

TEST_CASE("NO_COLOR is honoured") {
  OnTerminal program(24, 80, "xterm", false);
  REQUIRE(program.until("IDLE"));
  CHECK(program.seen.find("\x1b[1;32m") == std::string::npos);
  CHECK(program.seen.find("\x1b[7m") == std::string::npos);
  program.type(kCtrlC);
  CHECK(program.finish() == kOk);
}

TEST_CASE("a dumb terminal gets lines") {
  OnTerminal program(24, 80, "dumb", true, true);
  CHECK(program.finish() == kUnreachable);
  CHECK(program.seen.find('\x1b') == std::string::npos);
  CHECK(program.seen.starts_with("online - - queue -"));
}

TEST_CASE("a small terminal does not scroll") {
  OnTerminal program(3, 20, "xterm", false);
  REQUIRE(program.until("\x1b[J"));
  program.type(kCtrlC);
  CHECK(program.finish() == kOk);
  CHECK(program.seen.find("qimuxd 0.1.0  online\x1b[K\r\n") != std::string::npos);
  CHECK(program.seen.find("IDLE") == std::string::npos);
  std::size_t lines = 0;
  for (const char c : program.seen) lines += c == '\n' ? 1 : 0;
  CHECK(lines == 2);
}
