#include "qimux/serial/reset_line.hpp"

#include "support/catch.hpp"
#include "support/fake_port.hpp"

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

using namespace qimux;
using namespace qimux::serial;
using qimux::test::FakePort;
using Kind = ResetSettings::Kind;

namespace {

async::Task<void> pulseThenStop(ResetLine& line, Port& port, async::UvLoop& loop,
                                std::optional<Result<void>>& outcome) {
  outcome = co_await line.pulse(port);
  loop.stop();
}

struct Rig {
  Result<void> pulse(const ResetSettings& settings) {
    const auto line = ResetLine::make(loop, settings);
    std::optional<Result<void>> outcome;
    async::Scope scope(loop);
    scope.spawn(pulseThenStop(*line, port, loop, outcome));
    loop.run();
    return outcome.value();
  }
  async::UvLoop loop;
  FakePort port{loop};
};

ResetSettings command(std::vector<std::string> words) {
  return ResetSettings{Kind::Command, {}, 0, std::move(words)};
}

// A file's text without its last line end.
std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string text;
  std::getline(file, text);
  return text;
}

struct Folder {
  Folder() {
    std::string name = "/tmp/qimux-reset-XXXXXX";
    path = ::mkdtemp(name.data());
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

}  // namespace

TEST_CASE("without a reset line there is none") {
  async::UvLoop loop;
  CHECK(ResetLine::make(loop, ResetSettings{}) == nullptr);
}

TEST_CASE("DTR or RTS is asserted for 300 ms, and released") {
  using Set = std::vector<std::pair<ModemLine, bool>>;
  Rig rig;
  const auto begin = rig.loop.now();
  CHECK(rig.pulse(ResetSettings{Kind::Dtr, {}, 0, {}}));
  CHECK(rig.loop.now() - begin >= ResetLine::kPulse);
  CHECK(rig.port.linesSet() == Set{{ModemLine::Dtr, true}, {ModemLine::Dtr, false}});
  Rig other;
  CHECK(other.pulse(ResetSettings{Kind::Rts, {}, 0, {}}));
  CHECK(other.port.linesSet() == Set{{ModemLine::Rts, true}, {ModemLine::Rts, false}});
}

TEST_CASE("a pulse that is dropped half way releases the line all the same") {
  Rig rig;
  const auto line = ResetLine::make(rig.loop, ResetSettings{Kind::Dtr, {}, 0, {}});
  std::optional<Result<void>> outcome;
  async::Scope scope(rig.loop);
  scope.spawn(pulseThenStop(*line, rig.port, rig.loop, outcome));
  async::Timer soon(rig.loop);
  soon.start(std::chrono::milliseconds(50), [&] {
    scope.cancel();
    rig.loop.stop();
  });
  rig.loop.run();
  CHECK_FALSE(outcome.has_value());
  REQUIRE(rig.port.linesSet().size() == 2);
  CHECK_FALSE(rig.port.linesSet().back().second);
}

TEST_CASE("a command gets its arguments as they are, and its exit code counts") {
  Folder folder;
  const auto file = folder.path / "said";
  Rig rig;
  CHECK(rig.pulse(command({"/bin/sh", "-c", "printf '%s' \"$1\" > \"$0\"", file, "two words; `id` $HOME"})));
  CHECK(contents(file) == "two words; `id` $HOME");
  const auto failed = rig.pulse(command({"/bin/sh", "-c", "exit 3"}));
  REQUIRE_FALSE(failed);
  CHECK(failed.error().text() == "/bin/sh: exit code 3 (system)");
  const auto killed = rig.pulse(command({"/bin/sh", "-c", "kill -TERM $$"}));
  REQUIRE_FALSE(killed);
  CHECK(killed.error().text() == "/bin/sh: signal 15 (system)");
}

TEST_CASE("a command that does not exist is named", "[native]") {
  Rig rig;
  const auto done = rig.pulse(command({"/nowhere/reset"}));
  REQUIRE_FALSE(done);
  CHECK(done.error().text() == "/nowhere/reset: No such file or directory (system)");
}

TEST_CASE("a command is not left behind by who does not wait for it any more") {
  Folder folder;
  const auto file = folder.path / "pid";
  Rig rig;
  const auto line =
      ResetLine::make(rig.loop, command({"/bin/sh", "-c", "echo $$ > \"$0\"; exec sleep 60", file}));
  std::optional<Result<void>> outcome;
  async::Scope scope(rig.loop);
  scope.spawn(pulseThenStop(*line, rig.port, rig.loop, outcome));
  async::Timer beat(rig.loop);
  std::function<void()> look = [&] {
    if (contents(file).empty()) return beat.start(std::chrono::milliseconds(5), [&] { look(); });
    scope.cancel();
    rig.loop.stop();
  };
  beat.start(std::chrono::milliseconds(5), [&] { look(); });
  rig.loop.run();
  const auto child = static_cast<pid_t>(std::stol(contents(file)));
  CHECK(::kill(child, 0) == -1);
  CHECK(errno == ESRCH);
}

TEST_CASE("a GPIO chip that is not there is an error that names it") {
  Rig rig;
  const auto done = rig.pulse(ResetSettings{Kind::Gpio, "gpiochip99", 17, {}});
  REQUIRE_FALSE(done);
  CHECK(done.error().what == "gpio:gpiochip99:17");
  CHECK(done.error().kind == ErrorKind::System);
}

TEST_CASE("a reset line that could not be had is known before it is needed") {
  async::UvLoop loop;
  const auto check = [&loop](const ResetSettings& settings) {
    return ResetLine::make(loop, settings)->check();
  };
  CHECK(check(ResetSettings{Kind::Dtr, {}, 0, {}}));
  CHECK(check(command({"/bin/sh", "-c", "exit 3"})));
  const auto no_chip = check(ResetSettings{Kind::Gpio, "gpiochip99", 17, {}});
  REQUIRE_FALSE(no_chip);
  CHECK(no_chip.error().text() == "gpio:gpiochip99:17: No such file or directory (system)");
  const auto no_command = check(command({"/nowhere/reset"}));
  REQUIRE_FALSE(no_command);
  CHECK(no_command.error().text() == "/nowhere/reset: No such file or directory (system)");
  Folder folder;
  const auto file = folder.path / "reset";
  std::ofstream(file) << "#!/bin/sh\n";
  CHECK_FALSE(check(command({file})));
}
