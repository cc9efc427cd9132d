#include "qimux/base/bytes.hpp"

#include "support/catch.hpp"

#include <string>

using namespace qimux;
using namespace std::string_literals;

TEST_CASE("text and bytes are views of each other") {
  const std::string text = "+QIRD: \0\xff"s;
  const ByteView bytes = bytesOf(text);
  REQUIRE(bytes.size() == 9);
  CHECK(bytes[7] == 0);
  CHECK(bytes[8] == 0xff);
  CHECK(textOf(bytes) == text);
}

TEST_CASE("printable text is left as it is") {
  CHECK(printable("AT+CGMI 0123 ~") == "AT+CGMI 0123 ~");
  CHECK(printable("").empty());
}

TEST_CASE("what could break a line or colour a terminal is escaped") {
  CHECK(printable("a\r\nb\tc") == "a\\r\\nb\\tc");
  CHECK(printable("\x1b[31m\x1a\x7f") == "\\x1b[31m\\x1a\\x7f");
  CHECK(printable("\0\xc3\xbf"s) == "\\x00\\xc3\\xbf");
}

TEST_CASE("a backslash is doubled, so that an escape cannot be forged") {
  CHECK(printable("\\x1b") == "\\\\x1b");
}
