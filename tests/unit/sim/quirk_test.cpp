// Quirks on the wire that belong to no other file: each changes its own thing, and nothing else.
#include "qimux/sim/quirk.hpp"

#include "rig.hpp"
#include "support/catch.hpp"

using namespace qimux;
using namespace qimux::sim;
using namespace qimux::sim::test;

TEST_CASE("garbage-before-sync answers what is not AT yet", "[point-13]") {
  Options options = withQuirk(Quirk::GarbageBeforeSync);
  options.autobaud = true;
  Rig rig(options);
  CHECK(rig.say("XYZ").size() == 4);
  CHECK(rig.say("AT") == "AT\r\r\nOK\r\n");
  options.quirks = {};
  Rig plain(options);
  CHECK(plain.say("XYZ").empty());
}

TEST_CASE("unknown-cme: a command of another family gets a number", "[point-18]") {
  Rig rig(withQuirk(Quirk::UnknownCme));
  rig.say("ATE0");
  CHECK(rig.say("AT+QSSLOPEN=1") == "\r\n+CME ERROR: 4\r\n");
  rig.say("AT+CMEE=0");
  CHECK(rig.say("AT+QSSLOPEN=1") == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QIOPEN=9") == "\r\nERROR\r\n");
}

TEST_CASE("cpin-not-ready: AT+CFUN=0 takes the SIM away, and says so once", "[AT+CFUN][point-23]") {
  Rig rig(withQuirk(Quirk::CpinNotReady));
  rig.say("ATE0");
  CHECK(rig.say("AT+CFUN=0") == "\r\nOK\r\n\r\n+CPIN: NOT READY\r\n");
  CHECK(rig.say("AT+CFUN=0") == "\r\nOK\r\n");
}

TEST_CASE("late-address: the addresses of a name drop in, and the next command is answered between them",
          "[AT+QIDNSGIP][point-17]") {
  Rig rig(withQuirk(Quirk::LateAddress));
  rig.network.addHost("many.example", {{0xc0000201}, {0xc0000202}, {0xc0000203}});
  rig.bringUp();
  CHECK(rig.say("AT+QIDNSGIP=\"many.example\"", 20ms) == "\r\nOK\r\n\r\n192.0.2.1\r\n");
  CHECK(rig.say("AT", 20ms) == "\r\nOK\r\n");
  CHECK(rig.after(20ms) == "\r\n192.0.2.2\r\n");
  CHECK(rig.after(100ms) == "\r\n192.0.2.3\r\n");
}

TEST_CASE("read-no-ok: a block has nothing behind it, and OK alone still means empty", "[AT+QIRD][point-2]") {
  Rig rig(withQuirk(Quirk::ReadNoOk));
  rig.bringUp();
  rig.open(0, kQuiet);
  rig.seen->peer->send(bytesOf("abc"));
  rig.after(10ms);
  CHECK(rig.read(0) == "\r\n+QIRD: 198.51.100.7:2000,TCP,3\r\nabc");
  CHECK(rig.read(0) == "\r\nOK\r\n");
}

TEST_CASE("state-unanswered: AT+QISTATE says nothing in IP INITIAL, and all of it later",
          "[AT+QISTATE][point-16]") {
  Rig rig(withQuirk(Quirk::StateUnanswered));
  rig.say("ATE0");
  rig.say("AT+QIMUX=1");
  CHECK(rig.say("AT+QISTATE", 1min).empty());
  CHECK(rig.say("AT+QIREGAPP") == "\r\nOK\r\n");
  CHECK(rig.say("AT+QISTATE").starts_with("\r\nOK\r\n\r\nSTATE: IP START\r\n"));
}

TEST_CASE("mode-unanswered: AT+QIMODE is too early before SMS Ready", "[AT+QIMODE][point-16]") {
  Options options = withQuirk(Quirk::ModeUnanswered);
  options.power_on = true;
  Rig rig(options);
  rig.after(3s);
  rig.say("ATE0");
  CHECK(rig.say("AT+QIMODE=0").empty());
  CHECK(rig.say("AT") == "\r\nOK\r\n");
  rig.after(5s);
  CHECK(rig.say("AT+QIMODE=0") == "\r\nOK\r\n");
}

TEST_CASE("prompt-missing: every eighth AT+QISEND is as if it had not been typed", "[AT+QISEND][point-1]") {
  Rig rig(withQuirk(Quirk::PromptMissing));
  rig.bringUp();
  rig.open(0, kQuiet);
  for (int i = 1; i < 8; ++i) CHECK(rig.send(0, "x") == "\r\nSEND OK\r\n");
  CHECK(rig.say("AT+QISEND=0,1").empty());
  CHECK(rig.say("AT") == "\r\nOK\r\n");
  CHECK(rig.send(0, "y") == "\r\nSEND OK\r\n");
  CHECK(rig.seen->received == "xxxxxxxy");
}

TEST_CASE("lose-prompt: not printed, and data is asked for all the same", "[point-1]") {
  Rig rig;
  rig.bringUp();
  rig.open(0, kQuiet);
  CHECK(rig.fault("lose-prompt"));
  CHECK(rig.say("AT+QISEND=0,2").empty());
  rig.type("AT");
  CHECK(rig.after(100ms) == "\r\nSEND OK\r\n");
  CHECK(rig.seen->received == "AT");
  CHECK(rig.say("AT+QISEND=0,2") == "\r\n> ");
}

TEST_CASE("too few bytes: silence that nothing ends but the rest of them", "[AT+QISEND][point-1]") {
  Rig rig;
  rig.bringUp();
  rig.open(0, kQuiet);
  CHECK(rig.say("AT+QISEND=0,8") == "\r\n> ");
  rig.type("AT\r");
  CHECK(rig.after(1h).empty());
  rig.type("+++");
  CHECK(rig.after(1min).empty());
  rig.type("\r\n");
  CHECK(rig.after(1s) == "\r\nSEND OK\r\n");
  CHECK(rig.seen->received == "AT\r+++\r\n");
}

TEST_CASE("plus-in-data: +++ in a short block gets > - and helps nobody", "[AT+QISEND][point-1]") {
  Rig rig(withQuirk(Quirk::PlusInData));
  rig.bringUp();
  rig.open(0, kQuiet);
  CHECK(rig.say("AT+QISEND=0,8") == "\r\n> ");
  rig.type("a+++");
  CHECK(rig.after(1s).empty());
  rig.type("+++");
  CHECK(rig.after(1s) == "\r\n> -");
  rig.type("z");
  CHECK(rig.after(1s) == "\r\nSEND OK\r\n");
  CHECK(rig.seen->received == "a++++++z");
  // Silence, but in front of other bytes.
  CHECK(rig.say("AT+QISEND=0,7", 800ms) == "\r\n> ");
  rig.type("abc+++");
  CHECK(rig.after(1s).empty());
  rig.type("d");
  CHECK(rig.after(1s) == "\r\nSEND OK\r\n");
}

TEST_CASE("name-mode-fail: a name where an address is wanted is a connect that fails",
          "[AT+QIOPEN][point-6]") {
  Rig rig(withQuirk(Quirk::NameModeFail));
  rig.bringUp();
  CHECK(rig.say("AT+QIOPEN=2,\"TCP\",\"echo.example\",7") == "\r\nOK\r\n\r\n2, CONNECT FAIL\r\n");
  CHECK(rig.open(2, kEcho) == "\r\nOK\r\n\r\n2, CONNECT OK\r\n");
}

TEST_CASE("stack-cme: an error of the stack has a number, of another command none", "[point-18]") {
  Rig rig(withQuirk(Quirk::StackCme));
  rig.say("ATE0");
  CHECK(rig.say("AT+QIACT") == "\r\n+CME ERROR: 3\r\n");
  CHECK(rig.say("AT+IPR=1") == "\r\nERROR\r\n");
}

TEST_CASE("send-1459: 1460 bytes are one too many", "[AT+QISEND]") {
  Rig rig(withQuirk(Quirk::Send1459));
  rig.bringUp();
  rig.open(0, kQuiet);
  CHECK(rig.say("AT+QISEND=0,1460") == "\r\nERROR\r\n");
  CHECK(rig.send(0, std::string(1459, 'x')) == "\r\nSEND OK\r\n");
}

TEST_CASE("deact-initial-silent: AT+QIDEACT without a context is not answered", "[AT+QIDEACT][point-16]") {
  Rig rig(withQuirk(Quirk::DeactInitialSilent));
  rig.say("ATE0");
  CHECK(rig.say("AT+QIDEACT", 3min).empty());
  rig.say("AT+QIREGAPP");
  CHECK(rig.say("AT+QIDEACT", 10s) == "\r\nDEACT OK\r\n");
}

TEST_CASE("urc-while-running: a line of its own comes before the answer it would wait for",
          "[AT+QIACT][point-5]") {
  Rig rig(withQuirk(Quirk::UrcWhileRunning));
  rig.say("ATE0");
  rig.say("AT+QIREGAPP");
  rig.type("AT+QIACT\r");
  rig.loop.runFor(100ms);
  rig.fault("urc RING");
  CHECK(rig.after(1ms) == "\r\nRING\r\n");
  CHECK(rig.after(5s) == "\r\nOK\r\n");
}

TEST_CASE("closed-keeps-index and fail-keeps-index: taken until AT+QICLOSE", "[AT+QICLOSE][point-15]") {
  Rig closed(withQuirk(Quirk::ClosedKeepsIndex));
  closed.bringUp();
  closed.open(0, kQuiet);
  closed.seen->peer->close();
  CHECK(closed.after(10ms) == "\r\n0, CLOSED\r\n");
  CHECK(closed.read(0) == "\r\nOK\r\n");
  CHECK(closed.open(0, kQuiet) == "\r\nALREADY CONNECT\r\n");
  CHECK(closed.say("AT+QICLOSE=0") == "\r\n0, CLOSE OK\r\n");
  CHECK(closed.open(0, kQuiet) == "\r\nOK\r\n\r\n0, CONNECT OK\r\n");

  Rig failed(withQuirk(Quirk::FailKeepsIndex));
  failed.bringUp();
  CHECK(failed.open(0, {kServer, 9}) == "\r\nOK\r\n\r\n0, CONNECT FAIL\r\n");
  CHECK(failed.open(0, kQuiet) == "\r\nALREADY CONNECT\r\n");
  CHECK(failed.read(0) == "\r\nOK\r\n");
  CHECK(failed.say("AT+QICLOSE=0") == "\r\n0, CLOSE OK\r\n");
  CHECK(failed.open(0, kQuiet) == "\r\nOK\r\n\r\n0, CONNECT OK\r\n");
}

TEST_CASE("a line out of the blue may be any, and keeps its trailing blank", "[point-23]") {
  Rig rig;
  rig.say("ATE0");
  for (const std::string line : {"RING", "+CMTI: \"SM\",3", "+CREG: 1,\"1806\",\"2031\"", "+CSQN: 22,0",
                                 "UNDER_VOLTAGE WARNING ", "*PSNWID: no one knows"}) {
    CHECK(rig.fault("urc " + line));
    CHECK(rig.after(1ms) == "\r\n" + line + "\r\n");
  }
}
