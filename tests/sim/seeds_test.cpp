// simulation --seed N [--verbose]     one simulation; verbose: everything that went over the wire
// simulation --seeds FROM..TO         all of them
//
// Ends with 1 where something did not hold, and tells how to see it again.
#include "qimux/base/log.hpp"
#include "sim/scenario.hpp"
#include "sim/seed_range.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <string_view>

namespace {

using namespace qimux::simtest;

Outcome runOne(std::uint64_t seed, bool verbose) {
  Scenario scenario = makeScenario(seed);
  if (verbose) {
    fmt::print("seed {}: {}", seed, describe(scenario));
    scenario.world.transcript = [](std::string_view line) { fmt::print("{}\n", line); };
  }
  return simulate(std::move(scenario), seed);
}

}  // namespace

int main(int count, char** words) {
  const auto asked = parseSeeds(count, words);
  if (!asked) {
    fmt::print(stderr, "usage: {} [--seed N | --seeds FROM..TO] [--verbose]\n", words[0]);
    return 2;
  }
  qimux::log::setLevel(asked->verbose ? qimux::log::Level::Debug : qimux::log::Level::Error);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const auto begin = std::chrono::steady_clock::now();
  std::uint64_t failures = 0, bytes = 0, commands = 0;
  double virtual_seconds = 0;
  for (std::uint64_t seed = asked->from; seed <= asked->to; ++seed) {
    const Outcome outcome = runOne(seed, asked->verbose);
    bytes += outcome.bytes;
    commands += outcome.commands;
    virtual_seconds += outcome.virtual_seconds;
    if (outcome.problem.empty()) continue;
    ++failures;
    fmt::print("seed {}: {}\n  again: {} --seed {} --verbose\n", seed, outcome.problem, words[0], seed);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  const std::uint64_t seeds = asked->to - asked->from + 1;
  fmt::print(
      "{} simulations, {} failed; {} bytes, {} commands, {:.1f} h of virtual time in {:.1f} s ({:.1f} a "
      "second)\n",
      seeds, failures, bytes, commands, virtual_seconds / 3600, took.count(),
      static_cast<double>(seeds) / took.count());
  return failures == 0 ? 0 : 1;
}
