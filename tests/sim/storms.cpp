// storms --seed N [--verbose]     one storm; verbose: everything that went over the wire
// storms --seeds FROM..TO         all of them
//
// Ends with 1 where something did not hold, and tells how to see it again.
#include "qimux/base/log.hpp"
#include "sim/seed_range.hpp"
#include "sim/storm.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace {

using namespace qimux;
using namespace qimux::simtest;

double secondsOf(async::Duration span) {
  return std::chrono::duration<double>(span).count();
}

StormOutcome runOne(std::uint64_t seed, bool verbose) {
  Storm storm = makeStorm(seed);
  if (verbose) {
    fmt::print("seed {}: {}", seed, describe(storm));
    storm.world.transcript = [](std::string_view line) { fmt::print("{}\n", line); };
  }
  return run(std::move(storm));
}

void add(StormOutcome& sum, const StormOutcome& one) {
  sum.virtual_seconds += one.virtual_seconds;
  sum.bytes += one.bytes;
  sum.connections += one.connections;
  sum.told += one.told;
  for (const auto& [kind, count] : one.faults) sum.faults[kind] += count;
  for (std::size_t i = 0; i < sum.recoveries.size(); ++i) sum.recoveries[i] += one.recoveries[i];
  for (const auto& [kind, span] : one.slowest) sum.slowest[kind] = std::max(sum.slowest[kind], span);
  sum.back_online = std::max(sum.back_online, one.back_online);
}

void report(const StormOutcome& sum) {
  fmt::print("faults, and the slowest word to a program that lost its connection by one:\n");
  for (const auto& [kind, count] : sum.faults) {
    const auto slowest = sum.slowest.find(kind);
    fmt::print("  {:<28} {:>6}{}\n", kind, count,
               slowest == sum.slowest.end() ? "" : fmt::format("  {:6.0f} s", secondsOf(slowest->second)));
  }
  fmt::print("recoveries:\n");
  for (const auto step : bridge::kRecoverySteps) {
    fmt::print("  {:<28} {:>6}\n", name(step), sum.recoveries[static_cast<std::size_t>(step)]);
  }
  fmt::print("online again after the last fault: in {:.0f} s at most\n", secondsOf(sum.back_online));
}

}  // namespace

int main(int count, char** words) {
  const auto asked = parseSeeds(count, words);
  if (!asked) {
    fmt::print(stderr, "usage: {} [--seed N | --seeds FROM..TO] [--verbose]\n", words[0]);
    return 2;
  }
  log::setLevel(asked->verbose ? log::Level::Debug : log::Level::Error);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const auto begin = std::chrono::steady_clock::now();
  std::uint64_t failures = 0;
  StormOutcome sum;
  for (std::uint64_t seed = asked->from; seed <= asked->to; ++seed) {
    const StormOutcome outcome = runOne(seed, asked->verbose);
    add(sum, outcome);
    if (outcome.problem.empty()) continue;
    ++failures;
    fmt::print("seed {}: {}\n  again: {} --seed {} --verbose\n", seed, outcome.problem, words[0], seed);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  report(sum);
  fmt::print(
      "{} storms, {} failed; {:.0f} h of virtual time, {} connections ({} told of a loss), {} bytes, in "
      "{:.1f} s\n",
      asked->to - asked->from + 1, failures, sum.virtual_seconds / 3600, sum.connections, sum.told, sum.bytes,
      took.count());
  return failures == 0 ? 0 : 1;
}
