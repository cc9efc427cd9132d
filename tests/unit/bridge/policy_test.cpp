#include "qimux/bridge/policy.hpp"

#include "support/catch.hpp"

using namespace qimux;
using namespace qimux::bridge;

namespace {

constexpr auto kAllow = PolicyAction::Allow;
constexpr auto kDeny = PolicyAction::Deny;
constexpr auto kTcp = PolicyProtocol::Tcp;
constexpr auto kUdp = PolicyProtocol::Udp;
constexpr auto kIcmp = PolicyProtocol::Icmp;
constexpr auto kAny = PolicyProtocol::Any;

net::Endpoint at(std::string_view address, std::uint16_t port = 0) {
  return {net::parseAddress(address).value(), port};
}

net::Cidr network(std::string_view text) {
  return net::parseCidr(text).value();
}

}  // namespace

TEST_CASE("without rules everything is allowed") {
  Policy policy;
  CHECK(policy.decide(kTcp, at("192.0.2.1", 80)) == kAllow);
  CHECK(policy.decide(kIcmp, at("192.0.2.1")) == kAllow);
  CHECK(policy.defaultHits() == 2);
  CHECK(policy.denied() == 0);
}

TEST_CASE("the first rule that matches decides, and counts") {
  Policy policy({{kAllow, kTcp, network("192.0.2.7/32"), {}},
                 {kDeny, kTcp, network("192.0.2.0/24"), {}},
                 {kAllow, kTcp, network("192.0.2.9/32"), {}}});
  CHECK(policy.decide(kTcp, at("192.0.2.7", 1)) == kAllow);
  CHECK(policy.decide(kTcp, at("192.0.2.8", 1)) == kDeny);
  CHECK(policy.decide(kTcp, at("192.0.2.9", 1)) == kDeny);
  CHECK(policy.decide(kTcp, at("192.0.3.9", 1)) == kAllow);
  CHECK(policy.rules()[0].hits == 1);
  CHECK(policy.rules()[1].hits == 2);
  CHECK(policy.rules()[2].hits == 0);
  CHECK(policy.defaultHits() == 1);
  CHECK(policy.denied() == 2);
}

TEST_CASE("a rule for one protocol leaves the others alone, one for any takes all") {
  Policy udp({{kDeny, kUdp, {}, {}}});
  CHECK(udp.decide(kUdp, at("192.0.2.1", 53)) == kDeny);
  CHECK(udp.decide(kTcp, at("192.0.2.1", 53)) == kAllow);
  CHECK(udp.decide(kIcmp, at("192.0.2.1")) == kAllow);
  Policy any({{kDeny, kAny, {}, {}}});
  for (const PolicyProtocol protocol : {kTcp, kUdp, kIcmp})
    CHECK(any.decide(protocol, at("192.0.2.1")) == kDeny);
}

TEST_CASE("ports are a range with both ends, and ICMP has none") {
  Policy policy({{kDeny, kAny, {}, PortRange{1000, 1002}}});
  CHECK(policy.decide(kTcp, at("192.0.2.1", 999)) == kAllow);
  CHECK(policy.decide(kTcp, at("192.0.2.1", 1000)) == kDeny);
  CHECK(policy.decide(kUdp, at("192.0.2.1", 1002)) == kDeny);
  CHECK(policy.decide(kUdp, at("192.0.2.1", 1003)) == kAllow);
  CHECK(policy.decide(kIcmp, at("192.0.2.1", 1001)) == kAllow);
}

TEST_CASE("a network of prefix 0 is everything") {
  Policy policy({{kDeny, kTcp, network("0.0.0.0/0"), {}}});
  CHECK(policy.decide(kTcp, at("255.255.255.255", 1)) == kDeny);
}

TEST_CASE("a rule has a text") {
  CHECK(text(PolicyRule{kDeny, kUdp, {}, PortRange{5353, 5353}}) == "deny udp port 5353");
  CHECK(text(PolicyRule{kAllow, kTcp, network("10.0.0.0/8"), PortRange{1, 9}}) ==
        "allow tcp to 10.0.0.0/8 port 1-9");
  CHECK(text(PolicyRule{kDeny, kIcmp, {}, {}}) == "deny icmp");
  CHECK(text(PolicyRule{}) == "deny any");
}
