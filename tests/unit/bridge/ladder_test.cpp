#include "qimux/bridge/ladder.hpp"

#include "support/catch.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

using namespace qimux;
using namespace qimux::bridge;
using namespace std::chrono_literals;
using Step = RecoveryStep;
using Steps = std::vector<std::optional<Step>>;

namespace {

constexpr std::optional<Step> kAgain;

// One loss after the other, each attempt failing `between` after its pause.
struct Climb {
  explicit Climb(bool has_reset_line = true, std::uint32_t seed = 1) : ladder(has_reset_line, seed) {}

  Steps lose(Cause cause, int times, async::Duration between = 1s) {
    Steps steps;
    for (int i = 0; i < times; ++i) {
      const auto decision = ladder.decide(cause, now);
      pauses.push_back(decision.pause);
      now += decision.pause;
      if (decision.step) taken_at.push_back({*decision.step, now});
      steps.push_back(decision.step);
      now += between;
    }
    return steps;
  }
  void up(async::Duration span) {
    ladder.online(now);
    now += span;
  }

  struct Taken {
    Step step;
    async::TimePoint at;
  };
  Ladder ladder;
  async::TimePoint now{1h};
  std::vector<async::Duration> pauses;
  std::vector<Taken> taken_at;
};

}  // namespace

TEST_CASE("each cause climbs its own rungs, the mildest first") {
  using enum RecoveryStep;
  CHECK(Climb().lose(Cause::Context, 7) ==
        Steps{Reactivate, Reactivate, Reactivate, Restart, Restart, ResetLine, ResetLine});
  CHECK(Climb().lose(Cause::Activation, 6) ==
        Steps{Reactivate, Reactivate, Reactivate, Reactivate, Restart, ResetLine});
  CHECK(Climb().lose(Cause::Stack, 5) == Steps{Reactivate, Restart, Restart, ResetLine, ResetLine});
  CHECK(Climb().lose(Cause::Unending, 3) == Steps{Restart, ResetLine, ResetLine});
  CHECK(Climb().lose(Cause::Silence, 4) == Steps{BaudHunt, ResetLine, ResetLine, AwaitDevice});
  CHECK(Climb().lose(Cause::Registration, 4) == Steps{kAgain, kAgain, Restart, ResetLine});
  CHECK(Climb().lose(Cause::Sim, 4) == Steps{kAgain, kAgain, Restart, ResetLine});
  CHECK(Climb().lose(Cause::Device, 2) == Steps{AwaitDevice, AwaitDevice});
}

TEST_CASE("what no step cures gets none: a PIN is a person's, and a module that starts anew is started") {
  for (const auto cause : {Cause::Person, Cause::Started, Cause::PowerDown}) {
    const Steps steps = Climb().lose(cause, 30);
    CHECK(std::ranges::all_of(steps, [](const auto& step) { return !step; }));
  }
}

TEST_CASE("without a reset line that rung is not there") {
  using enum RecoveryStep;
  CHECK(Climb(false).lose(Cause::Silence, 3) == Steps{BaudHunt, AwaitDevice, AwaitDevice});
  CHECK(Climb(false).lose(Cause::Unending, 1) == Steps{Restart});
}

TEST_CASE("the first step of an episode comes at once, the others after pauses that double up to a minute") {
  Climb climb;
  climb.lose(Cause::Activation, 14);
  CHECK(climb.pauses.front() == 0s);
  auto expected = std::chrono::duration<double>(Ladder::kFirstPause);
  for (std::size_t i = 1; i < climb.pauses.size(); ++i) {
    const double share = climb.pauses.at(i) / expected;
    CHECK(share >= 1 - Ladder::kJitter);
    CHECK(share <= 1 + Ladder::kJitter);
    expected = std::min<std::chrono::duration<double>>(2 * expected, 60s);
  }
  CHECK(climb.pauses.back() > 45s);
}

TEST_CASE("a module that only has to come back is looked for all the time") {
  Climb climb;
  climb.lose(Cause::Silence, 50);
  CHECK(std::ranges::max(climb.pauses) <= 2400ms);
}

TEST_CASE("gateways that lost the same cell do not come back in step") {
  std::set<async::Duration> seen;
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    Climb climb(true, seed);
    climb.lose(Cause::Registration, 5);
    seen.insert(climb.pauses.back());
  }
  CHECK(seen.size() > 15);
}

TEST_CASE("a link that comes and goes climbs on; one that has stayed up for a minute begins anew") {
  using enum RecoveryStep;
  Climb climb;
  for (int i = 0; i < 3; ++i) {
    CHECK(climb.lose(Cause::Context, 1) == Steps{Reactivate});
    climb.up(59s);
  }
  CHECK(climb.lose(Cause::Context, 1) == Steps{Restart});
  CHECK(climb.ladder.attempts() == 4);
  climb.up(61s);
  CHECK(climb.lose(Cause::Context, 1) == Steps{Reactivate});
  CHECK(climb.pauses.back() == 0s);
}

TEST_CASE(
    "in an outage of three days the module is restarted ever more rarely, and tried at least every 70 s") {
  Climb climb;
  while (climb.now < async::TimePoint(73h)) climb.lose(Cause::Activation, 1, 5s);
  CHECK(climb.pauses.size() > 3600);
  CHECK(std::ranges::max(climb.pauses) <= 72s);
  std::vector<async::TimePoint> restarts;
  for (const auto& taken : climb.taken_at) {
    if (taken.step == Step::Restart) restarts.push_back(taken.at);
  }
  CHECK(restarts.size() >= 12);
  CHECK(restarts.size() <= 25);
  for (std::size_t i = 1; i < restarts.size(); ++i)
    CHECK(restarts.at(i) - restarts.at(i - 1) >= Ladder::kSpacing);
  CHECK(restarts.back() - restarts.at(restarts.size() - 2) >= Ladder::kLongestSpacing);
}

TEST_CASE("the rate is hunted for once, and then only every five minutes: who hunts does not hear") {
  Climb climb(false);
  while (climb.now < async::TimePoint(2h)) climb.lose(Cause::Silence, 1, 4s);
  std::vector<async::TimePoint> hunts;
  for (const auto& taken : climb.taken_at) {
    if (taken.step == Step::BaudHunt) hunts.push_back(taken.at);
  }
  CHECK(hunts.size() >= 10);
  CHECK(hunts.size() <= 12);
}

TEST_CASE("every cause and every step has its own name") {
  std::set<std::string_view> names;
  for (const auto cause :
       {Cause::Device, Cause::Silence, Cause::Started, Cause::PowerDown, Cause::Sim, Cause::Person,
        Cause::Registration, Cause::Activation, Cause::Unending, Cause::Context, Cause::Stack, Cause::Stop})
    names.insert(name(cause));
  CHECK(names.size() == 12);
  names.clear();
  for (const auto step : kRecoverySteps) names.insert(name(step));
  CHECK(names == std::set<std::string_view>{"resync", "baud_hunt", "close_socket", "reactivate", "restart",
                                            "reset_line", "await_device"});
}

TEST_CASE("attempts between two restarts do not make the next one later") {
  Climb climb(false);
  climb.lose(Cause::Sim, 200, 20s);
  std::vector<async::TimePoint> restarts;
  for (const auto& taken : climb.taken_at) {
    if (taken.step == Step::Restart) restarts.push_back(taken.at);
  }
  REQUIRE(restarts.size() >= 4);
  // In the first round freely, then 10 minutes apart, 20, 40.
  CHECK(restarts[1] - restarts[0] < 11min);
  CHECK(restarts[2] - restarts[1] < 21min);
  CHECK(restarts[3] - restarts[2] < 41min);
}
