// TCP segments as values, for tests: made whole, with right checksums, by arithmetic of their own.
#pragma once

#include "qimux/base/bytes.hpp"
#include "qimux/net/packet.hpp"

namespace qimux::net::test {

struct Segment {
  Endpoint from;
  Endpoint to;
  std::uint32_t seq = 0;
  std::uint32_t ack = 0;
  std::uint8_t flags = 0;
  std::uint16_t window = 0;
  Bytes options;     // padded with zeros to a multiple of four
  Bytes ip_options;  // the same
  Bytes payload;
};

Bytes makeSegment(const Segment& segment);
Segment readSegment(const Packet& packet);

// Writes right IPv4, TCP, UDP and ICMP checksums into a packet whose lengths are right. The slow and obvious
// way, as a second opinion.
void seal(Bytes& packet);

inline Bytes makeAck(Endpoint from, Endpoint to, std::uint32_t seq, std::uint32_t ack, std::uint16_t window) {
  Segment segment;
  segment.from = from;
  segment.to = to;
  segment.seq = seq;
  segment.ack = ack;
  segment.flags = tcp::kAck;
  segment.window = window;
  return makeSegment(segment);
}

}  // namespace qimux::net::test
