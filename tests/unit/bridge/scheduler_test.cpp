#include "qimux/bridge/scheduler.hpp"

#include "support/catch.hpp"

#include <array>
#include <cstddef>
#include <vector>

using qimux::bridge::Scheduler;
using Candidates = std::vector<Scheduler::Candidate>;

namespace {

// How often each contender had a turn of `rounds`, all of them always ready.
std::array<int, Scheduler::kContenders> turns(Scheduler& scheduler, const Candidates& candidates,
                                              int rounds) {
  std::array<int, Scheduler::kContenders> had{};
  for (int i = 0; i < rounds; ++i) {
    const auto& chosen = candidates.at(scheduler.pick(candidates).value());
    ++had.at(chosen.contender);
    scheduler.charge(chosen.contender, chosen.cost);
  }
  return had;
}

}  // namespace

TEST_CASE("nobody's turn where nobody wants one") {
  Scheduler scheduler;
  CHECK_FALSE(scheduler.pick({}));
}

TEST_CASE("equal flows get equal shares, and nobody waits for more than one turn of each other") {
  Scheduler scheduler;
  Candidates candidates;
  for (std::size_t i = 0; i < 6; ++i) candidates.push_back({i, 1496});
  std::array<int, 6> since{};
  for (int round = 0; round < 600; ++round) {
    const auto chosen = scheduler.pick(candidates).value();
    scheduler.charge(candidates[chosen].contender, 1496);
    for (std::size_t i = 0; i < since.size(); ++i) {
      since.at(i) = i == chosen ? 0 : since.at(i) + 1;
      CHECK(since.at(i) <= 5);
    }
  }
}

TEST_CASE("shares are of bytes on the line, not of turns") {
  Scheduler scheduler;
  const auto had = turns(scheduler, {{0, 1496}, {1, 374}}, 500);
  // Four small turns for one large one.
  CHECK(had[0] >= 98);
  CHECK(had[0] <= 102);
  CHECK(had[1] == 500 - had[0]);
}

TEST_CASE("where all have had as much, the smaller turn goes first") {
  Scheduler scheduler;
  CHECK(scheduler.pick(Candidates{{0, 1496}, {7, 86}, {1, 1496}}) == 1u);
}

TEST_CASE("a flow that used little starts at once beside busy ones") {
  Scheduler scheduler;
  turns(scheduler, {{0, 1496}, {1, 1496}}, 1000);
  CHECK(scheduler.pick(Candidates{{0, 1496}, {1, 1496}, {2, 86}}) == 2u);
}

TEST_CASE("a flow that was idle has saved nothing up") {
  Scheduler scheduler;
  turns(scheduler, {{0, 1496}}, 1000);
  const auto had = turns(scheduler, {{0, 1496}, {1, 1496}}, 100);
  CHECK(had[0] >= 49);
  CHECK(had[1] >= 49);
}

TEST_CASE("a turn is charged with what it cost in the end") {
  Scheduler scheduler;
  // It was expected to read 1500 bytes and got 10 each time.
  int mine = 0;
  for (int i = 0; i < 300; ++i) {
    const auto chosen = scheduler.pick(Candidates{{0, 1566}, {1, 1566}}).value();
    scheduler.charge(chosen, chosen == 0 ? 76 : 1566);
    mine += chosen == 0 ? 1 : 0;
  }
  CHECK(mine > 280);
}

TEST_CASE("a new owner of a socket does not pay for the last one") {
  Scheduler scheduler;
  scheduler.pick(Candidates{{0, 1496}});
  scheduler.charge(0, 1'000'000);
  CHECK(scheduler.pick(Candidates{{0, 1496}, {1, 2000}}) == 1u);
  scheduler.forget(0);
  CHECK(scheduler.pick(Candidates{{0, 1496}, {1, 2000}}) == 0u);
}
