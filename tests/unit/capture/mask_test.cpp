#include "qimux/capture/mask.hpp"

#include "qimux/capture/channel.hpp"
#include "qimux/net/build.hpp"
#include "qimux/net/packet.hpp"
#include "support/catch.hpp"
#include "support/packets.hpp"

#include <string>

using namespace qimux;
using namespace qimux::capture;
using qimux::test::icmpPacket;
using qimux::test::TcpFields;
using qimux::test::tcpPacket;
using qimux::test::udpPacket;

namespace {

constexpr std::uint32_t kHost = 0x0a404001;
constexpr std::uint32_t kGateway = 0x0a404002;
constexpr std::uint32_t kServer = 0x5db8d822;

Surroundings surroundings() {
  Surroundings made;
  made.network = net::Cidr{kHost, 30};
  made.gateway = kGateway;
  return made;
}

bool shows(const Bytes& bytes, std::string_view text) {
  return textOf(bytes).find(text) != std::string_view::npos;
}

Bytes segment(const std::string& payload) {
  return tcpPacket(TcpFields{.from = {kHost, 40000},
                             .to = {kServer, 80},
                             .flags = net::tcp::kAck | net::tcp::kPsh,
                             .seq = 1000,
                             .ack = 5000,
                             .payload = payload});
}

}  // namespace

TEST_CASE("a segment keeps its header, and nothing of what it carries") {
  auto mask = Mask::withStandIns(surroundings());
  Bytes original = segment("GET /secret");
  Bytes shown = mask.packet(original);
  CHECK(shown.size() == original.size());
  CHECK_FALSE(shows(shown, "secret"));
  const auto packet = net::Packet::parse(shown);
  REQUIRE(packet);
  CHECK(packet->headerChecksumValid());
  CHECK(packet->transportChecksumValid());
  CHECK(packet->source() == net::Endpoint{kHost, 40000});
  CHECK(packet->destination() == net::Endpoint{mask.address(kServer), 80});
  CHECK(packet->destination().address != kServer);
  CHECK(packet->tcp()->seq() == 1000);
  CHECK(packet->tcp()->ack() == 5000);
}

TEST_CASE("a segment that is damaged is shown as damaged") {
  auto mask = Mask::withStandIns(surroundings());
  Bytes original = segment("GET /secret");
  original[36] ^= 0x55;
  Bytes shown = mask.packet(original);
  CHECK(net::Packet::parse(shown)->headerChecksumValid());
  CHECK_FALSE(net::Packet::parse(shown)->transportChecksumValid());
}

TEST_CASE("rewriting what is shown gives what is shown of the rewritten") {
  auto mask = Mask::withStandIns(surroundings());
  Bytes original = segment("GET /secret");
  Bytes shown = mask.packet(original);
  const auto rewrite = [](Bytes& bytes) {
    auto packet = net::Packet::parse(bytes);
    packet->setSource({0xc0000002, 1024});
    packet->setDestination({0xc0000001, 1024});
    packet->setAck(4000);
  };
  rewrite(shown);
  rewrite(original);
  CHECK(comparable(mask.packet(original)) == comparable(shown));
}

TEST_CASE("an error about a packet is about the packet that is shown") {
  auto mask = Mask::withStandIns(surroundings());
  Bytes original = segment("GET /secret");
  Bytes shown = mask.packet(original);
  const Bytes about_shown = net::icmpUnreachable(*net::Packet::parse(shown), 1, kGateway);
  const Bytes about_original = net::icmpUnreachable(*net::Packet::parse(original), 1, kGateway);
  CHECK(comparable(mask.packet(about_original)) == comparable(about_shown));
  CHECK_FALSE(shows(mask.packet(about_original), "secret"));
}

TEST_CASE("an error about a fragment is about the fragment that is shown") {
  auto mask = Mask::withStandIns(surroundings());
  Bytes original = net::udp({kHost, 4000}, {kServer, 5000}, bytesOf("secret secret secret"));
  original[6] = 0x20;  // more to come
  Bytes shown = mask.packet(original);
  REQUIRE(net::Packet::parse(shown)->isFragment());
  const Bytes about_shown = net::icmpUnreachable(*net::Packet::parse(shown), 4, kGateway, 1488);
  const Bytes about_original = net::icmpUnreachable(*net::Packet::parse(original), 4, kGateway, 1488);
  CHECK(comparable(mask.packet(about_original)) == comparable(about_shown));
  CHECK_FALSE(shows(mask.packet(about_original), "secret"));
}

TEST_CASE("a datagram's payload is not shown, but a question to the gateway's name server is") {
  auto mask = Mask::withStandIns(surroundings());
  const std::string asked = std::string("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00", 12) +
                            "\x06secret" + std::string("\x00\x00\x01\x00\x01", 5);
  Bytes away = mask.packet(net::udp({kHost, 4000}, {kServer, 53}, bytesOf(asked)));
  CHECK(net::Packet::parse(away)->udp()->payload()[12] == 'x');
  Bytes here = mask.packet(net::udp({kHost, 4000}, {kGateway, 53}, bytesOf(asked)));
  CHECK(net::Packet::parse(here)->udp()->payload()[12] == 6);
  CHECK(net::Packet::parse(here)->transportChecksumValid());
  CHECK_FALSE(shows(here, "secret"));
  CHECK_FALSE(shows(away, "secret"));
}

TEST_CASE("what is no packet is filler, and stays none") {
  auto mask = Mask::withStandIns(surroundings());
  for (const std::string_view text : {"", "secret", "`secret secret secret secret secret secret secret"}) {
    Bytes shown = mask.packet(bytesOf(text));
    CHECK(shown == Bytes(text.size(), 'x'));
    CHECK_FALSE(net::Packet::parse(shown));
  }
}

TEST_CASE("questions over TCP are shown where they are whole") {
  auto mask = Mask::withStandIns(surroundings());
  const std::string asked = std::string("\x00\x18\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00", 14) +
                            "\x06secret" + std::string("\x00\x00\x01\x00\x01", 5);
  const Bytes whole = mask.stream(bytesOf(asked), true);
  CHECK(whole.size() == asked.size());
  CHECK(whole[1] == 0x18);
  CHECK(whole[14] == 6);
  CHECK_FALSE(shows(whole, "secret"));
  CHECK(mask.stream(bytesOf(asked).first(20), true) == Bytes(20, 'x'));
  CHECK(mask.stream(bytesOf(asked), false) == Bytes(asked.size(), 'x'));
}

TEST_CASE("without a mask everything is as it is") {
  auto mask = Mask::none(surroundings());
  const Bytes original = segment("GET /secret");
  CHECK(mask.packet(original) == original);
  CHECK(textOf(mask.toModule(bytesOf("AT+CPIN=\"4711\"\r"), false)) == "AT+CPIN=\"4711\"\r");
  CHECK(textOf(mask.fromModule(bytesOf("half a li"))) == "half a li");
  CHECK(mask.name("www.example.com") == "www.example.com");
  CHECK(mask.address(kServer) == kServer);
}
