// Packets of our own making: refusals, acknowledgements, echo replies and datagrams.
//
// Whole IPv4 packets without options, with all checksums, ready for a TUN. An empty result means that no such
// answer may be sent.
#pragma once

#include "qimux/base/bytes.hpp"
#include "qimux/net/address.hpp"
#include "qimux/net/packet.hpp"

#include <cstdint>
#include <optional>

namespace qimux::net {

// Refuses a segment as a closed port does (RFC 9293 3.10.7.1): ECONNREFUSED in answer to a SYN, ECONNRESET
// else. A reset without the ACK flag would be ignored in SYN-SENT, so a segment without ACK gets RST and ACK.
// Empty for a RST and for what is no TCP.
Bytes tcpReset(const Packet& to);

struct TcpAck {
  Endpoint from;
  Endpoint to;
  std::uint32_t seq = 0;
  std::uint32_t ack = 0;
  std::uint16_t window = 0;
  std::optional<TcpTimestamps> timestamps;  // where the connection uses them: RFC 7323 3.2 wants them in each
};
// A segment without payload that only acknowledges.
Bytes tcpAck(const TcpAck& fields);

// ICMP destination unreachable (type 3) to the source of `about`, which is given as its sender sent it, or
// the sender cannot find the socket. `from` must not be an address of the machine itself: it drops those as
// martians. Carries the header and up to 548 bytes (RFC 1812 4.3.2.3). Empty where RFC 1122 3.2.2 forbids an
// error: about an ICMP error, a later fragment, to or from a group, or no single host. `mtu` is what fits,
// for kFragmentationNeeded only (RFC 1191 4).
Bytes icmpUnreachable(const Packet& about, std::uint8_t code, std::uint32_t from, std::uint16_t mtu = 0);

// The answer to an echo request, with its id, sequence and payload. Empty for anything else, and for a
// request whose checksum is wrong.
Bytes icmpEchoReply(const Packet& request);

inline constexpr std::size_t kUdpPayloadMax = 65507;
// One datagram, unfragmented, that may be fragmented on its way. Empty where the payload is longer than
// kUdpPayloadMax; what the MTU allows is the caller's to know.
Bytes udp(const Endpoint& from, const Endpoint& to, ByteView payload);

}  // namespace qimux::net
