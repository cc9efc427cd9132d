#include "sim/scenario.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

namespace qimux::simtest {
namespace {

using sim::Quirk;

// Every conversation is over so long after its program was: lingering, 90 s of patience with a far end that
// acknowledges nothing, and connects that time out one behind the other.
constexpr auto kLongest = 3h;

void drawModule(Dice& dice, Scenario& scenario) {
  sim::Options& module = scenario.world.module;
  module.firmware = dice.pick({sim::Firmware::Note, sim::Firmware::M95, sim::Firmware::Mc60});
  if (dice.chance(0.3)) module.highest_indi = dice.pick({1, 2});
  for (const auto& quirk : sim::quirks()) {
    if (dice.chance(0.25)) module.quirks.add(quirk.quirk);
  }
  // The payloads are full of ESC, which is data on every module that was seen.
  module.without.add(Quirk::EscCancels);
  // Drawn like the others, not with the firmware of the application note.
  if (!module.quirks.has(Quirk::ReadNoOk)) module.without.add(Quirk::ReadNoOk);
  module.command_latency = dice.span(0ms, 30ms);
  module.rtt = dice.pick<async::Duration>({0ms, 40ms, 300ms, 700ms, 1500ms});
  module.rate = dice.pick<std::uint64_t>({0, 1500, 5000, 12000});
  module.receive_buffer = dice.pick<std::size_t>({2048, 8192, 16384, 65536});
  module.send_buffer = dice.pick<std::size_t>({1460, 2920, 4380, 7300});
}

// What no seed is to have: two quirks that together leave nothing that works; datagrams that the module
// itself has merged, or announced in another order than they came.
bool hopeless(const sim::Options& module) {
  sim::QuirkSet quirks = sim::quirksOf(module.firmware);
  quirks.add(module.quirks);
  const int indi = module.highest_indi.value_or(sim::highestIndiOf(module.firmware));
  const bool no_deactivation = quirks.has(Quirk::DeactInitialError) || quirks.has(Quirk::DeactInitialSilent);
  return (quirks.has(Quirk::QimuxRefused) && no_deactivation) ||
         (quirks.has(Quirk::UdpConcatenates) && indi == 1) || (quirks.has(Quirk::UrcInSend) && indi == 2);
}

void drawPace(Dice& dice, ConversationPlan& plan) {
  ProgramPlan& program = plan.program;
  program.write_most = dice.size(1, 8192);
  program.read_most = dice.size(16, 16384);
  program.write_gap = dice.pick<async::Duration>({0ms, 1ms, 20ms, 500ms});
  program.read_gap = dice.pick<async::Duration>({0ms, 1ms, 20ms, 200ms});
  program.bounds.up = dice.size(64, 16384);
  program.bounds.program = dice.size(256, 16384);
  program.bounds.bridge = dice.size(256, 4096);
  if (dice.chance(0.15)) {
    program.pause_at = dice.between(0, program.down_total);
    program.pause = dice.span(1s, 120s);
  }
  PeerPlan& peer = plan.peer;
  peer.burst = dice.size(64, 16384);
  peer.delay = dice.pick<async::Duration>({0ms, 5ms, 300ms, 3s});
  if (dice.chance(0.2)) {
    peer.window = dice.size(512, 8192);
    peer.window_gap = dice.span(10ms, 3s);
  }
  // Not so many steps that the simulation itself gets long.
  const std::uint64_t steps = 400;
  program.write_most = std::max(program.write_most, program.up_total / steps);
  program.read_most = std::max(program.read_most, program.down_total / steps);
  peer.burst = std::max(peer.burst, program.down_total / steps);
}

ConversationPlan drawConversation(Dice& dice, std::uint64_t largest) {
  ConversationPlan plan;
  ProgramPlan& program = plan.program;
  PeerPlan& peer = plan.peer;
  peer.kind = dice.pick({PeerKind::Free, PeerKind::Free, PeerKind::Echo, PeerKind::Answer});
  program.up_total = dice.chance(0.2) ? 0 : dice.size(1, largest);
  program.down_total = dice.chance(0.2) ? 0 : dice.size(1, largest);
  if (peer.kind == PeerKind::Answer) {
    program.request = dice.size(1, 600);
    program.response = dice.size(1, 3000);
    program.up_total = program.request * dice.between(1, 20);
  }
  program.end = dice.pick({ProgramEnd::AfterAll, ProgramEnd::AfterAll, ProgramEnd::HalfClose,
                           ProgramEnd::CloseAfterWrite, ProgramEnd::UntilEnd, ProgramEnd::Reset});
  peer.end = dice.pick(
      {PeerEnd::Never, PeerEnd::AfterSending, PeerEnd::AfterAll, PeerEnd::AfterAll, PeerEnd::Reset});
  if (program.end == ProgramEnd::UntilEnd && peer.end == PeerEnd::Never) peer.end = PeerEnd::AfterAll;
  drawPace(dice, plan);
  program.reset_at = dice.between(0, largest);
  peer.reset_at = dice.between(1, largest);
  // Nobody resets later than there are bytes.
  if (program.end == ProgramEnd::Reset) program.patience = 5min;
  if (peer.end == PeerEnd::Reset && program.end == ProgramEnd::UntilEnd) program.patience = 5min;
  plan.handshake = dice.pick<async::Duration>({0ms, 1ms, 40ms});
  if (dice.chance(0.05)) plan.abandon_after = dice.span(0s, 20s);
  if (dice.chance(0.05)) plan.refused = true;
  return plan;
}

DatagramPlan drawDatagrams(Dice& dice) {
  DatagramPlan plan;
  plan.count = static_cast<int>(dice.between(1, 20));
  plan.most = dice.size(8, 1460);
  plan.gap = dice.pick<async::Duration>({100ms, 1s, 10s});
  plan.replies = static_cast<int>(dice.between(0, 3));
  plan.always = dice.chance(0.5);
  plan.delay = dice.pick<async::Duration>({0ms, 50ms, 2s});
  plan.reply_most = dice.size(8, 1460);
  return plan;
}

// What can be mended without anybody's loss.
std::string drawMildFault(Dice& dice) {
  const auto slot = dice.between(0, 5);
  switch (dice.between(0, 5)) {
    case 0:
      return fmt::format("send-fail {} {}", slot, dice.between(1, 12));
    case 1:
      return fmt::format("stall {}", dice.between(1, 20));
    case 2:
      return fmt::format("connect-delay {} {}", dice.between(1, 40), dice.between(1, 3));
    case 3:
      return dice.pick<const char*>({"urc RING", "urc +CMTI: \"SM\",3", "urc +CREG: 1",
                                     "urc UNDER_VOLTAGE WARNING ", "urc 5,CLOSED", "urc 10.9.8.7"});
    case 4:
      return fmt::format("hang {:.1f}", static_cast<double>(dice.between(1, 40)) / 10);
    default:
      return "urc +QPING: 2,4,0,4,0,0,0";
  }
}

std::string drawHardFault(Dice& dice) {
  switch (dice.between(0, 6)) {
    case 0:
      return "pdp-deact";
    case 1:
      return "reboot";
    case 2:
      return fmt::format("hang {}", dice.between(5, 60));
    case 3:
      return fmt::format("silence {}", dice.between(1, 60));
    case 4:
      return fmt::format("lose-send-ok {}", dice.between(1, 3));
    case 5:
      return fmt::format("connect-hang {}", dice.between(1, 3));
    default:
      return "pdp-deact";
  }
}

void drawFaults(Dice& dice, Scenario& scenario) {
  using Weather = Conversation::Weather;
  const auto faultAt = [&](std::string line) {
    scenario.faults.emplace_back(dice.span(0s, 60s), std::move(line));
  };
  for (auto count = dice.between(0, 6); count > 0; --count) faultAt(drawMildFault(dice));
  if (dice.chance(0.35)) {
    for (auto count = dice.between(1, 6); count > 0; --count)
      faultAt(fmt::format("lose-urc {}", dice.between(1, 3)));
    scenario.weather = Weather::Rough;
    scenario.lossless_datagrams = false;
  }
  if (dice.chance(0.25)) {
    for (auto count = dice.between(1, 3); count > 0; --count) faultAt(drawHardFault(dice));
    scenario.weather = Weather::Stormy;
    scenario.lossless_datagrams = false;
  }
}

}  // namespace

Scenario makeScenario(std::uint64_t seed) {
  Dice dice(seed);
  Scenario scenario;
  do {
    scenario.world.module = sim::Options{};
    drawModule(dice, scenario);
  } while (hopeless(scenario.world.module));
  scenario.world.seed = dice.fork();
  scenario.world.baud = dice.pick({9600u, 38400u, 115200u, 115200u, 115200u, 0u});
  scenario.world.chunks = dice.chance(0.5);
  const std::uint64_t largest = scenario.world.baud == 9600 ? 6000 : 25000;
  const auto spread = dice.pick<async::Duration>({0s, 5s, 40s});
  const auto talkers = dice.between(1, 9);
  for (std::uint64_t i = 0; i < talkers; ++i) {
    const auto start = dice.span(0s, spread);
    if (dice.chance(0.2)) {
      scenario.udp.push_back({start, drawDatagrams(dice)});
    } else {
      scenario.tcp.push_back({start, drawConversation(dice, largest)});
    }
  }
  drawFaults(dice, scenario);
  // With AT+QINDI=2 a datagram whose size was never told, or told out of order, is given up rather than
  // guessed.
  const auto& quirks = scenario.world.module.quirks;
  if (quirks.has(Quirk::LoseEdge) || quirks.has(Quirk::UrcInSend)) scenario.lossless_datagrams = false;
  // Where no OK ends a read, +QIRDI cannot be told to be before or behind it: datagrams lose their
  // boundaries.
  if (quirks.has(Quirk::ReadNoOk)) scenario.udp.clear();
  // Where a prompt does not come, nobody knows what has become of the block.
  if (quirks.has(Quirk::PromptMissing)) {
    scenario.lossless_datagrams = false;
    scenario.weather = Conversation::Weather::Stormy;
  }
  const bool stormy = scenario.weather == Conversation::Weather::Stormy;
  for (auto& one : scenario.tcp) one.plan.peer.spoilable = stormy;
  for (auto& one : scenario.udp) one.plan.spoilable = stormy;
  return scenario;
}

std::string describe(const Scenario& scenario) {
  const sim::Options& module = scenario.world.module;
  std::string text = fmt::format(
      "{} at {} baud, {} ms a command, rtt {} ms, {} B/s, buffers {} down, {} up, indi {}{}; {} tcp, {} "
      "udp\n",
      name(module.firmware), scenario.world.baud,
      std::chrono::duration_cast<std::chrono::milliseconds>(module.command_latency).count(),
      std::chrono::duration_cast<std::chrono::milliseconds>(module.rtt).count(), module.rate,
      module.receive_buffer, module.send_buffer,
      module.highest_indi.value_or(sim::highestIndiOf(module.firmware)),
      scenario.world.chunks ? ", in pieces" : "", scenario.tcp.size(), scenario.udp.size());
  for (const auto& quirk : sim::quirks()) {
    if (module.quirks.has(quirk.quirk)) text += fmt::format("  quirk {}\n", quirk.name);
  }
  for (const auto& [when, line] : scenario.faults) {
    text += fmt::format("  at {:.3f} {}\n", std::chrono::duration<double>(when).count(), line);
  }
  return text;
}

Outcome simulate(Scenario scenario, std::uint64_t seed) {
  Dice dice(seed ^ 0x5eed);
  async::VirtualLoop loop;
  std::vector<std::unique_ptr<Conversation>> conversations;
  std::vector<std::unique_ptr<Datagrams>> associations;
  World world(loop, std::move(scenario.world));
  Outcome outcome;
  if (!world.comeOnline()) {
    outcome.problem = "the link never came online";
    return outcome;
  }
  sim::Timeline starts(world.loop());
  int id = 1;
  for (auto& [start, plan] : scenario.tcp) {
    fit(plan, id);
    auto& made = conversations.emplace_back(std::make_unique<Conversation>(world, id++, plan, dice.fork()));
    starts.in(start, [&made = *made] { made.start(); });
  }
  for (auto& [start, plan] : scenario.udp) {
    auto& made = associations.emplace_back(std::make_unique<Datagrams>(world, id++, plan, dice.fork()));
    starts.in(start, [&made = *made] { made.start(); });
  }
  for (auto& [when, line] : scenario.faults) world.faultIn(when, line);

  const auto over = [&] {
    return !world.firstViolation().empty() ||
           (std::ranges::all_of(conversations, &Conversation::over,
                                [](const auto& one) -> const Conversation& { return *one; }) &&
            std::ranges::all_of(associations, &Datagrams::over,
                                [](const auto& one) -> const Datagrams& { return *one; }));
  };
  const bool came_to_end = world.loop().runUntil(over, kLongest);
  if (!came_to_end) {
    for (const auto& one : conversations) {
      if (!one->over()) world.violation(fmt::format("tcp {} has no end: {}", one->id(), one->summary()));
    }
    for (const auto& one : associations) {
      if (!one->over()) world.violation(fmt::format("udp {} has no end", one->id()));
    }
  }
  // The last of the faults is to be over.
  if (scenario.weather == Conversation::Weather::Stormy) world.loop().runFor(3min);
  const auto online = [&world] { return world.link().state() == bridge::LinkState::Online; };
  if (world.firstViolation().empty() && !world.loop().runUntil(online, 15min)) {
    world.violation("the link does not come back");
  }
  if (world.firstViolation().empty()) {
    const std::size_t room = world.options().module.receive_buffer;
    for (const auto& one : conversations) one->judge(scenario.weather);
    for (const auto& one : associations) one->judge(scenario.lossless_datagrams && one->replyBytes() <= room);
    world.loop().runFor(1s);
    if (world.multiplexer().waiting() > 0) world.violation("somebody still waits for a socket");
    if (world.multiplexer().unconfirmed() > 0) world.violation("something is still unconfirmed");
  }
  outcome.virtual_seconds = world.seconds();
  outcome.commands = world.commands();
  for (const auto& one : conversations) outcome.bytes += one->peer().received + one->program().read();
  if (world.firstViolation().empty() && !world.shutDown()) world.violation("the link does not stop");
  outcome.problem = world.firstViolation();
  return outcome;
}

}  // namespace qimux::simtest
