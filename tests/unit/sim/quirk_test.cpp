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
