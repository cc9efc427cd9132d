#include "qimux/at/command.hpp"

#include "support/catch.hpp"

using namespace qimux;
using namespace qimux::at;

TEST_CASE("a failure is ERROR, or one of the numbered and spoken kinds") {
  CHECK(failure("ERROR") == "ERROR");
  CHECK(failure("+CME ERROR: 14") == "+CME ERROR: 14");
  CHECK(failure("+CME ERROR: SIM busy") == "+CME ERROR: SIM busy");
  CHECK(failure("+CMS ERROR: 500") == "+CMS ERROR: 500");
  CHECK(failure(" ERROR ") == "ERROR");
}

TEST_CASE("a name's error and other lines are no failure of a command") {
  for (const char* line : {"ERROR: 4", "OK", "SEND FAIL", "CONNECT FAIL", "NO ERROR", ""}) {
    CHECK_FALSE(failure(line));
  }
}

TEST_CASE("the number of a CME error, where it has one") {
  CHECK(cmeCode(Error{ErrorKind::Refused, "AT+CPIN?", "+CME ERROR: 14"}) == 14);
  CHECK(cmeCode(Error{ErrorKind::Refused, "AT+CPIN?", "+CME ERROR:10"}) == 10);
  CHECK_FALSE(cmeCode(Error{ErrorKind::Refused, "AT+CPIN?", "+CME ERROR: SIM busy"}));
  CHECK_FALSE(cmeCode(Error{ErrorKind::Refused, "AT+CPIN?", "ERROR"}));
  CHECK_FALSE(cmeCode(Error{ErrorKind::Timeout, "AT+CPIN?", "no answer"}));
}
