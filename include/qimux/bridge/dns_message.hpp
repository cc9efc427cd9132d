// DNS messages as the gateway's name server needs them: what a question says, and the bytes of its answer.
//
// RFC 1035 for the message, RFC 6891 for EDNS, RFC 8482 for type ANY. Names and records are taken apart by
// glibc's ns_* functions; nothing here follows a compression pointer itself.
#pragma once

#include "qimux/base/bytes.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qimux::bridge {

enum class DnsTransport { Udp, Tcp };

enum class DnsRcode : std::uint16_t {
  NoError = 0,
  FormErr = 1,
  ServFail = 2,
  NxDomain = 3,
  NotImp = 4,
  Refused = 5,
  BadVers = 16,  // RFC 6891 6.1.3; its upper bits travel in the OPT record
};

// As dig prints it: "NOERROR", "NXDOMAIN", ...
std::string_view name(DnsRcode rcode);

// A question has no reason to be longer. Bounds the work that one message can cause.
inline constexpr std::size_t kMaxDnsQuery = 4096;
// Largest answer over UDP, whatever the client offers: fits every path without fragments (DNS flag day 2020).
inline constexpr std::size_t kMaxDnsUdp = 1232;

struct DnsEdns {
  std::uint16_t size = 0;  // the largest UDP answer that the client takes
  bool dnssec_ok = false;  // copied into the answer (RFC 3225)
};

struct DnsQuery {
  std::uint16_t id = 0;
  unsigned opcode = 0;
  bool recursion_desired = false;
  bool checking_disabled = false;
  Bytes name;  // wire format, letters as asked (clients check them: "0x20"); empty where unreadable
  std::string
      text;  // lower case, no final dot, "" for the root; bytes that no host name has are escaped with '\'
  std::uint16_t type = 0;
  std::uint16_t rr_class = 0;
  std::optional<DnsEdns> edns;
  DnsRcode error = DnsRcode::NoError;  // if not NoError: the only answer that the message may get
};

// nullopt where silence is the answer: too short for a header, or itself an answer.
std::optional<DnsQuery> parseDnsQuery(ByteView message);

struct DnsRecord {
  std::uint16_t type = 0;
  Bytes data;  // RDATA; holds no compressed name
};

// An A record. `address` in host byte order.
DnsRecord dnsAddress(std::uint32_t address);

// All records belong to the name that was asked for.
struct DnsAnswer {
  DnsRcode rcode = DnsRcode::NoError;
  std::vector<DnsRecord> records;
  std::uint32_t ttl = 0;  // seconds, of all records
};

// The answer's bytes, without TCP's length. Over UDP never longer than the client takes (512 without EDNS):
// where the records do not fit none is sent and TC is set, so that the client asks again over TCP.
Bytes encodeDnsAnswer(const DnsQuery& query, const DnsAnswer& answer, DnsTransport transport);

// For questions that are forwarded: whether `answer` is one to `query` (id, question, QR).
bool dnsAnswers(ByteView query, ByteView answer);
// The whole reply for a client whose forwarded question failed. Empty where `query` deserves silence.
Bytes dnsFailure(ByteView query, DnsTransport transport);

}  // namespace qimux::bridge
