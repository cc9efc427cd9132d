#include "qimux/capture/stand_ins.hpp"

#include "qimux/bridge/dns_message.hpp"
#include "qimux/bridge/dns_name.hpp"
#include "qimux/bridge/escape.hpp"
#include "support/catch.hpp"

#include <map>
#include <set>
#include <string>

using namespace qimux;
using namespace qimux::capture;

namespace {

Surroundings surroundings() {
  Surroundings made;
  made.network = net::Cidr{0x0a404001, 30};
  made.gateway = 0x0a404002;
  return made;
}

std::uint32_t address(std::string_view text) {
  return *net::parseAddress(text);
}

Bytes question(std::string_view name) {
  Bytes message{0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
  while (!name.empty()) {
    const auto label = name.substr(0, name.find('.'));
    message.push_back(static_cast<Byte>(label.size()));
    message.insert(message.end(), label.begin(), label.end());
    name.remove_prefix(std::min(name.size(), label.size() + 1));
  }
  message.insert(message.end(), {0, 0, 1, 0, 1});
  return message;
}

}  // namespace

TEST_CASE("an address has one stand-in, as long as itself, and a host's") {
  StandIns stand_ins(surroundings());
  std::set<std::uint32_t> used;
  for (const auto* text :
       {"8.8.8.8", "1.1.1.1", "192.168.77.2", "93.184.216.34", "198.51.100.1", "100.64.0.1"}) {
    const auto shown = stand_ins.address(address(text));
    CHECK(shown != address(text));
    CHECK(net::text(shown).size() == std::string_view(text).size());
    CHECK(stand_ins.address(address(text)) == shown);
    CHECK(shown >> 24 < 224);
    CHECK(shown >> 24 != 127);
    CHECK(used.insert(shown).second);
  }
}

TEST_CASE("thousands of addresses keep apart") {
  StandIns stand_ins(surroundings());
  std::set<std::uint32_t> used;
  for (std::uint32_t i = 0; i < 20000; ++i)
    used.insert(stand_ins.address(0xc6336464 + i % 100 + ((i / 100) << 8)));
  CHECK(used.size() > 19000);  // 198.51.x.x: some of them have fewer digits, and so fewer stand-ins
}

TEST_CASE("addresses that are nobody's stay") {
  StandIns stand_ins(surroundings());
  for (const auto* text : {"10.64.64.1", "10.64.64.2", "192.0.0.1", "192.0.0.2", "127.0.0.1", "224.0.0.251",
                           "255.255.255.255", "0.0.0.0"}) {
    CHECK(stand_ins.address(address(text)) == address(text));
  }
}

TEST_CASE("which rules of the policy speak of a stand-in is told once") {
  auto world = surroundings();
  world.policy = {net::Cidr{address("198.51.0.0"), 16}, std::nullopt, net::Cidr{address("198.51.100.1"), 32}};
  StandIns stand_ins(world);
  const auto shown = stand_ins.address(address("198.51.100.1"));
  stand_ins.address(address("203.0.113.9"));
  stand_ins.address(address("198.51.100.1"));
  const auto ruled = stand_ins.takeRuled();
  REQUIRE(ruled.size() == 1);
  CHECK(ruled[0].address == shown);
  CHECK(ruled[0].rules == "1,3");
  CHECK(stand_ins.takeRuled().empty());
}

TEST_CASE("a name has a stand-in of the same lengths, letters and digits") {
  StandIns stand_ins(surroundings());
  const auto shown = stand_ins.name("www.secret-host7.example.com");
  CHECK(shown.size() == 28);
  CHECK(shown.find("secret") == std::string::npos);
  CHECK(shown.find("example") == std::string::npos);
  CHECK(shown[3] == '.');
  CHECK(shown[10] == '-');
  CHECK(stand_ins.name("www.secret-host7.example.com") == shown);
  // A part that two names share is shared; one that differs differs.
  const auto other = stand_ins.name("ftp.secret-host7.example.com");
  CHECK(other.substr(3) == shown.substr(3));
  CHECK(other != shown);
  // DNS asks back in the case of the question.
  const auto mixed = stand_ins.name("WwW.secret-host7.example.com");
  CHECK(mixed != shown);
  CHECK(stand_ins.name("wWw.SECRET-host7.example.com").size() == shown.size());
}

TEST_CASE("a name keeps its sort") {
  StandIns stand_ins(surroundings());
  for (const auto* name : {"www.example.com", "printer.local", "localhost", "4.3.2.1.in-addr.arpa",
                           "a_b.example", "1.2.3.4", "bad..name", "resolver.arpa", "x.onion"}) {
    CHECK(bridge::classifyDnsName(stand_ins.name(name)) == bridge::classifyDnsName(name));
  }
}

TEST_CASE("a number of somebody has a stand-in of as many digits") {
  StandIns stand_ins(surroundings());
  CHECK(stand_ins.digits("861111222233334") == "000000000000000");
  CHECK(stand_ins.digits("861111222233335") == "000000000000001");
  CHECK(stand_ins.digits("861111222233334") == "000000000000000");
}

TEST_CASE("a DNS message keeps its form, and changes names and addresses") {
  StandIns stand_ins(surroundings());
  const Bytes asked = question("www.example.com");
  const Bytes shown = stand_ins.dnsMessage(asked);
  CHECK(shown.size() == asked.size());
  CHECK(textOf(shown).find("example") == std::string_view::npos);
  const auto query = bridge::parseDnsQuery(shown);
  REQUIRE(query);
  CHECK(query->error == bridge::DnsRcode::NoError);
  CHECK(query->text == stand_ins.name("www.example.com"));
  // The answer to the shown question is what is shown of the answer.
  const auto original = bridge::parseDnsQuery(asked);
  bridge::DnsAnswer answer;
  answer.records = {bridge::dnsAddress(address("93.184.216.34"))};
  bridge::DnsAnswer masked;
  masked.records = {bridge::dnsAddress(stand_ins.address(address("93.184.216.34")))};
  CHECK(stand_ins.dnsMessage(encodeDnsAnswer(*original, answer, bridge::DnsTransport::Udp)) ==
        encodeDnsAnswer(*query, masked, bridge::DnsTransport::Udp));
}

TEST_CASE("what is no DNS message is filler") {
  StandIns stand_ins(surroundings());
  const std::string_view text = "GET / HTTP/1.0 secret";
  const Bytes shown = stand_ins.dnsMessage(bytesOf(text));
  CHECK(shown.size() == text.size());
  CHECK(textOf(shown).find("secret") == std::string_view::npos);
  for (std::size_t size = 0; size < 12; ++size) {
    CHECK(stand_ins.dnsMessage(bytesOf(text.substr(0, size))) == Bytes(size, 'x'));
  }
  Bytes cut = question("www.example.com");
  cut.resize(20);
  CHECK(textOf(stand_ins.dnsMessage(cut)).find("exam") == std::string_view::npos);
}

TEST_CASE("what decides about an ESC in payload stays") {
  const bridge::EscapeRule rule;
  for (const std::string_view text :
       {"secret", "\x1bsecret", "sec\x1bret", "sec\x1bret AT+QIDEACT", "AT sec\x1bret",
        "\x1b"
        "A/",
        "\x1b"
        "at"}) {
    const auto payload = bytesOf(text);
    const Bytes stream = StandIns::stream(payload);
    const Bytes datagram = StandIns::datagram(payload);
    CHECK(stream.size() == payload.size());
    CHECK(rule.streamPart(stream) == rule.streamPart(payload));
    CHECK(rule.datagramMayGo(datagram) == rule.datagramMayGo(payload));
    CHECK(textOf(datagram).find("sec") == std::string_view::npos);
  }
}
