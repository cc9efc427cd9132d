// DTR, DCD and RI, and the sleep that hangs on them.
#include "qimux/sim/lines.hpp"

#include "rig.hpp"
#include "support/catch.hpp"

using namespace qimux;
using namespace qimux::sim;
using namespace qimux::sim::test;

namespace {

using Changes = std::vector<std::pair<bool, bool>>;
const Changes kOneRing{{false, true}, {false, false}};

// Asleep by DTR, with a connected socket 0.
struct Sleeper : Rig {
  explicit Sleeper(Options options = {}, int indi = 1) : Rig(std::move(options)) {
    bringUp(indi);
    open(0, kQuiet);
    say("AT+QSCLK=1");
    module.setDtr(false);
    after(1s);
  }
};

}  // namespace

TEST_CASE("AT+QSCLK=1 sleeps while DTR is high, and hears 20 ms after it goes low", "[AT+QSCLK][point-19]") {
  Rig rig;
  rig.say("ATE0");
  rig.module.setDtr(false);
  CHECK(rig.say("AT") == "\r\nOK\r\n");
  rig.module.setDtr(true);
  CHECK(rig.say("AT+QSCLK=1") == "\r\nOK\r\n");
  CHECK(rig.say("AT", 1min) == "\r\nOK\r\n");
  rig.module.setDtr(false);
  CHECK(rig.say("AT", 1s).empty());
  CHECK(rig.transcript.find("asleep, DTR is high: 3 bytes lost") != std::string::npos);
  rig.module.setDtr(true);
  rig.after(19ms);
  CHECK(rig.say("AT", 1ms).empty());
  CHECK(rig.say("AT+QSCLK?") == "\r\n+QSCLK: 1\r\n\r\nOK\r\n");
  CHECK(rig.lines.empty());
}

TEST_CASE("a command that runs is finished before it sleeps, and its answer rings nobody",
          "[AT+QSCLK][AT+QIDEACT]") {
  Rig rig;
  rig.bringUp();
  rig.module.setDtr(false);
  CHECK(rig.say("AT+QSCLK=1", 50ms) == "\r\nOK\r\n");
  rig.type("AT+QIDEACT\r");
  CHECK(rig.after(3s) == "\r\nDEACT OK\r\n");
  CHECK(rig.lines.empty());
  CHECK(rig.say("AT", 1s).empty());
}

TEST_CASE("data and URCs wake it and ring; it listens for a while", "[AT+QSCLK][point-19]") {
  Sleeper rig;
  rig.seen->peer->send(bytesOf("x"));
  CHECK(rig.after(1s) == "\r\n+QIRDI: 0,1,0\r\n");
  CHECK(rig.lines == kOneRing);
  CHECK(rig.transcript.find("RI low for 12 ms") != std::string::npos);
  CHECK(rig.read(0).find("TCP,1\r\nx") != std::string::npos);
  // It has gone to sleep again.
  rig.after(10s);
  CHECK(rig.say("AT", 1s).empty());
  rig.lines.clear();
  rig.fault("urc RING");
  CHECK(rig.after(1s) == "\r\nRING\r\n");
  CHECK(rig.lines == kOneRing);
}

TEST_CASE("what is pushed wakes it, too", "[AT+QSCLK][AT+QINDI]") {
  Sleeper rig({}, 0);
  rig.seen->peer->send(bytesOf("pushed"));
  CHECK(rig.after(1s) == "\r\n+RECEIVE: 0, 6\r\npushed");
  CHECK(rig.lines == kOneRing);
}

TEST_CASE("a ring lasts 12 ms, and nobody rings who is awake", "[AT+QSCLK]") {
  Sleeper rig;
  rig.fault("urc RING");
  rig.after(11ms);
  CHECK(rig.lines == Changes{{false, true}});
  rig.after(1ms);
  CHECK(rig.lines == kOneRing);
  rig.fault("urc RING");
  rig.module.setDtr(true);
  rig.after(1s);
  rig.fault("urc RING");
  rig.after(1s);
  CHECK(rig.lines == kOneRing);
}

TEST_CASE("AT+QSCLK=2 sleeps after five seconds of silence and loses the first bytes; a URC rings",
          "[AT+QSCLK][point-19]") {
  Rig rig;
  rig.say("ATE0");
  rig.say("AT+QSCLK=2");
  rig.after(4s);
  CHECK(rig.say("AT") == "\r\nOK\r\n");
  rig.after(6s);
  rig.fault("urc RING");
  rig.after(1s);
  CHECK(rig.lines == kOneRing);
  CHECK(rig.say("AT") == "\r\nOK\r\n");
  rig.after(6s);
  CHECK(rig.say("AT").empty());
  CHECK(rig.say("AT") == "\r\nOK\r\n");
}

TEST_CASE("AT+QCLK is the application note's name for it", "[AT+QCLK]") {
  Options note;
  note.firmware = Firmware::Note;
  Rig rig(note);
  rig.say("ATE0");
  CHECK(rig.say("AT+QCLK=1") == "\r\nOK\r\n");
  CHECK(rig.say("AT+QCLK?") == "\r\n+QCLK: 1\r\n\r\nOK\r\n");
  rig.module.setDtr(false);
  rig.after(1s);
  CHECK(rig.say("AT").empty());
  Rig other;
  other.say("ATE0");
  CHECK(other.say("AT+QCLK=1") == "\r\nERROR\r\n");
}

TEST_CASE("the fault dtr overrides the host until it is given back", "[AT+QSCLK]") {
  Rig rig;
  rig.say("ATE0");
  rig.say("AT+QSCLK=1");
  CHECK(rig.fault("dtr off"));
  rig.module.setDtr(false);
  rig.module.setDtr(true);
  rig.after(1s);
  CHECK(rig.say("AT").empty());
  CHECK(rig.fault("dtr host"));
  rig.after(20ms);
  CHECK(rig.say("AT") == "\r\nOK\r\n");
  rig.module.setDtr(false);
  rig.after(1s);
  CHECK(rig.say("AT").empty());
  CHECK(rig.fault("dtr on"));
  rig.after(20ms);
  CHECK(rig.say("AT") == "\r\nOK\r\n");
  CHECK_FALSE(rig.fault("dtr"));
  CHECK_FALSE(rig.fault("dtr up"));
}

TEST_CASE("DCD is low while a transparent session exists, in either mode of the line",
          "[AT+QIOPEN][AT&D][ATO]") {
  Rig rig;
  rig.say("ATE0");
  rig.say("AT+QIMODE=1");
  rig.say("AT&D1");
  CHECK(rig.say("AT+QIOPEN=\"TCP\",\"198.51.100.7\",2000", 2s).ends_with("\r\nCONNECT\r\n"));
  CHECK(rig.lines == Changes{{true, false}});
  // DTR from on to off: command mode, with the session still there.
  rig.module.setDtr(false);
  CHECK(rig.after(100ms) == "\r\nOK\r\n");
  CHECK(rig.module.lines().dcd());
  rig.module.setDtr(true);
  CHECK(rig.say("ATO") == "\r\nCONNECT\r\n");
  rig.lines.clear();
  // What comes meanwhile rings, and is said in command mode.
  rig.fault("urc +CMTI: \"SM\", 1");
  CHECK(rig.after(100ms).empty());
  CHECK(rig.lines == Changes{{true, true}, {true, false}});
  rig.lines.clear();
  rig.seen->peer->close();
  rig.after(1s);
  CHECK(rig.lines == Changes{{false, false}});
  CHECK(rig.transcript.find("DCD high") != std::string::npos);
}

TEST_CASE("AT&C0 keeps DCD low, AT&C1 lets it follow the session", "[AT&C][ATZ][AT+QIOPEN][AT+QICLOSE]") {
  const std::string open = "AT+QIOPEN=\"TCP\",\"198.51.100.7\",2000";
  Rig rig;
  rig.say("ATE0");
  rig.say("AT+QIMODE=1");
  CHECK_FALSE(rig.module.lines().dcd());
  CHECK(rig.say("AT&C0") == "\r\nOK\r\n");
  CHECK(rig.lines == Changes{{true, false}});
  CHECK(rig.say(open, 2s).ends_with("\r\nCONNECT\r\n"));
  rig.after(1s);
  rig.type("+++");
  rig.after(1s);
  CHECK(rig.say("AT+QICLOSE", 1s) == "\r\nCLOSE OK\r\n");
  CHECK(rig.lines == Changes{{true, false}});
  CHECK(rig.say("AT&C1") == "\r\nOK\r\n");
  CHECK(rig.lines == Changes{{true, false}, {false, false}});
  // From a session that is up: no change in the line.
  CHECK(rig.say(open, 2s).ends_with("\r\nCONNECT\r\n"));
  rig.after(1s);
  rig.type("+++");
  rig.after(1s);
  rig.lines.clear();
  rig.say("AT&C0");
  CHECK(rig.lines.empty());
  rig.say("ATZ");
  CHECK(rig.lines.empty());
  rig.say("AT+QICLOSE", 1s);
  CHECK(rig.lines == Changes{{false, false}});
}

TEST_CASE("AT&C0 that is stored holds DCD low after a restart, and not without power", "[AT&C][AT&W]") {
  Rig rig;
  rig.say("ATE0&C0&W");
  rig.fault("reboot");
  rig.after(10s);
  CHECK(rig.module.lines().dcd());
  rig.lines.clear();
  CHECK(rig.say("AT+QPOWD=1", 10s).find("POWER DOWN") != std::string::npos);
  CHECK(rig.lines == Changes{{false, false}});
}

TEST_CASE("with AT&D0 a session does not care for DTR, with AT&D2 it ends with it", "[AT&D][AT+QIOPEN]") {
  const std::string open = "AT+QIOPEN=\"TCP\",\"198.51.100.7\",2000";
  Rig rig;
  rig.say("ATE0");
  rig.say("AT+QIMODE=1");
  CHECK(rig.say("AT&D0") == "\r\nOK\r\n");
  CHECK(rig.say(open, 2s).ends_with("\r\nCONNECT\r\n"));
  rig.module.setDtr(false);
  CHECK(rig.after(1s).empty());
  CHECK(rig.module.terminal().online());
  rig.type("still data");
  rig.after(1s);
  CHECK(rig.seen->received == "still data");
  rig.module.setDtr(true);
  rig.after(1s);
  rig.type("+++");
  rig.after(1s);
  CHECK(rig.say("AT&D2;O") == "\r\nCONNECT\r\n");
  rig.lines.clear();
  rig.type("goodbye");
  rig.module.setDtr(false);
  CHECK(rig.after(1s) == "\r\nOK\r\n");
  CHECK(rig.seen->received == "still datagoodbye");
  CHECK(rig.seen->ended);
  CHECK(rig.lines == Changes{{false, false}});
  CHECK(rig.say("ATO") == "\r\nNO CARRIER\r\n");
  CHECK(rig.say("AT+QISTAT") == "\r\nOK\r\n\r\nSTATE: IP CLOSE\r\n");
}

TEST_CASE("a restart lets go of DCD", "[AT+QIOPEN]") {
  Rig rig;
  rig.say("ATE0");
  rig.say("AT+QIMODE=1");
  CHECK(rig.say("AT+QIOPEN=\"TCP\",\"198.51.100.7\",2000", 2s).ends_with("\r\nCONNECT\r\n"));
  rig.lines.clear();
  rig.fault("reboot");
  rig.after(1s);
  CHECK(rig.lines == Changes{{false, false}});
}
