#include "qimux/net/upkeep.hpp"

#include "qimux/async/virtual_loop.hpp"
#include "support/catch.hpp"

#include <utility>

namespace qimux::net {
namespace {

using namespace std::chrono_literals;

const Missing kRoute{.up = false, .address = false, .routes = {Cidr{}}};

// An interface that loses what a test takes away, and a clock that jumps.
struct Ground {
  async::VirtualLoop loop;
  Missing gone;
  bool refuses = false;  // the kernel lets nothing be put back
  std::vector<async::TimePoint> mends;
  std::vector<std::pair<log::Level, std::string>> said;
  int looks = 0;
  Upkeep upkeep{loop,
                "gsm0",
                {.look = [this]() -> Result<Missing> {
                   ++looks;
                   return gone;
                 },
                 .mend = [this](const Missing& what) { return mend(what); },
                 .say = [this](log::Level level, std::string_view text) { said.emplace_back(level, text); }}};

  Result<void> mend(const Missing& what) {
    CHECK(what == gone);
    mends.push_back(loop.now());
    if (refuses) return std::unexpected(Error{ErrorKind::System, "add route", "Operation not permitted"});
    gone = Missing{};
    upkeep.noticed();  // the kernel tells of its own mending too
    return {};
  }

  void take(const Missing& what) {
    gone = what;
    upkeep.noticed();
  }

  int loud() const {
    return static_cast<int>(
        std::ranges::count_if(said, [](const auto& each) { return each.first < log::Level::Debug; }));
  }
};

}  // namespace

TEST_CASE("what was taken away is put back after a moment, and told once") {
  Ground ground;
  const auto begin = ground.loop.now();
  ground.take(kRoute);
  ground.loop.runFor(400ms);
  CHECK(ground.mends.empty());
  ground.loop.runFor(1min);
  REQUIRE(ground.mends.size() == 1);
  CHECK(ground.mends[0] - begin == Upkeep::kSettle);
  REQUIRE(ground.said.size() == 1);
  CHECK(ground.said[0].first == log::Level::Warning);
  CHECK(ground.said[0].second == "another program took from gsm0 the route 0.0.0.0/0: put back");
}

TEST_CASE("a flurry of notices costs one look") {
  Ground ground;
  for (int i = 0; i < 1000; ++i) ground.upkeep.noticed();
  ground.loop.runFor(1min);
  CHECK(ground.looks == 1);
  CHECK(ground.mends.empty());
  CHECK(ground.said.empty());
}

TEST_CASE("who takes it away each time is not fought: every pause is twice the last, up to the longest") {
  Ground ground;
  for (int i = 0; i < 14; ++i) {
    ground.take(kRoute);
    const auto before = ground.mends.size();
    REQUIRE(ground.loop.runUntil([&] { return ground.mends.size() > before; }, 1h));
  }
  for (std::size_t i = 1; i < ground.mends.size(); ++i) {
    INFO("pause " << i);
    const async::Duration doubled = Upkeep::kFirstPause * (1 << (i - 1));
    CHECK(ground.mends[i] - ground.mends[i - 1] == std::min(doubled, Upkeep::kLongestPause));
  }
  // The first one, and the one that says that it is no accident.
  CHECK(ground.loud() == 2);
  CHECK(ground.said[Upkeep::kFight - 1].first == log::Level::Error);
  CHECK(ground.said[Upkeep::kFight - 1].second.starts_with("another program keeps taking from gsm0"));
}

TEST_CASE("a mend that held for long makes the next loss a new accident") {
  Ground ground;
  for (int i = 0; i < 4; ++i) {
    ground.take(kRoute);
    ground.loop.runFor(1min);
  }
  CHECK(ground.loud() == 1);
  ground.loop.runFor(Upkeep::kCalm);
  const auto begin = ground.loop.now();
  ground.take(kRoute);
  ground.loop.runFor(1min);
  REQUIRE(ground.mends.size() == 5);
  CHECK(ground.mends[4] - begin == Upkeep::kSettle);
  CHECK(ground.loud() == 2);
}

TEST_CASE("what cannot be put back is tried again without being called, and told once") {
  Ground ground;
  ground.refuses = true;
  ground.take({.up = true, .address = true, .routes = {}});
  ground.loop.runFor(10s);
  CHECK(ground.mends.size() == 4);  // after 0.5, 1.5, 3.5, 7.5 s
  CHECK(ground.loud() == 1);
  CHECK(
      ground.said[0].second ==
      "gsm0 has lost that it is up and its address, and it cannot be put back now: add route: Operation not "
      "permitted (system)");
  ground.refuses = false;
  ground.loop.runFor(10s);
  CHECK(ground.mends.size() == 5);
  CHECK_FALSE(ground.gone.any());
  CHECK(ground.upkeep.mends() == 5);
}

}  // namespace qimux::net
