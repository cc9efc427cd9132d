#include "qimux/base/error.hpp"

#include "support/catch.hpp"

#include <cerrno>
#include <string>

using namespace qimux;

TEST_CASE("an error says what failed, what was answered and of which kind it is") {
  CHECK(Error{ErrorKind::Refused, "AT+QIACT", "+CME ERROR: 148"}.text() ==
        "AT+QIACT: +CME ERROR: 148 (refused)");
}

TEST_CASE("an error without an answer says no more than it knows") {
  CHECK(Error{ErrorKind::Timeout, "AT", ""}.text() == "AT: timeout");
}

TEST_CASE("each kind has its own name") {
  CHECK(name(ErrorKind::Cancelled) == "cancelled");
  CHECK(name(ErrorKind::Timeout) == "timeout");
  CHECK(name(ErrorKind::Refused) == "refused");
  CHECK(name(ErrorKind::Full) == "full");
  CHECK(name(ErrorKind::Closed) == "closed");
  CHECK(name(ErrorKind::Garbled) == "garbled");
  CHECK(name(ErrorKind::Invalid) == "invalid");
  CHECK(name(ErrorKind::System) == "system");
}

TEST_CASE("a system error carries the kernel's words") {
  const Error error = systemError("/dev/gsm0", ENOENT);
  CHECK(error.kind == ErrorKind::System);
  CHECK(error.what == "/dev/gsm0");
  CHECK(error.reply == "No such file or directory");
}
