// How long commands take.
#include "qimux/sim/timing.hpp"

#include "rig.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <set>

using namespace qimux;
using namespace qimux::sim;
using namespace qimux::sim::test;

namespace {

Options field(std::uint64_t seed = 1) {
  Options options;
  fieldTiming(options);
  options.seed = seed;
  return options;
}

// Until the module has said `end`.
async::Duration until(Rig& rig, std::string_view line, std::string_view end) {
  rig.heard.clear();
  const async::TimePoint begin = rig.loop.now();
  rig.type(std::string(line) + "\r");
  REQUIRE(rig.loop.runUntil([&] { return rig.heard.find(end) != std::string::npos; }, 1h));
  return rig.loop.now() - begin;
}

}  // namespace

TEST_CASE("a span is one number of milliseconds or two, in order") {
  CHECK(parseSpan("300")->least == 300ms);
  CHECK(parseSpan("300")->most == 300ms);
  CHECK(parseSpan("0.5-3000")->least == 500us);
  CHECK(parseSpan("0.5-3000")->most == 3s);
  for (const char* bad : {"", "-", "-5", "5-", "-5-6", "6-5", "5-6-7", "x", "5 ", "1e99", "nan", "inf"}) {
    CHECK_FALSE(parseSpan(bad));
  }
}

TEST_CASE("the field's figures: each command in its span, over the whole of it") {
  const Options options = field();
  Timing timing(options);
  struct Expected {
    const char* name;
    async::Duration least;
    async::Duration most;
  };
  for (const Expected& one : {Expected{"", 5ms, 30ms}, Expected{"+CSQ", 5ms, 30ms},
                              Expected{"+QIACT", 300ms, 3s}, Expected{"+QIDEACT", 2s, 5s}}) {
    async::Duration least = 1h;
    async::Duration most{0};
    for (int i = 0; i < 500; ++i) {
      const async::Duration drawn = timing.of(one.name);
      least = std::min(least, drawn);
      most = std::max(most, drawn);
    }
    const async::Duration tenth = (one.most - one.least) / 10;
    CHECK(least >= one.least);
    CHECK(least < one.least + tenth);
    CHECK(most <= one.most);
    CHECK(most > one.most - tenth);
  }
}

TEST_CASE("the same seed gives the same times, another one others") {
  std::vector<std::vector<async::Duration>> runs;
  for (const std::uint64_t seed : {1U, 1U, 2U}) {
    const Options options = field(seed);
    Timing timing(options);
    auto& run = runs.emplace_back();
    for (int i = 0; i < 20; ++i) run.push_back(timing.of("+QIACT"));
  }
  CHECK(runs[0] == runs[1]);
  CHECK(runs[0] != runs[2]);
}

TEST_CASE("without the field's figures every command takes the same, and exactly that",
          "[AT+QIACT][AT+QIDEACT]") {
  Rig rig;
  rig.say("ATE0");
  CHECK(until(rig, "AT", "OK\r\n") == 5ms);
  CHECK(until(rig, "AT+CFUN=0", "OK\r\n") == 5ms);
  rig.say("AT+CFUN=1", 60s);
  rig.say("AT+QIREGAPP");
  CHECK(until(rig, "AT+QIACT", "OK\r\n") == 345ms);
  CHECK(until(rig, "AT+QIDEACT", "DEACT OK\r\n") == 505ms);
}

TEST_CASE("a context takes its time, and nothing else is answered meanwhile",
          "[AT+QIACT][AT+QIDEACT][point-16]") {
  Rig rig(field());
  rig.say("ATE0");
  rig.say("AT+QIMUX=1;+QIREGAPP", 1s);
  const auto up = until(rig, "AT+QIACT", "OK\r\n");
  CHECK(up >= 305ms);
  CHECK(up <= 3030ms);
  rig.heard.clear();
  rig.type("AT+QIDEACT\r");
  rig.loop.runFor(1s);
  rig.type("AT+CSQ\r");
  rig.loop.runFor(900ms);
  CHECK(rig.heard.empty());
  REQUIRE(rig.loop.runUntil([&] { return rig.heard.ends_with("OK\r\n\r\n+CSQ: 22,0\r\n\r\nOK\r\n"); }, 10s));
  CHECK(rig.heard.starts_with("\r\nDEACT OK\r\n"));
}

TEST_CASE("what the radio or the SIM has to do takes longer than asking about it",
          "[AT+CFUN][AT+CPIN][AT+CGATT]") {
  Options options = field();
  options.pin = "1234";
  Rig rig(std::move(options));
  rig.say("ATE0");
  CHECK(until(rig, "AT+CPIN?", "OK\r\n") <= 30ms);
  const auto pin = until(rig, "AT+CPIN=1234", "\r\nOK\r\n");
  CHECK(pin >= 200ms);
  CHECK(pin <= 1s);
  rig.after(60s);
  CHECK(until(rig, "AT+CFUN?", "OK\r\n") <= 30ms);
  const auto detach = until(rig, "at+cgatt=0", "\r\nOK\r\n");
  CHECK(detach >= 500ms);
  CHECK(detach <= 3s);
  const auto off = until(rig, "AT+CFUN=0", "\r\nOK\r\n");
  CHECK(off >= 500ms);
  CHECK(off <= 3s);
}

TEST_CASE("to ask what a command takes is quick, but for AT+COPS=?, which searches",
          "[AT+CFUN][AT+CGATT][AT+COPS]") {
  Rig rig(field());
  rig.say("ATE0");
  for (const char* line : {"AT+CFUN=?", "AT+CGATT=?", "AT+CPIN=?"}) {
    CAPTURE(line);
    CHECK(until(rig, line, "OK\r\n") <= 30ms);
  }
  Options searching;
  searching.latencies["+COPS"] = {4s, 4s};
  Rig other(searching);
  other.say("ATE0");
  CHECK(until(other, "AT+COPS=?", "OK\r\n") == 4s + 5ms);
  Rig plain;
  plain.say("ATE0");
  CHECK(until(plain, "AT+COPS=?", "OK\r\n") == 3s + 5ms);
}

TEST_CASE("any command can be given its own time; a joined line takes that of its slow ones") {
  Options options;
  options.latencies["+CSQ"] = {200ms, 200ms};
  options.latencies["+CREG"] = {300ms, 300ms};
  options.latencies["+QISEND"] = {700ms, 700ms};
  Rig rig(std::move(options));
  rig.bringUp();
  rig.open(0, kQuiet);
  CHECK(until(rig, "AT+CSQ", "OK\r\n") == 200ms);
  CHECK(until(rig, "AT+CREG?", "OK\r\n") == 5ms);
  CHECK(until(rig, "AT+CSQ;+CREG=0", "OK\r\n") == 500ms);
  // From the last byte to SEND OK; the prompt comes as ever.
  CHECK(until(rig, "AT+QISEND=0,1", "> ") == 5ms);
  rig.type("x");
  CHECK(rig.after(699ms).find("SEND OK") == std::string::npos);
  CHECK(rig.after(1ms) == "\r\nSEND OK\r\n");
}

TEST_CASE("between power and RDY it hears nothing and says nothing", "[point-9]") {
  Options options;
  options.power_on = true;
  Rig rig(std::move(options));
  // RDY comes at 275 ms.
  for (int i = 0; i < 5; ++i) CHECK(rig.say("AT", 50ms).empty());
  CHECK(rig.after(25ms) == "\r\nRDY\r\n");
  CHECK(rig.say("AT", 50ms) == "AT\r\r\nOK\r\n");
}

TEST_CASE("a listener takes its time to come up, and AT+QICLOSE meanwhile is the end of it",
          "[AT+QISERVER][AT+QICLOSE]") {
  Options options;
  options.latencies["+QISERVER"] = {2s, 2s};
  Rig rig(std::move(options));
  rig.bringUp();
  CHECK(rig.say("AT+QISERVER=0,5", 1990ms) == "\r\nOK\r\n");
  CHECK(rig.after(20ms) == "\r\nSERVER OK\r\n");
  rig.say("AT+QISRVC=2");
  rig.say("AT+QICLOSE", 1s);
  CHECK(rig.say("AT+QISERVER=0,5", 1s) == "\r\nOK\r\n");
  rig.say("AT+QICLOSE", 500ms);
  CHECK(rig.say("AT+QISERVER=0,5", 1900ms) == "\r\nOK\r\n");
  CHECK(rig.after(200ms) == "\r\nSERVER OK\r\n");
}
