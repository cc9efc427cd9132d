#include "qimux/daemon/control_at.hpp"

#include "support/catch.hpp"

#include <string>

using qimux::ErrorKind;
using qimux::daemon::checkAtCommand;

namespace {

// The words of the refusal; empty where the command passes.
std::string refusal(std::string_view command) {
  const auto checked = checkAtCommand(command);
  if (checked) return {};
  CHECK(checked.error().kind == ErrorKind::Invalid);
  CHECK(checked.error().what.empty() == command.empty());
  return checked.error().reply;
}

bool refusedBecause(std::string_view command, std::string_view words) {
  return refusal(command).find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("commands that ask pass") {
  for (const std::string_view command :
       {"AT",           "ATI",       "AT&V",       "AT+CSQ",       "AT+CREG?",    "AT+CGREG?",
        "AT+COPS?",     "AT+CPIN?",  "AT+GSN",     "AT+CGMR",      "AT+QINISTAT", "AT+CFUN?",
        "AT+IPR?",      "AT+IPR=?",  "AT+CMEE?",   "AT+QSCLK?",    "AT+CMUX?",    "AT+CCLK?",
        "AT+QISTATE",   "AT+QISTAT", "AT+QISSTAT", "AT+QILOCIP",   "AT+QISACK=0", "AT+QISACK=5",
        "AT+QIDNSCFG?", "AT+QIMUX?", "AT+QIMODE?", "AT+QINDI?",    "AT+QINDI=?",  "AT+QISRVC?",
        "AT+QIFGCNT?",  "AT+QISDE?", "AT+QICSGP?", "AT+QISERVER?", "AT+QILPORT?"}) {
    INFO(command);
    CHECK(checkAtCommand(command).has_value());
  }
}

TEST_CASE("the sockets and their bytes stay the daemon's") {
  CHECK(refusedBecause("AT+QIOPEN=0,\"TCP\",\"198.51.100.7\",80", "gives out the module's sockets"));
  CHECK(refusedBecause("AT+QIOPEN", "\"sockets\""));
  CHECK(refusedBecause("AT+QIOPEN?", "connect through the interface"));
  CHECK(refusedBecause("AT+QICLOSE=0", "gives out the module's sockets"));
  CHECK(refusedBecause("AT+QISEND=0,5", "\"flows\""));
  CHECK(refusedBecause("AT+QISEND", "\"flows\""));
  CHECK(refusedBecause("AT+QIRD=0,1,0,1500", "\"flows\""));
  CHECK(refusedBecause("AT+QISERVER=0,5", "[[listen]]"));
  CHECK(refusedBecause("AT+QISERVER", "[[listen]]"));
  CHECK(refusedBecause("AT+QILPORT=\"TCP\",2020", "[[listen]]"));
}

TEST_CASE("the context and the settings of the stack stay the daemon's") {
  CHECK(refusedBecause("AT+QIDEACT", "brings the context up and down"));
  CHECK(refusedBecause("AT+QIACT", "[module]"));
  CHECK(refusedBecause("AT+QIREGAPP", "[module]"));
  CHECK(refusedBecause("AT+QIREGAPP=\"internet\",\"\",\"\"", "[module]"));
  CHECK(refusedBecause("AT+QIFGCNT=1", "[module]"));
  CHECK(refusedBecause("AT+QICSGP=1,\"internet\"", "[module]"));
  for (const std::string_view command :
       {"AT+QIMUX=0", "AT+QIMODE=1", "AT+QINDI=0", "AT+QISRVC=2", "AT+QISDE=1", "AT+QIDNSIP=0", "AT+QIHEAD=1",
        "AT+QIPROMPT=2", "AT+QISCON"}) {
    INFO(command);
    CHECK(refusedBecause(command, "relies on the value that it set"));
  }
}

TEST_CASE("a question for an APN's password is no question to pass") {
  CHECK(refusedBecause("AT+QIREGAPP?", "[module]"));
}

TEST_CASE("what changes the module's answers is refused") {
  for (const std::string_view command :
       {"ATE0", "ATE1", "ATE", "ATV0", "ATQ1", "ATZ", "ATS3=13", "AT&F", "AT&W", "AT&W0", "AT+CMEE=2",
        "AT+IPR=9600", "AT+IFC=2,2", "AT+ICF=1", "AT+QSCLK=1"}) {
    INFO(command);
    CHECK(refusedBecause(command, "would not understand it any more"));
  }
}

TEST_CASE("what takes the line or stops the module is refused") {
  for (const std::string_view command :
       {"ATD*99#", "ATDT12345", "ATA", "ATO", "ATH", "AT+CMUX=0", "AT+CGDATA=\"PPP\",1", "+++"}) {
    INFO(command);
    CHECK(refusedBecause(command, "takes the line away"));
  }
  for (const std::string_view command : {"AT+CFUN=1,1", "AT+CFUN=0", "AT+QPOWD=1", "AT+QPOWD"}) {
    INFO(command);
    CHECK(refusedBecause(command, "stop the module"));
  }
  CHECK(refusedBecause("A/", "repeats a command"));
}

TEST_CASE("what the configuration is for is refused") {
  for (const std::string_view command :
       {"AT+CPIN=\"1234\"", "AT+CPIN=1234", "AT+CGATT=0", "AT+CGACT=0,1", "AT+COPS=2", "AT+COPS=0"}) {
    INFO(command);
    CHECK(refusedBecause(command, "registers and attaches"));
  }
}

TEST_CASE("what answers late has a verb of its own") {
  CHECK(refusedBecause("AT+QIDNSGIP=\"example.org\"", "use \"dns NAME\""));
  CHECK(refusedBecause("AT+QPING=\"192.0.2.1\"", "use \"ping ADDRESS\""));
  CHECK(refusedBecause("AT+QNTP=\"pool.ntp.org\"", "AT+CCLK?"));
  CHECK(refusedBecause("AT+COPS=?", "searches for minutes"));
}

TEST_CASE("what nobody thought of is refused too") {
  for (const std::string_view command :
       {"AT+QFLST=\"*\"", "AT+CMGS=\"+123\"", "AT+CSQ=1", "AT+CSQ?", "ATI9", "AT+", "AT?", "AT=?", "ATX",
        "AT +CSQ", "AT+CSQ ", "AT+GSN0", "AT+CREG=2", "AT&"}) {
    INFO(command);
    CHECK_FALSE(refusal(command).empty());
  }
  CHECK(refusedBecause("AT+QFLST=\"*\"", "only commands that ask"));
}

TEST_CASE("a socket's acknowledgements take one of the six") {
  for (const std::string_view command : {"AT+QISACK", "AT+QISACK=", "AT+QISACK=6", "AT+QISACK=-1",
                                         "AT+QISACK=00", "AT+QISACK=0,1", "AT+QISACK?"}) {
    INFO(command);
    CHECK(refusedBecause(command, "AT+QISACK=0 to AT+QISACK=5"));
  }
}

TEST_CASE("two commands in one are refused, whatever they are") {
  CHECK(refusedBecause("AT+CSQ;+CREG?", "one command at a time"));
  CHECK(refusedBecause("AT+CSQ;", "one command at a time"));
  CHECK(refusedBecause("AT;E1", "one command at a time"));
}

TEST_CASE("nothing that ends a line or is no ASCII passes") {
  for (const std::string_view command :
       {"AT\r", "AT\n", "AT+CSQ\rATZ", "AT\x1a", "AT\x1b", "AT\x7f", "AT\x80", "AT\t"}) {
    CHECK(refusedBecause(command, "printable ASCII"));
  }
  CHECK(refusedBecause(std::string_view("AT\0", 3), "printable ASCII"));
}

TEST_CASE("what does not begin with AT is refused") {
  for (const std::string_view command : {"at+csq", "CSQ", "+CSQ", " AT", "A", "OK"}) {
    INFO(command);
    CHECK(refusedBecause(command, "begins with AT"));
  }
  CHECK(refusedBecause("", "no command"));
}

TEST_CASE("length is bounded, and what is shown of a long one too") {
  CHECK(refusedBecause("AT+" + std::string(198, 'X'), "at most 200"));
  CHECK(refusedBecause("AT+" + std::string(197, 'X'), "only commands that ask"));
  const auto checked = checkAtCommand(std::string(1000, '\x01'));
  REQUIRE_FALSE(checked);
  CHECK(checked.error().what.size() == 40 * 4 + 3);
}
