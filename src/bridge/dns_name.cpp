#include "qimux/bridge/dns_name.hpp"

#include <algorithm>

namespace qimux::bridge {

namespace {

constexpr std::size_t kMaxLabel = 63;
constexpr std::size_t kMaxName = 253;

// Not <cctype>: no locale has a say in what reaches the port.
bool isDigit(char c) {
  return c >= '0' && c <= '9';
}
bool isHexDigit(char c) {
  return isDigit(c) || (c >= 'a' && c <= 'f');
}
bool isHostByte(char c) {
  return isDigit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
}

// RFC 1123 2.1, and '_', which services use.
bool isLabel(std::string_view label) {
  if (label.empty() || label.size() > kMaxLabel) return false;
  if (label.front() == '-' || label.back() == '-') return false;
  return std::ranges::all_of(label, isHostByte);
}

bool isHostName(std::string_view text) {
  if (text.size() > kMaxName) return false;
  for (;;) {
    const auto dot = text.find('.');
    if (!isLabel(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

// Whatever inet_aton(), and so perhaps the module, would take for an address.
bool endsInNumber(std::string_view text) {
  const std::string_view last = text.substr(text.rfind('.') + 1);
  if (last.starts_with("0x")) return std::ranges::all_of(last.substr(2), isHexDigit);
  return std::ranges::all_of(last, isDigit);
}

// `text` is `domain`, or ends in "." and `domain`.
bool within(std::string_view text, std::string_view domain) {
  if (!text.ends_with(domain)) return false;
  text.remove_suffix(domain.size());
  return text.empty() || text.ends_with('.');
}

bool withinAny(std::string_view text, std::initializer_list<std::string_view> domains) {
  return std::ranges::any_of(domains, [text](std::string_view domain) { return within(text, domain); });
}

}  // namespace

std::string_view name(DnsNameKind kind) {
  switch (kind) {
    case DnsNameKind::Host:
      return "host";
    case DnsNameKind::TooLong:
      return "too-long";
    case DnsNameKind::Root:
      return "root";
    case DnsNameKind::Numeric:
      return "numeric";
    case DnsNameKind::Loopback:
      return "loopback";
    case DnsNameKind::Private:
      return "private";
    case DnsNameKind::Reverse:
      return "reverse";
    case DnsNameKind::NotAHost:
      return "not-a-host";
  }
  return "unknown";
}

DnsNameKind classifyDnsName(std::string_view text) {
  if (text.empty()) return DnsNameKind::Root;
  if (!isHostName(text)) {
    // A name of odd bytes below .local is still .local's: it may not be forwarded either.
    if (withinAny(text, {"local", "invalid", "onion", "localhost"})) return DnsNameKind::Private;
    if (withinAny(text, {"in-addr.arpa", "ip6.arpa"})) return DnsNameKind::Reverse;
    return DnsNameKind::NotAHost;
  }
  if (withinAny(text, {"localhost"})) return DnsNameKind::Loopback;
  if (withinAny(text, {"local", "invalid", "onion", "resolver.arpa"})) return DnsNameKind::Private;
  if (withinAny(text, {"in-addr.arpa", "ip6.arpa"})) return DnsNameKind::Reverse;
  if (endsInNumber(text)) return DnsNameKind::Numeric;
  return text.size() > kMaxAskedName ? DnsNameKind::TooLong : DnsNameKind::Host;
}

}  // namespace qimux::bridge
