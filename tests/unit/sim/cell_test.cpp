// The start, the SIM, registration, power and sleep.
#include "qimux/sim/cell.hpp"

#include "rig.hpp"
#include "support/catch.hpp"

using namespace qimux;
using namespace qimux::sim;
using namespace qimux::sim::test;

namespace {
Options starting() {
  Options options;
  options.power_on = true;
  return options;
}
}  // namespace

TEST_CASE("the start of a module: its lines in their order, and registration behind them",
          "[AT+QINISTAT][AT+CREG][AT+CGREG][AT+CSQ][AT+CGATT][AT+CIMI][point-9]") {
  Rig rig(starting());
  CHECK(rig.after(400ms) == "\r\nRDY\r\n");
  CHECK(rig.after(200ms) == "\r\n+CFUN: 1\r\n");
  CHECK(rig.say("AT+CPIN?", 20ms) == "AT+CPIN?\r\r\n+CME ERROR: 14\r\n");
  CHECK(rig.after(400ms) == "\r\n+CPIN: READY\r\n");
  rig.say("ATE0");
  CHECK(rig.say("AT+CIMI") == "\r\n+CME ERROR: 14\r\n");
  CHECK(rig.say("AT+QINISTAT") == "\r\n+QINISTAT: 1\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CREG?;+CSQ") == "\r\n+CREG: 0,2\r\n\r\n+CSQ: 99,99\r\n\r\nOK\r\n");
  CHECK(rig.after(5s) == "\r\nCall Ready\r\n\r\nSMS Ready\r\n");
  CHECK(rig.say("AT+CIMI").ends_with("\r\n\r\nOK\r\n"));
  CHECK(rig.say("AT+CGATT?") == "\r\n+CGATT: 0\r\n\r\nOK\r\n");
  rig.say("AT+CREG=1;+CGREG=2");
  CHECK(rig.after(6s) == "\r\n+CREG: 1\r\n");
  CHECK(rig.after(6s) == "\r\n+CGREG: 1,\"1806\",\"2031\"\r\n");
  CHECK(rig.say("AT+CGREG?") == "\r\n+CGREG: 2,1,\"1806\",\"2031\"\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+QINISTAT;+CGATT?") == "\r\n+QINISTAT: 3\r\n\r\n+CGATT: 1\r\n\r\nOK\r\n");
}

TEST_CASE("without GPRS an activation fails and leaves PDP DEACT", "[AT+QISTAT]") {
  Rig rig(starting());
  rig.after(7s);
  rig.say("ATE0");
  CHECK(rig.say("AT+QIREGAPP") == "\r\nOK\r\n");
  CHECK(rig.say("AT+QIACT", 1s) == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QISTAT") == "\r\nOK\r\n\r\nSTATE: PDP DEACT\r\n");
}

TEST_CASE("with autobaud the module says nothing before it has seen AT", "[AT+IPR][point-13]") {
  Options options = starting();
  options.autobaud = true;
  Rig rig(options);
  CHECK(rig.after(30s).empty());
  rig.type(
      "\x80\xff"
      "A\r"
      "aT\r");
  CHECK(rig.after(1s).empty());
  CHECK(rig.say("AT") == "AT\r\r\nOK\r\n");
  CHECK(rig.say("ATE0;+IPR?") == "ATE0;+IPR?\r\r\n+IPR: 0\r\n\r\nOK\r\n");
}

TEST_CASE("a SIM with a PIN stops the start until it is given", "[AT+CPIN]") {
  Options options = starting();
  options.pin = "1234";
  Rig rig(options);
  CHECK(rig.after(30s).ends_with("\r\n+CFUN: 1\r\n\r\n+CPIN: SIM PIN\r\n"));
  rig.say("ATE0");
  CHECK(rig.say("AT+CPIN?") == "\r\n+CPIN: SIM PIN\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CIMI") == "\r\n+CME ERROR: 11\r\n");
  CHECK(rig.say("AT+CPIN=\"1111\"") == "\r\n+CME ERROR: 16\r\n");
  CHECK(rig.say("AT+CPIN=\"1234\"") == "\r\nOK\r\n\r\n+CPIN: READY\r\n");
  CHECK(rig.after(6s) == "\r\nCall Ready\r\n\r\nSMS Ready\r\n");
  CHECK(rig.say("AT+CPIN=\"1234\"") == "\r\n+CME ERROR: 3\r\n");
  rig.after(20s);
  CHECK(rig.say("AT+CGREG?") == "\r\n+CGREG: 0,1\r\n\r\nOK\r\n");
}

TEST_CASE("three wrong PINs ask for the PUK, also after a restart", "[AT+CPIN][AT&W]") {
  Options options;
  options.pin = "1234";
  options.power_on = true;
  Rig rig(options);
  rig.after(1s);
  rig.say("ATE0&W");
  for (int i = 0; i < 3; ++i) CHECK(rig.say("AT+CPIN=\"9999\"") == "\r\n+CME ERROR: 16\r\n");
  CHECK(rig.say("AT+CPIN=\"1234\"") == "\r\n+CME ERROR: 12\r\n");
  rig.fault("reboot");
  CHECK(rig.after(30s).ends_with("\r\n+CPIN: SIM PUK\r\n"));
  CHECK(rig.say("AT+CPIN=\"12345678\",\"0000\"") == "\r\nOK\r\n\r\n+CPIN: READY\r\n");
}

TEST_CASE("AT+CFUN=1,1 says OK and starts again: sockets and settings are gone", "[AT+CFUN][point-9]") {
  Rig rig;
  rig.bringUp();
  rig.open(0, kQuiet);
  CHECK(rig.say("AT+CFUN=1,1", 200ms) == "\r\nOK\r\n");
  CHECK(rig.after(10s) ==
        "\r\nRDY\r\n\r\n+CFUN: 1\r\n\r\n+CPIN: READY\r\n\r\nCall Ready\r\n\r\nSMS Ready\r\n");
  CHECK(rig.say("AT+QIMUX?;+QINDI?;+QISDE?") ==
        "AT+QIMUX?;+QINDI?;+QISDE?\r\r\n+QIMUX: 0\r\n\r\n+QINDI: 0\r\n\r\n+QISDE: 1\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+QIRD=0,1,0,10").ends_with("ERROR\r\n"));
}

TEST_CASE("AT+CFUN=0 ends GPRS and with it the context", "[AT+CFUN]") {
  Rig rig;
  rig.bringUp();
  rig.open(0, kQuiet);
  CHECK(rig.say("AT+CFUN=0") == "\r\nOK\r\n\r\n+PDP DEACT\r\n");
  CHECK(rig.say("AT+CFUN?;+CREG?") == "\r\n+CFUN: 0\r\n\r\n+CREG: 0,0\r\n\r\nOK\r\n");
  rig.say("AT+CFUN=1");
  rig.after(20s);
  CHECK(rig.say("AT+CGREG?") == "\r\n+CGREG: 0,1\r\n\r\nOK\r\n");
}

TEST_CASE("out of coverage the registration goes and the context stays", "[AT+CREG][AT+CGREG]") {
  Rig rig;
  rig.bringUp();
  rig.say("AT+CREG=2");
  rig.open(0, kEcho);
  rig.fault("deregister");
  CHECK(rig.after(1s) == "\r\n+CREG: 2\r\n");
  CHECK(rig.say("AT+CGREG?") == "\r\n+CGREG: 0,2\r\n\r\nOK\r\n");
  CHECK(rig.send(0, "x") == "\r\nSEND OK\r\n\r\n+QIRDI: 0,1,0\r\n");
  rig.fault("register");
  CHECK(rig.after(1s) == "\r\n+CREG: 1,\"1806\",\"2031\"\r\n");
}

TEST_CASE("AT+QPOWD=1 says good-bye and nothing after it, until the power comes back",
          "[AT+QPOWD][point-23]") {
  Rig rig;
  rig.say("ATE0");
  CHECK(rig.say("AT+QPOWD=1", 1s) == "\r\nNORMAL POWER DOWN\r\n");
  CHECK(rig.say("AT", 10s).empty());
  rig.fault("power-on");
  CHECK(rig.after(10s).starts_with("\r\nRDY\r\n"));
}

TEST_CASE("AT+QSCLK=2 sleeps after five seconds and loses what wakes it", "[AT+QSCLK][point-19]") {
  Rig rig;
  rig.say("ATE0");
  CHECK(rig.say("AT+QSCLK=2") == "\r\nOK\r\n");
  rig.after(4s);
  CHECK(rig.say("AT") == "\r\nOK\r\n");
  rig.after(5s);
  CHECK(rig.say("AT").empty());
  CHECK(rig.say("AT") == "\r\nOK\r\n");
}

TEST_CASE("AT+QIURC=0 mutes Call Ready alone", "[AT+QIURC]") {
  Rig rig;
  rig.say("ATE0");
  CHECK(rig.say("AT+QIURC=0;+QIURC?") == "\r\n+QIURC: 0\r\n\r\nOK\r\n");
}

TEST_CASE("who the module is depends on its firmware", "[AT+CGMM][ATI][AT+GSN]") {
  Options options;
  options.firmware = Firmware::M95;
  Rig rig(options);
  rig.say("ATE0");
  CHECK(rig.say("AT+CGMM") == "\r\nQuectel_M95\r\n\r\nOK\r\n");
  CHECK(rig.say("ATI").find("Revision: M95FAR02A08\r\n") != std::string::npos);
  CHECK(rig.say("AT+GSN") == "\r\n861234567890128\r\n\r\nOK\r\n");
}

TEST_CASE("maker, model, revision, IMEI and card, by the names of both standards",
          "[AT+CGMI][AT+GMI][AT+CGMM][AT+GMM][AT+CGMR][AT+GMR][AT+GSN][AT+CGSN][AT+QCCID]") {
  Rig rig;
  rig.say("ATE0");
  const auto gives = [&rig](const char* line, const std::string& value) {
    CHECK(rig.say(line) == "\r\n" + value + "\r\n\r\nOK\r\n");
  };
  for (const char* line : {"AT+CGMI", "AT+GMI"}) gives(line, "Quectel_Ltd");
  for (const char* line : {"AT+CGMM", "AT+GMM"}) gives(line, "Quectel_MC60");
  for (const char* line : {"AT+CGMR", "AT+GMR"}) gives(line, "Revision: MC60FAR02A08");
  for (const char* line : {"AT+GSN", "AT+CGSN"}) gives(line, "861234567890128");
  gives("AT+QCCID", "898600MFSSYYGXXXXXXP");
}

TEST_CASE("the operator is named while registered, and the network's state is a number",
          "[AT+COPS][AT+QNSTATUS]") {
  Rig rig;
  rig.say("ATE0");
  CHECK(rig.say("AT+COPS?;+QNSTATUS") == "\r\n+COPS: 0,0,\"CHINA MOBILE\"\r\n\r\n+QNSTATUS: 0\r\n\r\nOK\r\n");
  rig.fault("deregister");
  CHECK(rig.say("AT+COPS?;+QNSTATUS") == "\r\n+COPS: 0\r\n\r\n+QNSTATUS: 255\r\n\r\nOK\r\n");
}
