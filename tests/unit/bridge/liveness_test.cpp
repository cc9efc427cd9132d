#include "qimux/bridge/liveness.hpp"

#include "support/catch.hpp"

using namespace qimux;
using namespace qimux::bridge;
using namespace std::chrono_literals;
using State = Liveness::State;

namespace {

// One connection's check, with the figures of the application note, at a time that the test sets.
struct Check {
  Liveness::Wish want() { return liveness.want(now); }
  void pass(async::Duration span) { now += span; }
  void counters(std::uint64_t unacknowledged) { liveness.countersTold(now, unacknowledged); }
  // Idle, CONNECTED, nothing unacknowledged.
  void reachProbe() {
    pass(8min);
    REQUIRE(want().state);
    liveness.stateTold(now, true);
    REQUIRE(want().counters);
    counters(0);
    REQUIRE(want().probe);
  }

  LivenessRules rules;
  async::TimePoint now{};
  Liveness liveness{rules, now};
};

}  // namespace

TEST_CASE("nothing is asked before eight minutes without data") {
  Check check;
  CHECK(check.want().next == check.now + 8min);
  check.pass(8min - 1us);
  CHECK_FALSE(check.want().state);
  check.liveness.moved(check.now);
  check.pass(8min - 1us);
  CHECK_FALSE(check.want().state);
  check.pass(1us);
  CHECK(check.want().state);
}

TEST_CASE("CONNECTED, and something unacknowledged after all that time: dead") {
  Check check;
  check.pass(8min);
  REQUIRE(check.want().state);
  CHECK_FALSE(check.want().counters);
  check.liveness.stateTold(check.now, true);
  REQUIRE(check.want().counters);
  check.counters(1);
  CHECK(check.liveness.state() == State::Dead);
  // Nothing brings it back.
  check.liveness.moved(check.now);
  CHECK(check.liveness.state() == State::Dead);
}

TEST_CASE("without a probe an idle connection is asked after, and again eight minutes later") {
  Check check;
  check.pass(8min);
  check.want();
  check.liveness.stateTold(check.now, false);
  check.counters(0);
  CHECK(check.liveness.state() == State::Quiet);
  CHECK(check.want().next == check.now + 8min);
}

TEST_CASE("a probe that is acknowledged at the n-th of twelve checks proves life") {
  for (int n = 1; n <= 12; ++n) {
    Check check;
    check.reachProbe();
    check.liveness.probeSent(check.now);
    const auto sent_at = check.now;
    for (int i = 1; i <= n; ++i) {
      const auto due = sent_at + 5s + (i - 1) * 10s;
      CHECK(check.want().next == due);
      check.now = due - 1us;
      CHECK_FALSE(check.want().counters);
      check.now = due;
      REQUIRE(check.want().counters);
      check.counters(i < n ? 2 : 0);
    }
    CHECK(check.liveness.state() == State::Quiet);
    CHECK(check.want().next == check.now + 8min);
  }
}

TEST_CASE("a probe that is not acknowledged at the twelfth check proves death, 115 s behind it") {
  Check check;
  check.reachProbe();
  check.liveness.probeSent(check.now);
  const auto sent_at = check.now;
  while (check.liveness.state() == State::Awaiting) {
    check.now = check.want().next;
    check.counters(2);
  }
  CHECK(check.liveness.state() == State::Dead);
  CHECK(check.now - sent_at == 115s);
}

TEST_CASE("data that comes ends a check in any of its states") {
  for (const State target : {State::AskState, State::AskCounters, State::SendProbe, State::Awaiting}) {
    Check check;
    check.pass(8min);
    check.want();
    if (target != State::AskState) check.liveness.stateTold(check.now, true);
    if (target == State::SendProbe || target == State::Awaiting) check.counters(0);
    if (target == State::Awaiting) check.liveness.probeSent(check.now);
    REQUIRE(check.liveness.state() == target);
    check.liveness.moved(check.now);
    CHECK(check.liveness.state() == State::Quiet);
    CHECK(check.want().next == check.now + 8min);
  }
}

TEST_CASE("what the program has sent last takes the probe's place") {
  Check check;
  check.pass(3min);
  check.liveness.sent(check.now);
  CHECK(check.want().next == check.now + 5s);
  const auto sent_at = check.now;
  while (check.liveness.state() == State::Awaiting) {
    check.now = check.want().next;
    // It goes on writing, which changes nothing.
    check.liveness.sent(check.now);
    check.counters(40);
  }
  CHECK(check.liveness.state() == State::Dead);
  CHECK(check.now - sent_at == 115s);
}

TEST_CASE("answers that nobody asked for here count for life, and not for death") {
  Check check;
  check.liveness.sent(check.now);
  for (int i = 0; i < 100; ++i) {
    check.pass(40ms);
    check.counters(40);
  }
  CHECK(check.liveness.state() == State::Awaiting);
  check.counters(0);
  CHECK(check.liveness.state() == State::Quiet);
}

TEST_CASE("more than one send's worth unacknowledged may be a far end that does not read: not yet dead") {
  Check check;
  check.liveness.sent(check.now);
  while (check.liveness.state() == State::Awaiting) {
    check.now = check.want().next;
    check.counters(1461);
  }
  CHECK(check.liveness.state() == State::Quiet);
  // But after eight minutes in which nothing moved it is.
  check.now = async::TimePoint{} + 8min;
  CHECK(check.want().state);
  check.liveness.stateTold(check.now, false);
  check.counters(1461);
  CHECK(check.liveness.state() == State::Dead);
}

TEST_CASE("an inquiry begins the check at once, and a second one changes nothing") {
  Check check;
  check.pass(1min);
  check.liveness.inquire(false);
  REQUIRE(check.want().counters);
  check.liveness.inquire(true);
  CHECK_FALSE(check.want().state);
  check.counters(0);
  CHECK(check.liveness.state() == State::Quiet);
  CHECK(check.want().next == check.now + 8min);
}

TEST_CASE("an inquiry that finds something unacknowledged waits for it, twelve times, before it says dead") {
  Check check;
  check.liveness.inquire(true);
  const auto begin = check.now;
  check.counters(3);
  REQUIRE(check.liveness.state() == State::Awaiting);
  while (check.liveness.state() == State::Awaiting) {
    check.now = check.want().next;
    check.counters(3);
  }
  CHECK(check.liveness.state() == State::Dead);
  CHECK(check.now - begin == 115s);
}

TEST_CASE("an inquiry sends the port's probe, and the next check after idle time is no inquiry") {
  Check check;
  check.liveness.inquire(true);
  check.counters(0);
  REQUIRE(check.want().probe);
  check.liveness.probeSent(check.now);
  check.liveness.inquire(true);
  CHECK(check.liveness.state() == State::Awaiting);
  check.counters(0);
  REQUIRE(check.liveness.state() == State::Quiet);
  check.pass(8min);
  check.want();
  check.liveness.stateTold(check.now, true);
  check.counters(1);
  CHECK(check.liveness.state() == State::Dead);
}
