// What programs send that were written for telephone modems, and what they ask of the SIM and the network.
#include "rig.hpp"
#include "support/catch.hpp"

using namespace qimux;
using namespace qimux::sim;
using namespace qimux::sim::test;

namespace {
struct Quiet : Rig {
  explicit Quiet(Options options = {}) : Rig(std::move(options)) { say("ATE0"); }
};
constexpr std::string_view kOk = "\r\nOK\r\n";
constexpr std::string_view kError = "\r\nERROR\r\n";
}  // namespace

TEST_CASE("minicom's and wvdial's first lines are taken whole", "[ATQ][ATX][ATL][ATM][AT&C][ATS][ATE][ATV]") {
  Quiet rig;
  CHECK(rig.say("AT S7=45 S0=0 L1 V1 X4 &c1 E0 Q0") == kOk);
  CHECK(rig.say("ATQ0 V1 E0 S0=0 &C1") == kOk);
  CHECK(rig.say("ATM0L0X3") == kOk);
  CHECK(rig.say("ATS7?") == "\r\n045\r\n\r\nOK\r\n");
  CHECK(rig.say("ATX5") == kError);
  CHECK(rig.say("AT&C2") == kError);
}

TEST_CASE("registers keep what they are given, and those of the line know their one value", "[ATS]") {
  Quiet rig;
  CHECK(rig.say("ATS0=3S0?") == "\r\n003\r\n\r\nOK\r\n");
  CHECK(rig.say("ATS3?S4?S5?") == "\r\n013\r\n\r\n010\r\n\r\n008\r\n\r\nOK\r\n");
  CHECK(rig.say("ATS3=13") == kOk);
  for (const char* line : {"ATS3=10", "ATS1=0", "ATS99=1", "ATS0=256", "ATS0=", "ATS0", "ATS", "ATS=1"}) {
    CAPTURE(line);
    CHECK(rig.say(line) == kError);
  }
}

TEST_CASE("ATZ goes back to what AT&W stored, AT&F to what it came with", "[ATZ][AT&W][AT&F]") {
  Quiet rig;
  rig.say("ATS0=5+CMEE=2;&W");
  rig.say("ATS0=7+CMEE=0");
  CHECK(rig.say("ATZ") == kOk);
  CHECK(rig.say("ATS0?;+CMEE?") == "\r\n005\r\n\r\n+CMEE: 2\r\n\r\nOK\r\n");
  rig.say("AT&FE0");
  CHECK(rig.say("ATS0?") == "\r\n000\r\n\r\nOK\r\n");
}

TEST_CASE("ATQ1 leaves out results, not what was asked for", "[ATQ]") {
  Quiet rig;
  CHECK(rig.say("ATQ1").empty());
  CHECK(rig.say("AT+CSQ") == "\r\n+CSQ: 22,0\r\n");
  CHECK(rig.say("AT+NONSENSE;D1").empty());
  CHECK(rig.say("ATD1").empty());
  CHECK(rig.say("ATQ0") == kOk);
}

TEST_CASE("nobody is called and nobody calls", "[ATD][ATA][ATH][AT+CHUP][AT+CLCC][AT+CPAS][ATP][ATT]") {
  Quiet rig;
  for (const char* line : {"ATD*99#", "ATDT*99***1#", "ATD+4930123;", "atdp5", "ATA"}) {
    CAPTURE(line);
    CHECK(rig.say(line) == "\r\nNO CARRIER\r\n");
  }
  CHECK(rig.say("ATV0") == "0\r");
  CHECK(rig.say("ATD1") == "3\r");
  rig.say("ATV1");
  for (const char* line : {"ATH", "ATH0", "AT+CHUP", "AT+CLCC", "ATP", "ATT"}) CHECK(rig.say(line) == kOk);
  CHECK(rig.say("AT+CPAS") == "\r\n+CPAS: 0\r\n\r\nOK\r\n");
  CHECK(rig.say("ATH1") == kError);
}

TEST_CASE("what it is made of is told", "[AT+GCAP][AT+CBC][AT+CLIP][AT+CUSD]") {
  Quiet rig;
  CHECK(rig.say("AT+GCAP") == "\r\n+GCAP: +CGSM\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CBC") == "\r\n+CBC: 0,100,4100\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CLIP=1;+CLIP?") == "\r\n+CLIP: 1,1\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CUSD=1;+CUSD?") == "\r\n+CUSD: 1\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CUSD=1,\"*100#\"") == "\r\n+CME ERROR: 4\r\n");
}

TEST_CASE("the forms with =? tell what is taken",
          "[AT+CREG][AT+CGREG][AT+CFUN][AT+CSQ][AT+CGMI][AT+CGMM][AT+CGMR][AT+CGSN][AT+CIMI]") {
  Quiet rig;
  CHECK(rig.say("AT+CREG=?") == "\r\n+CREG: (0-2)\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CGREG=?") == "\r\n+CGREG: (0-2)\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CFUN=?") == "\r\n+CFUN: (0,1,4),(0,1)\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CSQ=?") == "\r\n+CSQ: (0-31,99),(0-7,99)\r\n\r\nOK\r\n");
  for (const char* line : {"AT+CGMI=?", "AT+CGMM=?", "AT+CGMR=?", "AT+CGSN=?", "AT+CIMI=?", "AT+CPIN=?",
                           "AT+CMGS=?", "AT+CMGR=?", "AT+CHUP=?"}) {
    CAPTURE(line);
    CHECK(rig.say(line) == kOk);
  }
  for (const char* line : {"AT+MODE=2", "AT+CPROT=?", "AT+SYNCML=?", "AT$TSSPCSW=?"}) {
    CHECK(rig.say(line) == kError);
  }
}

TEST_CASE("every command with a fixed =? form exists") {
  Quiet rig;
  for (const char* name : {"+CBC",  "+CCLK", "+CLCK",  "+CMGD", "+CMGF",  "+CMGW", "+CMSS", "+CNMI", "+CNUM",
                           "+CPAS", "+CPBS", "+CPMS",  "+CPWD", "+CSCA",  "+CSDH", "+CSMP", "+CSMS", "+CSQN",
                           "+CTZU", "+GCAP", "+QMGDA", "+QNTP", "+QPINC", "+QSPN", "+CLIP", "+CUSD"}) {
    CAPTURE(name);
    CHECK(allCommands().find(name) != nullptr);
    CHECK(testAnswer(name));
    CHECK(rig.say("AT" + std::string(name) + "=?").ends_with(kOk));
  }
}

TEST_CASE("the network has a name in three formats", "[AT+COPS]") {
  Quiet rig;
  CHECK(rig.say("AT+COPS?") == "\r\n+COPS: 0,0,\"CHINA MOBILE\"\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+COPS=3,2;+COPS?") == "\r\n+COPS: 0,2,\"46000\"\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+COPS=3,1;+COPS?") == "\r\n+COPS: 0,1,\"CMCC\"\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+COPS=1,2,\"46000\";+COPS?") == "\r\n+COPS: 1,2,\"46000\"\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+COPS=1,2,\"26201\"") == "\r\n+CME ERROR: 30\r\n");
  CHECK(rig.say("AT+COPS=2") == "\r\n+CME ERROR: 4\r\n");
  CHECK(rig.say("AT+COPS=0") == kOk);
  CHECK(rig.say("AT+COPS=?", 2900ms).empty());
  CHECK(rig.after(200ms) ==
        "\r\n+COPS: (2,\"CHINA MOBILE\",\"CMCC\",\"46000\"),,(0,1,3),(0-2)\r\n\r\nOK\r\n");
  rig.fault("deregister");
  CHECK(rig.say("AT+COPS?") == "\r\n+COPS: 0\r\n\r\nOK\r\n");
}

TEST_CASE("the SIM has a name, and changes of the signal are not told", "[AT+QSPN][AT+CSQN]") {
  Quiet rig;
  CHECK(rig.say("AT+QSPN?") == "\r\n+QSPN: \"CMCC\",0\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CSQN=0;+CSQN?") == "\r\n+CSQN: 0\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CSQN=1") == kError);
}

TEST_CASE("the phone book is empty but for the own number", "[AT+CPBS][AT+CPBR]") {
  Quiet rig;
  CHECK(rig.say("AT+CPBS?") == "\r\n+CPBS: \"SM\",0,250\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CPBR=?") == "\r\n+CPBR: (1-250),40,14\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CPBR=1,250") == kOk);
  CHECK(rig.say("AT+CPBR=251") == "\r\n+CME ERROR: 21\r\n");
  CHECK(rig.say("AT+CPBS=\"ON\";+CPBR=1") == "\r\n+CPBR: 1,\"+8613912345678\",145,\"\"\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CPBS=\"XX\"") == "\r\n+CME ERROR: 3\r\n");
}
