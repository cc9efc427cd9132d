// IPv4 addresses as the module writes them: its stack knows no others.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace qimux::sim {

struct Ipv4 {
  std::uint32_t value = 0;  // host byte order
  auto operator<=>(const Ipv4&) const = default;
};

struct Endpoint {
  Ipv4 address;
  std::uint16_t port = 0;
  auto operator<=>(const Endpoint&) const = default;
};

struct Cidr {
  Ipv4 network;
  unsigned bits = 32;
  bool contains(Ipv4 address) const;
};

// Four decimal numbers of 0 to 255, nothing around them.
std::optional<Ipv4> parseIpv4(std::string_view text);
// "192.0.2.0/24", or a bare address for a range of one.
std::optional<Cidr> parseCidr(std::string_view text);

std::string text(Ipv4 address);
// "192.0.2.1:80"
std::string text(Endpoint endpoint);

}  // namespace qimux::sim
