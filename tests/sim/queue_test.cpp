#include "sim/stage.hpp"

using namespace qimux;
using namespace qimux::simtest;

TEST_CASE("a seventh connect waits, and is served when a socket is free") {
  Stage stage;
  for (int i = 0; i < 5; ++i) stage.talk(silent());
  const Conversation& sixth = stage.talk(download(200'000));
  stage.loop.runFor(1s);
  const Conversation& seventh = stage.talk(download(1000));
  stage.loop.runFor(10s);
  REQUIRE_FALSE(sixth.over());
  CHECK_FALSE(seventh.wasConnected());
  CHECK(stage.world.multiplexer().waiting() == 1);
  REQUIRE(stage.runUntilOver(sixth, 60s));
  const auto free = stage.loop.now();
  REQUIRE(stage.runUntil([&] { return seventh.wasConnected(); }, 5s));
  CHECK(stage.loop.now() - free < 1s);
  CHECK(stage.runUntilOver(seventh, 10s));
  CHECK(seventh.program().read() == 1000);
  stage.check();
}

TEST_CASE("who waited longest is served first, and who gave up waiting is not served") {
  Stage stage;
  const Conversation& first = stage.talk(download(100'000));
  for (int i = 0; i < 5; ++i) stage.talk(silent());
  stage.loop.runFor(1s);
  ConversationPlan impatient = download(1000);
  impatient.abandon_after = 2s;
  const Conversation& gone = stage.talk(impatient);
  const Conversation& next = stage.talk(silent());
  const Conversation& last = stage.talk(silent());
  REQUIRE(stage.runUntilOver(first, 60s));
  stage.loop.runFor(5s);
  CHECK(gone.over());
  CHECK_FALSE(gone.wasConnected());
  CHECK(next.wasConnected());
  CHECK_FALSE(last.wasConnected());
  CHECK(stage.world.multiplexer().waiting() == 1);
  stage.check();
}

TEST_CASE("a black hole does not take the sockets of others") {
  Stage stage;
  stage.world.fault("connect-hang 2");
  std::vector<const Conversation*> stuck;
  for (int i = 0; i < 2; ++i) stuck.push_back(&stage.talk(download(10)));
  stage.loop.runFor(1s);
  const Conversation& other = stage.talk(download(5000));
  CHECK(stage.runUntilOver(other, 20s));
  CHECK(other.program().read() == 5000);
  for (const auto* one : stuck) {
    CHECK(stage.runUntilOver(*one, 90s));
    CHECK(one->failure() == bridge::Failure::Refused);
  }
  stage.check();
}

TEST_CASE("an idle association gives its socket to a connect") {
  Stage stage;
  for (int i = 0; i < 5; ++i) stage.talk(silent());
  DatagramPlan plan;
  plan.count = 1;
  const Datagrams& association = stage.exchange(plan);
  stage.loop.runFor(5s);
  CHECK(association.answered() == 1);
  const Conversation& tcp = stage.talk(download(1000));
  CHECK(stage.runUntilOver(tcp, 10s));
  CHECK(tcp.program().read() == 1000);
  stage.check();
}
