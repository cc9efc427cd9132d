#include "qimux/bridge/dns_name.hpp"

#include "support/catch.hpp"

#include <string>

using namespace qimux::bridge;
using Kind = DnsNameKind;

namespace {
std::string_view kindOf(std::string_view text) {
  return name(classifyDnsName(text));
}
}  // namespace

TEST_CASE("host names may be asked") {
  for (const char* text : {"example.com", "a", "printer", "_mqtt._tcp.example.com", "r1---sn-abc.example",
                           "a--b.c", "1.example", "123.com", "xn--bcher-kva.example", "server.test",
                           "localhost.example", "notlocal", "0xfg.ox0", "arpa", "in-addr.arpa.example"}) {
    CAPTURE(text);
    CHECK(kindOf(text) == "host");
  }
}

TEST_CASE("whatever could end or extend a command line is no host name") {
  for (const char* text : {"a\"b",
                           "a;at+qpowd=1",
                           "a\\013\\010b",
                           "a b",
                           "a\rb",
                           "a\nb",
                           "a\x1a"
                           "b",
                           "a\x1b"
                           "b",
                           "a\\.b",
                           "a\x80.b",
                           "a,b",
                           "a'b",
                           "a+b",
                           "a=b",
                           "a/b",
                           "a:b",
                           "a@b",
                           "a.",
                           ".a",
                           "a..b",
                           "-a.b",
                           "a-.b",
                           "b.-a",
                           "-",
                           ".",
                           "a*",
                           "A"}) {
    CAPTURE(text);
    CHECK(kindOf(text) == "not-a-host");
  }
  for (int byte = 0; byte < 256; ++byte) {
    const auto c = static_cast<char>(byte);
    const bool allowed = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    CAPTURE(byte);
    CHECK((classifyDnsName(std::string("a") + c + "b.example") == Kind::Host) == allowed);
  }
}

TEST_CASE("labels have at most 63 bytes, and names at most what the command line takes") {
  CHECK(kindOf(std::string(63, 'a') + ".b") == "host");
  CHECK(kindOf(std::string(64, 'a') + ".b") == "not-a-host");
  const std::string label = std::string(60, 'a') + ".";  // 61
  const std::string three = label + label + label;       // 183
  CHECK(kindOf(three + std::string(kMaxAskedName - 183, 'b')) == "host");
  CHECK(kindOf(three + std::string(kMaxAskedName - 182, 'b')) == "too-long");
  const std::string long_label = std::string(63, 'a') + ".";
  const std::string longest = long_label + long_label + long_label + std::string(61, 'b');
  CHECK(kindOf(longest) == "too-long");
  CHECK(kindOf(longest + "b") == "not-a-host");
}

TEST_CASE("an address is no name, however it is written") {
  for (const char* text :
       {"192.0.2.1", "10.1", "1", "0x7f", "0x7f.0x0.0.0x1", "0x", "127.0x1", "example.123"}) {
    CAPTURE(text);
    CHECK(kindOf(text) == "numeric");
  }
}

TEST_CASE("names that stay on the machine") {
  CHECK(kindOf("") == "root");
  CHECK(kindOf("localhost") == "loopback");
  CHECK(kindOf("a.localhost") == "loopback");
  for (const char* text : {"local", "printer.local", "x.invalid", "invalid", "abc.onion",
                           "_dns.resolver.arpa", "my\\032printer.local"}) {
    CAPTURE(text);
    CHECK(kindOf(text) == "private");
  }
  for (const char* text :
       {"1.2.0.192.in-addr.arpa", "in-addr.arpa", "8.b.d.ip6.arpa", "a\\032b.in-addr.arpa"}) {
    CAPTURE(text);
    CHECK(kindOf(text) == "reverse");
  }
}
