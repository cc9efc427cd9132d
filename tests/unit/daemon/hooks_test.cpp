#include "qimux/daemon/hooks.hpp"

#include "qimux/async/event.hpp"
#include "qimux/async/virtual_loop.hpp"
#include "support/catch.hpp"

#include <algorithm>

namespace qimux::daemon {
namespace {

using namespace std::chrono_literals;

const LinkFacts kFacts{"gsm0", "10.64.64.1", "10.64.64.2", "20.1.2.3", "Some Net"};

async::Task<Result<async::Ended>> pretend(async::Loop& loop, std::vector<std::string>& log,
                                          async::Command command, async::Duration takes) {
  const std::string word = command.words.at(1);
  log.push_back(word + " begins");
  co_await async::sleep(loop, takes);
  log.push_back(word + " ends");
  co_return async::Ended();
}

// Programs that take ten seconds each.
struct Bench {
  async::VirtualLoop loop;
  std::vector<std::string> log;
  std::vector<async::Command> commands;
  Hooks hooks{
      loop, {{"/hook", "up"}, {"/hook", "down"}}, [this](async::Command command, async::Duration limit) {
        CHECK(limit == Hooks::kTime);
        commands.push_back(command);
        return pretend(loop, log, std::move(command), 10s);
      }};

  void link(bool online) { hooks.link(online, kFacts); }
  // The words of those that were run, in order.
  std::vector<std::string> ran() {
    loop.runUntilIdle(1h);
    std::vector<std::string> words;
    for (const auto& each : commands) words.push_back(each.words.at(1));
    return words;
  }
};

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("a hook runs when the link is online, and one when it is no longer") {
  Bench bench;
  bench.link(false);
  bench.link(true);
  bench.loop.runFor(1min);
  bench.link(true);
  bench.link(false);
  bench.link(false);
  CHECK(bench.ran() == Words{"up", "down"});
}

TEST_CASE("hooks run one at a time, in order") {
  Bench bench;
  bench.link(true);
  bench.loop.runFor(1s);
  bench.link(false);
  bench.link(true);
  CHECK(bench.ran() == Words{"up", "down", "up"});
  CHECK(bench.log == Words{"up begins", "up ends", "down begins", "down ends", "up begins", "up ends"});
}

TEST_CASE("only the latest state matters to what waits, but an outage is told") {
  Bench bench;
  bench.link(true);
  bench.loop.runFor(1s);
  for (int i = 0; i < 1000; ++i) {
    bench.link(false);
    bench.link(true);
  }
  CHECK(bench.ran() == Words{"up", "down", "up"});
  bench.link(false);
  bench.loop.runFor(1s);
  bench.link(true);
  bench.link(false);  // that up is over before its program could begin
  CHECK(bench.ran() == Words{"up", "down", "up", "down"});
}

TEST_CASE("a hook that is not set is not run, and does not keep the other from its turn") {
  Bench bench;
  bench.hooks.use({{}, {"/hook", "down"}});
  bench.link(true);
  bench.loop.runFor(1s);
  bench.link(false);
  CHECK(bench.ran() == Words{"down"});
}

TEST_CASE("the end waits for hooks, and not for ever") {
  Bench bench;
  bool done = false;
  bench.link(true);
  bench.loop.runFor(1s);
  bench.link(false);
  SECTION("as long as they take") {
    bench.hooks.finish(60s, [&] { done = true; });
    bench.loop.runFor(18s);
    CHECK_FALSE(done);
    bench.loop.runFor(2s);
    CHECK(done);
    CHECK(bench.log.back() == "down ends");
  }
  SECTION("as long as they may") {
    bench.hooks.finish(5s, [&] { done = true; });
    bench.loop.runFor(4s);
    CHECK_FALSE(done);
    bench.loop.runFor(2s);
    CHECK(done);
    bench.loop.runFor(1min);
    CHECK(bench.log == Words{"up begins"});
  }
}

TEST_CASE("where no hook runs the end does not wait") {
  Bench bench;
  bool done = false;
  bench.hooks.finish(60s, [&] { done = true; });
  bench.loop.runFor(0s);
  CHECK(done);
}

TEST_CASE("a hook learns of the link by its environment") {
  Bench bench;
  bench.link(true);
  bench.loop.runFor(1min);
  bench.hooks.link(false, {});  // what is known of a link that is gone is what was known of it
  bench.ran();
  const Words expected{"QIMUX_EVENT=up",       "QIMUX_INTERFACE=gsm0",        "QIMUX_ADDRESS=10.64.64.1",
                       "QIMUX_DNS=10.64.64.2", "QIMUX_LINK_ADDRESS=20.1.2.3", "QIMUX_OPERATOR=Some Net"};
  CHECK(bench.commands.at(0).environment == expected);
  CHECK(bench.commands.at(1).environment.at(0) == "QIMUX_EVENT=down");
  CHECK(bench.commands.at(1).environment.at(4) == "QIMUX_LINK_ADDRESS=20.1.2.3");
}

TEST_CASE("what the network calls itself is harmless, whatever it is") {
  const auto operatorFor = [](std::string name) {
    LinkFacts facts;
    facts.operator_name = std::move(name);
    return hookEnvironment(true, facts).at(5);
  };
  CHECK(operatorFor("T-Mobile A") == "QIMUX_OPERATOR=T-Mobile A");
  CHECK(operatorFor("$(reboot); `id` | x\n\"y'") == "QIMUX_OPERATOR=__reboot__ _id_ _ x__y_");
  CHECK(operatorFor(" --help") == "QIMUX_OPERATOR=help");
  CHECK(operatorFor("o\xc3\xa9 ") == "QIMUX_OPERATOR=o__");
  CHECK(operatorFor(std::string(1000, 'x')).size() == 15 + 32);
  CHECK(operatorFor(std::string("a\0b", 3)) == "QIMUX_OPERATOR=a_b");
  CHECK(operatorFor("") == "QIMUX_OPERATOR=");
}

}  // namespace qimux::daemon
