#include "qimux/net/packet.hpp"

#include "support/catch.hpp"
#include "unit/net/segments.hpp"

#include <algorithm>
#include <random>

namespace qimux::net {
namespace {

using test::Segment;

Bytes sample() {
  Segment segment;
  segment.from = {0x0a404001, 40000};
  segment.to = {0xc6336407, 80};
  segment.seq = 0x01020304;
  segment.ack = 0x05060708;
  segment.flags = tcp::kAck | tcp::kPsh;
  segment.window = 512;
  segment.options = {1, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 8};
  segment.payload = {'a', 'b', 'c'};
  return test::makeSegment(segment);
}

Bytes datagram(Byte protocol, Bytes inner) {
  Bytes packet{
      0x45, 0, 0, static_cast<Byte>(20 + inner.size()), 0, 7, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10,
      0,    0, 2};
  packet.insert(packet.end(), inner.begin(), inner.end());
  if (protocol == kTcp || protocol == kUdp || protocol == kIcmp) test::seal(packet);
  return packet;
}

Bytes udpSample(Bytes payload) {
  Bytes inner{0x30, 0x39, 0, 53, 0, static_cast<Byte>(8 + payload.size()), 0, 0};
  inner.insert(inner.end(), payload.begin(), payload.end());
  return datagram(kUdp, inner);
}

bool parses(Bytes bytes) {
  return Packet::parse(bytes).has_value();
}

Bytes with(Bytes bytes, std::size_t at, Byte value) {
  bytes[at] = value;
  return bytes;
}

}  // namespace

TEST_CASE("a TCP segment's fields are where its headers say") {
  Bytes bytes = sample();
  bytes.push_back(0xcc);  // behind the total length: not ours
  const auto packet = Packet::parse(bytes);
  REQUIRE(packet);
  CHECK(packet->bytes().size() == bytes.size() - 1);
  CHECK(packet->protocol() == kTcp);
  CHECK(packet->ttl() == 64);
  CHECK(packet->identification() == 0x1234);
  CHECK(packet->dontFragment());
  CHECK_FALSE(packet->isFragment());
  CHECK((packet->flow() == FlowKey{{0x0a404001, 40000}, {0xc6336407, 80}}));
  const auto segment = packet->tcp();
  REQUIRE(segment);
  CHECK(segment->sourcePort() == 40000);
  CHECK(segment->destinationPort() == 80);
  CHECK(segment->seq() == 0x01020304);
  CHECK(segment->ack() == 0x05060708);
  CHECK(segment->flags() == (tcp::kAck | tcp::kPsh));
  CHECK(segment->window() == 512);
  CHECK(segment->headerLength() == 32);
  CHECK(segment->payloadLength() == 3);
  CHECK(textOf(segment->payload()) == "abc");
  CHECK(segment->length() == 3);
  CHECK((segment->options().timestamps == TcpTimestamps{9, 8}));
  CHECK_FALSE(packet->udp());
  CHECK_FALSE(packet->icmp());
  CHECK(packet->headerChecksumValid());
  CHECK(packet->transportChecksumValid());
}

TEST_CASE("SYN and FIN take a sequence number each") {
  Segment segment;
  segment.flags = tcp::kSyn | tcp::kEce | tcp::kCwr;
  Bytes bytes = test::makeSegment(segment);
  CHECK(Packet::parse(bytes)->tcp()->length() == 1);
  segment.flags = tcp::kFin | tcp::kAck;
  segment.payload = {1, 2};
  bytes = test::makeSegment(segment);
  CHECK(Packet::parse(bytes)->tcp()->length() == 3);
}

TEST_CASE("lengths that do not fit each other are no packet") {
  const Bytes good = sample();
  CHECK(parses(good));
  CHECK_FALSE(parses({}));
  CHECK_FALSE(parses(Bytes(good.begin(), good.begin() + 19)));
  CHECK_FALSE(parses(Bytes(good.begin(), good.end() - 1)));
  CHECK_FALSE(parses(with(good, 0, 0x65)));   // IPv6
  CHECK_FALSE(parses(with(good, 0, 0x44)));   // header below 20
  CHECK_FALSE(parses(with(good, 0, 0x4f)));   // header takes what TCP needs
  CHECK_FALSE(parses(with(good, 3, 19)));     // total below the header
  CHECK_FALSE(parses(with(good, 3, 39)));     // TCP header cut
  CHECK_FALSE(parses(with(good, 32, 0x40)));  // TCP header below 20
  CHECK_FALSE(parses(with(good, 32, 0xf0)));  // TCP header beyond the packet
  const Bytes dns = udpSample({1, 2, 3});
  CHECK(parses(dns));
  CHECK(parses(with(dns, 25, 8)));
  CHECK_FALSE(parses(with(dns, 25, 7)));
  CHECK_FALSE(parses(with(dns, 25, 12)));
  CHECK(parses(datagram(47, Bytes(7))));  // any other protocol is only IP
  Bytes short_udp = datagram(47, Bytes(7));
  CHECK_FALSE(parses(with(short_udp, 9, kUdp)));
  CHECK_FALSE(parses(with(short_udp, 9, kIcmp)));
}

TEST_CASE("a fragment has no transport and is not rewritten") {
  for (const Byte flags : {Byte{0x20}, Byte{0x01}}) {
    Bytes bytes = with(sample(), 6, flags);
    const Bytes before = bytes;
    auto packet = Packet::parse(bytes);
    REQUIRE(packet);
    CHECK(packet->isFragment());
    CHECK_FALSE(packet->tcp());
    CHECK((packet->source() == Endpoint{0x0a404001, 0}));
    CHECK((packet->destination() == Endpoint{0xc6336407, 0}));
    CHECK_FALSE(packet->setSource({1, 1}));
    CHECK_FALSE(packet->setDestination({1, 1}));
    packet->setAck(1);
    packet->setWindow(1);
    packet->blankSack();
    CHECK(bytes == before);
    CHECK(packet->transportChecksumValid());
  }
}

TEST_CASE("don't fragment alone makes no fragment") {
  Bytes bytes = with(sample(), 6, 0x40);
  CHECK_FALSE(Packet::parse(bytes)->isFragment());
}

TEST_CASE("UDP's own length rules its payload") {
  Bytes bytes = udpSample({1, 2, 3});
  bytes[25] = 10;
  const auto packet = Packet::parse(bytes);
  REQUIRE(packet);
  const auto view = packet->udp();
  REQUIRE(view);
  CHECK(view->sourcePort() == 12345);
  CHECK(view->destinationPort() == 53);
  CHECK(view->payload().size() == 2);
  CHECK((packet->source() == Endpoint{0x0a000001, 12345}));
  CHECK_FALSE(packet->tcp());
}

TEST_CASE("a UDP datagram without checksum stays without when rewritten") {
  Bytes bytes = udpSample({1, 2, 3});
  bytes[26] = bytes[27] = 0;
  auto packet = Packet::parse(bytes);
  CHECK(packet->transportChecksumValid());
  CHECK(packet->setDestination({0x7f000001, 5353}));
  CHECK(bytes[26] == 0);
  CHECK(bytes[27] == 0);
  CHECK(packet->headerChecksumValid());
  CHECK((packet->destination() == Endpoint{0x7f000001, 5353}));
}

TEST_CASE("ICMP echo fields, and an address rewrite that leaves its checksum alone") {
  Bytes bytes = datagram(kIcmp, {8, 0, 0, 0, 0x12, 0x34, 0, 5, 'x'});
  auto packet = Packet::parse(bytes);
  const auto echo = packet->icmp();
  REQUIRE(echo);
  CHECK(echo->type() == icmp::kEchoRequest);
  CHECK(echo->code() == 0);
  CHECK(echo->id() == 0x1234);
  CHECK(echo->sequence() == 5);
  CHECK(textOf(echo->payload()) == "x");
  CHECK_FALSE(echo->isError());
  CHECK_FALSE(echo->original());
  CHECK(packet->setSource({0x01020304, 99}));
  CHECK((packet->source() == Endpoint{0x01020304, 0}));
  CHECK(packet->headerChecksumValid());
  CHECK(packet->transportChecksumValid());
  packet->setAck(7);
  CHECK(packet->transportChecksumValid());
}

TEST_CASE("an ICMP error tells about the packet that caused it") {
  const Bytes cause = sample();
  Bytes inner{3, 1, 0, 0, 0, 0, 0, 0};
  inner.insert(inner.end(), cause.begin(), cause.begin() + 28);
  Bytes bytes = datagram(kIcmp, inner);
  const auto original = Packet::parse(bytes)->icmp()->original();
  REQUIRE(original);
  CHECK(original->protocol == kTcp);
  CHECK((original->flow == FlowKey{{0x0a404001, 40000}, {0xc6336407, 80}}));
  CHECK(original->seq == 0x01020304);

  Bytes udp_cause = inner;
  udp_cause[8 + 9] = kUdp;
  Bytes udp_bytes = datagram(kIcmp, udp_cause);
  CHECK(Packet::parse(udp_bytes)->icmp()->original()->seq == 0);
  CHECK(Packet::parse(udp_bytes)->icmp()->original()->flow.source.port == 40000);
  udp_cause[8 + 9] = 47;
  udp_bytes = datagram(kIcmp, udp_cause);
  CHECK(Packet::parse(udp_bytes)->icmp()->original()->flow.source.port == 0);
}

TEST_CASE("an ICMP error that carries too little tells nothing") {
  const Bytes cause = sample();
  for (const std::size_t kept : {std::size_t{0}, std::size_t{19}, std::size_t{27}}) {
    Bytes inner{3, 1, 0, 0, 0, 0, 0, 0};
    inner.insert(inner.end(), cause.begin(), cause.begin() + static_cast<std::ptrdiff_t>(kept));
    Bytes bytes = datagram(kIcmp, inner);
    CHECK_FALSE(Packet::parse(bytes)->icmp()->original());
  }
  for (const Byte first : {Byte{0x65}, Byte{0x44}, Byte{0x4f}}) {
    Bytes inner{3, 1, 0, 0, 0, 0, 0, 0};
    inner.insert(inner.end(), cause.begin(), cause.begin() + 28);
    inner[8] = first;
    Bytes bytes = datagram(kIcmp, inner);
    CHECK_FALSE(Packet::parse(bytes)->icmp()->original());
  }
}

TEST_CASE("the types of ICMP errors") {
  for (int type = 0; type < 256; ++type) {
    const Bytes message{static_cast<Byte>(type), 0, 0, 0, 0, 0, 0, 0};
    const bool error = type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
    CHECK(IcmpView(message).isError() == error);
  }
}

TEST_CASE("blanking SACK leaves everything else, also where the option begins at an odd byte") {
  Segment segment;
  segment.flags = tcp::kAck;
  segment.options = {1, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 8, 1, 5, 10, 0xff, 2, 3, 4, 5, 6, 7, 8, 1};
  segment.payload = {9};
  Bytes bytes = test::makeSegment(segment);
  auto packet = Packet::parse(bytes);
  REQUIRE(packet->tcp()->options().sack_count == 1);
  packet->blankSack();
  CHECK(packet->tcp()->options().sack_count == 0);
  CHECK((packet->tcp()->options().timestamps == TcpTimestamps{9, 8}));
  CHECK(packet->transportChecksumValid());
  std::fill(segment.options.begin() + 13, segment.options.begin() + 23, kOptionNop);
  CHECK(bytes == test::makeSegment(segment));
}

TEST_CASE("any rewrite of any valid segment leaves exactly the checksums that sealing anew gives") {
  std::mt19937 random(3);
  const auto number = [&] {
    return static_cast<std::uint32_t>(random() % 3 ? random() : random() % 2 * 0xffffffffU);
  };
  for (int round = 0; round < 5'000; ++round) {
    Segment segment;
    segment.from = {number(), static_cast<std::uint16_t>(number())};
    segment.to = {number(), static_cast<std::uint16_t>(number())};
    segment.seq = number();
    segment.ack = number();
    segment.flags = static_cast<std::uint8_t>(random());
    segment.window = static_cast<std::uint16_t>(number());
    segment.ip_options.assign(random() % 11, 1);
    if (random() % 2) segment.options = {1, 5, 10, 1, 2, 3, 4, 5, 6, 7, 8};
    segment.payload.resize(random() % 20);
    for (Byte& byte : segment.payload) byte = static_cast<Byte>(random());
    Bytes bytes = test::makeSegment(segment);
    auto packet = Packet::parse(bytes);
    REQUIRE(packet);
    const Endpoint from{number(), static_cast<std::uint16_t>(number())};
    const Endpoint to{number(), static_cast<std::uint16_t>(number())};
    const std::uint32_t ack = number();
    const auto window = static_cast<std::uint16_t>(number());
    REQUIRE(packet->setSource(from));
    REQUIRE(packet->setDestination(to));
    packet->setAck(ack);
    packet->setWindow(window);
    packet->blankSack();
    REQUIRE((packet->flow() == FlowKey{from, to}));
    REQUIRE(packet->tcp()->ack() == ack);
    REQUIRE(packet->tcp()->window() == window);
    REQUIRE(packet->tcp()->seq() == segment.seq);
    Bytes sealed = bytes;
    test::seal(sealed);
    REQUIRE(bytes == sealed);
  }
}

TEST_CASE("any rewrite of a UDP datagram leaves exactly the checksum that sealing anew gives") {
  std::mt19937 random(4);
  for (int round = 0; round < 70'000; ++round) {
    Bytes bytes = udpSample({static_cast<Byte>(round), 2, 3});
    auto packet = Packet::parse(bytes);
    const auto port = static_cast<std::uint16_t>(round);
    packet->setSource({static_cast<std::uint32_t>(random() % 4), port});
    if (round % 16 != 0) continue;
    Bytes sealed = bytes;
    test::seal(sealed);
    REQUIRE(bytes == sealed);
  }
}

TEST_CASE("a damaged packet is not repaired by rewriting it") {
  Bytes bytes = sample();
  bytes.back() ^= 1;
  auto packet = Packet::parse(bytes);
  CHECK_FALSE(packet->transportChecksumValid());
  packet->setSource({1, 2});
  packet->setAck(77);
  CHECK_FALSE(packet->transportChecksumValid());
  CHECK(packet->headerChecksumValid());
  bytes[8] ^= 1;
  CHECK_FALSE(packet->headerChecksumValid());
}

}  // namespace qimux::net
