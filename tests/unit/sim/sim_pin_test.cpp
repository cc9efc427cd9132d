// PIN, PUK and the tries that are left; the clock and who sets it.
#include "qimux/sim/clock.hpp"
#include "rig.hpp"
#include "support/catch.hpp"

using namespace qimux;
using namespace qimux::sim;
using namespace qimux::sim::test;

namespace {

constexpr std::string_view kOk = "\r\nOK\r\n";

struct Quiet : Rig {
  explicit Quiet(Options options = {}) : Rig(std::move(options)) { say("ATE0&W"); }
};

Options locked() {
  Options options;
  options.pin = "4711";
  return options;
}

}  // namespace

TEST_CASE("tries are counted, and a right PIN gives them back", "[AT+QPINC][AT+QTRPIN][AT+CPIN]") {
  Quiet rig(locked());
  CHECK(rig.say("AT+QPINC=\"SC\"") == "\r\n+QPINC: \"SC\",3,10\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CPIN=1234") == "\r\n+CME ERROR: 16\r\n");
  CHECK(rig.say("AT+QPINC?") == "\r\n+QPINC: \"SC\",2,10\r\n\r\n+QPINC: \"P2\",3,10\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+QTRPIN") == "\r\n+QTRPIN: 2,3,10,10\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CPIN=4711").starts_with(kOk));
  CHECK(rig.say("AT+QPINC=\"SC\"").starts_with("\r\n+QPINC: \"SC\",3,10"));
}

TEST_CASE("what is no PIN or PUK at all does not reach the SIM, and costs no try", "[AT+QPINC]") {
  Quiet rig(locked());
  for (const char* pin : {"", "123", "123456789", "12a4", "\"\"", "\"47 1\""}) {
    CAPTURE(pin);
    CHECK(rig.say("AT+CPIN=" + std::string(pin)).find("ERROR") != std::string::npos);
  }
  CHECK(rig.say("AT+QPINC=\"SC\"").starts_with("\r\n+QPINC: \"SC\",3,10"));
  for (int i = 0; i < 3; ++i) rig.say("AT+CPIN=0000");
  for (const char* puk : {"1234567", "123456789", "1234567x"}) {
    CHECK(rig.say("AT+CPIN=" + std::string(puk) + ",1111") == "\r\n+CME ERROR: 16\r\n");
  }
  CHECK(rig.say("AT+QPINC=\"SC\"").starts_with("\r\n+QPINC: \"SC\",0,10"));
}

TEST_CASE("ten wrong PUKs block the SIM for good", "[AT+CPIN][AT+QPINC]") {
  Quiet rig(locked());
  for (int i = 0; i < 3; ++i) rig.say("AT+CPIN=0000");
  CHECK(rig.say("AT+CPIN?") == "\r\n+CPIN: SIM PUK\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CPIN=12345678,12") == "\r\n+CME ERROR: 16\r\n");
  CHECK(rig.say("AT+QPINC=\"SC\"") == "\r\n+QPINC: \"SC\",0,10\r\n\r\nOK\r\n");
  for (int i = 0; i < 10; ++i) CHECK(rig.say("AT+CPIN=87654321,1111") == "\r\n+CME ERROR: 16\r\n");
  CHECK(rig.say("AT+CPIN=12345678,1111") == "\r\n+CME ERROR: 13\r\n");
  CHECK(rig.say("AT+CPIN?") == "\r\n+CME ERROR: 13\r\n");
  CHECK(rig.say("AT+CIMI") == "\r\n+CME ERROR: 13\r\n");
  CHECK(rig.say("AT+CMGL") == "\r\n+CMS ERROR: 313\r\n");
  rig.fault("reboot");
  CHECK(rig.after(1min).ends_with("\r\n+CPIN: SIM failure\r\n"));
}

TEST_CASE("a wrong PUK or two does not matter in the end", "[AT+CPIN]") {
  Quiet rig(locked());
  for (int i = 0; i < 3; ++i) rig.say("AT+CPIN=0000");
  rig.say("AT+CPIN=87654321,1111");
  CHECK(rig.say("AT+CPIN=12345678,1111").starts_with("\r\nOK\r\n\r\n+CPIN: READY"));
  rig.after(10s);
  CHECK(rig.say("AT+QPINC=\"SC\"").starts_with("\r\n+QPINC: \"SC\",3,10"));
  rig.fault("reboot");
  rig.after(10s);
  CHECK(rig.say("AT+CPIN=1111").starts_with(kOk));
}

TEST_CASE("the PIN is asked for or not, as AT+CLCK says", "[AT+CLCK]") {
  Quiet rig;
  CHECK(rig.say("AT+CLCK=?") == "\r\n+CLCK: (\"SC\")\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CLCK=\"SC\",2") == "\r\n+CLCK: 0\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CLCK=\"SC\",1,\"9999\"") == "\r\n+CME ERROR: 16\r\n");
  CHECK(rig.say("AT+CLCK=\"SC\",1,\"1234\"") == kOk);
  CHECK(rig.say("AT+CLCK=\"SC\",2") == "\r\n+CLCK: 1\r\n\r\nOK\r\n");
  rig.fault("reboot");
  CHECK(rig.after(10s).ends_with("+CPIN: SIM PIN\r\n"));
  rig.say("AT+CPIN=1234");
  rig.after(10s);
  CHECK(rig.say("AT+CLCK=\"SC\",0,\"1234\"") == kOk);
  rig.fault("reboot");
  CHECK(rig.after(1s).ends_with("+CPIN: READY\r\n"));
}

TEST_CASE("the PIN is changed only while it is asked for", "[AT+CPWD]") {
  Quiet rig;
  CHECK(rig.say("AT+CPWD=\"SC\",\"1234\",\"5678\"") == "\r\n+CME ERROR: 3\r\n");
  rig.say("AT+CLCK=\"SC\",1,\"1234\"");
  CHECK(rig.say("AT+CPWD=\"SC\",\"0000\",\"5678\"") == "\r\n+CME ERROR: 16\r\n");
  CHECK(rig.say("AT+CPWD=\"SC\",\"1234\",\"56\"") == "\r\n+CME ERROR: 3\r\n");
  CHECK(rig.say("AT+CPWD=\"SC\",\"1234\",\"5678\"") == kOk);
  rig.fault("reboot");
  rig.after(10s);
  CHECK(rig.say("AT+CPIN=\"1234\"") == "\r\n+CME ERROR: 16\r\n");
  CHECK(rig.say("AT+CPIN=\"5678\"").starts_with(kOk));
}

TEST_CASE("three wrong PINs lock a SIM that is in use, too", "[AT+CPIN]") {
  Quiet rig;
  for (int i = 0; i < 3; ++i) CHECK(rig.say("AT+CLCK=\"SC\",1,\"9999\"") == "\r\n+CME ERROR: 16\r\n");
  CHECK(rig.say("AT+CIMI") == "\r\n+CME ERROR: 12\r\n");
  CHECK(rig.say("AT+CPIN=12345678,1234") == kOk);
  CHECK(rig.say("AT+CIMI").ends_with(kOk));
}

TEST_CASE("the clock begins in 2004, is set, and runs", "[AT+CCLK]") {
  Quiet rig;
  CHECK(rig.say("AT+CCLK?").starts_with("\r\n+CCLK: \"04/01/01,00:00:00+00\""));
  CHECK(rig.say("AT+CCLK=\"10/09/25,23:59:58+32\"") == kOk);
  rig.after(2s);
  CHECK(rig.say("AT+CCLK?") == "\r\n+CCLK: \"10/09/26,00:00:00+32\"\r\n\r\nOK\r\n");
  // Without a zone it stays what it is, and a restart does not stop it.
  CHECK(rig.say("AT+CCLK=\"10/02/28,23:00:00\"") == kOk);
  rig.fault("reboot");
  rig.after(1h);
  CHECK(rig.say("AT+CCLK?").starts_with("\r\n+CCLK: \"10/03/01,00:00:00+32\""));
}

TEST_CASE("what is no time is refused") {
  Quiet rig;
  for (const char* time :
       {"", "10/09/25", "10/13/25,10:00:00", "10/02/29,10:00:00", "10/02/28,24:00:00", "10/02/28,10:60:00",
        "10/02/28,10:00:0x", "10/02/28,10:00:00+49", "10/02/28,10:00:00 32", "10-02-28,10:00:00"}) {
    CAPTURE(time);
    CHECK(rig.say("AT+CCLK=\"" + std::string(time) + "\"") == "\r\n+CME ERROR: 3\r\n");
  }
}

TEST_CASE("AT+CTZU can be set, in a network that never tells the time", "[AT+CTZU]") {
  Quiet rig;
  CHECK(rig.say("AT+CTZU=1;+CTZU?") == "\r\n+CTZU: 1\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CTZU=2") == "\r\nERROR\r\n");
}

TEST_CASE("AT+QNTP sets the clock by a server, and says what came of it", "[AT+QNTP][AT+CCLK]") {
  Options options;
  options.wall_clock = [] { return std::int64_t{1285398397}; };
  options.rtt = 200ms;
  Quiet rig(options);
  rig.network.addHost("time.example", {kServer});
  CHECK(rig.say("AT+QNTP=\"time.example\",123", 100ms) == kOk);
  CHECK(rig.say("AT+QNTP=\"time.example\"", 10ms) == "\r\nOK\r\n\r\n+QNTP: 3\r\n");
  CHECK(rig.after(2s) == "\r\n+QNTP: 0\r\n");
  CHECK(rig.say("AT+CCLK?").starts_with("\r\n+CCLK: \"10/09/25,07:06:3"));
  CHECK(rig.say("AT+QNTP?") == "\r\n+QNTP: \"time.example\",123\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+QNTP=\"nowhere.example\"", 3s) == "\r\nOK\r\n\r\n+QNTP: 4\r\n");
  CHECK(rig.say("AT+QNTP=\"time.example\",0") == "\r\nERROR\r\n");
  rig.fault("pdp-deact");
  rig.after(1s);
  CHECK(rig.say("AT+QNTP=\"time.example\"", 3s) == "\r\nOK\r\n\r\n+QNTP: 5\r\n");
}

TEST_CASE("a time server that nobody knows the time from does not answer", "[AT+QNTP]") {
  Quiet rig;
  CHECK(rig.say("AT+QNTP=\"198.51.100.7\"", 9s) == kOk);
  CHECK(rig.after(3s) == "\r\n+QNTP: 2\r\n");
}
