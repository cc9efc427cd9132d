// Addresses, command lines and the transcript.
#include "qimux/async/virtual_loop.hpp"
#include "qimux/sim/address.hpp"
#include "qimux/sim/command.hpp"
#include "qimux/sim/transcript.hpp"
#include "support/catch.hpp"

using namespace qimux;
using namespace qimux::sim;
using namespace std::chrono_literals;

TEST_CASE("addresses are four decimal numbers and nothing else") {
  CHECK(parseIpv4("192.0.2.1") == Ipv4{0xc0000201});
  CHECK(parseIpv4("255.255.255.255") == Ipv4{0xffffffff});
  for (const char* bad : {"", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.", ".1.2.3", "1.2.3.4 ", "a.b.c.d",
                          "1..2.3", "-1.2.3.4", "0x1.2.3.4"}) {
    CAPTURE(bad);
    CHECK_FALSE(parseIpv4(bad));
  }
  CHECK(text(Endpoint{{0xc0000201}, 80}) == "192.0.2.1:80");
}

TEST_CASE("a range contains what its bits say") {
  CHECK(parseCidr("198.51.100.0/24")->contains(*parseIpv4("198.51.100.200")));
  CHECK_FALSE(parseCidr("198.51.100.0/24")->contains(*parseIpv4("198.51.101.0")));
  CHECK(parseCidr("0.0.0.0/0")->contains(*parseIpv4("8.8.8.8")));
  CHECK_FALSE(parseCidr("8.8.8.8")->contains(*parseIpv4("8.8.8.9")));
  for (const char* bad : {"198.51.100.0/33", "198.51.100.0/", "198.51.100/24", "/24"})
    CHECK_FALSE(parseCidr(bad));
}

TEST_CASE("a line falls into commands at semicolons outside quotes, basic ones without any") {
  const auto parts = splitLine("E0V1&W+QIDNSGIP=\"a;b\";+CSQ;;I");
  CHECK(parts == std::vector<std::string_view>{"E0", "V1", "&W", "+QIDNSGIP=\"a;b\"", "+CSQ", "I"});
  CHECK(splitLine("").empty());
  CHECK(splitLine(";;").empty());
  CHECK(splitLine("&") == std::vector<std::string_view>{"&"});
}

TEST_CASE("a command has a name, a form and arguments") {
  std::string store;
  const auto open = parseCall("+qiopen=0, \"TCP\" ,\"a,b\",80", store);
  REQUIRE(open);
  CHECK(open->name == "+QIOPEN");
  CHECK(open->form == Form::Set);
  REQUIRE(open->count() == 4);
  CHECK(open->number(0, 0, 5) == 0);
  CHECK(open->string(1) == "TCP");
  CHECK(open->string(2) == "a,b");
  CHECK(open->looseNumber(3, 1, 65535) == 80);
  CHECK_FALSE(open->string(3));
  CHECK_FALSE(open->number(1, 0, 5));
  CHECK_FALSE(open->number(3, 0, 79));
  CHECK_FALSE(open->number(4, 0, 5));

  CHECK(parseCall("+CSQ", store)->form == Form::Execute);
  CHECK(parseCall("+CSQ?", store)->form == Form::Read);
  CHECK(parseCall("+CSQ=?", store)->form == Form::Test);
  CHECK(parseCall("E1", store)->number(0, 0, 1) == 1);
  CHECK_FALSE(parseCall("", store));
  CHECK_FALSE(parseCall("+CSQ!", store));
}

TEST_CASE("numbers of any length and sign are refused, not wrapped") {
  std::string store;
  for (const char* bad :
       {"+X=99999999999999999999", "+X=-1", "+X=+1", "+X=1x", "+X=", "+X=1.0", "+X=\"1\""}) {
    CAPTURE(bad);
    CHECK_FALSE(parseCall(bad, store)->number(0, 0, 5));
  }
}

TEST_CASE("the transcript has the time, the direction, and no control bytes") {
  async::VirtualLoop loop;
  std::vector<std::string> lines;
  Transcript transcript(loop, [&](std::string_view line) { lines.emplace_back(line); });
  loop.runFor(1500ms);
  transcript.command("AT\x1b");
  transcript.payloadOut(bytesOf(std::string(100, 'x')));
  REQUIRE(lines.size() == 2);
  CHECK(lines[0] == "    1.500000 -> AT\\x1b");
  CHECK(lines[1] == "    1.500000 <- \"" + std::string(32, 'x') + "\"... (100 bytes)");
}
