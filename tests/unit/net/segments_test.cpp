#include "unit/net/segments.hpp"

namespace qimux::net::test {
namespace {

void append16(Bytes& bytes, unsigned value) {
  bytes.push_back(static_cast<Byte>(value >> 8 & 0xff));
  bytes.push_back(static_cast<Byte>(value & 0xff));
}
void append32(Bytes& bytes, std::uint32_t value) {
  append16(bytes, value >> 16);
  append16(bytes, value & 0xffff);
}

// One's complement addition, a byte pair at a time, with the carry at once.
std::uint16_t slowChecksum(ByteView bytes) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum += i % 2 == 0 ? static_cast<unsigned>(bytes[i]) * 256 : bytes[i];
    if (sum > 0xffff) sum -= 0xffff;
  }
  return static_cast<std::uint16_t>(0xffff - sum);
}

void put16(Bytes& bytes, std::size_t at, unsigned value) {
  bytes[at] = static_cast<Byte>(value >> 8);
  bytes[at + 1] = static_cast<Byte>(value & 0xff);
}

}  // namespace

void seal(Bytes& packet) {
  const std::size_t header = (packet[0] & 0xfU) * 4;
  put16(packet, 10, 0);
  put16(packet, 10, slowChecksum(ByteView(packet).first(header)));
  const Byte protocol = packet[9];
  const std::size_t at = header + (protocol == kTcp ? 16 : protocol == kUdp ? 6 : 2);
  put16(packet, at, 0);
  Bytes summed;
  if (protocol != kIcmp) {
    summed.assign(packet.begin() + 12, packet.begin() + 20);
    append16(summed, protocol);
    append16(summed, static_cast<unsigned>(packet.size() - header));
  }
  summed.insert(summed.end(), packet.begin() + static_cast<std::ptrdiff_t>(header), packet.end());
  const std::uint16_t checksum = slowChecksum(summed);
  put16(packet, at, checksum == 0 && protocol == kUdp ? 0xffff : checksum);
}

Bytes makeSegment(const Segment& segment) {
  Bytes options = segment.options;
  while (options.size() % 4 != 0) options.push_back(0);
  Bytes ip_options = segment.ip_options;
  while (ip_options.size() % 4 != 0) ip_options.push_back(0);
  const std::size_t header = 20 + ip_options.size();
  Bytes packet{static_cast<Byte>(0x40 | header / 4), 0};
  append16(packet, static_cast<unsigned>(header + 20 + options.size() + segment.payload.size()));
  append32(packet, 0x12344000);  // identification, don't fragment
  packet.push_back(64);
  packet.push_back(kTcp);
  append16(packet, 0);
  append32(packet, segment.from.address);
  append32(packet, segment.to.address);
  packet.insert(packet.end(), ip_options.begin(), ip_options.end());
  append16(packet, segment.from.port);
  append16(packet, segment.to.port);
  append32(packet, segment.seq);
  append32(packet, segment.ack);
  packet.push_back(static_cast<Byte>((20 + options.size()) / 4 << 4));
  packet.push_back(segment.flags);
  append16(packet, segment.window);
  append32(packet, 0);
  packet.insert(packet.end(), options.begin(), options.end());
  packet.insert(packet.end(), segment.payload.begin(), segment.payload.end());
  seal(packet);
  return packet;
}

Segment readSegment(const Packet& packet) {
  const TcpView view = *packet.tcp();
  Segment segment;
  segment.from = packet.source();
  segment.to = packet.destination();
  segment.seq = view.seq();
  segment.ack = view.ack();
  segment.flags = view.flags();
  segment.window = view.window();
  segment.options.assign(view.optionBytes().begin(), view.optionBytes().end());
  segment.payload.assign(view.payload().begin(), view.payload().end());
  return segment;
}

}  // namespace qimux::net::test
