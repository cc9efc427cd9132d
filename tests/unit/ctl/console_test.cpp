#include "qimux/ctl/console.hpp"

#include "fake_daemon.hpp"
#include "qimux/ctl/command.hpp"
#include "support/catch.hpp"

#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <string>

using namespace qimux::ctl;
using namespace qimux::ctl::test;

namespace {

// A process on a terminal of its own that monitors `path`, and what it writes there.
class OnTerminal {
 public:
  OnTerminal(const std::string& path, unsigned short rows, unsigned short columns, const char* term,
             bool colour) {
    const winsize size{rows, columns, 0, 0};
    int master = -1;
    child_ = ::forkpty(&master, nullptr, nullptr, &size);
    REQUIRE(child_ >= 0);
    if (child_ == 0) {
      ::setenv("TERM", term, 1);
      if (colour) {
        ::unsetenv("NO_COLOR");
      } else {
        ::setenv("NO_COLOR", "1", 1);
      }
      Command command;
      command.verb = "monitor";
      command.socket = path;
      const int code = run(command, *openConsole());
      ::_exit(code);
    }
    master_ = qimux::Fd(master);
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
    REQUIRE(::waitpid(child_, &status, 0) == child_);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  void signal(int number) const { ::kill(child_, number); }
  bool stopped() const {
    int status = 0;
    return ::waitpid(child_, &status, WUNTRACED) == child_ && WIFSTOPPED(status);
  }
  std::string seen;

 private:
  pid_t child_ = -1;
  qimux::Fd master_;
};

constexpr char kCtrlC = 3;
constexpr char kCtrlZ = 26;

std::string online(const std::string&) {
  return std::string(R"({"ok":true,"result":{"link":"online","version":"0.1.0"}})") + "\n";
}

}  // namespace

TEST_CASE("Ctrl-C gives the terminal back, and is no failure") {
  const FakeDaemon daemon(online);
  OnTerminal program(daemon.path, 24, 80, "xterm", true);
  REQUIRE(program.until("IDLE"));
  CHECK(program.seen.starts_with("\x1b[?1049h\x1b[?25l\x1b[H"));
  CHECK(program.seen.find("\x1b[1;32monline\x1b[0m") != std::string::npos);
  program.type(kCtrlC);
  CHECK(program.finish() == kOk);
  CHECK(program.seen.ends_with("\x1b[?25h\x1b[?1049l"));
}

TEST_CASE("so does being told to end") {
  const FakeDaemon daemon(online);
  OnTerminal program(daemon.path, 24, 80, "xterm", true);
  REQUIRE(program.until("IDLE"));
  program.signal(SIGTERM);
  CHECK(program.finish() == kOk);
  CHECK(program.seen.ends_with("\x1b[?25h\x1b[?1049l"));
}

TEST_CASE("Ctrl-Z gives the terminal back for the while") {
  const FakeDaemon daemon(online);
  OnTerminal program(daemon.path, 24, 80, "xterm", true);
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
  const FakeDaemon daemon(online);
  OnTerminal program(daemon.path, 24, 80, "xterm", false);
  REQUIRE(program.until("IDLE"));
  CHECK(program.seen.find("\x1b[1;32m") == std::string::npos);
  CHECK(program.seen.find("\x1b[7m") == std::string::npos);
  program.type(kCtrlC);
  CHECK(program.finish() == kOk);
}

TEST_CASE("a dumb terminal gets lines") {
  const FakeDaemon daemon(online, true);
  OnTerminal program(daemon.path, 24, 80, "dumb", true);
  CHECK(program.finish() == kUnreachable);
  CHECK(program.seen.find('\x1b') == std::string::npos);
  CHECK(program.seen.starts_with("online - - queue -"));
}

TEST_CASE("a small terminal does not scroll") {
  const FakeDaemon daemon(online);
  OnTerminal program(daemon.path, 3, 20, "xterm", false);
  REQUIRE(program.until("\x1b[J"));
  program.type(kCtrlC);
  CHECK(program.finish() == kOk);
  CHECK(program.seen.find("qimuxd 0.1.0  online\x1b[K\r\n") != std::string::npos);
  CHECK(program.seen.find("IDLE") == std::string::npos);
  std::size_t lines = 0;
  for (const char c : program.seen) lines += c == '\n' ? 1 : 0;
  CHECK(lines == 2);
}
