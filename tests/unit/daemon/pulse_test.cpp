#include "qimux/daemon/pulse.hpp"

#include "support/catch.hpp"

using namespace qimux;
using namespace qimux::daemon;
using namespace std::chrono_literals;

namespace {

constexpr async::TimePoint at(async::Duration since) {
  return async::TimePoint(since);
}

}  // namespace

TEST_CASE("an engine without work is healthy for ever") {
  Pulse pulse;
  for (auto now = 0s; now < 24h; now += 30s) CHECK(pulse.beats(at(now), Engine{.commands = 7}));
}

TEST_CASE("a command is healthy until its own deadline is over, however long that is") {
  Pulse pulse;
  const Engine engine{.commands = 1, .deadline = at(300s), .work = true};
  CHECK(pulse.beats(at(10s), engine));
  CHECK(pulse.beats(at(299s), engine));
  CHECK(pulse.beats(at(300s) + Pulse::kGrace, engine));
  CHECK_FALSE(pulse.beats(at(301s) + Pulse::kGrace, engine));
}

TEST_CASE("work that waits without a command is no progress, and a command makes it good again") {
  Pulse pulse;
  Engine engine{.commands = 4, .work = true};
  CHECK(pulse.beats(at(0s), engine));
  CHECK(pulse.beats(at(Pulse::kLongestPause), engine));
  CHECK_FALSE(pulse.beats(at(Pulse::kLongestPause + 1s), engine));
  ++engine.commands;
  CHECK(pulse.beats(at(Pulse::kLongestPause + 2s), engine));
}

TEST_CASE("work that goes on, a command after the other, is progress at any length") {
  Pulse pulse;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    CHECK(pulse.beats(at(i * 30s), Engine{.commands = i, .work = true}));
  }
}

TEST_CASE("a wait counts from where the work began, not from the last command") {
  Pulse pulse;
  Engine engine{.commands = 4};
  CHECK(pulse.beats(at(0s), engine));
  CHECK(pulse.beats(at(1h), engine));
  engine.work = true;
  CHECK(pulse.beats(at(1h + 30s), engine));
  CHECK(pulse.beats(at(1h + 30s + Pulse::kLongestPause), engine));
}
