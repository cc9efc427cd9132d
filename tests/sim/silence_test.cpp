// Paths that die without a word: who waits for an answer is told, in the time that the rules say.
#include "sim/stage.hpp"

using namespace qimux;
using namespace qimux::simtest;

namespace {

// Asks a question, and another one after `pause`.
ConversationPlan questions(async::Duration pause) {
  ConversationPlan plan = download(100);
  plan.peer.kind = PeerKind::Answer;
  plan.program.up_total = 20;
  plan.program.request = 10;
  plan.program.response = 50;
  plan.program.write_gap = pause;
  plan.program.patience = 1000h;
  return plan;
}

}  // namespace

TEST_CASE("a question into a dead path ends in a reset after two minutes at most") {
  Stage stage;
  const Conversation& one = stage.talk(questions(1min));
  const Conversation& other = stage.talk(download(3000));
  REQUIRE(stage.runUntil([&] { return one.program().read() == 50; }, 3min));
  stage.world.fault("dead 0");
  const std::uint64_t before = one.program().written();
  REQUIRE(stage.runUntil([&] { return one.program().written() > before; }, 2min));
  const auto asked = stage.loop.now();
  CHECK(stage.runUntilOver(one, 10min));
  CHECK(one.program().sawReset());
  CHECK(stage.loop.now() - asked < 2min);
  CHECK(stage.loop.now() - asked > 110s);
  CHECK(stage.world.multiplexer().counters().dead == 1);
  // Nobody else suffers.
  CHECK(other.program().read() == 3000);
  CHECK(stage.online());
  stage.check();
}

TEST_CASE(
    "an upload into a dead path ends within ten minutes, a far end that pauses for six does not end it") {
  WorldOptions options;
  // Else the module would notice it first, and say CLOSED.
  options.module.give_up = 1h;
  Stage stage(options);
  stage.talk(upload(500'000));
  ConversationPlan pauses = upload(60'000);
  pauses.program.bounds.bridge = 2048;
  pauses.peer.window = 4000;
  pauses.peer.window_gap = 6min;
  pauses.program.patience = 1000h;
  const Conversation& patient = stage.talk(pauses);
  stage.loop.runFor(10s);
  stage.world.fault("dead 0");
  CHECK(stage.runUntilOver(*stage.talkers[0], 10min));
  CHECK(stage.talkers[0]->program().sawReset());
  CHECK(stage.runUntilOver(patient, 3h));
  CHECK(patient.peer().received == 60'000);
  CHECK(stage.world.multiplexer().counters().dead == 1);
  stage.check();
}
