#include "qimux/at/text.hpp"

#include "qimux/base/bytes.hpp"
#include "support/catch.hpp"

#include <cstdint>
#include <string>

using namespace qimux;
using namespace qimux::at;

using Fields = std::vector<std::string_view>;

TEST_CASE("blanks at both ends are no part of a line") {
  CHECK(trim("  UNDER_VOLTAGE WARNING \t\r") == "UNDER_VOLTAGE WARNING");
  CHECK(trim(" \t ").empty());
  CHECK(trim("").empty());
}

TEST_CASE("fields are separated by commas, with or without blanks, with or without quotes") {
  CHECK(fields("30, 20, 10") == Fields{"30", "20", "10"});
  CHECK(fields("30,20,10") == Fields{"30", "20", "10"});
  CHECK(fields(R"(0,"TCP","10.0.0.1","80","CONNECTED")") ==
        Fields{"0", "TCP", "10.0.0.1", "80", "CONNECTED"});
  CHECK(fields(R"("", "")") == Fields{"", ""});
  CHECK(fields("") == Fields{""});
  CHECK(fields(",") == Fields{"", ""});
}

TEST_CASE("a single quote sign is no quoted field") {
  CHECK(fields("\",a") == Fields{"\"", "a"});
}

TEST_CASE("no more fields than asked for") {
  CHECK(fields("1,2,3,4", 2) == Fields{"1", "2"});
  CHECK(fields(std::string(1000, ',')).size() == 16);
}

TEST_CASE("a number is a whole field of digits that fits") {
  CHECK(number<std::uint32_t>("0") == 0u);
  CHECK(number<std::uint32_t>("4294967295") == 4294967295u);
  CHECK_FALSE(number<std::uint32_t>("4294967296"));
  CHECK_FALSE(number<int>("-1"));
  CHECK_FALSE(number<int>("+1"));
  CHECK_FALSE(number<int>("1a"));
  CHECK_FALSE(number<int>(" 1"));
  CHECK_FALSE(number<int>(""));
}

TEST_CASE("what follows a prefix is given without its blanks") {
  CHECK(after("+QIRDI: 0,1,0", "+QIRDI:") == "0,1,0");
  CHECK(after("+QIRDI:0,1,0", "+QIRDI:") == "0,1,0");
  CHECK(after("+QIRDI:", "+QIRDI:") == "");
  CHECK_FALSE(after("+QIRD: 0,1,0", "+QIRDI:"));
}

TEST_CASE("an address is four numbers and nothing else") {
  CHECK(dottedAddress("10.1.2.3") == 0x0a010203u);
  CHECK(dottedAddress("255.255.255.255") == 0xffffffffu);
  for (const char* wrong : {"", "10.1.2", "10.1.2.3.4", "10.1.2.256", "10.1.2.3 ", " 10.1.2.3", "a.b.c.d",
                            "10.1.2.-3", "1111111111111111"}) {
    CHECK_FALSE(dottedAddress(wrong));
  }
}

TEST_CASE("a value is quoted only where it can neither end its quotes nor its line") {
  CHECK(quoted("internet") == "\"internet\"");
  CHECK(quoted("") == "\"\"");
  CHECK(quoted("a b;c=d") == "\"a b;c=d\"");
  using namespace std::string_literals;
  for (const std::string& bad :
       {"a\"b"s, "a\rAT+CFUN=0"s, "a\nb"s, "a\x1a"s, "a\x1b"s, "a\\b"s, "\0"s, "\x7f"s, "\xc3\xbc"s}) {
    const auto result = quoted(bad);
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == ErrorKind::Invalid);
    // What is told of it cannot break a line either.
    CHECK(result.error().what == printable(bad));
  }
}
