// Packets, builders and the acknowledgement gate on arbitrary bytes.
//
// The input is a list of records: a byte of what to do, two bytes of length, and so many bytes. A record is a
// packet from the program, a packet to it, or a report of the far end. Some packets get right checksums
// first, because chance never makes them.
#include "qimux/net/ack_gate.hpp"
#include "qimux/net/build.hpp"
#include "qimux/net/checksum.hpp"
#include "qimux/net/packet.hpp"
#include "qimux/net/wire.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace {

using namespace qimux;
using namespace qimux::net;

#define HOLDS(condition)                                                                 \
  do {                                                                                   \
    if (!(condition)) {                                                                  \
      std::fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                      \
    }                                                                                    \
  } while (false)

enum Record : Byte { kToApp = 1, kReport = 2, kRelease = 4, kSeal = 8 };

// Right checksums, where there are headers to hold them.
void seal(const Packet& packet) {
  const ByteSpan header = packet.bytes().first(packet.headerLength());
  store16(header, 10, 0);
  store16(header, 10, checksumOf(sumOf(header)));
  if (packet.isFragment()) return;
  const ByteSpan inner = packet.bytes().subspan(packet.headerLength());
  std::size_t length = inner.size();
  std::size_t at = 2;
  std::uint32_t sum = 0;
  if (packet.tcp()) at = 16;
  if (packet.udp()) {
    at = 6;
    length = packet.udp()->payload().size() + 8;
  }
  if (!packet.tcp() && !packet.udp() && !packet.icmp()) return;
  if (!packet.icmp()) {
    sum = pseudoHeaderSum(packet.source().address, packet.destination().address, packet.protocol(),
                          static_cast<std::uint16_t>(length));
  }
  store16(inner, at, 0);
  const std::uint16_t checksum = checksumOf(sum + sumOf(inner.first(length)));
  store16(inner, at, checksum == 0 && packet.udp() ? 0xffff : checksum);
}

void checkBuilt(Bytes built) {
  if (built.empty()) return;
  const auto packet = Packet::parse(built);
  HOLDS(packet);
  HOLDS(packet->bytes().size() == built.size());
  HOLDS(packet->headerChecksumValid());
  HOLDS(packet->transportChecksumValid());
}

void build(const Packet& packet, Byte code) {
  checkBuilt(tcpReset(packet));
  checkBuilt(icmpUnreachable(packet, code, 0x0a404002));
  if (packet.transportChecksumValid()) checkBuilt(icmpEchoReply(packet));
  if (const auto datagram = packet.udp())
    checkBuilt(udp(packet.destination(), packet.source(), datagram->payload()));
  if (const auto message = packet.icmp()) (void)message->original();
}

void rewrite(Bytes bytes, const Packet& pattern) {
  auto packet = Packet::parse(bytes);
  HOLDS(packet);
  const bool header = packet->headerChecksumValid();
  const bool transport = packet->transportChecksumValid();
  const FlowKey back = pattern.flow().reversed();
  const bool done = packet->setSource(back.source) && packet->setDestination(back.destination);
  HOLDS(done == !packet->isFragment());
  HOLDS(!done || packet->flow() == back);
  const std::uint32_t number = load32(bytes, 12);
  packet->setAck(number);
  packet->setWindow(static_cast<std::uint16_t>(number));
  packet->blankSack();
  HOLDS(!packet->tcp() || (packet->tcp()->ack() == number && packet->tcp()->options().sack_count == 0));
  HOLDS(!header || packet->headerChecksumValid());
  HOLDS(!transport || packet->transportChecksumValid());
}

void pass(AckGate& gate, Packet& packet, Byte what) {
  if ((what & kToApp) == 0) return gate.observe(packet);
  const bool valid = packet.transportChecksumValid();
  const auto before = packet.tcp();
  const std::size_t payload = before ? before->payloadLength() : 0;
  const auto verdict = gate.filter(packet);
  HOLDS(!valid || packet.transportChecksumValid());
  HOLDS(verdict == AckGate::Verdict::Pass || payload == 0);
  HOLDS(!before || packet.tcp()->payloadLength() == payload);
}

void record(AckGate& gate, Byte what, ByteView data) {
  if ((what & kReport) != 0 && data.size() >= 4) {
    const std::uint64_t report = std::uint64_t{load32(data, 0)} << (what >> 4);
    if (auto fresh = gate.advance(report)) checkBuilt(*fresh);
    HOLDS(gate.unconfirmed() <= gate.taken());
    return;
  }
  if ((what & kRelease) != 0) {
    if (auto fresh = gate.release()) checkBuilt(*fresh);
    return;
  }
  Bytes bytes(data.begin(), data.end());
  auto packet = Packet::parse(bytes);
  if (!packet) return;
  if ((what & kSeal) != 0) seal(*packet);
  HOLDS((what & kSeal) == 0 || (packet->headerChecksumValid() && packet->transportChecksumValid()));
  build(*packet, what);
  rewrite(bytes, *packet);
  pass(gate, *packet, what);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  AckGate gate;
  ByteView rest(data, size);
  while (rest.size() >= 3) {
    const Byte what = rest[0];
    const std::size_t length = std::min<std::size_t>(load16(rest, 1), rest.size() - 3);
    record(gate, what, rest.subspan(3, length));
    rest = rest.subspan(3 + length);
  }
  return 0;
}
