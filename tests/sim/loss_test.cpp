// What cannot be mended: who has lost something is told so, and everything works again afterwards.
#include "sim/stage.hpp"

using namespace qimux;
using namespace qimux::simtest;

namespace {

// Three downloads and three uploads in full swing, a seventh connect that waits.
struct Crowd : Stage {
  explicit Crowd(WorldOptions options = {}) : Stage(std::move(options)) {
    for (int i = 0; i < 3; ++i) {
      talk(download(200'000));
      talk(upload(200'000));
    }
    loop.runFor(5s);
    for (const auto& one : talkers) {
      REQUIRE(one->wasConnected());
      REQUIRE_FALSE(one->over());
    }
    waiting = &talk(download(3000));
    loop.runFor(1s);
    REQUIRE_FALSE(waiting->wasConnected());
  }
  // The six are gone and their programs know it; the seventh is served, and so is somebody new.
  void checkAftermath(async::Duration limit) {
    for (const auto& one : talkers) {
      CHECK(runUntilOver(*one, limit));
      if (one.get() != waiting) CHECK(one->program().sawReset());
    }
    CHECK(online());
    CHECK(waiting->program().read() == 3000);
    CHECK(waiting->program().sawEnd());
    const Conversation& fresh = talk(download(3000));
    CHECK(runUntilOver(fresh, 30s));
    CHECK(fresh.program().read() == 3000);
    check();
  }
  const Conversation* waiting = nullptr;
};

}  // namespace

TEST_CASE("PDP DEACT in the middle: the sessions end as resets, who waits is served after re-activation") {
  Crowd crowd;
  crowd.world.fault("pdp-deact");
  crowd.checkAftermath(60s);
  CHECK(crowd.world.link().recovery().count(bridge::RecoveryStep::Reactivate) == 1);
}

TEST_CASE("PDP DEACT whose URC is lost is noticed all the same") {
  Crowd crowd;
  crowd.world.fault("lose-urc 1");
  crowd.world.fault("pdp-deact");
  crowd.checkAftermath(2min);
  CHECK(crowd.world.link().recovery().count(bridge::RecoveryStep::Reactivate) == 1);
}

TEST_CASE("PDP DEACT that nobody heard, with nobody connected: the next connects find it out") {
  Stage stage;
  stage.world.fault("lose-urc 1");
  stage.world.fault("pdp-deact");
  stage.loop.runFor(1min);
  // The first is refused, which is asked after; then both wait for the context.
  const Conversation& one = stage.talk(download(3000));
  const Conversation& other = stage.talk(download(3000));
  CHECK(stage.runUntilOver(one, 1min));
  CHECK(stage.runUntilOver(other, 1min));
  CHECK(one.program().read() == 3000);
  CHECK(other.program().read() == 3000);
  CHECK(stage.world.link().recovery().count(bridge::RecoveryStep::Reactivate) == 1);
  stage.check();
}

TEST_CASE("a restart that nobody heard, with nobody connected: the next connects find it out, and succeed") {
  Stage stage;
  stage.world.fault("lose-urc 1");
  stage.world.fault("reboot");
  stage.loop.runFor(2min);
  CHECK(stage.online());
  const Conversation& one = stage.talk(download(3000));
  const Conversation& other = stage.talk(download(3000));
  CHECK(stage.runUntilOver(one, 2min));
  CHECK(stage.runUntilOver(other, 2min));
  CHECK(one.program().read() == 3000);
  CHECK(other.program().read() == 3000);
  CHECK(stage.world.link().losses(bridge::Cause::Started) == 1);
  stage.check();
}

TEST_CASE("a module that starts anew by itself (RDY) is brought up again") {
  Crowd crowd;
  crowd.world.fault("power-off");
  crowd.loop.runFor(1s);
  crowd.world.fault("power-on");
  REQUIRE(crowd.runUntil([&] { return !crowd.online(); }, 1min));
  REQUIRE(crowd.runUntil([&] { return crowd.online(); }, 3min));
  crowd.checkAftermath(1min);
  CHECK(crowd.world.link().losses(bridge::Cause::Started) >= 1);
}

TEST_CASE("a module that starts anew without a moment of warning shows no session of before a clean end") {
  Crowd crowd;
  crowd.world.fault("reboot");
  REQUIRE(crowd.runUntil([&] { return !crowd.online(); }, 1min));
  REQUIRE(crowd.runUntil([&] { return crowd.online(); }, 3min));
  for (const auto& one : crowd.talkers) {
    CHECK(crowd.runUntilOver(*one, 1min));
    // Who still waited may be served by the new start, then wholly.
    if (one.get() == crowd.waiting && one->program().sawEnd()) {
      CHECK(one->program().read() == 3000);
    } else {
      CHECK_FALSE(one->program().sawEnd());
    }
  }
  const Conversation& fresh = crowd.talk(download(3000));
  CHECK(crowd.runUntilOver(fresh, 30s));
  CHECK(fresh.program().read() == 3000);
  crowd.check();
}

TEST_CASE("a module that answers nothing for 30 s and then goes on") {
  for (const char* fault : {"hang 30", "silence 30"}) {
    Crowd crowd;
    crowd.world.fault(fault);
    crowd.loop.runFor(40s);
    CHECK(crowd.runUntil([&] { return crowd.online(); }, 2min));
    for (const auto& one : crowd.talkers) {
      CHECK(crowd.runUntilOver(*one, 10min));
      one->judge(Conversation::Weather::Stormy);
    }
    const Conversation& fresh = crowd.talk(download(3000));
    CHECK(crowd.runUntilOver(fresh, 30s));
    CHECK(fresh.program().read() == 3000);
    crowd.check();
  }
}

TEST_CASE("a far end that resets: its program reads what came, and then a reset or an end") {
  Stage stage;
  ConversationPlan plan = upload(100'000);
  plan.peer.end = PeerEnd::Reset;
  plan.peer.reset_at = 20'000;
  const Conversation& one = stage.talk(plan);
  CHECK(stage.runUntilOver(one, 1min));
  CHECK(one.program().sawReset());
  stage.check();
}
