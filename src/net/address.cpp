#include "qimux/net/address.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace qimux::net {
namespace {

// A decimal number of 0..limit at the start of `text`, which is moved behind it. No leading zero: some
// readers take one for octal, and two readings of an address are one too many.
std::optional<unsigned> takeNumber(std::string_view& text, unsigned limit) {
  unsigned value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc{} || value > limit) return std::nullopt;
  const auto length = static_cast<std::size_t>(end - text.data());
  if (length > 1 && text.front() == '0') return std::nullopt;
  text.remove_prefix(length);
  return value;
}

std::optional<std::uint32_t> takeAddress(std::string_view& text) {
  std::uint32_t address = 0;
  for (int octet = 0; octet < 4; ++octet) {
    if (octet > 0) {
      if (!text.starts_with('.')) return std::nullopt;
      text.remove_prefix(1);
    }
    const auto value = takeNumber(text, 255);
    if (!value) return std::nullopt;
    address = address << 8 | *value;
  }
  return address;
}

Error invalid(std::string_view text, std::string_view expected) {
  return {ErrorKind::Invalid, std::string(text), std::string(expected)};
}

// splitmix64: the ports of one app are neighbours, and their flows should not be.
std::uint64_t mix(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15U;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
  return value ^ (value >> 31);
}

std::uint64_t packed(const Endpoint& endpoint) {
  return std::uint64_t{endpoint.address} << 16 | endpoint.port;
}

}  // namespace

Result<std::uint32_t> parseAddress(std::string_view text) {
  std::string_view rest = text;
  const auto address = takeAddress(rest);
  if (!address || !rest.empty()) return std::unexpected(invalid(text, "not an IPv4 address"));
  return *address;
}

Result<Cidr> parseCidr(std::string_view text) {
  std::string_view rest = text;
  const auto address = takeAddress(rest);
  if (!address) return std::unexpected(invalid(text, "not an IPv4 network"));
  if (rest.empty()) return Cidr{*address, 32};
  if (rest.front() == '/') {
    rest.remove_prefix(1);
    const auto prefix = takeNumber(rest, 32);
    if (prefix && rest.empty()) return Cidr{*address, static_cast<std::uint8_t>(*prefix)};
  }
  return std::unexpected(invalid(text, "not an IPv4 network"));
}

std::string text(std::uint32_t address) {
  return fmt::format("{}.{}.{}.{}", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255);
}
std::string text(const Endpoint& endpoint) {
  return fmt::format("{}:{}", text(endpoint.address), endpoint.port);
}
std::string text(const FlowKey& flow) {
  return fmt::format("{} > {}", text(flow.source), text(flow.destination));
}
std::string text(const Cidr& cidr) {
  return fmt::format("{}/{}", text(cidr.address), cidr.prefix);
}

}  // namespace qimux::net

std::size_t std::hash<qimux::net::Endpoint>::operator()(const qimux::net::Endpoint& endpoint) const noexcept {
  return static_cast<std::size_t>(qimux::net::mix(qimux::net::packed(endpoint)));
}
std::size_t std::hash<qimux::net::FlowKey>::operator()(const qimux::net::FlowKey& flow) const noexcept {
  const std::uint64_t source = qimux::net::mix(qimux::net::packed(flow.source));
  return static_cast<std::size_t>(qimux::net::mix(source ^ qimux::net::packed(flow.destination)));
}
