#include "qimux/capture/mask.hpp"

#include "qimux/net/checksum.hpp"
#include "qimux/net/packet.hpp"
#include "qimux/net/wire.hpp"

#include <algorithm>

namespace qimux::capture {
namespace {

constexpr std::uint16_t kNamePort = 53;
constexpr std::size_t kIpHeader = 20;
constexpr std::size_t kUdpHeader = 8;
constexpr std::size_t kIcmpHeader = 8;
// Offsets.
constexpr std::size_t kFragment = 6;
constexpr std::size_t kHeaderChecksum = 10;
constexpr std::size_t kSource = 12;
constexpr std::size_t kDestination = 16;
constexpr std::size_t kTcpOffset = 12;
constexpr std::size_t kTcpChecksum = 16;
constexpr std::size_t kUdpChecksum = 6;
constexpr std::size_t kIcmpChecksum = 2;

// A checksum that was right is right again; one that was wrong stays wrong.
void mend(ByteSpan bytes, std::size_t at, std::uint32_t pseudo, bool right) {
  net::store16(bytes, at, 0);
  const std::uint16_t sum = net::checksumOf(pseudo + net::sumOf(bytes));
  net::store16(bytes, at, right ? sum : static_cast<std::uint16_t>(sum ^ 1));
}

void mendTransport(const net::Packet& packet, bool right) {
  const ByteSpan inner = packet.bytes().subspan(packet.headerLength());
  const auto pseudo = [&](std::size_t length) {
    return net::pseudoHeaderSum(packet.source().address, packet.destination().address, packet.protocol(),
                                static_cast<std::uint16_t>(length));
  };
  if (packet.tcp()) mend(inner, kTcpChecksum, pseudo(inner.size()), right);
  if (packet.icmp()) mend(inner, kIcmpChecksum, 0, right);
  if (packet.udp() && net::load16(inner, kUdpChecksum) != 0) {
    const std::size_t length = net::load16(inner, 4);
    mend(inner.first(length), kUdpChecksum, pseudo(length), right);
    if (net::load16(inner, kUdpChecksum) == 0) net::store16(inner, kUdpChecksum, 0xffff);
  }
}

void put(ByteSpan into, const Bytes& made) {
  std::copy_n(made.begin(), std::min(made.size(), into.size()), into.begin());
}

}  // namespace

Mask::Mask(Surroundings surroundings, bool everything)
    : everything_(everything),
      stand_ins_(std::make_unique<StandIns>(std::move(surroundings))),
      at_(std::make_unique<AtMask>(*stand_ins_)) {}

Mask Mask::none(Surroundings surroundings) {
  return Mask(std::move(surroundings), true);
}

Mask Mask::withStandIns(Surroundings surroundings) {
  return Mask(std::move(surroundings), false);
}

Bytes Mask::toModule(ByteView bytes, bool delivering) {
  return everything_ ? Bytes(bytes.begin(), bytes.end()) : at_->toModule(bytes, delivering);
}

Bytes Mask::fromModule(ByteView bytes) {
  return everything_ ? Bytes(bytes.begin(), bytes.end()) : at_->fromModule(bytes);
}

void Mask::portOpened() {
  at_->reset();
}

bool Mask::isNameServer(net::Endpoint endpoint) const {
  return endpoint == net::Endpoint{stand_ins_->surroundings().gateway, kNamePort};
}

Bytes Mask::payload(std::uint8_t protocol, const net::FlowKey& flow, ByteView bytes) {
  if (protocol != net::kUdp) return StandIns::stream(bytes);
  const auto& upstream = stand_ins_->surroundings().upstream;
  const bool names = isNameServer(flow.source) || isNameServer(flow.destination) ||
                     (upstream && (*upstream == flow.source || *upstream == flow.destination));
  return names ? stand_ins_->dnsMessage(bytes) : StandIns::datagram(bytes);
}

// An echo's content is its sender's; an error quotes the packet that it is about.
void Mask::maskIcmp(ByteView original, ByteSpan message) {
  const net::IcmpView icmp(original);
  if (!icmp.original()) return put(message.subspan(kIcmpHeader), StandIns::stream(icmp.payload()));
  const ByteSpan quoted = message.subspan(kIcmpHeader);
  const std::size_t header = std::size_t{quoted[0] & 0xfU} * 4;
  const auto about = *icmp.original();
  net::store32(quoted, kSource, stand_ins_->address(about.flow.source.address));
  net::store32(quoted, kDestination, stand_ins_->address(about.flow.destination.address));
  // A fragment is masked from its header on, and so is what is quoted of it.
  const bool fragment = (net::load16(quoted, kFragment) & 0x3fff) != 0;
  std::size_t content = header + (fragment ? 0 : kUdpHeader);
  if (!fragment && about.protocol == net::kTcp && quoted.size() > header + kTcpOffset) {
    content = header + std::size_t{quoted[header + kTcpOffset]} / 16 * 4;
  }
  if (quoted.size() <= content) return;
  const auto protocol = fragment ? net::kTcp : about.protocol;
  put(quoted.subspan(content), payload(protocol, about.flow, ByteView(quoted).subspan(content)));
}

Bytes Mask::packet(ByteView bytes) {
  if (everything_) return Bytes(bytes.begin(), bytes.end());
  Bytes made(bytes.begin(), bytes.end());
  const auto packet = net::Packet::parse(made);
  if (!packet) return Bytes(bytes.size(), kFiller);
  const bool header_right = packet->headerChecksumValid();
  const bool transport_right = packet->transportChecksumValid();
  Bytes before = made;
  const ByteSpan inner = packet->bytes().subspan(packet->headerLength());
  const ByteView original = ByteView(before).subspan(packet->headerLength(), inner.size());
  if (packet->tcp()) {
    const std::size_t header = packet->tcp()->headerLength();
    put(inner.subspan(header), payload(net::kTcp, packet->flow(), original.subspan(header)));
  } else if (packet->udp()) {
    put(inner.subspan(kUdpHeader), StandIns::stream(original.subspan(kUdpHeader)));
    const ByteView datagram = original.subspan(kUdpHeader, packet->udp()->payload().size());
    put(inner.subspan(kUdpHeader), payload(net::kUdp, packet->flow(), datagram));
  } else if (packet->icmp()) {
    maskIcmp(original, inner);
  } else {
    put(inner, StandIns::stream(original));
  }
  const ByteSpan header = packet->bytes().first(packet->headerLength());
  std::fill(header.begin() + kIpHeader, header.end(),
            Byte{1});  // options, as "no operation": they may name hosts
  net::store32(header, kSource, stand_ins_->address(packet->source().address));
  net::store32(header, kDestination, stand_ins_->address(packet->destination().address));
  mend(header, kHeaderChecksum, 0, header_right);
  mendTransport(*packet, transport_right);
  made.resize(packet->bytes().size());
  return made;
}

// Questions over TCP come with their length before each (RFC 1035 4.2.2).
Bytes Mask::stream(ByteView bytes, bool names) {
  if (everything_) return Bytes(bytes.begin(), bytes.end());
  if (!names) return StandIns::stream(bytes);
  Bytes made;
  while (bytes.size() >= 2) {
    const std::size_t length = net::load16(bytes, 0);
    if (bytes.size() - 2 < length) break;
    made.insert(made.end(), bytes.begin(), bytes.begin() + 2);
    const Bytes message = stand_ins_->dnsMessage(bytes.subspan(2, length));
    made.insert(made.end(), message.begin(), message.end());
    bytes = bytes.subspan(2 + length);
  }
  const Bytes rest = StandIns::stream(bytes);
  made.insert(made.end(), rest.begin(), rest.end());
  return made;
}

std::string Mask::command(std::string_view command) {
  return everything_ ? std::string(command) : at_->command(command);
}

std::string Mask::name(std::string_view name) {
  return everything_ ? std::string(name) : stand_ins_->name(name);
}

std::uint32_t Mask::address(std::uint32_t address) {
  return everything_ ? address : stand_ins_->address(address);
}

std::vector<Record> Mask::takeRules() {
  std::vector<Record> records;
  for (auto& ruled : stand_ins_->takeRuled()) {
    Record record;
    record.kind = Kind::Rules;
    record.number = ruled.address;
    record.text = std::move(ruled.rules);
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace qimux::capture
