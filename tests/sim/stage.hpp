// What the directed scenarios share: a world, and whoever talks in it.
#pragma once

#include "sim/conversation.hpp"
#include "sim/datagrams.hpp"
#include "support/catch.hpp"

#include <cstdlib>
#include <iostream>
#include <memory>
#include <vector>

namespace qimux::simtest {

struct Stage {
  explicit Stage(WorldOptions options = {}) : world(loop, audible(std::move(options))) {
    REQUIRE(world.comeOnline());
  }

  // Not yet started.
  Conversation& invite(ConversationPlan plan) {
    const int id = next_id++;
    fit(plan, id);
    return *talkers.emplace_back(
        std::make_unique<Conversation>(world, id, plan, static_cast<std::uint64_t>(id)));
  }
  Conversation& talk(const ConversationPlan& plan) {
    Conversation& made = invite(plan);
    made.start();
    return made;
  }
  Datagrams& exchange(const DatagramPlan& plan) {
    const int id = next_id++;
    auto& made = associations.emplace_back(
        std::make_unique<Datagrams>(world, id, plan, static_cast<std::uint64_t>(id)));
    made->start();
    return *made;
  }
  bool runUntil(std::move_only_function<bool()> done, async::Duration limit) {
    return loop.runUntil(std::move(done), limit);
  }
  bool runUntilOver(const Conversation& one, async::Duration limit) {
    return runUntil([&one] { return one.over(); }, limit);
  }
  bool online() { return world.link().state() == bridge::LinkState::Online; }
  // With SIMULATION_VERBOSE in the environment, all that goes over the wire is shown.
  static WorldOptions audible(WorldOptions options) {
    if (std::getenv("SIMULATION_VERBOSE") != nullptr) {
      options.transcript = [](std::string_view line) { std::cout << line << '\n'; };
    }
    return options;
  }
  // Everything held so far.
  void check() { CHECK(world.firstViolation() == ""); }

  async::VirtualLoop loop;
  std::vector<std::unique_ptr<Conversation>> talkers;
  std::vector<std::unique_ptr<Datagrams>> associations;
  World world;
  int next_id = 1;
};

// The far end sends `bytes` and closes; the program reads to the end.
inline ConversationPlan download(std::uint64_t bytes) {
  ConversationPlan plan;
  plan.program.down_total = bytes;
  plan.program.end = ProgramEnd::UntilEnd;
  plan.peer.end = PeerEnd::AfterAll;
  return plan;
}
// The program sends `bytes` and waits for the far end, which closes when it has them.
inline ConversationPlan upload(std::uint64_t bytes) {
  ConversationPlan plan = download(0);
  plan.program.up_total = bytes;
  return plan;
}
// Open, and silent for ever.
inline ConversationPlan silent() {
  ConversationPlan plan = download(0);
  plan.peer.end = PeerEnd::Never;
  plan.program.patience = std::chrono::hours(1000);
  return plan;
}

}  // namespace qimux::simtest
