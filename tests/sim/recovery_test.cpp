// What can be mended, and is: nobody loses a byte.
#include "sim/stage.hpp"

#include <fmt/format.h>

using namespace qimux;
using namespace qimux::simtest;

TEST_CASE("a storm of SEND FAIL delays six uploads, and loses nothing") {
  Stage stage;
  for (int i = 0; i < 6; ++i) stage.talk(upload(10'000));
  for (int round = 0; round < 10; ++round) {
    for (int slot = 0; slot < 6; ++slot) stage.world.faultIn(1s * round, fmt::format("send-fail {} 4", slot));
  }
  for (const auto& one : stage.talkers) {
    CHECK(stage.runUntilOver(*one, 2min));
    one->judge(Conversation::Weather::Fair);
  }
  CHECK(stage.world.multiplexer().counters().send_fail > 50);
  stage.check();
}

TEST_CASE("a far end that takes little is waited for, with SEND FAIL only where the module says so") {
  WorldOptions options;
  options.module.send_buffer = 1460;
  Stage stage(options);
  ConversationPlan plan = upload(20'000);
  plan.peer.window = 700;
  plan.peer.window_gap = 500ms;
  const Conversation& slow = stage.talk(plan);
  const Conversation& other = stage.talk(download(50'000));
  CHECK(stage.runUntilOver(other, 30s));
  CHECK(stage.runUntilOver(slow, 5min));
  CHECK(slow.peer().received == 20'000);
  stage.check();
}

TEST_CASE("an arrival whose URC is lost is found by looking, within five seconds") {
  const int indication = GENERATE(1, 2);
  WorldOptions options;
  options.module.highest_indi = indication;
  Stage stage(options);
  ConversationPlan plan = download(300);
  plan.peer.kind = PeerKind::Answer;
  plan.program.up_total = plan.program.request = 10;
  plan.program.response = 300;
  plan.program.write_gap = 3s;
  plan.peer.delay = 1s;
  const Conversation& one = stage.talk(plan);
  REQUIRE(stage.runUntil([&] { return one.peer().received == 10; }, 10s));
  stage.world.fault("lose-urc 1");
  const auto asked = stage.loop.now();
  REQUIRE(stage.runUntil([&] { return one.program().read() == 300; }, 10min));
  CHECK(stage.loop.now() - asked < 6s);
  stage.check();
}

TEST_CASE("a firmware that loses edges does not leave an association deaf") {
  WorldOptions options;
  options.module.highest_indi = 1;
  options.module.quirks.add(sim::Quirk::LoseEdge);
  Stage stage(options);
  // From it the daemon learns what ESC is to this module: no datagram is dropped because of one.
  CHECK(stage.runUntilOver(stage.talk(upload(2000)), 1min));
  DatagramPlan plan;
  plan.count = 30;
  plan.gap = 3s;
  plan.replies = 2;
  const Datagrams& association = stage.exchange(plan);
  REQUIRE(stage.runUntil([&] { return association.over(); }, 5min));
  CHECK(association.delivered() == 30);
  CHECK(association.answered() == 60);
  stage.check();
}

TEST_CASE("a lost SEND OK is settled by the counters: nothing twice, nothing missing") {
  Stage stage;
  const Conversation& one = stage.talk(upload(20'000));
  stage.world.faultIn(500ms, "lose-send-ok");
  stage.world.faultIn(30s, "lose-send-ok");
  CHECK(stage.runUntilOver(one, 3min));
  CHECK(one.peer().received == 20'000);
  CHECK(stage.world.multiplexer().counters().sends_settled >= 1);
  stage.check();
}

TEST_CASE("the end of an older send, heard while the next one waits for its prompt, ends nothing") {
  Stage stage;
  const Conversation& one = stage.talk(upload(30'000));
  // A URC is held back while a command runs, and so comes right before the next prompt.
  for (int i = 0; i < 40; ++i) {
    stage.world.faultIn(100ms * i, i % 2 == 0 ? "urc SEND OK" : "urc SEND FAIL");
  }
  CHECK(stage.runUntilOver(one, 1min));
  CHECK(one.peer().received == 30'000);
  stage.check();
}

TEST_CASE("a half-closed program is served for as long as the far end sends") {
  WorldOptions options;
  options.module.rate = 500;
  Stage stage(options);
  ConversationPlan plan = download(60'000);
  plan.program.up_total = 10;
  plan.program.end = ProgramEnd::HalfClose;
  const Conversation& one = stage.talk(plan);
  CHECK(stage.runUntilOver(one, 5min));
  CHECK(one.program().read() == 60'000);
  CHECK(one.program().sawEnd());
  stage.check();
}

TEST_CASE("a program that does not read stops its own flow and nobody else's") {
  Stage stage;
  ConversationPlan plan = download(100'000);
  plan.program.pause_at = 1000;
  plan.program.pause = 5min;
  const Conversation& lazy = stage.talk(plan);
  const Conversation& busy = stage.talk(download(100'000));
  CHECK(stage.runUntilOver(busy, 20s));
  stage.loop.runFor(1min);
  const auto before = stage.world.commands();
  stage.loop.runFor(3min);
  // Nothing is asked of the module for it.
  CHECK(stage.world.commands() - before < 10);
  CHECK(stage.runUntilOver(lazy, 10min));
  CHECK(lazy.program().read() == 100'000);
  stage.check();
}

TEST_CASE("boundaries of datagrams are kept with AT+QINDI=2 on a module that would merge them") {
  WorldOptions options;
  options.module.quirks.add(sim::Quirk::UdpConcatenates);
  options.chunks = true;
  Stage stage(options);
  DatagramPlan plan;
  plan.count = 100;
  plan.gap = 500ms;
  plan.replies = 3;
  plan.reply_most = 300;
  const Datagrams& association = stage.exchange(plan);
  REQUIRE(stage.runUntil([&] { return association.over(); }, 5min));
  CHECK(association.delivered() == 100);
  CHECK(association.answered() == 300);
  stage.check();
}
