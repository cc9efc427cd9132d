// A view of one IPv4 packet in somebody else's buffer, that can be rewritten in place.
//
// parse() checks everything that the accessors rely on, so none of them can fail or read outside. Headers are
// found by their length fields, never at a fixed offset. Each setter brings the checksums up to date
// incrementally: what was right stays right, what was damaged stays damaged and is dropped by its receiver.
// The buffer must outlive the view; nothing is copied.
#pragma once

#include "qimux/base/bytes.hpp"
#include "qimux/net/address.hpp"
#include "qimux/net/tcp_options.hpp"

#include <cstdint>
#include <optional>

namespace qimux::net {

inline constexpr std::uint8_t kIcmp = 1;
inline constexpr std::uint8_t kTcp = 6;
inline constexpr std::uint8_t kUdp = 17;

// Flags of a TCP header. Test with a mask, never for equality: a SYN may carry ECE and CWR (RFC 3168).
namespace tcp {
inline constexpr std::uint8_t kFin = 0x01;
inline constexpr std::uint8_t kSyn = 0x02;
inline constexpr std::uint8_t kRst = 0x04;
inline constexpr std::uint8_t kPsh = 0x08;
inline constexpr std::uint8_t kAck = 0x10;
inline constexpr std::uint8_t kUrg = 0x20;
inline constexpr std::uint8_t kEce = 0x40;
inline constexpr std::uint8_t kCwr = 0x80;
}  // namespace tcp

namespace icmp {
inline constexpr std::uint8_t kEchoReply = 0;
inline constexpr std::uint8_t kUnreachable = 3;
inline constexpr std::uint8_t kEchoRequest = 8;
// Codes of kUnreachable, and what a connecting program sees.
inline constexpr std::uint8_t kNetUnreachable = 0;       // ENETUNREACH
inline constexpr std::uint8_t kHostUnreachable = 1;      // EHOSTUNREACH
inline constexpr std::uint8_t kPortUnreachable = 3;      // ECONNREFUSED
inline constexpr std::uint8_t kFragmentationNeeded = 4;  // path MTU; ignored in SYN-SENT
inline constexpr std::uint8_t kProhibited = 13;          // EHOSTUNREACH
}  // namespace icmp

// Header and payload of a TCP segment. Valid while the packet's buffer is; sees what the setters change.
class TcpView {
 public:
  explicit TcpView(ByteView segment) : bytes_(segment) {}
  std::uint16_t sourcePort() const;
  std::uint16_t destinationPort() const;
  std::uint32_t seq() const;
  std::uint32_t ack() const;
  std::uint8_t flags() const { return bytes_[13]; }
  bool has(std::uint8_t mask) const { return (flags() & mask) != 0; }
  std::uint16_t window() const;  // as sent, unscaled
  std::size_t headerLength() const { return std::size_t{bytes_[12]} / 16 * 4; }
  std::size_t payloadLength() const { return bytes_.size() - headerLength(); }
  ByteView payload() const { return bytes_.subspan(headerLength()); }
  // In sequence numbers: the payload, and one each for SYN and FIN.
  std::uint32_t length() const;
  ByteView optionBytes() const { return bytes_.subspan(20, headerLength() - 20); }
  TcpOptions options() const { return scanOptions(optionBytes()); }

 private:
  ByteView bytes_;
};

class UdpView {
 public:
  explicit UdpView(ByteView datagram) : bytes_(datagram) {}
  std::uint16_t sourcePort() const;
  std::uint16_t destinationPort() const;
  // As long as the UDP header says, which may be less than the packet holds.
  ByteView payload() const;

 private:
  ByteView bytes_;
};

class IcmpView {
 public:
  explicit IcmpView(ByteView message) : bytes_(message) {}
  std::uint8_t type() const { return bytes_[0]; }
  std::uint8_t code() const { return bytes_[1]; }
  // Of an echo request or reply.
  std::uint16_t id() const;
  std::uint16_t sequence() const;
  ByteView payload() const { return bytes_.subspan(8); }
  // True for the types that report about a packet (3, 4, 5, 11, 12).
  bool isError() const;

  // What an error says about the packet that caused it: header and first 8 bytes of payload may be all there
  // is.
  struct Original {
    std::uint8_t protocol;
    FlowKey flow;       // ports 0 where the protocol has none
    std::uint32_t seq;  // TCP; 0 for others
  };
  // Nothing where this is no error, or what it carries is too short or no IPv4.
  std::optional<Original> original() const;

 private:
  ByteView bytes_;
};

class Packet {
 public:
  // Nothing unless `bytes` begins with a whole IPv4 packet whose lengths fit each other, and, where it is no
  // fragment, a whole TCP, UDP or ICMP header. What lies behind the total length is left out. Checksums are
  // not looked at: the kernel made them, and its receiver verifies them.
  static std::optional<Packet> parse(ByteSpan bytes);

  ByteSpan bytes() const { return bytes_; }  // exactly the packet
  std::uint8_t protocol() const { return bytes_[9]; }
  std::uint8_t ttl() const { return bytes_[8]; }
  std::uint16_t identification() const;
  bool dontFragment() const { return (bytes_[6] & 0x40) != 0; }
  // Any piece of a datagram that is not the whole of it. It has no tcp(), udp(), icmp() and no ports.
  bool isFragment() const;
  std::size_t headerLength() const { return std::size_t{bytes_[0] & 0xfU} * 4; }
  ByteView payload() const { return bytes_.subspan(headerLength()); }
  // Port 0 where the protocol has none, and in fragments.
  Endpoint source() const;
  Endpoint destination() const;
  FlowKey flow() const { return {source(), destination()}; }

  std::optional<TcpView> tcp() const;
  std::optional<UdpView> udp() const;
  std::optional<IcmpView> icmp() const;

  // For tests and self-diagnosis. A UDP checksum of 0 and a fragment are valid: nothing to check.
  bool headerChecksumValid() const;
  bool transportChecksumValid() const;

  // Address and, where there is one, port. Not for fragments: their checksum is not all here; they stay as
  // they are and the answer is false.
  bool setSource(const Endpoint& endpoint);
  bool setDestination(const Endpoint& endpoint);
  // TCP only; the packet stays as it is where it is none.
  void setAck(std::uint32_t ack);
  void setWindow(std::uint16_t window);
  // Overwrites SACK blocks by NOPs, so that the header keeps its length.
  void blankSack();

 private:
  explicit Packet(ByteSpan bytes) : bytes_(bytes) {}
  bool transportFits() const;
  bool is(std::uint8_t wanted) const { return protocol() == wanted && !isFragment(); }
  ByteSpan transport() const { return bytes_.subspan(headerLength()); }
  bool setEndpoint(std::size_t address_at, std::size_t port_at, const Endpoint& endpoint);
  void updateTransport(std::uint32_t before, std::uint32_t after);

  ByteSpan bytes_;
};

}  // namespace qimux::net
