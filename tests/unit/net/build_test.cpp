#include "qimux/net/build.hpp"

#include "support/catch.hpp"
#include "unit/net/segments.hpp"

namespace qimux::net {
namespace {

using test::Segment;

constexpr Endpoint kApp{0x0a404001, 40000};
constexpr Endpoint kRemote{0xc6336407, 80};

Bytes segmentWith(std::uint8_t flags, Bytes payload = {}) {
  Segment segment;
  segment.from = kApp;
  segment.to = kRemote;
  segment.seq = 0xfffffffe;
  segment.ack = 5000;
  segment.flags = flags;
  segment.payload = std::move(payload);
  return test::makeSegment(segment);
}

Bytes resetFor(Bytes segment) {
  return tcpReset(*Packet::parse(segment));
}
Bytes unreachableFor(Bytes packet) {
  return icmpUnreachable(*Packet::parse(packet), icmp::kHostUnreachable, 0x0a404002);
}

// Parses what we built, and requires that it is right all over.
Packet sound(Bytes& bytes) {
  const auto packet = Packet::parse(bytes);
  REQUIRE(packet);
  REQUIRE(packet->bytes().size() == bytes.size());
  REQUIRE(packet->headerChecksumValid());
  REQUIRE(packet->transportChecksumValid());
  REQUIRE(packet->ttl() == 64);
  return *packet;
}

Bytes icmpMessage(Byte type, Byte code, std::uint32_t from, std::uint32_t to) {
  Bytes packet{0x45, 0, 0, 31, 0,    1,    0, 0, 64, kIcmp, 0, 0, 0,   0,   0,  0,
               0,    0, 0, 0,  type, code, 0, 0, 1,  2,     3, 4, 'p', 'q', 'r'};
  for (std::size_t i = 0; i < 4; ++i) {
    packet[12 + i] = static_cast<Byte>(from >> (24 - 8 * i));
    packet[16 + i] = static_cast<Byte>(to >> (24 - 8 * i));
  }
  test::seal(packet);
  return packet;
}

}  // namespace

TEST_CASE("a SYN is refused by RST and ACK, which acknowledges it and its payload, across the wrap") {
  Bytes refusal = resetFor(segmentWith(tcp::kSyn | tcp::kEce | tcp::kCwr, {1, 2, 3}));
  const Packet packet = sound(refusal);
  CHECK((packet.flow() == FlowKey{kRemote, kApp}));
  CHECK(packet.tcp()->flags() == (tcp::kRst | tcp::kAck));
  CHECK(packet.tcp()->seq() == 0);
  CHECK(packet.tcp()->ack() == 2);
}

TEST_CASE("a segment with ACK is refused by a RST at the number it acknowledged") {
  for (const auto flags :
       {tcp::kAck, std::uint8_t{tcp::kAck | tcp::kFin}, std::uint8_t{tcp::kAck | tcp::kSyn}}) {
    Bytes refusal = resetFor(segmentWith(flags, {1}));
    const Packet packet = sound(refusal);
    CHECK(packet.tcp()->flags() == tcp::kRst);
    CHECK(packet.tcp()->seq() == 5000);
  }
}

TEST_CASE("a RST is never answered, nor is what is no TCP") {
  CHECK(resetFor(segmentWith(tcp::kRst)).empty());
  CHECK(resetFor(segmentWith(tcp::kRst | tcp::kAck)).empty());
  CHECK(resetFor(icmpMessage(8, 0, 0x0a000001, 0x0a000002)).empty());
}

TEST_CASE("an acknowledgement with and without timestamps") {
  TcpAck fields;
  fields.from = kRemote;
  fields.to = kApp;
  fields.seq = 7;
  fields.ack = 9;
  fields.window = 1234;
  Bytes plain = tcpAck(fields);
  CHECK(plain.size() == 40);
  CHECK(sound(plain).tcp()->flags() == tcp::kAck);
  fields.timestamps = TcpTimestamps{0x01020304, 0x05060708};
  Bytes stamped = tcpAck(fields);
  const Packet packet = sound(stamped);
  CHECK((packet.flow() == FlowKey{kRemote, kApp}));
  CHECK(packet.tcp()->seq() == 7);
  CHECK(packet.tcp()->ack() == 9);
  CHECK(packet.tcp()->window() == 1234);
  CHECK(packet.tcp()->payloadLength() == 0);
  CHECK(packet.tcp()->options().timestamps == fields.timestamps);
}

TEST_CASE("unreachable carries the packet it is about, as it was sent") {
  const Bytes about = segmentWith(tcp::kSyn);
  Bytes error = unreachableFor(about);
  const Packet packet = sound(error);
  CHECK(packet.source().address == 0x0a404002);
  CHECK(packet.destination().address == kApp.address);
  CHECK(packet.icmp()->type() == icmp::kUnreachable);
  CHECK(packet.icmp()->code() == icmp::kHostUnreachable);
  const ByteView quoted = packet.icmp()->payload();
  CHECK(Bytes(quoted.begin(), quoted.end()) == about);
  CHECK((packet.icmp()->original()->flow == FlowKey{kApp, kRemote}));
}

TEST_CASE("unreachable about a long packet is no longer than 576 bytes") {
  Bytes error = unreachableFor(segmentWith(tcp::kAck, Bytes(1400, 'x')));
  CHECK(sound(error).bytes().size() == 576);
}

TEST_CASE("no ICMP error where RFC 1122 forbids it") {
  CHECK_FALSE(unreachableFor(icmpMessage(8, 0, 0x0a000001, 0x0a000002)).empty());
  CHECK(unreachableFor(icmpMessage(3, 1, 0x0a000001, 0x0a000002)).empty());
  CHECK(unreachableFor(icmpMessage(11, 0, 0x0a000001, 0x0a000002)).empty());
  for (const std::uint32_t source : {0x00000000U, 0x7f000001U, 0xe0000001U, 0xffffffffU}) {
    CHECK(unreachableFor(icmpMessage(8, 0, source, 0x0a000002)).empty());
  }
  CHECK(unreachableFor(icmpMessage(8, 0, 0x0a000001, 0xe00000fb)).empty());
  CHECK(unreachableFor(icmpMessage(8, 0, 0x0a000001, 0xffffffff)).empty());
  Bytes later = segmentWith(tcp::kAck, Bytes(16));
  later[7] = 1;
  CHECK(unreachableFor(later).empty());
  Bytes first = segmentWith(tcp::kAck, Bytes(16));
  first[6] = 0x20;
  CHECK_FALSE(unreachableFor(first).empty());
  Bytes nothing{0x45, 0, 0, 20, 0, 1, 0x20, 0, 64, kIcmp, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2};
  CHECK(unreachableFor(nothing).empty());
}

TEST_CASE("an echo reply gives back what was asked") {
  Bytes request = icmpMessage(8, 0, 0x0a000001, 0x08080808);
  Bytes reply = icmpEchoReply(*Packet::parse(request));
  const Packet packet = sound(reply);
  CHECK(packet.source().address == 0x08080808);
  CHECK(packet.destination().address == 0x0a000001);
  CHECK(packet.icmp()->type() == icmp::kEchoReply);
  CHECK(packet.icmp()->id() == 0x0102);
  CHECK(packet.icmp()->sequence() == 0x0304);
  CHECK(textOf(packet.icmp()->payload()) == "pqr");
}

TEST_CASE("only an echo request is replied to, and no damaged one") {
  Bytes reply = icmpMessage(0, 0, 0x0a000001, 0x08080808);
  CHECK(icmpEchoReply(*Packet::parse(reply)).empty());
  Bytes odd = icmpMessage(8, 1, 0x0a000001, 0x08080808);
  CHECK(icmpEchoReply(*Packet::parse(odd)).empty());
  Bytes tcp_segment = segmentWith(tcp::kSyn);
  CHECK(icmpEchoReply(*Packet::parse(tcp_segment)).empty());
  Bytes damaged = icmpMessage(8, 0, 0x0a000001, 0x08080808);
  damaged.back() ^= 1;
  CHECK(icmpEchoReply(*Packet::parse(damaged)).empty());
}

TEST_CASE("an echo reply of nothing but zeros has a checksum that is right all the same") {
  Bytes request{0x45, 0, 0, 28, 0, 1, 0, 0, 64, kIcmp, 0, 0, 10, 0, 0, 1, 8, 8, 8, 8, 8, 0, 0, 0, 0, 0, 0, 0};
  test::seal(request);
  Bytes reply = icmpEchoReply(*Packet::parse(request));
  CHECK(sound(reply).icmp()->type() == icmp::kEchoReply);
}

TEST_CASE("datagrams of every size that the link carries, empty ones too") {
  for (std::size_t size = 0; size <= 1460; size += size < 20 ? 1 : 97) {
    Bytes payload(size, 0x5a);
    Bytes bytes = udp(kRemote, kApp, payload);
    const Packet packet = sound(bytes);
    CHECK((packet.flow() == FlowKey{kRemote, kApp}));
    CHECK(packet.udp()->payload().size() == size);
    CHECK_FALSE(packet.isFragment());
    CHECK_FALSE(packet.dontFragment());
  }
  Bytes longest = udp(kRemote, kApp, Bytes(kUdpPayloadMax));
  CHECK(sound(longest).bytes().size() == 65535);
  CHECK(udp(kRemote, kApp, Bytes(kUdpPayloadMax + 1)).empty());
}

TEST_CASE("a datagram whose sum is zero says 0xffff, because 0 would mean none") {
  int seen = 0;
  for (unsigned word = 0; word <= 0xffff; ++word) {
    const Bytes payload{static_cast<Byte>(word >> 8), static_cast<Byte>(word & 0xff)};
    const Bytes bytes = udp(kRemote, kApp, payload);
    REQUIRE((bytes[26] != 0 || bytes[27] != 0));
    if (bytes[26] == 0xff && bytes[27] == 0xff) ++seen;
  }
  CHECK(seen >= 1);
}

TEST_CASE("two datagrams bear different identifications") {
  Bytes one = udp(kRemote, kApp, Bytes(1));
  Bytes two = udp(kRemote, kApp, Bytes(1));
  CHECK(Packet::parse(one)->identification() != Packet::parse(two)->identification());
}

}  // namespace qimux::net
