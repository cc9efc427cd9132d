// What is not right on the line between host and module costs the connection that it hit, or nobody anything;
// never the link, never a byte that is wrong or doubled. The times are those until a next command works.
#include "sim/stage.hpp"

#include <fmt/format.h>

using namespace qimux;
using namespace qimux::simtest;
using Weather = Conversation::Weather;

namespace {

// A bulk connection that is hit, and one that asks a question every second beside it.
struct Pair : Stage {
  explicit Pair(ConversationPlan hit_plan, WorldOptions options = {}) : Stage(std::move(options)) {
    hit_plan.peer.spoilable = true;
    hit = &talk(hit_plan);
    ConversationPlan questions = download(0);
    questions.peer.kind = PeerKind::Answer;
    questions.program.up_total = 1200;
    questions.program.request = 20;
    questions.program.response = 40;
    questions.program.write_gap = 2s;
    beside = &talk(questions);
    loop.runFor(2s);
    REQUIRE(hit->wasConnected());
    REQUIRE_FALSE(hit->over());
  }
  // Then the bystander is served again, the one that was hit is whole or knows that it is not, and nobody has
  // taken the link for lost.
  void strike(const std::string& fault, async::Duration limit) {
    CAPTURE(fault);
    world.fault(fault);
    loop.runFor(1s);
    const auto answers = beside->program().read();
    const auto from = loop.now();
    CHECK(runUntil([&] { return beside->program().read() > answers || beside->over(); }, 5min));
    CHECK(loop.now() - from <= limit);
    CHECK(runUntilOver(*hit, 10min));
    CHECK(runUntilOver(*beside, 10min));
    CHECK(beside->program().read() == 2400);
    hit->judge(Weather::Stormy);
    beside->judge(Weather::Stormy);
    CHECK(world.link().losses(bridge::Cause::Silence) == 0);
    CHECK(world.link().losses(bridge::Cause::Context) == 0);
    CHECK(world.link().losses(bridge::Cause::Started) == 0);
    CHECK(online());
    check();
  }
  bool reset() const { return hit->program().sawReset(); }
  // An upload may end in a reset all the same: the far end closes with its last byte, and the counters go
  // with the socket.
  bool whole() const { return hit->program().read() + hit->peer().received == 150'000; }

  Conversation* hit = nullptr;
  Conversation* beside = nullptr;
};

}  // namespace

TEST_CASE("a send that is not answered at all is sent once: 20 s, and nobody loses anything") {
  Pair pair(upload(150'000));
  pair.strike("no-answer 1", 25s);
  CHECK(pair.hit->peer().received == 150'000);
}

TEST_CASE("a prompt that never comes costs the connection that waits for it") {
  Pair pair(upload(150'000));
  pair.strike("lose-prompt", 30s);
  CHECK((pair.reset() || pair.hit->peer().received == 150'000));
}

TEST_CASE("a lost SEND OK is settled by the counters, in 25 s") {
  Pair pair(upload(150'000));
  pair.strike("lose-send-ok", 25s);
  CHECK(pair.hit->peer().received == 150'000);
}

TEST_CASE("a module that falls silent in a block costs the one whose block it was: 10 s") {
  Pair pair(download(150'000));
  pair.strike("cut-read", 15s);
  CHECK(pair.reset());
}

TEST_CASE("a block that is longer than announced is noticed at once") {
  Pair pair(download(150'000));
  pair.strike("overlong", 5s);
  CHECK(pair.reset());
  CHECK(pair.world.multiplexer().counters().spoiled == 1);
}

TEST_CASE("a header that loses a byte, whichever, costs at most its connection") {
  for (int byte = 0; byte <= 30; byte += 3) {
    Pair pair(download(150'000));
    pair.strike(fmt::format("drop {}", byte), 15s);
  }
}

TEST_CASE("a header with a wrong byte, wherever, costs at most its connection") {
  for (int byte = 0; byte <= 30; byte += 3) {
    Pair pair(download(150'000));
    pair.strike(fmt::format("flip {}", byte), 15s);
  }
}

TEST_CASE("lines of garbage cost at most the connection that was being read") {
  for (const int lines : {1, 2, 5}) {
    Pair pair(download(150'000));
    pair.strike(fmt::format("garble {}", lines), 30s);
  }
}

TEST_CASE("an echo that comes back on is switched off, and nobody loses anything") {
  for (const auto& plan : {download(150'000), upload(150'000)}) {
    Pair pair(plan);
    pair.strike("echo on", 5s);
    CHECK_FALSE(pair.world.module().terminal().settings().echo);
    CHECK(pair.world.multiplexer().counters().echoes == 1);
    CHECK(pair.whole());
  }
}

TEST_CASE("what another process types costs at most the connection that it hit") {
  for (const char* fault : {"foreign AT", "foreign AT+CSQ", "foreign AT+XYZ", "foreign garbage"}) {
    for (const auto& plan : {download(150'000), upload(150'000)}) {
      Pair pair(plan);
      pair.strike(fault, 30s);
    }
  }
}

TEST_CASE("a module that hangs for 8 s goes on as if nothing had been") {
  for (const auto& plan : {download(150'000), upload(150'000)}) {
    Pair pair(plan);
    pair.strike("hang 8", 10s);
    CHECK(pair.whole());
  }
}

TEST_CASE("a module that hangs for 28 s has kept its sockets; who had a command under way may lose his") {
  for (const auto& plan : {download(150'000), upload(150'000)}) {
    Pair pair(plan);
    pair.world.fault("hang 28");
    REQUIRE(pair.runUntil([&] { return pair.hit->over() && pair.beside->over(); }, 20min));
    CHECK_FALSE((pair.reset() && pair.beside->program().sawReset()));
    CHECK(pair.world.link().losses(bridge::Cause::Silence) == 0);
    pair.hit->judge(Weather::Stormy);
    pair.beside->judge(Weather::Stormy);
    pair.check();
  }
}

TEST_CASE("bytes that do not reach the host show, whichever they are, and never as data") {
  for (const int percent : {1, 5}) {
    Pair pair(download(150'000));
    pair.world.fault(fmt::format("lose-bytes 0.{:02}", percent));
    pair.loop.runFor(2min);
    pair.world.fault("heal");
    REQUIRE(pair.runUntil([&] { return pair.hit->over() && pair.beside->over(); }, 20min));
    pair.hit->judge(Weather::Stormy);
    pair.beside->judge(Weather::Stormy);
    CHECK(pair.reset());
    CHECK(pair.runUntil([&] { return pair.online(); }, 2min));
    pair.check();
  }
}

TEST_CASE("a module at another rate is found, and told to use ours") {
  Stage stage;
  stage.world.fault("baud 9600");
  const Conversation& one = stage.talk(download(3000));
  CHECK(stage.runUntilOver(one, 3min));
  CHECK(one.program().read() == 3000);
  CHECK(stage.world.link().recovery().count(bridge::RecoveryStep::BaudHunt) >= 1);
  stage.check();
}
