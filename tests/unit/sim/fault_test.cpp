// Every fault by its verb, and the script that calls them.
#include "qimux/sim/fault.hpp"

#include "qimux/sim/script.hpp"
#include "rig.hpp"
#include "support/catch.hpp"

#include <set>

using namespace qimux;
using namespace qimux::sim;
using namespace qimux::sim::test;

namespace {
struct Connected : Rig {
  Connected() {
    bringUp();
    open(0, kEcho);
  }
};
}  // namespace

TEST_CASE("faults have names of their own, and so have quirks") {
  std::set<std::string_view> names;
  for (const auto& fault : faults()) CHECK(names.insert(fault.verb).second);
  CHECK(names.size() >= 20);
  names.clear();
  for (const auto& quirk : quirks()) {
    CHECK(names.insert(quirk.name).second);
    CHECK(parseQuirk(quirk.name) == quirk.quirk);
  }
  CHECK_FALSE(parseQuirk("nonsense"));
}

TEST_CASE("a fault that does not fit is refused and changes nothing") {
  Connected rig;
  for (const char* line :
       {"", "nonsense", "close", "close 6", "close 1", "close x", "hang", "hang -1", "hang nan", "noise 2",
        "send-fail", "send-fail 0 x", "lose-urc 1.5", "connect-delay", "urc", "pdp-deact 2"}) {
    CAPTURE(line);
    CHECK_FALSE(rig.fault(line));
  }
  CHECK(rig.after(10ms).empty());
  CHECK(rig.say("AT+QISACK=0") == "\r\n+QISACK: 0, 0, 0\r\n\r\nOK\r\n");
}

TEST_CASE("close and reset end a socket as the far end would") {
  for (const char* line : {"close 0", "reset 0"}) {
    Connected rig;
    rig.send(0, "unread");
    CHECK(rig.fault(line));
    CHECK(rig.after(10ms) == "\r\n0, CLOSED\r\n");
    CHECK(rig.read(0).find("TCP,6\r\nunread") != std::string::npos);
    CHECK(rig.read(0) == "\r\nERROR\r\n");
  }
}

TEST_CASE("dead: sent and never acknowledged, and nothing comes") {
  Connected rig;
  CHECK(rig.fault("dead 0"));
  CHECK(rig.send(0, "x") == "\r\nSEND OK\r\n");
  CHECK(rig.after(60s).empty());
  CHECK(rig.say("AT+QISACK=0") == "\r\n+QISACK: 1, 0, 1\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+QICLOSE=0") == "\r\n0, CLOSE OK\r\n");
}

TEST_CASE("hang: nothing is heard or said, and then everything") {
  Connected rig;
  CHECK(rig.fault("hang 20"));
  rig.type("AT\r");
  rig.fault("urc RING");
  CHECK(rig.after(19999ms).empty());
  CHECK(rig.after(10ms) == "\r\nRING\r\n\r\nOK\r\n");
}

TEST_CASE("silence: done but not said") {
  Connected rig;
  CHECK(rig.fault("silence 1"));
  CHECK(rig.say("ATE1").empty());
  rig.after(1s);
  CHECK(rig.say("AT") == "AT\r\r\nOK\r\n");
}

TEST_CASE("stall: the air stands still and loses nothing") {
  Connected rig;
  CHECK(rig.fault("stall 10"));
  CHECK(rig.send(0, "x") == "\r\nSEND OK\r\n");
  CHECK(rig.after(9s).empty());
  CHECK(rig.say("AT+QISACK=0") == "\r\n+QISACK: 1, 0, 1\r\n\r\nOK\r\n");
  CHECK(rig.after(1s) == "\r\n+QIRDI: 0,1,0\r\n");
}

TEST_CASE("send-fail counts for its socket alone") {
  Connected rig;
  rig.open(1, kEcho);
  CHECK(rig.fault("send-fail 0 2"));
  CHECK(rig.send(1, "x").starts_with("\r\nSEND OK\r\n"));
  CHECK(rig.send(0, "x") == "\r\nSEND FAIL\r\n");
  CHECK(rig.send(0, "x") == "\r\nSEND FAIL\r\n");
  CHECK(rig.send(0, "x").starts_with("\r\nSEND OK\r\n"));
}

TEST_CASE("lose-send-ok: the data goes out, and QISACK can tell") {
  Connected rig;
  CHECK(rig.fault("lose-send-ok"));
  CHECK(rig.send(0, "x") == "\r\n+QIRDI: 0,1,0\r\n");
  CHECK(rig.say("AT+QISACK=0") == "\r\n+QISACK: 1, 1, 0\r\n\r\nOK\r\n");
  CHECK(rig.send(0, "x") == "\r\nSEND OK\r\n");
}

TEST_CASE("lose-urc swallows as many as it says") {
  Connected rig;
  CHECK(rig.fault("lose-urc 2"));
  rig.fault("urc ONE");
  rig.fault("urc TWO");
  rig.fault("urc THREE");
  CHECK(rig.after(10ms) == "\r\nTHREE\r\n");
}

TEST_CASE("connects can fail, hang, or be told late", "[point-6]") {
  Connected rig;
  CHECK(rig.fault("connect-fail"));
  CHECK(rig.open(1, kEcho) == "\r\nOK\r\n\r\n1, CONNECT FAIL\r\n");
  CHECK(rig.open(1, kEcho) == "\r\nOK\r\n\r\n1, CONNECT OK\r\n");
  CHECK(rig.fault("connect-hang"));
  CHECK(rig.open(2, kEcho) == "\r\nOK\r\n");
  CHECK(rig.after(75s) == "\r\n2, CONNECT FAIL\r\n");
  CHECK(rig.fault("connect-delay 100"));
  CHECK(rig.open(2, kEcho) == "\r\nOK\r\n");
  CHECK(rig.after(99s).empty());
  CHECK(rig.after(1s) == "\r\n2, CONNECT OK\r\n");
  CHECK(rig.send(2, "x").starts_with("\r\nSEND OK\r\n"));
}

TEST_CASE("activations and names can fail", "[AT+QIDEACT][point-17]") {
  Rig rig;
  rig.say("ATE0");
  rig.network.addHost("echo.example", {kServer});
  CHECK(rig.fault("activation-fail"));
  CHECK(rig.say("AT+QIDNSGIP=\"echo.example\"", 1s) == "\r\nOK\r\n\r\nERROR: 3\r\n\r\nSTATE: PDP DEACT\r\n");
  CHECK(rig.say("AT+QIDEACT", 1s) == "\r\nDEACT OK\r\n");
  CHECK(rig.fault("name-fail"));
  CHECK(rig.say("AT+QIDNSGIP=\"echo.example\"", 1s) == "\r\nOK\r\n\r\nERROR: 4\r\n\r\nSTATE: IP GPRSACT\r\n");
  CHECK(rig.say("AT+QIDNSGIP=\"echo.example\"", 1s) == "\r\nOK\r\n\r\n198.51.100.7\r\n");
}

TEST_CASE("noise spoils bytes both ways, the same ones for the same seed", "[point-22]") {
  const auto run = [](std::uint64_t seed) {
    Options options;
    options.seed = seed;
    Rig rig(options);
    rig.fault("noise 0.2");
    std::string all;
    for (int i = 0; i < 20; ++i) all += rig.say("AT+CSQ");
    return all;
  };
  CHECK(run(1) == run(1));
  CHECK(run(1) != run(2));
  Rig clean;
  clean.fault("noise 1");
  clean.fault("noise 0");
  CHECK(clean.say("AT") == "AT\r\r\nOK\r\n");
}

TEST_CASE("reboot: RDY out of nothing, and every socket is gone", "[point-9]") {
  Connected rig;
  rig.type("AT+QISEND=0,100\r");
  rig.loop.runFor(10ms);
  CHECK(rig.fault("reboot"));
  rig.heard.clear();
  CHECK(rig.after(300ms) == "\r\nRDY\r\n");
  CHECK(rig.say("AT+QISEND=0,5") == "AT+QISEND=0,5\r\r\nERROR\r\n");
}

TEST_CASE("a script calls faults at their times") {
  Connected rig;
  Script script(rig.module);
  CHECK(script.load("# comment\n\nat 2.5 urc LATER\r\nat 1 urc SOONER\nat 3 close 5\n").has_value());
  CHECK(rig.after(999ms).empty());
  CHECK(rig.after(1ms) == "\r\nSOONER\r\n");
  CHECK(rig.after(1500ms) == "\r\nLATER\r\n");
  rig.after(1s);
  CHECK(rig.transcript.find("close: is not connected") != std::string::npos);
}

TEST_CASE("a script with one wrong line does nothing, and says which line") {
  Connected rig;
  Script script(rig.module);
  const auto loaded = script.load("at 1 urc X\nat 2 nonsense\n");
  REQUIRE_FALSE(loaded.has_value());
  CHECK(loaded.error().what == "script line 2");
  // What a verb takes is known before its time comes.
  for (const char* fault : {"close 6", "close s5", "close", "hang x", "loss 2", "pdp-deact 2",
                            "connect-fail -1", "dtr up", "sms 123", "send-fail 1 x", "urc"}) {
    CAPTURE(fault);
    const auto early = script.load(std::string("at 1 urc X\n\nat 2 ") + fault);
    REQUIRE_FALSE(early.has_value());
    CHECK(early.error().what == "script line 3");
  }
  CHECK_FALSE(script.load("urc X").has_value());
  CHECK_FALSE(script.load("at x urc X").has_value());
  CHECK_FALSE(script.load("at 1").has_value());
  CHECK_FALSE(script.load("at 1   ").has_value());
  CHECK(rig.after(10s).empty());
}
