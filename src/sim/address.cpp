#include "qimux/sim/address.hpp"

#include <fmt/format.h>

#include <charconv>

namespace qimux::sim {
namespace {

// A decimal number of at most `most`, the whole of `text`.
std::optional<std::uint32_t> number(std::string_view text, std::uint32_t most) {
  std::uint32_t value = 0;
  const char* begin = text.data();
  const char* end = begin + text.size();
  const auto [stop, problem] = std::from_chars(begin, end, value);
  if (problem != std::errc{} || stop != end || value > most) return std::nullopt;
  return value;
}

}  // namespace

bool Cidr::contains(Ipv4 address) const {
  const std::uint32_t mask = bits == 0 ? 0 : ~std::uint32_t{0} << (32 - bits);
  return (address.value & mask) == (network.value & mask);
}

std::optional<Ipv4> parseIpv4(std::string_view text) {
  Ipv4 result;
  for (int part = 0; part < 4; ++part) {
    const std::size_t dot = text.find('.');
    if ((dot == std::string_view::npos) != (part == 3)) return std::nullopt;
    const auto value = number(text.substr(0, dot), 255);
    if (!value) return std::nullopt;
    result.value = (result.value << 8) | *value;
    if (part < 3) text.remove_prefix(dot + 1);
  }
  return result;
}

std::optional<Cidr> parseCidr(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto network = parseIpv4(text.substr(0, slash));
  if (!network) return std::nullopt;
  if (slash == std::string_view::npos) return Cidr{*network, 32};
  const auto bits = number(text.substr(slash + 1), 32);
  if (!bits) return std::nullopt;
  return Cidr{*network, *bits};
}

std::string text(Ipv4 address) {
  return fmt::format("{}.{}.{}.{}", address.value >> 24, (address.value >> 16) & 255,
                     (address.value >> 8) & 255, address.value & 255);
}

std::string text(Endpoint endpoint) {
  return fmt::format("{}:{}", text(endpoint.address), endpoint.port);
}

}  // namespace qimux::sim
