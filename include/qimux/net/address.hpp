// IPv4 addresses, endpoints, flows and networks, as values in host byte order.
#pragma once

#include "qimux/base/error.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace qimux::net {

// Port 0 where a protocol has none.
struct Endpoint {
  std::uint32_t address = 0;
  std::uint16_t port = 0;
  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

// One direction of a conversation. The whole 4-tuple is the key: two destinations from one source port are
// two flows.
struct FlowKey {
  Endpoint source;
  Endpoint destination;
  friend auto operator<=>(const FlowKey&, const FlowKey&) = default;
  FlowKey reversed() const { return {destination, source}; }
};

// "10.64.64.1/30": an address and the network it is in. The host bits are kept.
struct Cidr {
  std::uint32_t address = 0;
  std::uint8_t prefix = 0;  // 0..32
  std::uint32_t mask() const { return prefix == 0 ? 0 : ~std::uint32_t{0} << (32 - prefix); }
  std::uint32_t network() const { return address & mask(); }
  bool contains(std::uint32_t other) const { return (other & mask()) == network(); }
  friend bool operator==(const Cidr&, const Cidr&) = default;
};

// Four decimal numbers and three dots, nothing else: no octal, no short forms, no blanks. Else Invalid.
Result<std::uint32_t> parseAddress(std::string_view text);
// An address, '/', and a decimal prefix of 0..32. A bare address is a /32.
Result<Cidr> parseCidr(std::string_view text);

std::string text(std::uint32_t address);     // "1.2.3.4"
std::string text(const Endpoint& endpoint);  // "1.2.3.4:80"
std::string text(const FlowKey& flow);       // "1.2.3.4:1024 > 5.6.7.8:80"
std::string text(const Cidr& cidr);          // "1.2.3.0/24"

}  // namespace qimux::net

template <>
struct std::hash<qimux::net::Endpoint> {
  std::size_t operator()(const qimux::net::Endpoint& endpoint) const noexcept;
};
template <>
struct std::hash<qimux::net::FlowKey> {
  std::size_t operator()(const qimux::net::FlowKey& flow) const noexcept;
};
