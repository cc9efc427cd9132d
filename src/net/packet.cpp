#include "qimux/net/packet.hpp"

#include "qimux/net/checksum.hpp"
#include "qimux/net/wire.hpp"

#include <algorithm>

namespace qimux::net {
namespace {

// Offsets in the IPv4 header.
constexpr std::size_t kTotalLength = 2;
constexpr std::size_t kIdentification = 4;
constexpr std::size_t kFragment = 6;
constexpr std::size_t kHeaderChecksum = 10;
constexpr std::size_t kSource = 12;
constexpr std::size_t kDestination = 16;
// Offsets in the transport's header; the ports of TCP and UDP are in the same place.
constexpr std::size_t kSourcePort = 0;
constexpr std::size_t kDestinationPort = 2;
constexpr std::size_t kUdpLength = 4;
constexpr std::size_t kUdpChecksum = 6;
constexpr std::size_t kTcpSeq = 4;
constexpr std::size_t kTcpAck = 8;
constexpr std::size_t kTcpOffset = 12;
constexpr std::size_t kTcpWindow = 14;
constexpr std::size_t kTcpChecksum = 16;

constexpr std::size_t kIpMinimum = 20;
constexpr std::size_t kTcpMinimum = 20;
constexpr std::size_t kUdpHeader = 8;
constexpr std::size_t kIcmpHeader = 8;

}  // namespace

std::uint16_t TcpView::sourcePort() const {
  return load16(bytes_, kSourcePort);
}
std::uint16_t TcpView::destinationPort() const {
  return load16(bytes_, kDestinationPort);
}
std::uint32_t TcpView::seq() const {
  return load32(bytes_, kTcpSeq);
}
std::uint32_t TcpView::ack() const {
  return load32(bytes_, kTcpAck);
}
std::uint16_t TcpView::window() const {
  return load16(bytes_, kTcpWindow);
}

std::uint32_t TcpView::length() const {
  const std::uint32_t marks = (has(tcp::kSyn) ? 1U : 0U) + (has(tcp::kFin) ? 1U : 0U);
  return static_cast<std::uint32_t>(payloadLength()) + marks;
}

std::uint16_t UdpView::sourcePort() const {
  return load16(bytes_, kSourcePort);
}
std::uint16_t UdpView::destinationPort() const {
  return load16(bytes_, kDestinationPort);
}
ByteView UdpView::payload() const {
  return bytes_.subspan(kUdpHeader, load16(bytes_, kUdpLength) - kUdpHeader);
}

std::uint16_t IcmpView::id() const {
  return load16(bytes_, 4);
}
std::uint16_t IcmpView::sequence() const {
  return load16(bytes_, 6);
}
bool IcmpView::isError() const {
  const std::uint8_t kind = type();
  return kind == icmp::kUnreachable || kind == 4 || kind == 5 || kind == 11 || kind == 12;
}

std::optional<IcmpView::Original> IcmpView::original() const {
  const ByteView inner = payload();
  if (!isError() || inner.size() < kIpMinimum || inner[0] >> 4 != 4) return std::nullopt;
  const std::size_t header = std::size_t{inner[0] & 0xfU} * 4;
  if (header < kIpMinimum || inner.size() < header + 8) return std::nullopt;
  Original found{inner[9], {{load32(inner, kSource), 0}, {load32(inner, kDestination), 0}}, 0};
  if (found.protocol == kTcp || found.protocol == kUdp) {
    found.flow.source.port = load16(inner, header + kSourcePort);
    found.flow.destination.port = load16(inner, header + kDestinationPort);
  }
  if (found.protocol == kTcp) found.seq = load32(inner, header + kTcpSeq);
  return found;
}

std::optional<Packet> Packet::parse(ByteSpan bytes) {
  if (bytes.size() < kIpMinimum || bytes[0] >> 4 != 4) return std::nullopt;
  const std::size_t header = std::size_t{bytes[0] & 0xfU} * 4;
  const std::size_t total = load16(bytes, kTotalLength);
  if (header < kIpMinimum || total < header || total > bytes.size()) return std::nullopt;
  const Packet packet(bytes.first(total));
  if (!packet.isFragment() && !packet.transportFits()) return std::nullopt;
  return packet;
}

bool Packet::transportFits() const {
  const ByteView inner = payload();
  switch (protocol()) {
    case kTcp: {
      if (inner.size() < kTcpMinimum) return false;
      const std::size_t header = std::size_t{inner[kTcpOffset]} / 16 * 4;
      return header >= kTcpMinimum && header <= inner.size();
    }
    case kUdp: {
      if (inner.size() < kUdpHeader) return false;
      const std::size_t length = load16(inner, kUdpLength);
      return length >= kUdpHeader && length <= inner.size();
    }
    case kIcmp:
      return inner.size() >= kIcmpHeader;
    default:
      return true;
  }
}

std::uint16_t Packet::identification() const {
  return load16(bytes_, kIdentification);
}

bool Packet::isFragment() const {
  return (load16(bytes_, kFragment) & 0x3fff) != 0;  // more to come, or an offset
}

Endpoint Packet::source() const {
  const bool ports = is(kTcp) || is(kUdp);
  return {load32(bytes_, kSource), ports ? load16(payload(), kSourcePort) : std::uint16_t{0}};
}
Endpoint Packet::destination() const {
  const bool ports = is(kTcp) || is(kUdp);
  return {load32(bytes_, kDestination), ports ? load16(payload(), kDestinationPort) : std::uint16_t{0}};
}

std::optional<TcpView> Packet::tcp() const {
  if (!is(kTcp)) return std::nullopt;
  return TcpView(payload());
}
std::optional<UdpView> Packet::udp() const {
  if (!is(kUdp)) return std::nullopt;
  return UdpView(payload());
}
std::optional<IcmpView> Packet::icmp() const {
  if (!is(kIcmp)) return std::nullopt;
  return IcmpView(payload());
}

bool Packet::headerChecksumValid() const {
  return sumIsValid(sumOf(bytes_.first(headerLength())));
}

bool Packet::transportChecksumValid() const {
  const ByteView inner = payload();
  if (is(kIcmp)) return sumIsValid(sumOf(inner));
  if (is(kUdp) && load16(inner, kUdpChecksum) == 0) return true;
  if (!is(kTcp) && !is(kUdp)) return true;
  const std::uint16_t length =
      is(kUdp) ? load16(inner, kUdpLength) : static_cast<std::uint16_t>(inner.size());
  const std::uint32_t pseudo = pseudoHeaderSum(source().address, destination().address, protocol(), length);
  return sumIsValid(pseudo + sumOf(inner.first(length)));
}

void Packet::updateTransport(std::uint32_t before, std::uint32_t after) {
  const ByteSpan inner = transport();
  if (is(kTcp)) {
    store16(inner, kTcpChecksum, updated(load16(inner, kTcpChecksum), before, after));
  } else if (is(kUdp)) {
    store16(inner, kUdpChecksum, updatedUdp(load16(inner, kUdpChecksum), before, after));
  }
}

bool Packet::setEndpoint(std::size_t address_at, std::size_t port_at, const Endpoint& endpoint) {
  if (isFragment()) return false;
  std::uint32_t before = wordsOf(load32(bytes_, address_at));
  std::uint32_t after = wordsOf(endpoint.address);
  store32(bytes_, address_at, endpoint.address);
  store16(bytes_, kHeaderChecksum, updated(load16(bytes_, kHeaderChecksum), before, after));
  if (is(kTcp) || is(kUdp)) {
    before += load16(transport(), port_at);
    after += endpoint.port;
    store16(transport(), port_at, endpoint.port);
    updateTransport(before, after);
  }
  return true;
}

bool Packet::setSource(const Endpoint& endpoint) {
  return setEndpoint(kSource, kSourcePort, endpoint);
}
bool Packet::setDestination(const Endpoint& endpoint) {
  return setEndpoint(kDestination, kDestinationPort, endpoint);
}

void Packet::setAck(std::uint32_t ack) {
  if (!is(kTcp)) return;
  const std::uint32_t before = wordsOf(load32(transport(), kTcpAck));
  store32(transport(), kTcpAck, ack);
  updateTransport(before, wordsOf(ack));
}

void Packet::setWindow(std::uint16_t window) {
  if (!is(kTcp)) return;
  const std::uint32_t before = load16(transport(), kTcpWindow);
  store16(transport(), kTcpWindow, window);
  updateTransport(before, window);
}

void Packet::blankSack() {
  if (!is(kTcp)) return;
  // The whole option space is summed, because an option may begin at an odd byte.
  const ByteSpan options = transport().subspan(kTcpMinimum, TcpView(payload()).headerLength() - kTcpMinimum);
  const std::uint32_t before = sumOf(options);
  std::size_t from = 0;
  while (const auto place = findOption(options, kOptionSack, from)) {
    const ByteSpan option = options.subspan(place->offset, place->length);
    std::fill(option.begin(), option.end(), kOptionNop);
    from = place->offset + place->length;
  }
  updateTransport(before, sumOf(options));
}

}  // namespace qimux::net
