#include "qimux/ctl/redact.hpp"

#include "support/catch.hpp"

#include <nlohmann/json.hpp>

#include <string>

using namespace qimux::ctl;

namespace {

std::string hidden(std::string_view text) {
  return Redactor(true).text(text);
}

}  // namespace

TEST_CASE("identities are hidden, in whatever form") {
  CHECK(hidden("imei 490154203237518") == "imei <number-1>");
  CHECK(hidden("imei:490154203237518,") == "imei:<number-1>,");
  CHECK(hidden("imei490154203237518x") == "imei<number-1>x");
  CHECK(hidden("49-015420-323751-8") == "<number-1>");
  CHECK(hidden("4901542032375101") == "<number-1>");  // IMEISV
  CHECK(hidden("IMSI 262011234567890") == "IMSI <number-1>");
  CHECK(hidden("8949020000012345678F.") == "<number-1>.");  // ICCID
  CHECK(hidden("+CCID: \"8949020000012345678F\"") == "+CCID: \"<hidden>\"");
  CHECK(hidden("+QCCID: 8949020000012345678") == "+QCCID: <number-1>");
}

TEST_CASE("telephone numbers are hidden") {
  CHECK(hidden("call +491711234567 now") == "call <number-1> now");
  CHECK(hidden("call +49 171 1234567, please") == "call <number-1>, please");
  CHECK(hidden("+49-171-1234567") == "<number-1>");
  CHECK(hidden("+44 (20) 7946 0958") == "<number-1>");
  CHECK(hidden("\"01711234\"") == "\"<number-1>\"");
  CHECK(hidden("01711234567") == "<number-1>");
  CHECK(hidden("+CNUM: \"me\",\"+491711234567\",145") == "+CNUM: \"<hidden>\",\"<hidden>\",145");
  CHECK(hidden("+CLIP: \"017112\",129") == "+CLIP: \"<hidden>\",129");
}

TEST_CASE("the cell, which is a place, is hidden") {
  CHECK(hidden("module: +CREG: 1,\"1A2B\",\"3C4D\"") == "module: +CREG: 1,\"<hidden>\",\"<hidden>\"");
}

TEST_CASE("addresses of the Internet are hidden, others help") {
  CHECK(hidden("tcp 198.51.100.7:443 sent") == "tcp <address-1>:443 sent");
  CHECK(hidden("8.8.8.8, 8.8.8.8 and 9.9.9.9.") == "<address-1>, <address-1> and <address-2>.");
  for (const char* kept : {"10.64.64.1/30", "127.0.0.1:80", "192.168.77.2", "172.16.0.1", "172.31.255.255",
                           "100.64.0.1", "169.254.1.1", "0.0.0.0/0", "224.0.0.1", "255.255.255.255"})
    CHECK(hidden(kept) == kept);
  CHECK(hidden("172.32.0.1") == "<address-1>");
  CHECK(hidden("version 0.1.0, firmware v1.2.3.4") == "version 0.1.0, firmware v1.2.3.4");
}

TEST_CASE("IPv6 and network cards") {
  CHECK(hidden("nameserver 2001:db8:1::53") == "nameserver <address-1>");
  CHECK(hidden("[2001:db8::1]:80, 2001:db8::1.") == "[<address-1>]:80, <address-1>.");
  CHECK(hidden("link/ether 52:54:00:12:34:56 brd ff:ff:ff:ff:ff:ff") == "link/ether <card-1> brd <card-2>");
  for (const char* kept : {"::1", "fe80::1", "fd00:1::2", "::", "02:05:57", "a::b::c", "std::string", "1:2",
                           "x:", "QIMUX: 0,1,0", "qimuxd.toml:3: serial.baud: wrong"})
    CHECK(hidden(kept) == kept);
}

TEST_CASE("times, counters and versions stay") {
  for (const char* kept : {"2026-11-23T02:05:57+0000 qimuxd[812]: link: online", "socket 3: 15935 bytes",
                           "+CSQ: 21,0", "+CME ERROR: 148", "took 612 ms, 99.123456789012 s",
                           "6.1.0-18-amd64", "0403:6001", "AT+QIOPEN=0", "baud 115200", "123456789 packets"})
    CHECK(hidden(kept) == kept);
}

TEST_CASE("the same thing has the same name in one report") {
  Redactor redactor(true);
  CHECK(redactor.text("490154203237518\n262011234567890\n") == "<number-1>\n<number-2>\n");
  CHECK(redactor.text("49-015420-323751-8 again") == "<number-1> again");
}

TEST_CASE("JSON: texts and keys are looked at, numbers are counters") {
  const Json json = Json::parse(R"({"imei":"490154203237518","sent":490154203237518,
    "list":["198.51.100.7:80",null,true],"198.51.100.7":{"a":"+491711234567"}})");
  CHECK(Redactor(true).json(json).dump() ==
        R"({"imei":"<number-1>","sent":490154203237518,"list":["<address-1>:80",null,true],)"
        R"("<address-1>":{"a":"<number-2>"}})");
  CHECK(Redactor(false).json(json) == json);
  CHECK(Redactor(false).text("490154203237518") == "490154203237518");
}

TEST_CASE("odd texts do no harm") {
  for (const char* text :
       {"", "\"", "+", "+\n", "1.", "....", "+CNUM: \"", "\"\"\"", "1.2.3.4.5.6.7", "-", "+-("})
    CHECK_FALSE(hidden(text).empty() != std::string_view(text).empty());
  CHECK(hidden(std::string(100'000, '7')) == "<number-1>");
}
