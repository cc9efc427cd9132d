#include "sim/stage.hpp"

using namespace qimux;
using namespace qimux::simtest;

namespace {

// Six sockets are looked at for lost arrivals, each once in five minutes at most: 6 × 96 reads in eight
// hours; whether they live is asked every eight minutes, with two commands: 6 × 60 × 2. And the module is
// asked whether it is there when it has said nothing for a minute.
constexpr std::uint64_t kHeartbeats = 8 * 60;
constexpr std::uint64_t kEightHours = 1300 + kHeartbeats;

}  // namespace

TEST_CASE("eight hours idle with six open sockets cost at most 1,300 commands and a heartbeat") {
  const int indication = GENERATE(1, 2);
  WorldOptions options;
  options.module.highest_indi = indication;
  Stage stage(options);
  for (int i = 0; i < 6; ++i) stage.talk(silent());
  stage.loop.runFor(10min);
  for (const auto& one : stage.talkers) REQUIRE(one->wasConnected());
  const auto before = stage.world.commands();
  stage.loop.runFor(8h);
  CHECK(stage.world.commands() - before <= kEightHours);
  CHECK(stage.online());
  for (const auto& one : stage.talkers) CHECK_FALSE(one->over());
  stage.check();
}

TEST_CASE("an idle link without sockets asks once a minute whether the module is there, and nothing else") {
  Stage stage;
  stage.loop.runFor(1min);
  const auto before = stage.world.commands();
  stage.loop.runFor(8h);
  CHECK(stage.world.commands() - before <= kHeartbeats);
  CHECK(stage.world.commands() - before >= kHeartbeats - 10);
  CHECK(stage.online());
}
