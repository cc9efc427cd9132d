// Why a command is ERROR that is well formed: the transcript says it.
#include "rig.hpp"
#include "support/catch.hpp"

using namespace qimux;
using namespace qimux::sim;
using namespace qimux::sim::test;

namespace {

// Whether the line is ERROR, and the transcript has this reason for it and had it not before.
bool refusedFor(Rig& rig, std::string_view line, std::string_view why) {
  rig.transcript.clear();
  return rig.say(line) == "\r\nERROR\r\n" &&
         rig.transcript.find("-- " + std::string(why) + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("a command out of state says which state it wants", "[AT+QIREGAPP][AT+QILOCIP][point-14]") {
  Rig rig;
  rig.say("ATE0");
  CHECK(refusedFor(rig, "AT+QIACT", "+QIACT: in IP INITIAL, AT+QIREGAPP comes first"));
  CHECK(refusedFor(rig, "AT+QILOCIP", "+QILOCIP: in IP INITIAL, the context has no address"));
  rig.say("AT+QIREGAPP");
  CHECK(refusedFor(rig, "AT+QIREGAPP", "+QIREGAPP: not in IP START, only in IP INITIAL"));
  CHECK(refusedFor(rig, "AT+QIMUX=1", "+QIMUX: not in IP START, only in IP INITIAL"));
  CHECK(refusedFor(rig, "AT+QISERVER", "+QISERVER: not in IP START"));
  rig.say("AT+QIACT", 1s);
  CHECK(refusedFor(rig, "AT+QIOPEN=\"TCP\",\"198.51.100.7\",7",
                   "+QIOPEN: not in IP GPRSACT, AT+QILOCIP comes first"));
  rig.say("AT+QILOCIP");
  rig.fault("pdp-deact");
  rig.after(1s);
  CHECK(refusedFor(rig, "AT+QIOPEN=\"TCP\",\"198.51.100.7\",7", "+QIOPEN: not in PDP DEACT"));
  CHECK(refusedFor(rig, "AT+QIDNSGIP=\"echo.example\"", "+QIDNSGIP: not in PDP DEACT"));
  rig.say("AT+QIDEACT", 1s);
  CHECK(refusedFor(rig, "AT+QIDEACT", "+QIDEACT: not in IP INITIAL, on this firmware"));
}

TEST_CASE("what is refused for another reason says that", "[AT+QIMODE][AT+QIDNSGIP][AT+QISERVER]") {
  Options options;
  options.rtt = 1s;
  Rig rig(options);
  rig.say("ATE0");
  rig.say("AT+QIMODE=1");
  CHECK(refusedFor(rig, "AT+QIMUX=1", "+QIMUX: AT+QIMODE=1 has but one connection"));
  CHECK(rig.say("AT+QIDNSGIP=\"echo.example\"") == "\r\nOK\r\n");
  CHECK(refusedFor(rig, "AT+QIDNSGIP=\"echo.example\"", "+QIDNSGIP: another name is being asked for"));
  rig.after(5s);
  CHECK(rig.say("AT+QISERVER", 3s).starts_with("\r\nOK\r\n"));
  CHECK(refusedFor(rig, "AT+QISERVER", "+QISERVER: the context has a server already"));
}

TEST_CASE("what another firmware has is refused for the firmware") {
  Options options;
  options.firmware = Firmware::M95;
  Rig rig(options);
  rig.say("ATE0");
  CHECK(refusedFor(rig, "AT+QINDI=2", "+QINDI: mode 2 is not on this firmware"));
  CHECK(refusedFor(rig, "AT+QIKALIVE=0,60,10", "+QIKALIVE: not on this firmware"));
  CHECK(refusedFor(rig, "AT+QCFG=\"TCP/BufferRemain\",1", "+QCFG: not on this firmware"));
  Rig quirky(withQuirk(Quirk::QimuxRefused));
  quirky.say("ATE0");
  CHECK(refusedFor(quirky, "AT+QIMUX=1", "+QIMUX: not before AT+QIDEACT, on this firmware"));
}

TEST_CASE("what is malformed is just that, and gets no reason") {
  Rig rig;
  rig.say("ATE0");
  rig.transcript.clear();
  for (const char* line :
       {"AT+QIMUX=2", "AT+QIREGAPP?", "AT+QISERVER=7", "AT+QIDNSGIP", "AT+QIOPEN=1", "AT+QINDI=9"}) {
    CHECK(rig.say(line) == "\r\nERROR\r\n");
  }
  CHECK(rig.transcript.find(" -- ") == std::string::npos);
}
