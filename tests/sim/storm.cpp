#include "sim/storm.hpp"

#include "sim/conversation.hpp"
#include "sim/datagrams.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace qimux::simtest {
namespace {

using sim::Quirk;

constexpr int kLanes = 6;
constexpr auto kBeat = 2s;
constexpr auto kRateBeat = 5ms;
// What another fault may add to the time in which a program is told.
constexpr async::Duration kEachOther = 90s;
constexpr auto kNoEnd = 3h;
constexpr auto kServed = 1min;
constexpr std::uint64_t kMost = 20'000;
constexpr std::uint64_t kFresh = 3000;

// Two quirks that together leave nothing that works, or datagrams without boundaries; a module that drops
// sends without a word, which is a fault and no dialect; and one that says nothing behind a block, with which
// a loss in a block cannot be told from its end.
bool unfit(const sim::Options& module) {
  sim::QuirkSet quirks = sim::quirksOf(module.firmware);
  quirks.add(module.quirks);
  quirks.remove(module.without);
  const int indi = module.highest_indi.value_or(sim::highestIndiOf(module.firmware));
  const bool stuck = quirks.has(Quirk::DeactInitialError) || quirks.has(Quirk::DeactInitialSilent);
  return (stuck && quirks.has(Quirk::QimuxRefused)) || (quirks.has(Quirk::UdpConcatenates) && indi == 1) ||
         (quirks.has(Quirk::UrcInSend) && indi == 2) || quirks.has(Quirk::PromptMissing) ||
         (quirks.has(Quirk::LoseEdge) && indi == 2) || quirks.has(Quirk::ReadNoOk);
}

void drawModule(Dice& dice, WorldOptions& world) {
  sim::Options& module = world.module;
  module.firmware = dice.pick({sim::Firmware::Note, sim::Firmware::M95, sim::Firmware::Mc60});
  for (const auto& quirk : sim::quirks()) {
    if (dice.chance(0.08)) module.quirks.add(quirk.quirk);
  }
  module.without.add(Quirk::EscCancels);
  module.without.add(Quirk::ReadNoOk);
  sim::fieldTiming(module);
  module.rtt = dice.pick<async::Duration>({40ms, 300ms, 700ms, 1500ms});
  module.rate = dice.pick<std::uint64_t>({1500, 5000, 12000});
}

ConversationPlan drawTalk(Dice& dice) {
  ConversationPlan plan;
  ProgramPlan& program = plan.program;
  PeerPlan& peer = plan.peer;
  program.read_gap = dice.pick<async::Duration>({0ms, 20ms, 200ms});
  program.end = ProgramEnd::UntilEnd;
  peer.end = PeerEnd::AfterAll;
  program.patience = kNoEnd;
  peer.spoilable = true;
  plan.handshake = 1ms;
  switch (dice.between(0, 5)) {
    case 0:
      program.down_total = dice.size(1, kMost);
      break;
    case 1:
      program.up_total = dice.size(1, kMost);
      break;
    case 2:
      peer.kind = PeerKind::Echo;
      program.up_total = dice.size(1, kMost / 4);
      break;
    case 3:
      // Both ways at once, and slowly.
      program.up_total = dice.size(1, kMost / 2);
      program.down_total = dice.size(1, kMost / 2);
      program.write_gap = dice.span(10ms, 5s);
      peer.delay = dice.span(10ms, 5s);
      program.write_most = peer.burst = 1000;
      break;
    case 4:
      // A question now and then.
      peer.kind = PeerKind::Answer;
      program.request = dice.size(1, 300);
      program.response = dice.size(1, 1000);
      program.up_total = program.request * dice.between(5, 30);
      program.write_gap = dice.span(1s, 5min);
      peer.delay = dice.span(0s, 3s);
      program.end = ProgramEnd::AfterAll;
      break;
    default:
      // Listens, and leaves by itself.
      program.down_total = dice.size(1, 500);
      peer.end = PeerEnd::Never;
      program.patience = dice.span(5min, 60min);
      break;
  }
  return plan;
}

DatagramPlan drawExchange(Dice& dice) {
  DatagramPlan plan;
  plan.count = static_cast<int>(dice.between(1, 40));
  plan.most = dice.size(8, 1000);
  plan.gap = dice.pick<async::Duration>({1s, 20s, 4min});
  plan.replies = static_cast<int>(dice.between(0, 3));
  plan.delay = dice.pick<async::Duration>({0ms, 2s});
  plan.reply_most = dice.size(8, 1000);
  plan.spoilable = true;
  return plan;
}

// Everything of one storm while it runs. Talkers outlive the world.
class Run {
 public:
  explicit Run(Storm storm)
      : storm_(std::move(storm)),
        dice_(storm_.seed ^ 0x57071),
        world_(loop_, std::move(storm_.world)),
        later_(loop_),
        beat_(loop_) {}

  StormOutcome go();

 private:
  struct Lane {
    Conversation* talk = nullptr;
    Datagrams* exchange = nullptr;
    async::TimePoint next{};
    bool over() const { return talk != nullptr ? talk->over() : exchange == nullptr || exchange->over(); }
  };
  // Who had a connection when all were ended.
  struct Loss {
    std::string_view kind;
    async::TimePoint at;
    std::vector<Conversation*> open;
    bool due = false;
  };

  void plan();
  void strike(std::size_t index);
  void hit(const std::string& line);
  void lookAt(std::size_t index, bool last);
  async::Duration limit(std::size_t index) const;
  void beat();
  void start(Lane& lane);
  Conversation& talk(ConversationPlan plan);
  void judge(Lane& lane);
  bool calm() const;
  void aftermath();
  void leftovers();
  void fail(const std::string& what) { world_.violation(what); }
  bool good() const { return world_.firstViolation().empty(); }
  bool online() const { return world_.link().state() == bridge::LinkState::Online; }
  void countUp();

  Storm storm_;
  Dice dice_;
  async::VirtualLoop loop_;
  std::vector<std::unique_ptr<Conversation>> talkers_;
  std::vector<std::unique_ptr<Datagrams>> exchanges_;
  mutable World world_;
  sim::Timeline later_;
  async::Timer beat_;
  std::array<Lane, kLanes> lanes_{};
  std::vector<Loss> losses_;
  async::TimePoint begin_{};
  bool ending_ = false;
  int next_id_ = 1;
  StormOutcome outcome_;
};

Conversation& Run::talk(ConversationPlan plan) {
  const int id = next_id_++;
  fit(plan, id);
  ++outcome_.connections;
  auto& made = talkers_.emplace_back(std::make_unique<Conversation>(world_, id, plan, dice_.fork()));
  made->start();
  return *made;
}

void Run::start(Lane& lane) {
  const bool datagrams = &lane == &lanes_.back();
  if (datagrams) {
    auto& made = exchanges_.emplace_back(
        std::make_unique<Datagrams>(world_, next_id_++, drawExchange(dice_), dice_.fork()));
    made->start();
    lane = Lane{nullptr, made.get(), {}};
  } else {
    lane = Lane{&talk(drawTalk(dice_)), nullptr, {}};
  }
}

void Run::judge(Lane& lane) {
  if (lane.talk != nullptr) {
    lane.talk->judge(Conversation::Weather::Stormy);
    const auto& program = lane.talk->program();
    if (program.sawReset() || lane.talk->failure()) ++outcome_.told;
    outcome_.bytes += lane.talk->peer().received + program.read();
  }
  if (lane.exchange != nullptr) lane.exchange->judge(false);
  lane = Lane{};
}

void Run::beat() {
  const auto now = loop_.now();
  for (auto& loss : losses_) {
    std::erase_if(loss.open, [&](const Conversation* one) {
      if (!one->over()) return false;
      auto& slowest = outcome_.slowest[loss.kind];
      slowest = std::max(slowest, now - loss.at);
      return true;
    });
  }
  for (auto& lane : lanes_) {
    const bool used = lane.talk != nullptr || lane.exchange != nullptr;
    if (used && lane.over()) {
      judge(lane);
      lane.next = now + dice_.span(0s, dice_.pick<async::Duration>({1s, 1min, 10min}));
    } else if (!used && !ending_ && now >= lane.next) {
      start(lane);
    }
  }
  if (good()) beat_.start(kBeat, [this] { beat(); });
}

// As much longer as the others keep the line busy meanwhile.
async::Duration Run::limit(std::size_t index) const {
  const auto& [at, fault] = storm_.faults[index];
  async::Duration most = fault.told;
  bool more = true;
  std::vector<bool> counted(storm_.faults.size(), false);
  counted[index] = true;
  while (std::exchange(more, false)) {
    for (std::size_t i = 0; i < storm_.faults.size(); ++i) {
      const auto& [other_at, other] = storm_.faults[i];
      if (counted[i] || other_at > at + most || other_at + other.lasts + kEachOther < at) continue;
      counted[i] = more = true;
      most += other.lasts + kEachOther;
    }
  }
  // It may be seen only at the next beat, and is read a little later.
  return most + 2 * kBeat;
}

void Run::plan() {
  for (std::size_t i = 0; i < storm_.faults.size(); ++i) {
    const auto& [at, fault] = storm_.faults[i];
    ++outcome_.faults[fault.kind];
    later_.in(at, [this, i] { strike(i); });
    for (const auto& [when, line] : fault.lines) later_.in(at + when, [this, &line] { hit(line); });
  }
}

// "close 3", "closed 3 …", "reset 3": the far end knows nothing of it.
void Run::hit(const std::string& line) {
  if (line.starts_with("close") || line.starts_with("reset ")) {
    const auto slot = static_cast<int>(line[line.find(' ') + 1] - '0');
    const auto* occupant = world_.multiplexer().occupant(slot);
    for (const auto& lane : lanes_) {
      if (occupant != nullptr && lane.talk != nullptr && lane.talk->session() == occupant) lane.talk->cut();
    }
  }
  // In the middle of payload it would change that, and nobody could notice.
  if (line.starts_with("baud ") && world_.module().terminal().phase() == sim::Terminal::Phase::Data) {
    later_.in(kRateBeat, [this, &line] { hit(line); });
    return;
  }
  world_.fault(line);
}

// Just before its first line.
void Run::strike(std::size_t index) {
  const StormFault& fault = storm_.faults[index].second;
  world_.note(fmt::format("fault: {}", fault.kind));
  if (fault.told == 0s) return;
  Loss loss{fault.kind, loop_.now(), {}, false};
  for (const auto& lane : lanes_) {
    if (lane.talk != nullptr && lane.talk->wasConnected() && !lane.talk->over())
      loss.open.push_back(lane.talk);
  }
  losses_.push_back(std::move(loss));
  later_.in(limit(index), [this, place = losses_.size() - 1] {
    const Loss& due = losses_[place];
    for (const Conversation* one : due.open) {
      if (one->over()) continue;
      fail(fmt::format("tcp {} has not been told of \"{}\" of {:.0f} s before: {}", one->id(), due.kind,
                       std::chrono::duration<double>(loop_.now() - due.at).count(), one->summary()));
    }
  });
}

bool Run::calm() const {
  return std::ranges::all_of(lanes_, [](const Lane& lane) { return lane.over(); });
}

void Run::aftermath() {
  const auto from = loop_.now();
  // What was to hit the next ones, and has hit none.
  world_.fault("heal");
  async::Duration limit = kBackOnline;
  for (const auto& [at, fault] : storm_.faults)
    limit = std::max(limit, at + fault.lasts + fault.mending - (from - begin_));
  if (good() && !loop_.runUntil([this] { return online() || !good(); }, limit)) {
    fail("the link does not come back");
  }
  if (limit == kBackOnline) outcome_.back_online = loop_.now() - from;
  ending_ = true;
  if (good() && !loop_.runUntil([this] { return calm() || !good(); }, kNoEnd + 10min)) {
    for (const auto& lane : lanes_) {
      if (lane.talk != nullptr && !lane.talk->over()) {
        fail(fmt::format("tcp {} has no end: {}", lane.talk->id(), lane.talk->summary()));
      }
      if (lane.exchange != nullptr && !lane.exchange->over()) fail("a UDP association has no end");
    }
  }
  if (!good()) return;
  loop_.runFor(2 * kBeat);
  // What was struck a while ago may show only now.
  if (!loop_.runUntil([this] { return online() || !good(); }, kBackOnline)) fail("the link goes again");
  std::vector<Conversation*> fresh;
  for (int i = 0; i < kLanes && good(); ++i) {
    ConversationPlan plan;
    plan.program.down_total = kFresh;
    plan.peer.end = PeerEnd::Never;
    fresh.push_back(&talk(plan));
  }
  const auto served = [&fresh] {
    return std::ranges::all_of(fresh, &Conversation::over,
                               [](Conversation* one) -> Conversation& { return *one; });
  };
  if (good() && !loop_.runUntil([&] { return served() || !good(); }, kServed))
    fail("new connects are not served");
  for (const Conversation* one : fresh) {
    if (good() && one->program().read() != kFresh)
      fail(fmt::format("a new connect fails: {}", one->summary()));
  }
}

void Run::leftovers() {
  // Associations are closed when they have been idle.
  loop_.runFor(6min);
  const auto& mux = world_.multiplexer();
  for (int index = 0; index < kLanes; ++index) {
    if (mux.occupant(index) != nullptr) fail(fmt::format("socket {} is still held", index));
  }
  if (mux.sessions() > 0) fail(fmt::format("{} sessions are left", mux.sessions()));
  if (mux.waiting() > 0) fail("somebody still waits for a socket");
  if (mux.unconfirmed() > 0) fail("something is still unconfirmed");
  if (good() && !world_.shutDown()) fail("the link does not stop");
}

void Run::countUp() {
  for (const auto step : bridge::kRecoverySteps) {
    outcome_.recoveries[static_cast<std::size_t>(step)] = world_.link().recovery().count(step);
  }
  outcome_.virtual_seconds = world_.seconds();
  outcome_.problem = world_.firstViolation();
}

StormOutcome Run::go() {
  if (!world_.comeOnline()) {
    outcome_.problem = "the link never came online";
    return outcome_;
  }
  begin_ = loop_.now();
  plan();
  beat();
  async::Duration last = storm_.length;
  for (const auto& [at, fault] : storm_.faults) last = std::max(last, at + fault.lasts);
  loop_.runUntil([this] { return !good(); }, last);
  aftermath();
  if (good()) leftovers();
  countUp();
  return outcome_;
}

}  // namespace

Storm makeStorm(std::uint64_t seed) {
  Dice dice(seed ^ 0x5709a);
  Storm storm;
  storm.seed = seed;
  do {
    storm.world.module = sim::Options{};
    drawModule(dice, storm.world);
  } while (unfit(storm.world.module));
  storm.world.seed = dice.fork();
  storm.world.baud = dice.pick({9600u, 115200u, 115200u, 115200u});
  storm.world.chunks = dice.chance(0.3);
  storm.world.reset_line = dice.chance(0.5);
  storm.length = dice.span(2h, 5h);
  const auto count = dice.between(1, 20);
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto at = dice.span(1min, storm.length);
    insertByTime(storm.faults, {at, drawStormFault(dice, 15min)});
  }
  return storm;
}

std::string describe(const Storm& storm) {
  const sim::Options& module = storm.world.module;
  std::string text = fmt::format(
      "{} at {} baud, rtt {} ms, {} B/s{}{}, {:.1f} h\n", name(module.firmware), storm.world.baud,
      std::chrono::duration_cast<std::chrono::milliseconds>(module.rtt).count(), module.rate,
      storm.world.chunks ? ", in pieces" : "", storm.world.reset_line ? ", with a reset line" : "",
      std::chrono::duration<double>(storm.length).count() / 3600);
  for (const auto& quirk : sim::quirks()) {
    if (module.quirks.has(quirk.quirk)) text += fmt::format("  quirk {}\n", quirk.name);
  }
  for (const auto& [at, fault] : storm.faults) {
    text += fmt::format("  at {:.3f} {} for {:.0f} s\n", std::chrono::duration<double>(at).count(),
                        fault.kind, std::chrono::duration<double>(fault.lasts).count());
  }
  return text;
}

StormOutcome run(Storm storm) {
  return Run(std::move(storm)).go();
}

}  // namespace qimux::simtest
