#include "qimux/base/log.hpp"

#include "qimux/base/fd.hpp"
#include "support/catch.hpp"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>

using namespace qimux;

namespace {

// What is written to standard error while it lives; the level is put back.
class Captured {
 public:
  Captured() : before_(log::level()), kept_(::dup(STDERR_FILENO)) {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) std::abort();
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

// The journal's prefix where the tests themselves run under systemd.
std::string prefix(const char* journal, const char* plain) {
  return std::getenv("JOURNAL_STREAM") != nullptr ? journal : plain;
}

}  // namespace

TEST_CASE("one event is one line, with its level before it") {
  Captured captured;
  log::setLevel(log::Level::Info);
  log::warning("the SIM is busy");
  CHECK(captured.text() == prefix("<4>", "warning: ") + "the SIM is busy\n");
}

TEST_CASE("what a module or a program sent can neither break a line nor colour a terminal") {
  Captured captured;
  log::setLevel(log::Level::Info);
  log::info("RING\r\nerror: forged\x1b[31m");
  CHECK(captured.text() == prefix("<6>", "info: ") + "RING\\r\\nerror: forged\\x1b[31m\n");
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
  CHECK(captured.text() == prefix("<5>", "notice: ") + "one\n" + prefix("<7>", "debug: ") + "two\n" +
                               prefix("<3>", "error: ") + "four\n");
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
