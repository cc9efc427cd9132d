// Faults of the line between host and module, and of what the module stands on: supply, SIM, network.
#include "qimux/sim/fault.hpp"
#include "rig.hpp"
#include "support/catch.hpp"

#include <algorithm>

using namespace qimux;
using namespace qimux::sim;
using namespace qimux::sim::test;

namespace {

struct Connected : Rig {
  explicit Connected(Options options = {}) : Rig(std::move(options)) {
    bringUp();
    open(0, kEcho);
  }
  // What AT+QIRD says of "0123456789".
  std::string readTen() {
    send(0, "0123456789");
    return read(0);
  }
};
const std::string kTen = "\r\n+QIRD: 198.51.100.7:7,TCP,10\r\n0123456789\r\nOK\r\n";

}  // namespace

TEST_CASE("faults of the line take what they need, and nothing else") {
  Connected rig;
  for (const char* line : {"echo",       "echo maybe",    "echo host",       "baud",
                           "baud 0",     "baud 299",      "baud 1e7",        "drop",
                           "drop 256",   "flip -1",       "garble x",        "cut-read 1.5",
                           "overlong x", "no-answer -2",  "lose-bytes 1.1",  "steal",
                           "steal 0",    "foreign",       "foreign-bytes 0", "closed 0",
                           "closed 0 x", "closed 6 1",    "closed 0 1 x",    "under-voltage x",
                           "no-credit",  "no-credit yes", "dns-dead 1",      "deact-hang x"}) {
    CAPTURE(line);
    CHECK_FALSE(rig.fault(line));
  }
  CHECK(rig.say("AT") == "\r\nOK\r\n");
}

TEST_CASE("echo comes back on by itself, and goes") {
  Connected rig;
  CHECK(rig.fault("echo on"));
  CHECK(rig.say("AT") == "AT\r\r\nOK\r\n");
  CHECK(rig.fault("echo off"));
  CHECK(rig.say("AT") == "\r\nOK\r\n");
}

TEST_CASE("another rate is told to the line, and kept over a restart") {
  Rig rig;
  CHECK(rig.fault("baud 9600"));
  CHECK(rig.baud == 9600);
  rig.baud = 0;
  rig.fault("reboot");
  CHECK(rig.baud == 9600);
}

TEST_CASE("the next header of AT+QIRD loses a byte, or has one changed; the one behind it is whole") {
  Connected rig;
  rig.fault("drop 26");
  CHECK(rig.readTen() == "\r\n+QIRD: 198.51.100.7:7,TCP,0\r\n0123456789\r\nOK\r\n");
  rig.fault("flip 27");
  CHECK(rig.readTen() == "\r\n+QIRD: 198.51.100.7:7,TCP,11\r\n0123456789\r\nOK\r\n");
  CHECK(rig.readTen() == kTen);
  // Beyond its end there is nothing.
  rig.fault("drop 200");
  CHECK(rig.readTen() == kTen);
  CHECK(rig.readTen() == kTen);
}

TEST_CASE("lines of answers are garbage of the same length, as many as it says") {
  Connected rig;
  rig.fault("garble 2");
  CHECK(rig.say("AT") == "\r\n\xcf\xcb\r\n");
  CHECK(rig.say("AT") == "\r\n\xcf\xcb\r\n");
  CHECK(rig.say("AT") == "\r\nOK\r\n");
}

TEST_CASE("a block that is cut: half of it, and silence; the rest is not said later") {
  Connected rig;
  rig.fault("cut-read");
  CHECK(rig.readTen() == "\r\n+QIRD: 198.51.100.7:7,TCP,10\r\n01234");
  CHECK(rig.say("AT") == "\r\nOK\r\n");
  CHECK(rig.read(0) == "\r\nOK\r\n");
  CHECK(rig.readTen() == kTen);
}

TEST_CASE("a block that is longer than its header says") {
  Connected rig;
  rig.fault("overlong 1");
  CHECK(rig.readTen() == "\r\n+QIRD: 198.51.100.7:7,TCP,10\r\n012345678901234\r\nOK\r\n");
  CHECK(rig.readTen() == kTen);
}

TEST_CASE("commands that are neither executed nor answered") {
  Connected rig;
  rig.fault("no-answer 2");
  CHECK(rig.say("AT+QICLOSE=0").empty());
  CHECK(rig.say("AT", 10s).empty());
  CHECK(rig.say("AT") == "\r\nOK\r\n");
  CHECK(rig.readTen() == kTen);
}

TEST_CASE("a host that is too slow loses bytes, the same ones for the same seed; nothing is changed") {
  const auto run = [](std::uint64_t seed) {
    Options options;
    options.seed = seed;
    Connected rig(options);
    rig.fault("lose-bytes 0.2");
    std::string all;
    for (int i = 0; i < 20; ++i) all += rig.say("AT");
    rig.fault("lose-bytes 0");
    CHECK(rig.say("AT") == "\r\nOK\r\n");
    return all;
  };
  const std::string heard = run(1);
  CHECK(heard == run(1));
  CHECK(heard != run(2));
  CHECK(heard.size() < 120);
  CHECK(heard.size() > 60);
  CHECK(heard.find_first_not_of("\r\nOK") == std::string::npos);
}

TEST_CASE("another process reads some of it") {
  Connected rig;
  rig.fault("steal 4");
  CHECK(rig.say("AT") == "\r\n");
  CHECK(rig.say("AT") == "\r\nOK\r\n");
}

TEST_CASE("another process types: into a command, but not into the data of a send") {
  Connected rig;
  CHECK(rig.fault("foreign AT+CSQ"));
  CHECK(rig.after(100ms) == "\r\n+CSQ: 22,0\r\n\r\nOK\r\n");
  rig.type("AT+QISE");
  rig.fault("foreign X");
  rig.type("ND=0,5\r");
  CHECK(rig.after(100ms) == "\r\nERROR\r\n");
  rig.say("AT+QISEND=0,5");
  rig.fault("foreign AT+CSQ");
  rig.after(10ms);
  rig.type("hello");
  CHECK(rig.after(100ms) == "\r\nSEND OK\r\n\r\n+QIRDI: 0,1,0\r\n\r\n+CSQ: 22,0\r\n\r\nOK\r\n");
  CHECK(rig.seen->received.empty());
}

TEST_CASE("bytes of anything, both ways") {
  Connected rig;
  CHECK(rig.fault("foreign-bytes 40"));
  CHECK(rig.after(100ms).size() >= 40);
  CHECK(rig.transcript.find("another process types 40 bytes") != std::string::npos);
}

TEST_CASE("CLOSED is told late, or more than once, whatever has become of its index") {
  Connected rig;
  CHECK(rig.fault("closed 0 5 2"));
  CHECK(rig.after(4900ms).empty());
  CHECK(rig.after(110ms) == "\r\n0, CLOSED\r\n");
  CHECK(rig.after(1s) == "\r\n0, CLOSED\r\n");
  CHECK_FALSE(rig.fault("closed 0 1"));
  rig.open(0, kEcho);
  rig.fault("closed 0 3");
  CHECK(rig.after(1s).empty());
  CHECK(rig.open(0, kEcho) == "\r\nOK\r\n\r\n0, CONNECT OK\r\n");
  CHECK(rig.after(3s) == "\r\n0, CLOSED\r\n");
  CHECK(rig.send(0, "x").starts_with("\r\nSEND OK\r\n"));
  // The next end of that index is told as ends are.
  rig.fault("close 0");
  CHECK(rig.after(10ms) == "\r\n0, CLOSED\r\n");
}

TEST_CASE("a supply that breaks down, twice") {
  Connected rig;
  rig.fault("under-voltage 2");
  CHECK(rig.after(900ms) == "\r\nUNDER_VOLTAGE WARNING \r\n");
  CHECK(rig.after(200ms) == "\r\nUNDER_VOLTAGE POWER DOWN\r\n");
  CHECK(rig.say("AT", 1s).empty());
  CHECK(rig.after(17s).starts_with("\r\nRDY\r\n"));
  CHECK(rig.after(1s) == "\r\nUNDER_VOLTAGE WARNING \r\n");
  CHECK(rig.after(1s) == "\r\nUNDER_VOLTAGE POWER DOWN\r\n");
  CHECK(rig.after(30s).starts_with("\r\nRDY\r\n"));
  CHECK(rig.after(1h).empty());
}

TEST_CASE("no credit: no activation succeeds, until there is some") {
  Rig rig;
  rig.say("ATE0");
  rig.fault("no-credit on");
  for (int i = 0; i < 3; ++i) {
    rig.say("AT+QIREGAPP");
    CHECK(rig.say("AT+QIACT", 1s) == "\r\nERROR\r\n");
    CHECK(rig.say("AT+QIDEACT", 1s) == "\r\nDEACT OK\r\n");
  }
  rig.fault("no-credit off");
  rig.say("AT+QIREGAPP");
  CHECK(rig.say("AT+QIACT", 1s) == "\r\nOK\r\n");
}

TEST_CASE("heal ends what waits for its turn") {
  Connected rig;
  for (const char* fault : {"noise 1", "lose-bytes 1", "steal 1000", "no-answer 9", "garble 9", "cut-read 9",
                            "overlong 9", "drop 3", "lose-urc 9", "lose-prompt 9", "lose-send-ok 9",
                            "connect-fail 9", "no-credit on", "dns-dead on", "loss 1"}) {
    CHECK(rig.fault(fault));
  }
  CHECK(rig.say("AT").empty());
  CHECK(rig.fault("heal"));
  CHECK(rig.readTen() == kTen);
  CHECK(rig.open(1, kEcho) == "\r\nOK\r\n\r\n1, CONNECT OK\r\n");
}

TEST_CASE("AT+QIDEACT that nothing answers") {
  Connected rig;
  rig.fault("deact-hang");
  CHECK(rig.say("AT+QIDEACT", 2min).empty());
  CHECK(rig.send(0, "still").starts_with("\r\nSEND OK\r\n"));
  CHECK(rig.say("AT+QIDEACT", 1s) == "\r\nDEACT OK\r\n");
}

TEST_CASE("name servers that are dead, and live again") {
  Connected rig;
  rig.network.addHost("echo.example", {kServer});
  rig.fault("dns-dead on");
  CHECK(rig.say("AT+QIDNSGIP=\"echo.example\"", 13s) == "\r\nOK\r\n");
  CHECK(rig.after(2s) == "\r\nERROR: 5\r\n\r\nSTATE: IP PROCESSING\r\n");
  rig.fault("dns-dead off");
  CHECK(rig.say("AT+QIDNSGIP=\"echo.example\"", 1s) == "\r\nOK\r\n\r\n198.51.100.7\r\n");
}

TEST_CASE("the SIM is pulled out, and found again at the next start") {
  Connected rig;
  rig.fault("sim-removed");
  CHECK(rig.after(10ms) == "\r\n+CPIN: NOT INSERTED\r\n\r\n+PDP DEACT\r\n");
  CHECK(rig.say("AT+CPIN?") == "\r\n+CME ERROR: 10\r\n");
  CHECK(rig.say("AT+CGREG?") == "\r\n+CGREG: 0,0\r\n\r\nOK\r\n");
  rig.fault("reboot");
  CHECK(rig.after(30s).find("+CPIN: NOT INSERTED") != std::string::npos);
  rig.fault("sim-inserted");
  rig.say("ATE0");
  CHECK(rig.say("AT+CPIN?") == "\r\n+CME ERROR: 10\r\n");
  rig.fault("reboot");
  CHECK(rig.after(30s).find("+CPIN: READY") != std::string::npos);
  rig.say("ATE0");
  CHECK(rig.say("AT+CGREG?") == "\r\n+CGREG: 0,1\r\n\r\nOK\r\n");
}

TEST_CASE("registration denied: the context goes, a restart does not help, register does") {
  Connected rig;
  rig.say("AT+CGREG=1");
  rig.fault("roaming-denied");
  CHECK(rig.after(10ms) == "\r\n+CGREG: 3\r\n\r\n+PDP DEACT\r\n");
  rig.fault("reboot");
  rig.after(30s);
  rig.say("ATE0");
  CHECK(rig.say("AT+CGREG?") == "\r\n+CGREG: 0,3\r\n\r\nOK\r\n");
  rig.say("AT+QIREGAPP");
  CHECK(rig.say("AT+QIACT", 1s) == "\r\nERROR\r\n");
  rig.fault("register");
  CHECK(rig.say("AT+CGREG?") == "\r\n+CGREG: 0,1\r\n\r\nOK\r\n");
}
