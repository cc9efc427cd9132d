#include "sim/storm_faults.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace qimux::simtest {
namespace {

using namespace std::chrono_literals;

// What no restart has cured is restarted ever more rarely: 10 minutes, then 20.
constexpr async::Duration kNextRestart = 45min;

using Draw = void (*)(Dice&, StormFault&, async::Duration longest);

struct Kind {
  std::string_view name;
  // By when each program is told, where it ends all connections.
  async::Duration told;
  Draw draw;
};

double seconds(async::Duration span) {
  return std::chrono::duration<double>(span).count();
}

void now(StormFault& fault, std::string line) {
  fault.lines.emplace_back(0s, std::move(line));
}

// On at its beginning, and off again when it is over.
void forAWhile(Dice& dice, StormFault& fault, async::Duration longest, std::string on, std::string off) {
  now(fault, std::move(on));
  fault.lasts = dice.span(1s, longest);
  fault.lines.emplace_back(fault.lasts, std::move(off));
}

std::uint64_t slot(Dice& dice) {
  return dice.between(0, 5);
}

constexpr std::array kKinds{
    // The module, and what it stands on.
    Kind{"reboot", 75s, [](Dice&, StormFault& fault, async::Duration) { now(fault, "reboot"); }},
    Kind{"reboot unheard", 140s,
         [](Dice& dice, StormFault& fault, async::Duration) {
           now(fault, fmt::format("lose-urc {}", dice.between(1, 6)));
           now(fault, "reboot");
         }},
    Kind{"power off", 140s,
         [](Dice& dice, StormFault& fault, async::Duration longest) {
           forAWhile(dice, fault, longest, "power-off", "power-on");
         }},
    Kind{"under-voltage", 75s,
         [](Dice& dice, StormFault& fault, async::Duration) {
           const auto times = dice.between(1, 6);
           now(fault, fmt::format("under-voltage {}", times));
           fault.lasts = 20s * times;
         }},
    Kind{"SIM removed", 75s,
         [](Dice& dice, StormFault& fault, async::Duration longest) {
           forAWhile(dice, fault, longest, "sim-removed", "sim-inserted");
           // Who puts a SIM in presses the button.
           if (dice.chance(0.5)) {
             fault.lines.emplace_back(fault.lasts, "reboot");
           } else {
             fault.mending = kNextRestart;
           }
         }},
    Kind{"hang", 0s,
         [](Dice& dice, StormFault& fault, async::Duration) {
           fault.lasts = dice.chance(0.5) ? dice.span(1s, 20s) : dice.span(20s, 120s);
           now(fault, fmt::format("hang {:.3f}", seconds(fault.lasts)));
         }},
    Kind{"silence", 0s,
         [](Dice& dice, StormFault& fault, async::Duration) {
           fault.lasts = dice.chance(0.5) ? dice.span(1s, 20s) : dice.span(20s, 120s);
           now(fault, fmt::format("silence {:.3f}", seconds(fault.lasts)));
         }},
    // The network.
    Kind{"context lost", 75s, [](Dice&, StormFault& fault, async::Duration) { now(fault, "pdp-deact"); }},
    Kind{"context lost unheard", 140s,
         [](Dice&, StormFault& fault, async::Duration) {
           now(fault, "lose-urc 1");
           now(fault, "pdp-deact");
         }},
    Kind{"no credit", 75s,
         [](Dice& dice, StormFault& fault, async::Duration longest) {
           forAWhile(dice, fault, longest, "no-credit on", "no-credit off");
           now(fault, "pdp-deact");
         }},
    Kind{"activation fails", 75s,
         [](Dice& dice, StormFault& fault, async::Duration) {
           now(fault, fmt::format("activation-fail {}", dice.between(1, 6)));
           now(fault, "pdp-deact");
         }},
    Kind{"AT+QIDEACT hangs", 75s,
         [](Dice& dice, StormFault& fault, async::Duration) {
           now(fault, fmt::format("deact-hang {}", dice.between(1, 2)));
           now(fault, "pdp-deact");
         }},
    Kind{"coverage lost", 0s,
         [](Dice& dice, StormFault& fault, async::Duration longest) {
           forAWhile(dice, fault, longest, "deregister", "register");
         }},
    Kind{"roaming denied", 75s,
         [](Dice& dice, StormFault& fault, async::Duration longest) {
           forAWhile(dice, fault, longest, "roaming-denied", "register");
         }},
    Kind{"stall", 0s,
         [](Dice& dice, StormFault& fault, async::Duration) {
           fault.lasts = dice.span(1s, 3min);
           now(fault, fmt::format("stall {:.3f}", seconds(fault.lasts)));
         }},
    Kind{"packets lost", 0s,
         [](Dice& dice, StormFault& fault, async::Duration) {
           forAWhile(dice, fault, 5min, fmt::format("loss 0.{:02}", dice.between(1, 40)), "loss 0");
         }},
    Kind{"connects fail", 0s,
         [](Dice& dice, StormFault& fault, async::Duration) {
           now(fault, fmt::format("connect-fail {}", dice.between(1, 3)));
         }},
    Kind{"connects hang", 0s,
         [](Dice& dice, StormFault& fault, async::Duration) {
           now(fault, fmt::format("connect-hang {}", dice.between(1, 3)));
         }},
    Kind{"connects are slow", 0s,
         [](Dice& dice, StormFault& fault, async::Duration) {
           now(fault, fmt::format("connect-delay {} {}", dice.between(1, 100), dice.between(1, 3)));
         }},
    Kind{"send fails", 0s,
         [](Dice& dice, StormFault& fault, async::Duration) {
           now(fault, fmt::format("send-fail {} {}", slot(dice), dice.between(1, 50)));
         }},
    Kind{"closed by the far end", 0s,
         [](Dice& dice, StormFault& fault, async::Duration) {
           now(fault, fmt::format("close {}", slot(dice)));
         }},
    Kind{"closed, told late or twice", 0s,
         [](Dice& dice, StormFault& fault, async::Duration) {
           fault.lasts = dice.span(0s, 60s);
           now(fault,
               fmt::format("closed {} {:.3f} {}", slot(dice), seconds(fault.lasts), dice.between(0, 3)));
         }},
    Kind{"reset by the far end", 0s,
         [](Dice& dice, StormFault& fault, async::Duration) {
           now(fault, fmt::format("reset {}", slot(dice)));
         }},
    Kind{"dead path", 0s,
         [](Dice& dice, StormFault& fault, async::Duration) {
           now(fault, fmt::format("dead {}", slot(dice)));
         }},
    // The line.
    Kind{"tty unplugged", 5s,
         [](Dice& dice, StormFault& fault, async::Duration longest) {
           forAWhile(dice, fault, dice.chance(0.5) ? async::Duration(10s) : longest, "unplug", "replug");
         }},
    Kind{"another rate", 0s,
         [](Dice& dice, StormFault& fault, async::Duration) {
           now(fault, fmt::format("baud {}", dice.pick({9600, 19200, 38400, 57600})));
         }},
    Kind{"bytes lost", 0s,
         [](Dice& dice, StormFault& fault, async::Duration) {
           forAWhile(dice, fault, 2min, fmt::format("lose-bytes 0.{:04}", dice.between(1, 500)),
                     "lose-bytes 0");
         }},
    Kind{"bytes stolen", 0s,
         [](Dice& dice, StormFault& fault, async::Duration) {
           now(fault, fmt::format("steal {}", dice.size(1, 3000)));
         }},
    Kind{"another program's command", 0s,
         [](Dice& dice, StormFault& fault, async::Duration) {
           for (auto count = dice.between(1, 5); count > 0; --count) {
             fault.lines.emplace_back(
                 dice.span(0s, 1s),
                 dice.pick<const char*>({"foreign AT", "foreign ATI", "foreign AT+CSQ", "foreign AT+XYZ"}));
           }
           fault.lasts = 1s;
         }},
    Kind{"echo", 0s, [](Dice&, StormFault& fault, async::Duration) { now(fault, "echo on"); }},
    Kind{"header loses a byte", 0s,
         [](Dice& dice, StormFault& fault, async::Duration) {
           now(fault, fmt::format("drop {}", dice.between(0, 30)));
         }},
    Kind{"header has a wrong byte", 0s,
         [](Dice& dice, StormFault& fault, async::Duration) {
           now(fault, fmt::format("flip {}", dice.between(0, 30)));
         }},
    Kind{"garbage", 0s,
         [](Dice& dice, StormFault& fault, async::Duration) {
           now(fault, fmt::format("garble {}", dice.between(1, 10)));
         }},
    Kind{"silent in a block", 0s,
         [](Dice& dice, StormFault& fault, async::Duration) {
           now(fault, fmt::format("cut-read {}", dice.between(1, 2)));
         }},
    Kind{"block too long", 0s,
         [](Dice& dice, StormFault& fault, async::Duration) {
           now(fault, fmt::format("overlong {}", dice.between(1, 2)));
         }},
    Kind{"no answer", 0s,
         [](Dice& dice, StormFault& fault, async::Duration) {
           now(fault, fmt::format("no-answer {}", dice.between(1, 5)));
         }},
    Kind{"no prompt", 0s,
         [](Dice& dice, StormFault& fault, async::Duration) {
           now(fault, fmt::format("lose-prompt {}", dice.between(1, 2)));
         }},
    Kind{"no SEND OK", 0s,
         [](Dice& dice, StormFault& fault, async::Duration) {
           now(fault, fmt::format("lose-send-ok {}", dice.between(1, 4)));
         }},
    Kind{"URCs lost", 0s,
         [](Dice& dice, StormFault& fault, async::Duration) {
           now(fault, fmt::format("lose-urc {}", dice.between(1, 8)));
         }},
    Kind{"strange URCs", 0s,
         [](Dice& dice, StormFault& fault, async::Duration) {
           now(fault,
               dice.pick<const char*>({"urc RING", "urc +CMTI: \"SM\",3", "urc SEND OK", "urc SEND FAIL",
                                       "urc 5,CLOSED", "urc 0, CLOSED", "urc 10.9.8.7",
                                       "urc +QPING: 2,4,0,4,0,0,0", "urc 3, CONNECT FAIL"}));
         }},
};

}  // namespace

std::size_t stormKinds() {
  return kKinds.size();
}

StormFault drawStormFault(Dice& dice, async::Duration longest) {
  const Kind& kind = kKinds.at(dice.between(0, kKinds.size() - 1));
  StormFault fault;
  fault.kind = kind.name;
  fault.told = kind.told;
  kind.draw(dice, fault, longest);
  std::vector<std::pair<async::Duration, std::string>> in_order;
  for (auto& line : fault.lines) insertByTime(in_order, std::move(line));
  fault.lines = std::move(in_order);
  return fault;
}

}  // namespace qimux::simtest
