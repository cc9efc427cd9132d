// The port is lost: at every single moment at which something is written to it or arrives from it, and so at
// every await between the first command and the last.
#include "sim/stage.hpp"

#include <fmt/format.h>

#include <optional>
#include <set>

using namespace qimux;
using namespace qimux::simtest;
using bridge::LinkState;
using bridge::SessionState;

namespace {

constexpr auto kUnplugged = 3s;

// What was seen at the moments at which the plug was pulled, in all of them together.
struct Seen {
  std::set<LinkState> links;
  std::set<SessionState> sessions;
};

struct Setting {
  std::string name;
  std::vector<std::string> faults{};    // before the link is started
  std::string after{};                  // when the link has been up for a moment
  bool restarts = false;                // the module loses its power with the plug
  bool stops = false;                   // the daemon is told to end
  std::optional<async::Duration> at{};  // then, and not at a moment of traffic
};

ConversationPlan half(std::uint64_t bytes) {
  ConversationPlan plan = upload(bytes);
  plan.program.end = ProgramEnd::HalfClose;
  return plan;
}

// A program that takes its time to read what has come before the end.
ConversationPlan lazy() {
  ConversationPlan plan = download(6000);
  plan.program.pause_at = 100;
  plan.program.pause = 4s;
  return plan;
}

// One life from the start of the link, in which the plug is pulled at one moment.
class Life {
 public:
  Life(const Setting& setting, int moment, Seen& seen)
      : setting_(setting), moment_(moment), seen_(seen), world_(loop_, Stage::audible(options())) {
    for (const auto& line : setting.faults) world_.fault(line);
    world_.onTraffic([this] { count(); });
  }

  // False where it came to its end before that moment.
  bool run() {
    world_.link().start();
    if (setting_.at) {
      loop_.runFor(*setting_.at);
      pull();
    }
    loop_.runUntil([this] { return pulled_ || online(); }, 2min);
    if (!pulled_) live();
    if (!pulled_) return false;
    if (setting_.stops) {
      checkStopped();
    } else {
      checkUnplugged();
      checkPlugged();
    }
    INFO(fmt::format("{}, moment {}", setting_.name, moment_));
    CHECK(world_.firstViolation() == "");
    return true;
  }

 private:
  static WorldOptions options() {
    WorldOptions options;
    options.baud = 0;
    options.chunks = true;
    options.module.command_latency = 1ms;
    return options;
  }
  bool online() { return world_.link().state() == LinkState::Online; }

  void count() {
    if (!pulled_ && events_++ == moment_) pull();
  }

  void pull() {
    pulled_ = true;
    seen_.links.insert(world_.link().state());
    for (const auto& one : talkers_) {
      if (one->session() != nullptr) seen_.sessions.insert(one->session()->state());
    }
    world_.unplug();
    if (setting_.restarts) world_.fault("power-off");
  }

  Conversation& talk(ConversationPlan plan) {
    const int id = next_id_++;
    // A module that was cut off in the middle of a send takes what asks whether it lives for payload.
    plan.peer.spoilable = !setting_.restarts;
    fit(plan, id);
    auto& made = *talkers_.emplace_back(
        std::make_unique<Conversation>(world_, id, plan, static_cast<std::uint64_t>(id)));
    made.start();
    return made;
  }

  // All that a life has: six sockets and one that waits, both directions, both ends first, datagrams.
  void live() {
    for (const auto& plan : {download(4000), upload(3000), half(2000), lazy(), silent()}) talk(plan);
    DatagramPlan plan;
    plan.count = 2;
    plan.spoilable = !setting_.restarts;
    datagrams_ = std::make_unique<Datagrams>(world_, next_id_++, plan, 9);
    datagrams_->start();
    talk(download(500));
    if (!setting_.after.empty()) world_.faultIn(500ms, setting_.after);
    if (setting_.stops) {
      loop_.runFor(300ms);
      world_.link().stop(5s, [this] { stopped_ = true; });
    }
    loop_.runUntil([this] { return pulled_ || stopped_; }, setting_.after.empty() ? 15s : 150s);
  }

  void checkStopped() {
    INFO(fmt::format("{}, moment {}", setting_.name, moment_));
    world_.link().stop(5s, [this] { stopped_ = true; });
    CHECK(loop_.runUntil([this] { return stopped_; }, 6s));
    CHECK_FALSE(world_.held());
  }

  void checkUnplugged() {
    INFO(fmt::format("{}, moment {}", setting_.name, moment_));
    CHECK(loop_.runUntil([this] { return !world_.held(); }, 10ms));
    CHECK(world_.link().state() == LinkState::NoDevice);
    CHECK(world_.link().module() == nullptr);
    CHECK_FALSE(world_.multiplexer().serving());
    // Nobody stays connected to nothing.
    for (const auto& one : talkers_) {
      if (one->session() != nullptr)
        CHECK((one->session()->state() == SessionState::Waiting ||
               one->session()->state() == SessionState::Finishing));
    }
    late_ = &talk(download(700));
    loop_.runFor(kUnplugged);
    CHECK_FALSE(late_->over());
    CHECK(late_->session()->state() == SessionState::Waiting);
    CHECK(world_.link().condition()->trouble == bridge::Trouble::DeviceMissing);
  }

  void checkPlugged() {
    INFO(fmt::format("{}, moment {}", setting_.name, moment_));
    world_.plug();
    if (setting_.restarts) world_.fault("power-on");
    if (!setting_.faults.empty()) world_.fault("register");
    CHECK(loop_.runUntil([this] { return online(); }, 3min));
    CHECK(loop_.runUntil([this] { return late_->over(); }, 1min));
    CHECK(late_->program().read() == 700);
    CHECK(late_->program().sawEnd());
    for (const auto& one : talkers_) {
      if (one->plan().peer.end == PeerEnd::Never && !one->over()) continue;
      CHECK(loop_.runUntil([&one] { return one->over(); }, 2min));
      one->judge(Conversation::Weather::Stormy);
    }
    CHECK(world_.link().recovery().count(bridge::RecoveryStep::AwaitDevice) >= 1);
  }

  const Setting& setting_;
  int moment_;
  Seen& seen_;
  async::VirtualLoop loop_;
  std::vector<std::unique_ptr<Conversation>> talkers_;
  std::unique_ptr<Datagrams> datagrams_;
  World world_;
  int events_ = 0;
  int next_id_ = 1;
  bool pulled_ = false;
  bool stopped_ = false;
  const Conversation* late_ = nullptr;
};

// Each moment of it. Gives how many there were.
int atEachMoment(const Setting& setting, Seen& seen, int most = 2000) {
  for (int moment = 0; moment < most; ++moment) {
    if (!Life(setting, moment, seen).run()) return moment;
  }
  return most;
}

}  // namespace

TEST_CASE(
    "unplugged at each moment of a life: connections end, who waits waits, all is well when it is back") {
  Seen seen;
  const int kept = atEachMoment({.name = "the module lives on"}, seen);
  const int restarted = atEachMoment({.name = "the module loses its power", .restarts = true}, seen);
  fmt::print("unplugged at {} moments, and at {} with a restart\n", kept, restarted);
  CHECK(kept > 200);
  CHECK(restarted > 200);
  using enum LinkState;
  CHECK(seen.links == std::set{Synchronising, Sim, Registering, Activating, Online});
  using S = SessionState;
  CHECK(seen.sessions == std::set{S::Waiting, S::Opening, S::Connected, S::Closing, S::Finishing});
}

TEST_CASE("unplugged at each moment of a recovery") {
  Seen seen;
  int moments = 0;
  moments += atEachMoment({.name = "context", .after = "pdp-deact"}, seen);
  moments += atEachMoment({.name = "restart", .after = "reboot"}, seen);
  moments += atEachMoment({.name = "activation", .faults = {"activation-fail 4"}}, seen, 300);
  moments += atEachMoment({.name = "silence", .after = "hang 100"}, seen);
  fmt::print("unplugged at {} moments of recoveries\n", moments);
  CHECK(seen.links.contains(LinkState::Recovering));
}

TEST_CASE("unplugged while the network is awaited") {
  Seen seen;
  CHECK(atEachMoment({.name = "no coverage", .faults = {"deregister"}}, seen, 60) == 60);
  CHECK(seen.links.contains(LinkState::Registering));
}

TEST_CASE("unplugged while nothing is said: in the pauses between attempts, too") {
  Seen seen;
  for (auto at = 0ms; at < 20s; at += 97ms) {
    Setting setting{.name = "by the clock", .faults = {"activation-fail 5"}, .at = at};
    CHECK(Life(setting, -1, seen).run());
  }
  CHECK(seen.links.contains(LinkState::Pausing));
}

TEST_CASE("unplugged at each moment of a stop: it ends all the same") {
  Seen seen;
  const int moments = atEachMoment({.name = "stop", .stops = true}, seen);
  fmt::print("unplugged at {} moments up to the end of a stop\n", moments);
  CHECK(seen.links.contains(LinkState::Stopping));
}
