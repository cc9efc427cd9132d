#include "qimux/net/address.hpp"

#include "support/catch.hpp"

#include <unordered_set>

namespace qimux::net {

TEST_CASE("an address is four decimal numbers and nothing else") {
  CHECK(parseAddress("1.2.3.4").value() == 0x01020304);
  CHECK(parseAddress("255.255.255.255").value() == 0xffffffff);
  CHECK(parseAddress("0.0.0.0").value() == 0);
  for (const char* bad :
       {"", "1", "1.2.3", "1.2.3.", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", " 1.2.3.4", "1.2.3.-4",
        "1.2.3.+4", "1..3.4", "0x1.2.3.4", "1.2.3.99999999999999999999", "a.b.c.d"}) {
    INFO(bad);
    const auto address = parseAddress(bad);
    REQUIRE_FALSE(address);
    CHECK(address.error().kind == ErrorKind::Invalid);
  }
}

TEST_CASE("a network is an address and a prefix; a bare address is itself alone") {
  CHECK((parseCidr("10.64.64.1/30").value() == Cidr{0x0a404001, 30}));
  CHECK((parseCidr("0.0.0.0/0").value() == Cidr{0, 0}));
  CHECK((parseCidr("1.2.3.4").value() == Cidr{0x01020304, 32}));
  for (const char* bad :
       {"", "1.2.3/8", "1.2.3.4/", "1.2.3.4/33", "1.2.3.4/-1", "1.2.3.4/08", "1.2.3.4/8x", "1.2.3.4x"}) {
    INFO(bad);
    CHECK_FALSE(parseCidr(bad));
  }
}

TEST_CASE("a network contains what shares its prefix") {
  const Cidr network{0x0a404001, 30};
  CHECK(network.network() == 0x0a404000);
  CHECK(network.contains(0x0a404003));
  CHECK_FALSE(network.contains(0x0a404004));
  CHECK(Cidr{0, 0}.contains(0xffffffff));
  CHECK(Cidr{5, 32}.contains(5));
  CHECK_FALSE(Cidr{5, 32}.contains(4));
}

TEST_CASE("values as text") {
  CHECK(text(std::uint32_t{0xc0a80001}) == "192.168.0.1");
  CHECK(text(Endpoint{0x01020304, 80}) == "1.2.3.4:80");
  CHECK(text(FlowKey{{0x01020304, 1024}, {0x05060708, 80}}) == "1.2.3.4:1024 > 5.6.7.8:80");
  CHECK(text(Cidr{0x01020300, 24}) == "1.2.3.0/24");
}

TEST_CASE("two destinations from one source port are two flows") {
  const FlowKey one{{1, 1000}, {2, 80}};
  const FlowKey other{{1, 1000}, {3, 80}};
  CHECK(one != other);
  CHECK((one.reversed() == FlowKey{{2, 80}, {1, 1000}}));
  CHECK(one.reversed() != one);
}

TEST_CASE("the hashes of neighbouring flows differ, also in direction") {
  std::unordered_set<std::size_t> hashes;
  std::unordered_set<std::size_t> endpoints;
  for (std::uint16_t port = 1; port <= 1000; ++port) {
    const FlowKey flow{{0x0a000001, port}, {0x0a000002, 80}};
    hashes.insert(std::hash<FlowKey>{}(flow));
    hashes.insert(std::hash<FlowKey>{}(flow.reversed()));
    endpoints.insert(std::hash<Endpoint>{}(flow.source));
  }
  CHECK(hashes.size() == 2000);
  CHECK(endpoints.size() == 1000);
}

}  // namespace qimux::net
