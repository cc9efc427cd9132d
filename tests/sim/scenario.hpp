// A whole simulation out of one number: what the module is like, who talks to whom, and what goes wrong when.
#pragma once

#include "sim/conversation.hpp"
#include "sim/datagrams.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace qimux::simtest {

struct Scenario {
  WorldOptions world;
  struct Tcp {
    async::Duration start;
    ConversationPlan plan;
  };
  struct Udp {
    async::Duration start;
    DatagramPlan plan;
  };
  std::vector<Tcp> tcp;
  std::vector<Udp> udp;
  std::vector<std::pair<async::Duration, std::string>> faults;
  Conversation::Weather weather = Conversation::Weather::Fair;
  bool lossless_datagrams = true;
};

Scenario makeScenario(std::uint64_t seed);
// A few lines for a reader.
std::string describe(const Scenario& scenario);

struct Outcome {
  std::string problem;  // empty: all held
  double virtual_seconds = 0;
  std::uint64_t bytes = 0;
  std::uint64_t commands = 0;
};
Outcome simulate(Scenario scenario, std::uint64_t seed);

}  // namespace qimux::simtest
