// Short messages as a host sees them: reading, deleting, storing, and being told.
#include "qimux/sim/sms.hpp"

#include "rig.hpp"
#include "support/catch.hpp"

using namespace qimux;
using namespace qimux::sim;
using namespace qimux::sim::test;

namespace {

constexpr std::int64_t kNoon = 1285416397;  // 25 September 2010, 12:06:37

Options withMessages(std::vector<std::pair<std::string, std::string>> messages) {
  Options options;
  options.sms = std::move(messages);
  options.wall_clock = [] { return kNoon; };
  return options;
}

struct Inbox : Rig {
  explicit Inbox(Options options = withMessages({{"+491701234567", "Hello"}, {"Bank", "Привет"}}))
      : Rig(std::move(options)) {
    say("ATE0");
  }
};

constexpr std::string_view kHelloPdu =
    "0891683108200105F0"
    "040C919471103254760000019052216073000" /* time */
    "5C8329BFD06";

}  // namespace

TEST_CASE("in PDU mode a message is read whole, and is read from then on", "[AT+CMGR][AT+CMGL][AT+CMGF]") {
  Inbox rig;
  CHECK(rig.say("AT+CMGF?") == "\r\n+CMGF: 0\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CMGR=1") == "\r\n+CMGR: 0,\"\",24\r\n" + std::string(kHelloPdu) + "\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CMGR=1").starts_with("\r\n+CMGR: 1,"));
  CHECK(rig.say("AT+CMGL").starts_with("\r\n+CMGL: 2,0,\"\","));
  CHECK(rig.say("AT+CMGL=0") == "\r\nOK\r\n");
  CHECK(rig.say("AT+CMGL=4")
            .starts_with("\r\n+CMGL: 1,1,\"\",24\r\n" + std::string(kHelloPdu) + "\r\n\r\n+CMGL: 2,1,"));
}

TEST_CASE("in text mode a message is read with who and when", "[AT+CMGR][AT+CMGL][AT+CMGF]") {
  Inbox rig;
  CHECK(rig.say("AT+CMGF=1") == "\r\nOK\r\n");
  const std::string when = "\"2010/09/25 12:06:37+00\"";
  CHECK(rig.say("AT+CMGL=\"REC UNREAD\",1") == "\r\n+CMGL: 1,\"REC UNREAD\",\"+491701234567\",\"\"," + when +
                                                   "\r\nHello\r\n\r\n+CMGL: 2,\"REC UNREAD\",\"Bank\",\"\"," +
                                                   when + "\r\n041F04400438043204350442\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CMGR=1") ==
        "\r\n+CMGR: \"REC UNREAD\",\"+491701234567\",\"\"," + when + "\r\nHello\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CMGL=\"REC READ\"").starts_with("\r\n+CMGL: 1,\"REC READ\""));
  CHECK(rig.say("AT+CMGL=\"NONE\"") == "\r\n+CMS ERROR: 305\r\n");
}

TEST_CASE("AT+CSDH shows the rest of it, as the manual prints it", "[AT+CSDH]") {
  Inbox rig;
  rig.say("AT+CMGF=1");
  CHECK(rig.say("AT+CSDH=1;+CSDH?") == "\r\n+CSDH: 1\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CMGR=1") ==
        "\r\n+CMGR: \"REC UNREAD\",\"+491701234567\",\"\",\"2010/09/25 12:06:37+00\",145,4,0,0,"
        "\"+8613800210500\",145,5\r\nHello\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CMGL=\"REC READ\"").find("+00\",145,5\r\nHello") != std::string::npos);
}

TEST_CASE("the set of AT+CSCS is that of texts and numbers", "[AT+CSCS]") {
  Inbox rig(withMessages({{"+49", "@ä"}}));
  rig.say("AT+CMGF=1");
  CHECK(rig.say("AT+CSCS=\"UCS2\";+CSCS?") == "\r\n+CSCS: \"UCS2\"\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CMGR=1").find("\"002B00340039\",\"\",\"2010") != std::string::npos);
  CHECK(rig.say("AT+CMGR=1").find("\r\n004000E4\r\n") != std::string::npos);
  rig.say("AT+CSCS=\"IRA\"");
  CHECK(rig.say("AT+CMGR=1").find("\r\n@?\r\n") != std::string::npos);
  CHECK(rig.say("AT+CSCS=\"EBCDIC\"") == "\r\nERROR\r\n");
  CHECK(rig.say("AT+CSCS=?") == "\r\n+CSCS: (\"GSM\",\"HEX\",\"IRA\",\"UCS2\",\"8859-1\")\r\n\r\nOK\r\n");
}

TEST_CASE("an empty place and one that is none are an error") {
  Inbox rig;
  for (const char* line : {"AT+CMGR=3", "AT+CMGR=0", "AT+CMGR=21", "AT+CMGR=x", "AT+CMGD=21", "AT+CMSS=1x"}) {
    CAPTURE(line);
    CHECK(rig.say(line) == "\r\n+CMS ERROR: 321\r\n");
  }
  // By its number, whatever AT+CMEE says.
  rig.say("AT+CMEE=2");
  CHECK(rig.say("AT+CMGR=3") == "\r\n+CMS ERROR: 321\r\n");
}

TEST_CASE("AT+CMGD frees one place, or by its flag what was read, sent, written or all",
          "[AT+CMGD][AT+CPMS]") {
  Inbox rig(withMessages({{"1", "a"}, {"2", "b"}, {"3", "c"}}));
  CHECK(rig.say("AT+CPMS?") == "\r\n+CPMS: \"SM\",3,20,\"SM\",3,20,\"SM\",3,20\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CMGD=?") == "\r\n+CMGD: (1-20),(0-4)\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CMGD=2") == "\r\nOK\r\n");
  CHECK(rig.say("AT+CMGR=2") == "\r\n+CMS ERROR: 321\r\n");
  rig.say("AT+CMGR=1");
  CHECK(rig.say("AT+CMGD=1,1;+CPMS=\"SM\"") == "\r\n+CPMS: 1,20,1,20,1,20\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CMGD=1,3;+CPMS=\"SM\",\"SM\"") == "\r\n+CPMS: 1,20,1,20,1,20\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CMGD=1,4;+CPMS=\"SM\",\"SM\",\"SM\"") == "\r\n+CPMS: 0,20,0,20,0,20\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CPMS=\"ME\"") == "\r\n+CMS ERROR: 303\r\n");
}

TEST_CASE("AT+QMGDA deletes by kind, by word or by number", "[AT+QMGDA]") {
  Inbox rig(withMessages({{"1", "a"}, {"2", "b"}, {"3", "c"}}));
  rig.say("AT+CMGR=2");
  CHECK(rig.say("AT+QMGDA=1;+CPMS=\"SM\"") == "\r\n+CPMS: 2,20,2,20,2,20\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+QMGDA=\"DEL ALL\"") == "\r\nERROR\r\n");
  rig.say("AT+CMGF=1");
  CHECK(rig.say("AT+QMGDA=\"DEL SENT\";+CPMS=\"SM\"") == "\r\n+CPMS: 2,20,2,20,2,20\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+QMGDA=\"DEL INBOX\";+CPMS=\"SM\"") == "\r\n+CPMS: 0,20,0,20,0,20\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+QMGDA=6") == "\r\nERROR\r\n");
}

TEST_CASE("a message that comes is stored and told, as AT+CNMI wants it", "[AT+CNMI]") {
  Inbox rig;
  CHECK(rig.say("AT+CNMI?") == "\r\n+CNMI: 2,1,0,0,0\r\n\r\nOK\r\n");
  CHECK(rig.fault("sms +4912 out of the blue"));
  CHECK(rig.after(10ms) == "\r\n+CMTI: \"SM\",3\r\n");
  CHECK(rig.say("AT+CNMI=2,0") == "\r\nOK\r\n");
  rig.fault("sms +4912 silently");
  CHECK(rig.after(10ms).empty());
  CHECK(rig.say("AT+CMGR=4").starts_with("\r\n+CMGR: 0,"));
}

TEST_CASE("with AT+CNMI=2,2 it goes to the host at once and nowhere else", "[AT+CNMI]") {
  Inbox rig;
  CHECK(rig.say("AT+CNMI=2,2,0,0,0") == "\r\nOK\r\n");
  rig.fault("sms +491701234567 Hello");
  CHECK(rig.after(10ms) == "\r\n+CMT: \"\",24\r\n" + std::string(kHelloPdu) + "\r\n");
  rig.say("AT+CMGF=1");
  rig.fault("sms +491701234567 Hello");
  CHECK(rig.after(10ms) == "\r\n+CMT: \"+491701234567\",\"\",\"2010/09/25 12:06:37+00\"\r\nHello\r\n");
  CHECK(rig.say("AT+CPMS=\"SM\"").starts_with("\r\n+CPMS: 2,20"));
}

TEST_CASE("with AT+CNMI=0 what is to be told waits until it is asked for", "[AT+CNMI]") {
  Inbox rig;
  rig.say("AT+CNMI=0,1");
  rig.fault("sms 1 a");
  CHECK(rig.after(10ms).empty());
  CHECK(rig.say("AT+CNMI=2,1") == "\r\nOK\r\n\r\n+CMTI: \"SM\",3\r\n");
  rig.say("AT+CNMI=0,1");
  rig.fault("sms 1 b");
  CHECK(rig.say("AT+CNMI=2,1,0,0,1") == "\r\nOK\r\n");
  CHECK(rig.say("AT+CNMI=4") == "\r\nERROR\r\n");
}

TEST_CASE("a full SIM takes nothing more, and the network keeps it until there is room", "[AT+CMGD]") {
  Inbox rig(withMessages({}));
  for (int i = 0; i < 20; ++i) CHECK(rig.fault("sms 1 a"));
  rig.after(10ms);
  CHECK(rig.fault("sms 1 the last one"));
  CHECK(rig.after(1min).empty());
  CHECK(rig.transcript.find("no place on the SIM") != std::string::npos);
  CHECK(rig.say("AT+CMGD=7") == "\r\nOK\r\n\r\n+CMTI: \"SM\",7\r\n");
  for (int i = 0; i < 100; ++i) CHECK(rig.fault("sms 1 a"));
  CHECK_FALSE(rig.fault("sms 1 a"));
}

TEST_CASE("what is sent to a module out of coverage comes when it is back") {
  Inbox rig;
  rig.fault("deregister");
  rig.fault("sms 1 a");
  CHECK(rig.after(1min).empty());
  rig.fault("register");
  CHECK(rig.after(5s) == "\r\n+CMTI: \"SM\",3\r\n");
}

TEST_CASE("short messages are there when SMS Ready was said, and the SIM keeps them without power",
          "[AT+CMGR]") {
  Options options = withMessages({{"1", "kept"}});
  options.power_on = true;
  options.pin = "1234";
  Inbox rig(options);
  CHECK(rig.after(400ms).starts_with("\r\nRDY\r\n"));
  rig.say("ATE0");
  CHECK(rig.say("AT+CPMS?") == "\r\n+CMS ERROR: 314\r\n");
  rig.after(1s);
  CHECK(rig.say("AT+CMGL=4") == "\r\n+CMS ERROR: 311\r\n");
  rig.say("AT+CPIN=1234");
  CHECK(rig.say("AT+CMGR=1") == "\r\n+CMS ERROR: 314\r\n");
  CHECK(rig.after(7s).ends_with("SMS Ready\r\n"));
  CHECK(rig.say("AT+CMGR=1").starts_with("\r\n+CMGR: 0,"));
  rig.fault("reboot");
  rig.after(1s);
  rig.say("ATE0;+CPIN=1234");
  rig.after(10s);
  CHECK(rig.say("AT+CMGR=1").starts_with("\r\n+CMGR: 1,"));
}

TEST_CASE("without a SIM there is nothing to read") {
  Options options;
  options.no_sim = true;
  Rig rig(options);
  rig.say("ATE0");
  for (const char* line : {"AT+CMGL", "AT+CMGS=20", "AT+CPMS?", "AT+CSCA?", "AT+CMGD=1"}) {
    CHECK(rig.say(line) == "\r\n+CMS ERROR: 310\r\n");
  }
}

TEST_CASE("a fault that is no message is refused") {
  Rig rig;
  for (const char* line : {"sms", "sms 1", "sms 1 ", "sms a-name-too-long text", "sms\x01 x"}) {
    CAPTURE(line);
    CHECK_FALSE(rig.fault(line));
  }
}
