// The discipline of the line: what is a command, what is echoed, what waits for what.
#include "qimux/sim/terminal.hpp"

#include "rig.hpp"
#include "support/catch.hpp"

using namespace qimux;
using namespace qimux::sim;
using namespace qimux::sim::test;

TEST_CASE("a command is echoed with its CR, and answered after the latency", "[point-13]") {
  Rig rig;
  rig.type("AT\r");
  CHECK(rig.after(1ms) == "AT\r");
  CHECK(rig.after(3ms).empty());
  CHECK(rig.after(1ms) == "\r\nOK\r\n");
}

TEST_CASE("without latency the answer comes in the same turn") {
  Options options;
  options.command_latency = 0ms;
  Rig rig(options);
  rig.type("ATE0\r");
  CHECK(rig.after(0ms) == "ATE0\r\r\nOK\r\n");
}

TEST_CASE("CR LF ends a line as CR does, and lower case is understood", "[AT+CSQ][point-24]") {
  Rig rig;
  rig.say("ATE0");
  rig.type("AT\r\n");
  CHECK(rig.after(20ms) == "\r\nOK\r\n");
  CHECK(rig.say("at+csq") == "\r\n+CSQ: 22,0\r\n\r\nOK\r\n");
}

TEST_CASE("a line may come byte by byte") {
  Rig rig;
  rig.say("ATE0");
  for (const char c : std::string_view("AT+CREG?\r")) {
    rig.type(std::string_view(&c, 1));
    rig.loop.runFor(1ms);
  }
  CHECK(rig.after(20ms) == "\r\n+CREG: 0,1\r\n\r\nOK\r\n");
}

TEST_CASE("joined commands give their lines and one OK, and the first that fails ends them",
          "[AT+CREG][AT+CGREG][point-24]") {
  Rig rig;
  rig.say("ATE0");
  CHECK(rig.say("AT+CREG?;+CGREG?") == "\r\n+CREG: 0,1\r\n\r\n+CGREG: 0,1\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+CREG?;+NONSENSE;+CGREG?") == "\r\n+CREG: 0,1\r\n\r\nERROR\r\n");
  CHECK(rig.say("ATE0V1&W+CSQ;+CMEE?") == "\r\n+CSQ: 22,0\r\n\r\n+CMEE: 1\r\n\r\nOK\r\n");
}

TEST_CASE("what the module does not know is ERROR") {
  Rig rig;
  rig.say("ATE0");
  CHECK(rig.say("AT+QIRD=0,1") == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QISTATE=1,0") == "\r\nERROR\r\n");
  // With AT+QIMUX=0 a server has no number of clients.
  CHECK(rig.say("AT+QISERVER=0,3") == "\r\nERROR\r\n");
  // What newer families know.
  CHECK(rig.say("AT+QISENDEX=0,\"3031\"") == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QIURC?") == "\r\n+QIURC: 1\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+QIOPEN=1,0,\"TCP\",\"198.51.100.7\",80,0,0") == "\r\nERROR\r\n");
  CHECK(rig.say("AT+") == "\r\nERROR\r\n");
  CHECK(rig.say("ATX9") == "\r\nERROR\r\n");
}

TEST_CASE("what is no command is not answered, and what stands before AT is ignored") {
  Rig rig;
  rig.say("ATE0");
  CHECK(rig.say("hello").empty());
  CHECK(rig.say("").empty());
  CHECK(rig.say("\x1a\x1b\nAT") == "\r\nOK\r\n");
}

TEST_CASE("a line of more than 256 characters is ERROR and does nothing", "[point-24]") {
  Rig rig;
  rig.say("ATE0");
  CHECK(rig.say("ATE1" + std::string(252, ' ')) == "\r\nOK\r\n");
  rig.say("ATE0");
  CHECK(rig.say("ATE1" + std::string(253, ' ')) == "\r\nERROR\r\n");
  CHECK(rig.say("AT") == "\r\nOK\r\n");
}

TEST_CASE("errors take the form that AT+CMEE asks for", "[AT+CMEE][point-18]") {
  Options options;
  options.no_sim = true;
  Rig rig(options);
  rig.say("ATE0");
  CHECK(rig.say("AT+CPIN?") == "\r\n+CME ERROR: 10\r\n");
  rig.say("AT+CMEE=2");
  CHECK(rig.say("AT+CPIN?") == "\r\n+CME ERROR: SIM not inserted\r\n");
  rig.say("AT+CMEE=0");
  CHECK(rig.say("AT+CPIN?") == "\r\nERROR\r\n");
}

TEST_CASE("ATV0 makes results digits", "[ATV]") {
  Rig rig;
  rig.say("ATE0");
  CHECK(rig.say("ATV0") == "0\r");
  CHECK(rig.say("AT+CSQ") == "+CSQ: 22,0\r\n0\r");
  CHECK(rig.say("AT+X") == "4\r");
  CHECK(rig.say("ATV1") == "\r\nOK\r\n");
}

TEST_CASE("with cr-cr-lf an answer to an echoed command begins with one CR more", "[ATE][point-13]") {
  Rig rig(withQuirk(Quirk::CrCrLf));
  CHECK(rig.say("AT+CSQ") == "AT+CSQ\r\r\r\n+CSQ: 22,0\r\n\r\nOK\r\n");
  rig.say("ATE0");
  CHECK(rig.say("AT+CSQ") == "\r\n+CSQ: 22,0\r\n\r\nOK\r\n");
}

TEST_CASE("what the module says by itself waits for the command that runs, and leaves with its final",
          "[AT+QIACT][point-5]") {
  Rig rig;
  rig.say("ATE0");
  rig.say("AT+QIREGAPP");
  rig.type("AT+QIACT\r");
  rig.loop.runFor(100ms);
  rig.fault("urc RING");
  CHECK(rig.after(100ms).empty());
  rig.pieces.clear();
  CHECK(rig.after(1s) == "\r\nOK\r\n\r\nRING\r\n");
  CHECK(rig.pieces.size() == 1);
  rig.fault("urc UNDER_VOLTAGE WARNING");
  CHECK(rig.after(0ms) == "\r\nUNDER_VOLTAGE WARNING\r\n");
}

TEST_CASE("a line out of the blue can fall into an echo", "[AT+CSQ][point-5][point-23]") {
  Rig rig;
  rig.type("AT+C");
  rig.loop.runFor(1ms);
  rig.fault("urc RING");
  rig.loop.runFor(1ms);
  rig.type("SQ\r");
  CHECK(rig.after(100ms) == "AT+C\r\nRING\r\nSQ\r\r\n+CSQ: 22,0\r\n\r\nOK\r\n");
}

TEST_CASE("what is typed while a command runs waits in the FIFO, and what does not fit is lost",
          "[point-16][point-22]") {
  Rig rig;
  rig.say("ATE0");
  rig.say("AT+QIREGAPP");
  rig.type("AT+QIACT\r");
  rig.loop.runFor(100ms);
  rig.type("AT+CSQ\r");
  CHECK(rig.after(1s) == "\r\nOK\r\n\r\n+CSQ: 22,0\r\n\r\nOK\r\n");

  rig.fault("hang 1");
  const std::string line = "AT+CSQ\r";
  std::string flood;
  for (int i = 0; i < 600; ++i) flood += line;
  rig.type(flood);
  CHECK(rig.after(999ms).empty());
  // 3584 bytes are 512 whole lines.
  const std::string heard = rig.after(10s);
  std::size_t answers = 0;
  for (std::size_t at = 0; (at = heard.find("OK", at)) != std::string::npos; ++at) ++answers;
  CHECK(answers == 512);
  CHECK(rig.transcript.find("input FIFO full: 616 bytes lost, 616 in all") != std::string::npos);
}

TEST_CASE("with typeahead-lost what is typed into a running command is gone", "[point-16]") {
  Rig rig(withQuirk(Quirk::TypeaheadLost));
  rig.say("ATE0");
  rig.say("AT+QIREGAPP");
  rig.type("AT+QIACT\r");
  rig.loop.runFor(100ms);
  rig.type("AT+CSQ\r");
  CHECK(rig.after(1s) == "\r\nOK\r\n");
}

TEST_CASE("a stored setting survives a restart, and one that is not does not", "[AT&W][AT&F][AT+CMEE]") {
  Rig rig;
  rig.say("ATE0");
  rig.say("AT+CMEE=2;&W");
  rig.say("AT+CMEE=0");
  rig.fault("reboot");
  rig.after(1min);
  CHECK(rig.say("AT+CMEE?") == "\r\n+CMEE: 2\r\n\r\nOK\r\n");
  CHECK(rig.say("AT&F") == "\r\nOK\r\n");
  CHECK(rig.say("AT+CMEE?") == "AT+CMEE?\r\r\n+CMEE: 1\r\n\r\nOK\r\n");
}

TEST_CASE("AT+IPR answers at the old rate and then changes it", "[AT+IPR]") {
  Rig rig;
  rig.say("ATE0");
  CHECK(rig.say("AT+IPR?") == "\r\n+IPR: 115200\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+IPR=57601") == "\r\nERROR\r\n");
  rig.type("AT+IPR=57600\r");
  CHECK(rig.after(5ms) == "\r\nOK\r\n");
  CHECK(rig.baud == 0);
  rig.loop.runFor(50ms);
  CHECK(rig.baud == 57600);
}

TEST_CASE("without flow control the FIFO of 3,584 bytes overflows", "[point-22]") {
  Rig rig;
  rig.bringUp();
  rig.open(0, kQuiet);
  rig.type("AT+QIDEACT\r");
  rig.type(std::string(5000, 'x'));
  CHECK_FALSE(rig.host_held);
  CHECK(rig.transcript.find("input FIFO full: 1416 bytes lost") != std::string::npos);
}

TEST_CASE("with RTS and CTS the host is stopped before the FIFO is full", "[AT+IFC][point-22]") {
  Rig rig;
  rig.bringUp();
  CHECK(rig.say("AT+IFC=2,2") == "\r\nOK\r\n");
  rig.type("AT+QIDEACT\r");
  rig.type(std::string(1792, 'x'));
  CHECK_FALSE(rig.host_held);
  rig.type("x");
  CHECK(rig.host_held);
  rig.after(1s);
  CHECK_FALSE(rig.host_held);
}

TEST_CASE("with XON and XOFF either side stops the other", "[AT+IFC][point-22]") {
  Rig rig;
  rig.bringUp();
  rig.say("AT+IFC=1,1");
  rig.type("AT+QIDEACT\r");
  rig.type(std::string(2000, 'x'));
  CHECK(rig.after(10ms) == "\x13");
  CHECK(rig.after(1s) == "\r\nDEACT OK\r\n\x11");
  rig.type("\x13\rAT\r");
  CHECK(rig.after(100ms).empty());
  rig.type("\x11");
  CHECK(rig.after(100ms) == "\r\nOK\r\n");
}

TEST_CASE("flow control and the bits of a character are set, told and stored", "[AT+IFC][AT+ICF][AT&W]") {
  Rig rig;
  rig.say("ATE0");
  CHECK(rig.say("AT+IFC?;+ICF?") == "\r\n+IFC: 0,0\r\n\r\n+ICF: 3,3\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+IFC=2,2;+ICF=2;&W") == "\r\nOK\r\n");
  CHECK(rig.say("AT+IFC=3") == "\r\nERROR\r\n");
  rig.fault("reboot");
  rig.after(1min);
  CHECK(rig.say("AT+IFC?;+ICF?") == "\r\n+IFC: 2,2\r\n\r\n+ICF: 2,3\r\n\r\nOK\r\n");
}

TEST_CASE("a host that is held is let go when AT+IFC changes what holds it", "[AT+IFC][point-22]") {
  Rig rig;
  rig.bringUp();
  rig.say("AT+IFC=2,2");
  rig.type("AT+QIDEACT\r");
  rig.type("AT+IFC=0,0\r" + std::string(2000, 'x'));
  CHECK(rig.host_held);
  rig.after(1s);
  CHECK_FALSE(rig.host_held);
  rig.type("\r");
  CHECK(rig.say("AT") == "\r\nOK\r\n");
}

TEST_CASE("XOFF and a hang hold the module's line each for itself", "[AT+IFC]") {
  Rig rig;
  rig.bringUp();
  rig.say("AT+IFC=1,1");
  rig.type("\x13");
  rig.fault("hang 0.2");
  rig.type("AT\r");
  CHECK(rig.after(1s).empty());
  rig.fault("hang 1");
  rig.type("\x11");
  CHECK(rig.after(500ms).empty());
  CHECK(rig.after(1s) == "\r\nOK\r\n");
  rig.type("\x13");
  rig.type("AT+IFC=0,0\r");
  CHECK(rig.after(1s) == "\r\nOK\r\n");
}

TEST_CASE("a module that cannot say what it has to say hears no more, and holds a bounded amount") {
  Rig rig;
  rig.bringUp();
  rig.backlog = 1 << 20;
  for (int i = 0; i < 1000; ++i) rig.type("ATI\r");
  CHECK(rig.after(1s).empty());
  CHECK(rig.transcript.find("input FIFO full") != std::string::npos);
  for (int i = 0; i < 5000; ++i) rig.fault("urc +CREG: 1");
  CHECK(rig.heard.size() < 100'000);
  rig.backlog = 0;
  CHECK(rig.after(10s).find("Quectel") != std::string::npos);
}
