// Short messages that the host writes and sends: the data phase, what comes of it, and what it refuses.
#include "qimux/sim/sms_phase.hpp"
#include "rig.hpp"
#include "support/catch.hpp"

#include <random>

using namespace qimux;
using namespace qimux::sim;
using namespace qimux::sim::test;

namespace {

struct Sender : Rig {
  explicit Sender(Options options = {}) : Rig(std::move(options)) { say("ATE0"); }
  // The answer to what is typed after the prompt.
  std::string compose(std::string_view command, std::string_view typed) {
    const std::string prompt = say(command);
    if (prompt != "\r\n> ") return "no prompt: " + prompt;
    type(typed);
    return after(3s);
  }
};

constexpr std::string_view kSubmit = "0011000B916407281553F80000AA0AE8329BFD4697D9EC37";

}  // namespace

TEST_CASE("a PDU is sent when its Ctrl-Z comes and the network has taken it", "[AT+CMGS]") {
  Sender rig;
  CHECK(rig.say("AT+CMGS=23") == "\r\n> ");
  rig.type(std::string(kSubmit));
  CHECK(rig.after(1s).empty());
  rig.type("\x1a");
  CHECK(rig.after(1900ms).empty());
  CHECK(rig.after(200ms) == "\r\n+CMGS: 0\r\n\r\nOK\r\n");
  CHECK(rig.transcript.find("sms to +46708251358: hellohello") != std::string::npos);
  CHECK(rig.compose("AT+CMGS=23", std::string(kSubmit) + "\x1a") == "\r\n+CMGS: 1\r\n\r\nOK\r\n");
}

TEST_CASE("a text is sent to the number in the line, echoed with its prompts", "[AT+CMGS][AT+CMGF]") {
  Sender rig;
  rig.say("ATE1;+CMGF=1");
  CHECK(rig.say("AT+CMGS=\"+4912\"") == "AT+CMGS=\"+4912\"\r\r\n> ");
  rig.type("\nHy\bi\rthere");
  CHECK(rig.after(10ms) == "Hy\bi\r\n> there");
  rig.type("\x1a");
  CHECK(rig.after(3s) == "\r\n+CMGS: 0\r\n\r\nOK\r\n");
  CHECK(rig.transcript.find("sms to +4912: Hi\\rthere") != std::string::npos);
}

TEST_CASE("ESC throws away what was typed", "[AT+CMGS]") {
  Sender rig;
  rig.say("AT+CMGF=1");
  CHECK(rig.compose("AT+CMGS=\"1\"", "half of a\x1b") == "\r\nOK\r\n");
  CHECK(rig.transcript.find("sms to") == std::string::npos);
  CHECK(rig.say("AT") == "\r\nOK\r\n");
}

TEST_CASE("a PDU that is none is 304, whatever is wrong with it") {
  Sender rig;
  for (const std::string& typed :
       {std::string(), std::string("00"), std::string(kSubmit) + "00", std::string(kSubmit.substr(0, 46)),
        "zz" + std::string(kSubmit.substr(2)),
        // A message that came, not one to go.
        std::string("00040B917238880900F10000993092516195800AE8329BFD4697"), std::string(5000, 'A')}) {
    CAPTURE(typed);
    CHECK(rig.compose("AT+CMGS=23", typed + "\x1a") == "\r\n+CMS ERROR: 304\r\n");
  }
  CHECK(rig.compose("AT+CMGS=22", std::string(kSubmit) + "\x1a") == "\r\n+CMS ERROR: 304\r\n");
  for (const char* line : {"AT+CMGS=0", "AT+CMGS=165", "AT+CMGS=\"+4912\""}) {
    CHECK(rig.say(line) == "\r\n+CMS ERROR: 304\r\n");
  }
}

TEST_CASE("a text that does not fit, or in no alphabet, is 305", "[AT+CMGS]") {
  Sender rig;
  rig.say("AT+CMGF=1");
  CHECK(rig.compose("AT+CMGS=\"1\"", std::string(160, 'x') + "\x1a") == "\r\n+CMGS: 0\r\n\r\nOK\r\n");
  CHECK(rig.compose("AT+CMGS=\"1\"", std::string(161, 'x') + "\x1a") == "\r\n+CMS ERROR: 305\r\n");
  CHECK(rig.compose("AT+CMGS=\"1\"", "\x80\x1a") == "\r\n+CMS ERROR: 305\r\n");
  for (const char* line :
       {"AT+CMGS=\"\"", "AT+CMGS=\"me\"", "AT+CMGS=\"abc\"", "AT+CMGS=\"12c\"", "AT+CMGS=\"1\",1"}) {
    CHECK(rig.say(line) == "\r\n+CMS ERROR: 305\r\n");
  }
}

TEST_CASE("AT+CSMP makes it octets or UCS2, typed in hex", "[AT+CSMP]") {
  Sender rig;
  rig.say("AT+CMGF=1");
  CHECK(rig.say("AT+CSMP?") == "\r\n+CSMP: 17,167,0,0\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CSMP=17,167,0,8;+CSMP?") == "\r\n+CSMP: 17,167,0,8\r\n\r\nOK\r\n");
  CHECK(rig.compose("AT+CMGS=\"1\"", "043F0440\x1a") == "\r\n+CMGS: 0\r\n\r\nOK\r\n");
  CHECK(rig.transcript.find("sms to 1: ") != std::string::npos);
  CHECK(rig.compose("AT+CMGS=\"1\"", "text\x1a") == "\r\n+CMS ERROR: 305\r\n");
  CHECK(rig.compose("AT+CMGS=\"1\"", std::string(282, '0') + "\x1a") == "\r\n+CMS ERROR: 305\r\n");
  // A header that says it is longer than everything.
  rig.say("AT+CSMP=81,167,0,0");
  CHECK(rig.compose("AT+CMGS=\"1\"", "FF00\x1a") == "\r\n+CMS ERROR: 305\r\n");
  CHECK(rig.say("AT+CSMP=25,167,0,0") == "\r\n+CMS ERROR: 303\r\n");
  CHECK(rig.say("AT+CSMP=256") == "\r\n+CMS ERROR: 305\r\n");
}

TEST_CASE("in the set UCS2 the number is typed in hex as well", "[AT+CMGS][AT+CSCS]") {
  Sender rig;
  rig.say("AT+CMGF=1;+CSCS=\"UCS2\"");
  CHECK(rig.compose("AT+CMGS=\"002B0034\"", "00480069\x1a") == "\r\n+CMGS: 0\r\n\r\nOK\r\n");
  CHECK(rig.transcript.find("sms to +4: Hi") != std::string::npos);
}

TEST_CASE("what goes to the own number comes back", "[AT+CMGS][AT+CNUM]") {
  Sender rig;
  CHECK(rig.say("AT+CNUM") == "\r\n+CNUM: \"\",\"+8613912345678\",145,7,4\r\n\r\nOK\r\n");
  rig.say("AT+CMGF=1");
  CHECK(rig.compose("AT+CMGS=\"+8613912345678\"", "to me\x1a") == "\r\n+CMGS: 0\r\n\r\nOK\r\n");
  CHECK(rig.after(3s) == "\r\n+CMTI: \"SM\",1\r\n");
  CHECK(rig.say("AT+CMGR=1").ends_with("\r\nto me\r\n\r\nOK\r\n"));
  CHECK(rig.compose("AT+CMGS=\"+4912\"", "to you\x1a") == "\r\n+CMGS: 1\r\n\r\nOK\r\n");
  CHECK(rig.after(10s).empty());
}

TEST_CASE("with a loop everything comes back, from whom it went to") {
  Options options;
  options.sms_loop = true;
  Sender rig(options);
  CHECK(rig.compose("AT+CMGS=23", std::string(kSubmit) + "\x1a") == "\r\n+CMGS: 0\r\n\r\nOK\r\n");
  CHECK(rig.after(3s) == "\r\n+CMTI: \"SM\",1\r\n");
  rig.say("AT+CMGF=1");
  CHECK(rig.say("AT+CMGR=1").find("\"+46708251358\"") != std::string::npos);
}

TEST_CASE("without a network nothing is sent") {
  Sender rig;
  rig.say("AT+CMGF=1");
  rig.say("AT+CMGS=\"1\"");
  rig.type("a\x1a");
  rig.after(1s);
  rig.fault("deregister");
  CHECK(rig.after(2s) == "\r\n+CMS ERROR: 331\r\n");
  CHECK(rig.say("AT+CMGS=\"1\"") == "\r\n+CMS ERROR: 331\r\n");
}

TEST_CASE("a message is written, shown as unsent, sent from its place and then shown as sent",
          "[AT+CMGW][AT+CMSS][AT+CMGL]") {
  Sender rig;
  rig.say("AT+CMGF=1");
  CHECK(rig.compose("AT+CMGW=\"+4912\"", "later\x1a") == "\r\n+CMGW: 1\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CMGL=\"ALL\"") == "\r\n+CMGL: 1,\"STO UNSENT\",\"+4912\",\"\",\r\nlater\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CMSS=1", 3s) == "\r\n+CMSS: 0\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CMSS=1,\"+4934\"", 3s) == "\r\n+CMSS: 1\r\n\r\nOK\r\n");
  CHECK(rig.transcript.find("sms to +4934: later") != std::string::npos);
  CHECK(rig.say("AT+CSDH=1;+CMGR=1") ==
        "\r\n+CMGR: \"STO "
        "SENT\",\"+4912\",\"\",145,17,0,0,167,\"+8613800210500\",145,5\r\nlater\r\n\r\nOK\r\n");
}

TEST_CASE("a PDU is written with its state, and only where that fits its kind", "[AT+CMGW]") {
  Sender rig;
  const std::string came = "00040B917238880900F10000993092516195800AE8329BFD4697D9EC37\x1a";
  CHECK(rig.compose("AT+CMGW=28,1", came) == "\r\n+CMGW: 1\r\n\r\nOK\r\n");
  CHECK(rig.compose("AT+CMGW=28", came) == "\r\n+CMS ERROR: 304\r\n");
  CHECK(rig.say("AT+CMSS=1") == "\r\n+CMS ERROR: 302\r\n");
  for (int i = 0; i < 19; ++i) rig.compose("AT+CMGW=28,0", came);
  CHECK(rig.compose("AT+CMGW=28,0", came) == "\r\n+CMS ERROR: 322\r\n");
}

TEST_CASE("AT+CSCA is the number of the service centre, and stays on the SIM", "[AT+CSCA]") {
  Sender rig;
  CHECK(rig.say("AT+CSCA?") == "\r\n+CSCA: \"+8613800210500\",145\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CSCA=\"+491710760000\"") == "\r\nOK\r\n");
  rig.fault("reboot");
  rig.after(1min);
  rig.say("ATE0");
  CHECK(rig.say("AT+CSCA?") == "\r\n+CSCA: \"+491710760000\",145\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CSCA=\"x\"") == "\r\n+CMS ERROR: 305\r\n");
  CHECK(rig.say("AT+CSCA=\"a1\"") == "\r\n+CMS ERROR: 305\r\n");
}

TEST_CASE("AT+CSMS knows phase 2", "[AT+CSMS]") {
  Sender rig;
  CHECK(rig.say("AT+CSMS=0") == "\r\n+CSMS: 1,1,0\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CSMS?") == "\r\n+CSMS: 0,1,1,0\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CSMS=1") == "\r\n+CMS ERROR: 303\r\n");
}

TEST_CASE("arbitrary bytes in the data phase end in an answer and leave the module sane", "[AT+CMGS]") {
  Sender rig;
  std::mt19937 random(5);
  for (int round = 0; round < 500; ++round) {
    rig.say(round % 2 == 0 ? "AT+CMGF=0" : "AT+CMGF=1");
    const bool write = random() % 2 == 0;
    rig.say(round % 2 == 0 ? (write ? "AT+CMGW=23,1" : "AT+CMGS=23")
                           : (write ? "AT+CMGW=\"1\"" : "AT+CMGS=\"1\""));
    std::string typed(random() % 300, '\0');
    for (char& c : typed) c = static_cast<char>(random());
    if (random() % 2 == 0) {
      static constexpr std::string_view kHex = "0123456789ABCDEF";
      for (char& c : typed) c = kHex[static_cast<unsigned char>(c) % 16];
    }
    rig.type(typed + "\x1a");
    rig.after(3s);
    // Whatever was left of it may have begun a line.
    rig.type("\r");
    rig.after(3s);
    CHECK(rig.say("AT").ends_with("\r\nOK\r\n"));
    rig.say("AT+CMGD=1,4");
  }
}
