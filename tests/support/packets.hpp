// Packets as a program's kernel would send them, and packets in words.
#pragma once

#include "qimux/net/address.hpp"
#include "qimux/net/checksum.hpp"
#include "qimux/net/packet.hpp"
#include "qimux/net/wire.hpp"

#include <string>
#include <string_view>

namespace qimux::test {

inline Bytes ipPacket(std::uint8_t protocol, std::uint32_t from, std::uint32_t to, const Bytes& inner) {
  Bytes packet(20);
  packet[0] = 0x45;
  net::store16(packet, 2, static_cast<std::uint16_t>(20 + inner.size()));
  packet[6] = 0x40;
  packet[8] = 64;
  packet[9] = protocol;
  net::store32(packet, 12, from);
  net::store32(packet, 16, to);
  net::store16(packet, 10, net::checksumOf(net::sumOf(packet)));
  packet.insert(packet.end(), inner.begin(), inner.end());
  return packet;
}

struct TcpFields {
  net::Endpoint from;
  net::Endpoint to;
  std::uint8_t flags = 0;
  std::uint32_t seq = 0;
  std::uint32_t ack = 0;
  std::string payload{};
  std::uint16_t window = 65535;
};

inline Bytes tcpPacket(const TcpFields& fields) {
  Bytes segment(20);
  net::store16(segment, 0, fields.from.port);
  net::store16(segment, 2, fields.to.port);
  net::store32(segment, 4, fields.seq);
  net::store32(segment, 8, fields.ack);
  segment[12] = 0x50;
  segment[13] = fields.flags;
  net::store16(segment, 14, fields.window);
  segment.insert(segment.end(), fields.payload.begin(), fields.payload.end());
  const auto sum = net::pseudoHeaderSum(fields.from.address, fields.to.address, net::kTcp,
                                        static_cast<std::uint16_t>(segment.size()));
  net::store16(segment, 16, net::checksumOf(sum + net::sumOf(segment)));
  return ipPacket(net::kTcp, fields.from.address, fields.to.address, segment);
}

// Without a checksum, as UDP allows.
inline Bytes udpPacket(net::Endpoint from, net::Endpoint to, std::string_view payload) {
  Bytes datagram(8);
  net::store16(datagram, 0, from.port);
  net::store16(datagram, 2, to.port);
  net::store16(datagram, 4, static_cast<std::uint16_t>(8 + payload.size()));
  datagram.insert(datagram.end(), payload.begin(), payload.end());
  return ipPacket(net::kUdp, from.address, to.address, datagram);
}

inline Bytes icmpPacket(std::uint32_t from, std::uint32_t to, std::uint8_t type, std::string_view payload) {
  Bytes message(8);
  message[0] = type;
  net::store16(message, 4, 77);  // id
  net::store16(message, 6, 3);   // sequence
  message.insert(message.end(), payload.begin(), payload.end());
  net::store16(message, 2, net::checksumOf(net::sumOf(message)));
  return ipPacket(net::kIcmp, from, to, message);
}

inline std::string flagNames(std::uint8_t flags) {
  std::string names;
  for (const auto& [mask, letter] : {std::pair(net::tcp::kSyn, 'S'), std::pair(net::tcp::kFin, 'F'),
                                     std::pair(net::tcp::kRst, 'R'), std::pair(net::tcp::kAck, 'A')}) {
    if ((flags & mask) != 0) names += letter;
  }
  return names;
}

// "tcp 10.0.0.1:80 > 10.64.64.1:40000 RA seq 0 ack 1001", "icmp 3/1 10.64.64.2 > 10.64.64.1 about
// 10.64.64.1:40000 > 10.0.0.1:80", with " (damaged)" behind it where a checksum is wrong.
inline std::string words(Bytes bytes) {
  const auto packet = net::Packet::parse(bytes);
  if (!packet) return "malformed";
  std::string text;
  if (const auto tcp = packet->tcp()) {
    text = "tcp " + net::text(packet->flow()) + " " + flagNames(tcp->flags()) + " seq " +
           std::to_string(tcp->seq()) + " ack " + std::to_string(tcp->ack());
    if (tcp->payloadLength() > 0) text += " \"" + std::string(textOf(tcp->payload())) + "\"";
  } else if (const auto udp = packet->udp()) {
    text = "udp " + net::text(packet->flow()) + " \"" + std::string(textOf(udp->payload())) + "\"";
  } else if (const auto icmp = packet->icmp()) {
    text = "icmp " + std::to_string(icmp->type()) + "/" + std::to_string(icmp->code()) + " " +
           net::text(packet->source().address) + " > " + net::text(packet->destination().address);
    if (const auto about = icmp->original()) text += " about " + net::text(about->flow);
  } else {
    text = "protocol " + std::to_string(packet->protocol());
  }
  if (!packet->headerChecksumValid() || !packet->transportChecksumValid()) text += " (damaged)";
  return text;
}

}  // namespace qimux::test
