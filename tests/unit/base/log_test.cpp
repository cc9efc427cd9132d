#include "qimux/base/log.hpp"

#include "qimux/base/fd.hpp"
#include "support/catch.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

using namespace qimux;

namespace {

// What is written to standard error while it lives; the level is put back.
class Captured {
 public:
  Captured() : before_(log::level()), kept_(::dup(STDERR_FILENO)) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_NONBLOCK) != 0) std::abort();
    read_ = Fd(ends[0]);
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[1]);
  }
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;
  ~Captured() {
    if (kept_.valid()) ::dup2(kept_.get(), STDERR_FILENO);
    log::setLevel(before_);
  }
  // Ends the capture.
  std::string text() {
    ::dup2(kept_.get(), STDERR_FILENO);
    kept_.reset();
    std::array<char, 4096> buffer{};
    const auto count = ::read(read_.get(), buffer.data(), buffer.size());
    return std::string(buffer.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
  }

 private:
  log::Level before_;
  Fd kept_;
  Fd read_;
};

// What a sink was given, while it lives.
struct Sunk {
  std::vector<std::string> events;
  explicit Sunk(bool takes = true) {
    log::setSink([this, takes](log::Level level, std::string_view message, log::Fields fields) {
      std::string event(log::name(level));
      event.append(" ").append(message);
      for (const auto& field : fields) event.append(" ").append(field.name).append("=").append(field.value);
      events.push_back(event);
      return takes;
    });
  }
  Sunk(const Sunk&) = delete;
  Sunk& operator=(const Sunk&) = delete;
  ~Sunk() { log::setSink({}); }
};

// The environment of a service, while it lives.
class Environment {
 public:
  explicit Environment(const std::string& stream) {
    if (const char* before = std::getenv(kName)) before_ = before;
    ::setenv(kName, stream.c_str(), 1);
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() { before_ ? ::setenv(kName, before_->c_str(), 1) : ::unsetenv(kName); }

 private:
  static constexpr const char* kName = "JOURNAL_STREAM";
  std::optional<std::string> before_;
};

std::string standardError() {
  struct stat seen{};
  ::fstat(STDERR_FILENO, &seen);
  return std::to_string(seen.st_dev) + ":" + std::to_string(seen.st_ino);
}

}  // namespace

TEST_CASE("one event is one line, with its level before it") {
  Captured captured;
  log::setLevel(log::Level::Info);
  log::warning("the SIM is busy");
  CHECK(captured.text() == "warning: the SIM is busy\n");
}

TEST_CASE("what a module or a program sent can neither break a line nor colour a terminal") {
  Captured captured;
  log::setLevel(log::Level::Info);
  log::info("RING\r\nerror: forged\x1b[31m");
  CHECK(captured.text() == "info: RING\\r\\nerror: forged\\x1b[31m\n");
}

TEST_CASE("only what the level allows is written, and the level can change while running") {
  Captured captured;
  log::setLevel(log::Level::Notice);
  CHECK_FALSE(log::enabled(log::Level::Info));
  log::info("too fine");
  log::debug("finer still");
  log::notice("one");
  log::setLevel(log::Level::Debug);
  CHECK(log::enabled(log::Level::Debug));
  log::debug("two");
  log::setLevel(log::Level::Error);
  log::notice("three");
  log::error("four");
  CHECK(captured.text() == "notice: one\ndebug: two\nerror: four\n");
}

TEST_CASE("in a service, where standard error is the journal's, a line begins with its priority") {
  Captured captured;
  const Environment service(standardError());
  CHECK(log::toJournal());
  log::setLevel(log::Level::Info);
  log::error("no permission");
  log::info("online");
  CHECK(captured.text() == "<3>no permission\n<6>online\n");
}

TEST_CASE("a service whose standard error goes elsewhere writes for people") {
  Captured captured;
  const Environment service("1:2");
  CHECK_FALSE(log::toJournal());
  log::notice("online");
  CHECK(captured.text() == "notice: online\n");
}

TEST_CASE(
    "a sink takes the events of enabled levels, with their fields, and nothing goes to standard error") {
  Captured captured;
  Sunk sunk;
  log::setLevel(log::Level::Info);
  log::write(log::Level::Info, "link: online", {{"LINK_STATE", "online"}});
  log::write(log::Level::Debug, "too fine", {{"SOCKET", "1"}});
  log::warning("RING\n");
  CHECK(sunk.events == std::vector<std::string>{"info link: online LINK_STATE=online", "warning RING\\n"});
  CHECK(captured.text().empty());
}

TEST_CASE("what a sink cannot take is not lost") {
  Captured captured;
  const Sunk sunk(false);
  log::warning("the journal is gone");
  CHECK(captured.text() == "warning: the journal is gone\n");
}

TEST_CASE("a level's name is what is read for it") {
  using enum log::Level;
  for (const auto level : {Error, Warning, Notice, Info, Debug}) {
    CHECK(log::parseLevel(log::name(level)) == level);
  }
  CHECK_FALSE(log::parseLevel("verbose"));
  CHECK_FALSE(log::parseLevel("Info"));
  CHECK_FALSE(log::parseLevel(""));
}
