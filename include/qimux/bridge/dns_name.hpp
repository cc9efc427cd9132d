// Which names may be asked of the module, and which are answered here.
//
// A name from a program becomes part of a command line, AT+QIDNSGIP="name" (application note 8.2), so this
// is a guard: only letters, digits, hyphen, underscore and dot ever pass.
#pragma once

#include <cstddef>
#include <string_view>

namespace qimux::bridge {

// The module takes command lines of 256 characters; AT+QIDNSGIP="" and the CR need 15 of them.
inline constexpr std::size_t kMaxAskedName = 256 - 15;

enum class DnsNameKind {
  Host,      // may be asked of the module
  TooLong,   // a host name that does not fit the module's command line
  Root,      // exists, and has no address
  Numeric,   // ends in a number, so it is no name but an address ("192.0.2.1", "10.1", "0x7f")
  Loopback,  // localhost and all below it: RFC 6761 6.3
  Private,   // .local, .invalid, .onion, resolver.arpa: RFC 6761, 6762, 7686, 9462: never leave the machine
  Reverse,   // below in-addr.arpa or ip6.arpa: the module cannot ask for those
  NotAHost,  // bytes that no host name has: quotes, CR, LF, ';', '\', blanks, control and 8-bit bytes
};

// "host", "too-long", ...
std::string_view name(DnsNameKind kind);

// `text` as in DnsQuery: lower case, no final dot. ".test" is not special here: labs use it on their own APN.
DnsNameKind classifyDnsName(std::string_view text);

}  // namespace qimux::bridge
