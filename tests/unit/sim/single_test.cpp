// One connection without an index: AT+QIMUX=0 (application note 3.1, 5.3.1 and figure 3).
#include "rig.hpp"
#include "support/catch.hpp"

using namespace qimux;
using namespace qimux::sim;
using namespace qimux::sim::test;

namespace {

constexpr std::string_view kOpenTcp = "AT+QIOPEN=\"TCP\",\"198.51.100.7\",2000";

struct Single : Rig {
  explicit Single(Options options = {}) : Rig(std::move(options)) {
    say("ATE0");
    say("AT+QISDE=0");
    say("AT+QIREGAPP");
    say("AT+QIACT", 1s);
    say("AT+QILOCIP");
  }
  std::string state() { return say("AT+QISTAT"); }
};

std::string stateIs(std::string_view name) {
  return "\r\nOK\r\n\r\nSTATE: " + std::string(name) + "\r\n";
}

}  // namespace

TEST_CASE("a single connection goes through the states of figure 3",
          "[AT+QISTAT][AT+QIOPEN][AT+QICLOSE][point-14]") {
  Options options;
  options.rtt = 400ms;
  Rig rig(options);
  rig.say("ATE0");
  CHECK(rig.say("AT+QISTAT") == stateIs("IP INITIAL"));
  rig.say("AT+QIREGAPP");
  CHECK(rig.say("AT+QISTAT") == stateIs("IP START"));
  rig.say("AT+QIACT", 1s);
  CHECK(rig.say("AT+QISTAT") == stateIs("IP GPRSACT"));
  rig.say("AT+QILOCIP");
  CHECK(rig.say("AT+QISTAT") == stateIs("IP STATUS"));
  CHECK(rig.say(kOpenTcp) == "\r\nOK\r\n");
  CHECK(rig.say("AT+QISTAT") == stateIs("TCP CONNECTING"));
  CHECK(rig.after(1s) == "\r\nCONNECT OK\r\n");
  CHECK(rig.say("AT+QISTAT") == stateIs("CONNECT OK"));
  CHECK(rig.say("AT+QICLOSE") == "\r\nCLOSE OK\r\n");
  CHECK(rig.say("AT+QISTAT") == stateIs("IP CLOSE"));
  CHECK(rig.say("AT+QIOPEN=\"UDP\",\"198.51.100.7\",2000") == "\r\nOK\r\n\r\nCONNECT OK\r\n");
  CHECK(rig.fault("pdp-deact"));
  CHECK(rig.after(10ms) == "\r\n+PDP DEACT\r\n");
  CHECK(rig.say("AT+QISTAT") == stateIs("PDP DEACT"));
  CHECK(rig.say(kOpenTcp) == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QIREGAPP") == "\r\nERROR\r\n");
  rig.say("AT+QIDEACT", 1s);
  CHECK(rig.say("AT+QISTAT") == stateIs("IP INITIAL"));
}

TEST_CASE("after ATV0 the state is a digit", "[ATV][AT+QISTAT]") {
  Single rig;
  rig.say("ATV0");
  CHECK(rig.say("AT+QISTAT") == "0\rSTATE: 5\r\n");
}

TEST_CASE("AT+QIOPEN is an error in the states in which a module refuses it", "[AT+QIOPEN][point-14]") {
  Rig rig;
  rig.say("ATE0");
  rig.say("AT+QIREGAPP");
  CHECK(rig.say(kOpenTcp) == "\r\nERROR\r\n");
  rig.say("AT+QIACT", 1s);
  CHECK(rig.say(kOpenTcp) == "\r\nERROR\r\n");
  rig.say("AT+QILOCIP");
  CHECK(rig.say(kOpenTcp) == "\r\nOK\r\n\r\nCONNECT OK\r\n");
}

TEST_CASE("from IP INITIAL AT+QIOPEN activates the context on its way", "[AT+QIOPEN]") {
  Rig rig;
  rig.say("ATE0");
  CHECK(rig.say(kOpenTcp) == "\r\nOK\r\n");
  CHECK(rig.say("AT+QISTAT") == stateIs("IP CONFIG"));
  CHECK(rig.after(1s) == "\r\nCONNECT OK\r\n");
}

TEST_CASE("with AT+QIMUX=0 the forms with an index are errors, with AT+QIMUX=1 those without",
          "[AT+QIOPEN][point-14]") {
  Single rig;
  CHECK(rig.say("AT+QIOPEN=0,\"TCP\",\"198.51.100.7\",2000") == "\r\nERROR\r\n");
  rig.say(kOpenTcp);
  CHECK(rig.say("AT+QISEND=0,5") == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QISACK=0") == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QICLOSE=0") == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QISTATE") == "\r\nERROR\r\n");
  Rig mux;
  mux.bringUp();
  CHECK(mux.say(kOpenTcp) == "\r\nERROR\r\n");
  mux.open(0, kQuiet);
  CHECK(mux.say("AT+QISEND") == "\r\nERROR\r\n");
  CHECK(mux.say("AT+QISACK") == "\r\nERROR\r\n");
  CHECK(mux.say("AT+QICLOSE") == "\r\nERROR\r\n");
  CHECK(mux.say("AT+QISACK=0") == "\r\n+QISACK: 0, 0, 0\r\n\r\nOK\r\n");
}

TEST_CASE("an open single connection answers ALREADY CONNECT", "[AT+QIOPEN][point-15]") {
  Single rig;
  rig.say(kOpenTcp);
  CHECK(rig.say(kOpenTcp) == "\r\nALREADY CONNECT\r\n");
}

TEST_CASE("a single connection that is refused says CONNECT FAIL", "[AT+QIOPEN]") {
  Single rig;
  CHECK(rig.say("AT+QIOPEN=\"TCP\",\"198.51.100.7\",81") == "\r\nOK\r\n\r\nCONNECT FAIL\r\n");
  CHECK(rig.state() == stateIs("IP CLOSE"));
}

TEST_CASE("AT+QISEND=<length> sends by length, AT+QISEND up to Ctrl-Z, and ESC gives it up",
          "[AT+QISEND][point-11]") {
  Single rig;
  rig.say(kOpenTcp);
  CHECK(rig.say("AT+QISEND=5") == "\r\n> ");
  rig.type(
      "ab\x1a"
      "cd");
  CHECK(rig.after(100ms) == "\r\nSEND OK\r\n");
  CHECK(rig.say("AT+QISEND") == "\r\n> ");
  rig.type("never\x1b");
  CHECK(rig.after(100ms) == "\r\nOK\r\n");
  CHECK(rig.say("AT+QISEND") == "\r\n> ");
  rig.type("ef\x1a");
  CHECK(rig.after(100ms) == "\r\nSEND OK\r\n");
  CHECK(rig.seen->received ==
        "ab\x1a"
        "cdef");
  CHECK(rig.say("AT+QISACK") == "\r\n+QISACK: 7, 7, 0\r\n\r\nOK\r\n");
}

TEST_CASE("in pull mode a single connection is number 0 of the client", "[AT+QINDI][AT+QIRD]") {
  Options options;
  Rig rig(options);
  rig.say("ATE0");
  rig.say("AT+QINDI=1");
  rig.say(kOpenTcp, 1s);
  rig.seen->peer->send(bytesOf("hello"));
  CHECK(rig.after(100ms) == "\r\n+QIRDI: 0,1,0\r\n");
  CHECK(rig.read(0) == "\r\n+QIRD: 198.51.100.7:2000,TCP,5\r\nhello\r\nOK\r\n");
  CHECK(rig.say("AT+QIRD=0,1,1,100") == "\r\nERROR\r\n");
}

TEST_CASE("what arrives is pushed as it is, or with what was asked for before it",
          "[AT+QIHEAD][AT+QISHOWRA][AT+QISHOWLA][AT+QISHOWPT]") {
  Single rig;
  rig.say(kOpenTcp);
  const auto pushed = [&rig] {
    rig.seen->peer->send(bytesOf("hello"));
    return rig.after(100ms);
  };
  CHECK(pushed() == "hello");
  rig.say("AT+QISHOWPT=1");
  CHECK(pushed() == "hello");
  rig.say("AT+QIHEAD=1");
  CHECK(pushed() == "\r\nIPD5TCP:hello");
  rig.say("AT+QISHOWPT=0");
  CHECK(pushed() == "\r\nIPD5:hello");
  rig.say("AT+QISHOWRA=1");
  CHECK(pushed() == "\r\nRECV FROM:198.51.100.7:2000\r\nIPD5:hello");
  rig.say("AT+QISHOWLA=1");
  CHECK(pushed() == "\r\nRECV FROM:198.51.100.7:2000\r\nTO:10.180.217.206\r\nIPD5:hello");
  rig.say("AT+QIHEAD=0");
  rig.say("AT+QISHOWRA=0");
  CHECK(pushed() == "\r\nTO:10.180.217.206\r\nhello");
}

TEST_CASE("with AT+QIMUX=1 the same is shown behind +RECEIVE, but for the protocol",
          "[AT+QIHEAD][AT+QISHOWRA][AT+QISHOWLA][AT+QISHOWPT]") {
  Rig rig;
  rig.bringUp(0);
  rig.open(2, kQuiet);
  for (const auto* set : {"AT+QIHEAD=1", "AT+QISHOWRA=1", "AT+QISHOWLA=1", "AT+QISHOWPT=1"}) rig.say(set);
  rig.seen->peer->send(bytesOf("hello"));
  CHECK(rig.after(100ms) ==
        "\r\n+RECEIVE: 2, 5\r\nRECV FROM:198.51.100.7:2000\r\nTO:10.180.217.206\r\nIPD5:hello");
}

TEST_CASE("what came before the end is pushed before CLOSED, also while a command runs", "[point-7]") {
  Single rig;
  rig.say(kOpenTcp);
  rig.say("AT+QISEND=3");
  rig.seen->peer->send(bytesOf("last words"));
  rig.seen->peer->close();
  CHECK(rig.after(1s).empty());
  rig.type("abc");
  CHECK(rig.after(100ms).ends_with("last words\r\nCLOSED\r\n"));
}

TEST_CASE("closed-indexed: some firmware numbers its only connection", "[point-7][point-18]") {
  Single rig(withQuirk(Quirk::ClosedIndexed));
  rig.say(kOpenTcp);
  rig.seen->peer->close();
  CHECK(rig.after(100ms) == "\r\n0, CLOSED\r\n");
}

TEST_CASE("timed sending sends when the period is over, with Ctrl-Z before that, or fails on nothing",
          "[AT+QIAUTOS][AT+QISEND]") {
  Single rig;
  rig.say(kOpenTcp);
  CHECK(rig.say("AT+QIAUTOS=1,10") == "\r\nOK\r\n");
  CHECK(rig.say("AT+QIAUTOS?") == "\r\n+QIAUTOS: 1,10\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+QISEND") == "\r\n> ");
  rig.type("in time");
  CHECK(rig.after(9s).empty());
  CHECK(rig.after(1s) == "\r\nSEND OK\r\n");
  CHECK(rig.seen->received == "in time");
  rig.say("AT+QISEND");
  CHECK(rig.after(10s) == "\r\nSEND FAIL\r\n");
  rig.say("AT+QISEND");
  rig.type(", early\x1a");
  CHECK(rig.after(100ms) == "\r\nSEND OK\r\n");
  CHECK(rig.after(20s).empty());
  CHECK(rig.seen->received == "in time, early");
}

TEST_CASE("timed sending with a length sends when either is reached, and ESC gives it up",
          "[AT+QIAUTOS][AT+QISEND]") {
  Single rig;
  rig.say(kOpenTcp);
  rig.say("AT+QIAUTOS=1,10");
  rig.say("AT+QISEND=8");
  rig.type("half");
  CHECK(rig.after(11s) == "\r\nSEND OK\r\n");
  rig.say("AT+QISEND=3");
  rig.type("all");
  CHECK(rig.after(100ms) == "\r\nSEND OK\r\n");
  rig.say("AT+QISEND");
  rig.type("no\x1b");
  CHECK(rig.after(11s) == "\r\nOK\r\n");
  CHECK(rig.seen->received == "halfall");
}

TEST_CASE("the settings of the display survive what the manuals say they survive",
          "[AT+QISCON][AT+QIHEAD][AT+QISHOWRA][AT+QITCFG]") {
  Rig rig;
  for (const auto* set : {"AT+QIHEAD=1", "AT+QISHOWRA=1", "AT+QISHOWLA=1", "AT+QITCFG=3,2,512,0"})
    rig.say(set);
  CHECK(rig.say("AT+QISCON").ends_with("OK\r\n"));
  rig.fault("reboot");
  rig.after(20s);
  rig.say("ATE0");
  CHECK(rig.say("AT+QIHEAD?") == "\r\n+QIHEAD: 1\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+QISHOWRA?") == "\r\n+QISHOWRA: 1\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+QISHOWLA?") == "\r\n+QISHOWLA: 0\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+QITCFG?") == "\r\n+QITCFG: 3,2,512,0\r\n\r\nOK\r\n");
}

TEST_CASE("two contexts live side by side, each with its own address and mode",
          "[AT+QIFGCNT][AT+QILOCIP][AT+QIMUX]") {
  Single rig;
  rig.say(kOpenTcp);
  rig.say("AT+QIFGCNT=1");
  CHECK(rig.say("AT+QIMUX=1") == "\r\nOK\r\n");
  CHECK(rig.say("AT+QIOPEN=0,\"TCP\",\"198.51.100.7\",7", 1s) == "\r\nOK\r\n\r\n0, CONNECT OK\r\n");
  CHECK(rig.say("AT+QILOCIP") == "\r\n10.180.217.207\r\n");
  // The end of one does nothing to the other.
  CHECK(rig.say("AT+QIDEACT", 1s) == "\r\nDEACT OK\r\n");
  CHECK(rig.seen->peer != nullptr);
  rig.say("AT+QIFGCNT=0");
  CHECK(rig.say("AT+QISTAT") == stateIs("CONNECT OK"));
  CHECK(rig.say("AT+QIFGCNT?") == "\r\n+QIFGCNT: 0,0\r\n\r\nOK\r\n");
}
