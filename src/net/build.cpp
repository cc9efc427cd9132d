#include "qimux/net/build.hpp"

#include "qimux/net/checksum.hpp"
#include "qimux/net/wire.hpp"

#include <algorithm>

namespace qimux::net {
namespace {

constexpr std::size_t kIpHeader = 20;
constexpr std::size_t kTcpHeader = 20;
constexpr std::size_t kUdpHeader = 8;
constexpr std::size_t kIcmpHeader = 8;
constexpr std::size_t kTimestampBytes = 12;  // NOP NOP and the option's ten
constexpr std::size_t kErrorMax = 576;       // of a whole ICMP error, RFC 1812 4.3.2.3

// Only datagrams that may be fragmented need it to differ (RFC 6864), but a trace is easier to read where all
// do.
std::uint16_t nextIdentification() {
  static std::uint16_t last = 0;
  return ++last;
}

// The IPv4 header with zeroed room for `length` bytes behind it.
Bytes withHeader(std::uint8_t protocol, std::uint32_t from, std::uint32_t to, std::size_t length,
                 bool may_fragment) {
  Bytes packet(kIpHeader + length);
  packet[0] = 0x45;
  store16(packet, 2, static_cast<std::uint16_t>(packet.size()));
  store16(packet, 4, nextIdentification());
  packet[6] = may_fragment ? 0x00 : 0x40;
  packet[8] = 64;
  packet[9] = protocol;
  store32(packet, 12, from);
  store32(packet, 16, to);
  store16(packet, 10, checksumOf(sumOf(ByteView(packet).first(kIpHeader))));
  return packet;
}

std::uint32_t sumWithPseudoHeader(ByteView packet) {
  const ByteView inner = packet.subspan(kIpHeader);
  return pseudoHeaderSum(load32(packet, 12), load32(packet, 16), packet[9],
                         static_cast<std::uint16_t>(inner.size())) +
         sumOf(inner);
}

Bytes tcpSegment(const TcpAck& fields, std::uint8_t flags) {
  const std::size_t options = fields.timestamps ? kTimestampBytes : 0;
  Bytes packet = withHeader(kTcp, fields.from.address, fields.to.address, kTcpHeader + options, false);
  const ByteSpan segment = ByteSpan(packet).subspan(kIpHeader);
  store16(segment, 0, fields.from.port);
  store16(segment, 2, fields.to.port);
  store32(segment, 4, fields.seq);
  store32(segment, 8, fields.ack);
  segment[12] = static_cast<Byte>((kTcpHeader + options) / 4 << 4);
  segment[13] = flags;
  store16(segment, 14, fields.window);
  if (fields.timestamps) {
    segment[20] = segment[21] = kOptionNop;
    segment[22] = kOptionTimestamps;
    segment[23] = 10;
    store32(segment, 24, fields.timestamps->value);
    store32(segment, 28, fields.timestamps->echo);
  }
  store16(segment, 16, checksumOf(sumWithPseudoHeader(packet)));
  return packet;
}

// 0/8, loopback, groups, the reserved range and broadcast are no single host.
bool isSingleHost(std::uint32_t address) {
  const std::uint32_t first = address >> 24;
  return first != 0 && first != 127 && first < 224;
}

bool mayReport(const Packet& about) {
  const ByteView header = about.bytes();
  const bool later_fragment = (load16(header, 6) & 0x1fff) != 0;
  if (later_fragment || !isSingleHost(about.source().address)) return false;
  if (about.destination().address >> 28 >= 0xe) return false;
  if (about.protocol() != kIcmp) return true;
  // The type may be all of a first fragment that is left.
  const ByteView message = about.payload();
  return !message.empty() && !IcmpView(message).isError();
}

}  // namespace

Bytes tcpReset(const Packet& to) {
  const auto segment = to.tcp();
  if (!segment || segment->has(tcp::kRst)) return {};
  TcpAck fields;
  fields.from = to.destination();
  fields.to = to.source();
  if (segment->has(tcp::kAck)) {
    fields.seq = segment->ack();
    return tcpSegment(fields, tcp::kRst);
  }
  fields.ack = segment->seq() + segment->length();
  return tcpSegment(fields, tcp::kRst | tcp::kAck);
}

Bytes tcpAck(const TcpAck& fields) {
  return tcpSegment(fields, tcp::kAck);
}

Bytes icmpUnreachable(const Packet& about, std::uint8_t code, std::uint32_t from, std::uint16_t mtu) {
  if (!mayReport(about)) return {};
  const ByteView original = about.bytes();
  const ByteView quoted = original.first(std::min(original.size(), kErrorMax - kIpHeader - kIcmpHeader));
  Bytes packet = withHeader(kIcmp, from, about.source().address, kIcmpHeader + quoted.size(), true);
  const ByteSpan message = ByteSpan(packet).subspan(kIpHeader);
  message[0] = icmp::kUnreachable;
  message[1] = code;
  store16(message, 6, mtu);
  std::copy(quoted.begin(), quoted.end(), message.begin() + kIcmpHeader);
  store16(message, 2, checksumOf(sumOf(message)));
  return packet;
}

Bytes icmpEchoReply(const Packet& request) {
  const auto asked = request.icmp();
  if (!asked || asked->type() != icmp::kEchoRequest || asked->code() != 0) return {};
  if (!request.transportChecksumValid()) return {};
  const ByteView question = request.payload();
  Bytes packet =
      withHeader(kIcmp, request.destination().address, request.source().address, question.size(), true);
  const ByteSpan message = ByteSpan(packet).subspan(kIpHeader);
  std::copy(question.begin(), question.end(), message.begin());
  message[0] = icmp::kEchoReply;
  store16(message, 2, 0);
  // Summed anew: a reply of nothing but zeros is the one message that an update gives the wrong zero.
  store16(message, 2, checksumOf(sumOf(message)));
  return packet;
}

Bytes udp(const Endpoint& from, const Endpoint& to, ByteView payload) {
  if (payload.size() > kUdpPayloadMax) return {};
  const std::size_t length = kUdpHeader + payload.size();
  Bytes packet = withHeader(kUdp, from.address, to.address, length, true);
  const ByteSpan datagram = ByteSpan(packet).subspan(kIpHeader);
  store16(datagram, 0, from.port);
  store16(datagram, 2, to.port);
  store16(datagram, 4, static_cast<std::uint16_t>(length));
  std::copy(payload.begin(), payload.end(), datagram.begin() + kUdpHeader);
  const std::uint16_t checksum = checksumOf(sumWithPseudoHeader(packet));
  store16(datagram, 6, checksum == 0 ? 0xffff : checksum);
  return packet;
}

}  // namespace qimux::net
