#include "sim/stage.hpp"

#include <algorithm>
#include <numeric>

using namespace qimux;
using namespace qimux::simtest;

namespace {

double jain(const std::vector<double>& shares) {
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  const double squares = std::inner_product(shares.begin(), shares.end(), shares.begin(), 0.0);
  return sum * sum / (static_cast<double>(shares.size()) * squares);
}

// How long each answer to a request took, as seen by the program, to the millisecond.
std::vector<async::Duration> answerTimes(Stage& stage, const Conversation& one, async::Duration span) {
  std::vector<async::Duration> times;
  const auto end = stage.loop.now() + span;
  async::TimePoint asked = stage.loop.now();
  std::uint64_t written = one.program().written(), read = one.program().read();
  while (stage.loop.now() < end) {
    stage.loop.runFor(1ms);
    if (one.program().written() > written) asked = stage.loop.now();
    if (one.program().read() >= read + one.plan().program.response) {
      times.push_back(stage.loop.now() - asked);
      read += one.plan().program.response;
    }
    written = one.program().written();
  }
  return times;
}

}  // namespace

TEST_CASE("six downloads share the line: Jain's index is at least 0.99") {
  const int indication = GENERATE(1, 2);
  WorldOptions options;
  options.module.highest_indi = indication;
  options.module.rtt = 100ms;
  Stage stage(options);
  for (int i = 0; i < 6; ++i) stage.talk(download(400'000));
  stage.loop.runFor(5s);
  std::vector<double> before, shares;
  for (const auto& one : stage.talkers) before.push_back(static_cast<double>(one->program().read()));
  stage.loop.runFor(30s);
  for (std::size_t i = 0; i < 6; ++i) {
    shares.push_back(static_cast<double>(stage.talkers[i]->program().read()) - before[i]);
  }
  CHECK(jain(shares) >= 0.99);
  // And the line is not left idle: 11,520 bytes a second, of which commands take a small part.
  CHECK(std::accumulate(shares.begin(), shares.end(), 0.0) / 30 > 9000);
  stage.check();
}

TEST_CASE("an upload is not starved by five downloads") {
  Stage stage;
  for (int i = 0; i < 5; ++i) stage.talk(download(400'000));
  const Conversation& up = stage.talk(upload(20'000));
  // A sixth of the line would take 10.4 s.
  CHECK(stage.runUntilOver(up, 20s));
  CHECK(up.peer().received == 20'000);
  stage.check();
}

TEST_CASE("requests of 32 bytes are answered in time beside three downloads at 115200 baud") {
  WorldOptions options;
  options.module.rtt = 50ms;
  Stage stage(options);
  for (int i = 0; i < 3; ++i) stage.talk(download(1'000'000));
  ConversationPlan plan;
  plan.peer.kind = PeerKind::Answer;
  plan.program.request = plan.program.response = 32;
  plan.program.up_total = 32 * 1000;
  plan.program.write_gap = 400ms;
  const Conversation& person = stage.talk(plan);
  stage.loop.runFor(5s);
  auto times = answerTimes(stage, person, 60s);
  REQUIRE(times.size() > 100);
  std::ranges::sort(times);
  // There: a short turn of another, then ours; the air; back: the same. 50 + 2 × 2 × 80 ms at the worst.
  CHECK(times.back() <= 370ms);
  CHECK(times[times.size() / 2] <= 220ms);
  stage.check();
}
