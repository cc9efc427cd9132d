#include "qimux/bridge/dns_message.hpp"

#include <arpa/nameser.h>

#include <algorithm>
#include <array>

namespace qimux::bridge {

namespace {

constexpr unsigned kFlagAnswer = 0x8000;
constexpr unsigned kFlagTruncated = 0x0200;
constexpr unsigned kFlagRecursionDesired = 0x0100;
constexpr unsigned kFlagRecursionAvailable = 0x0080;
constexpr unsigned kFlagCheckingDisabled = 0x0010;
constexpr unsigned kFlagDnssecOk = 0x8000;
// Every name points at the question's, which follows the header.
constexpr unsigned kPointerToQuestion = 0xc000 | NS_HFIXEDSZ;
// OPT, and a signature or two. Bounds how many names of a message are expanded.
constexpr int kMaxAdditional = 8;

void put16(Bytes& out, unsigned value) {
  out.push_back(static_cast<Byte>(value >> 8 & 0xff));
  out.push_back(static_cast<Byte>(value & 0xff));
}

void put32(Bytes& out, std::uint32_t value) {
  put16(out, value >> 16);
  put16(out, value & 0xffff);
}

unsigned get16(ByteView message, std::size_t at) {
  return ns_get16(message.data() + at);
}

// The one question's name, type and class.
bool readQuestion(ns_msg& message, DnsQuery& query) {
  ns_rr question;
  if (ns_parserr(&message, ns_s_qd, 0, &question) < 0) return false;
  std::array<Byte, NS_MAXCDNAME + 1> wire{};
  std::array<Byte, NS_MAXCDNAME + 1> lower{};
  std::array<char, NS_MAXDNAME> text{};
  const Byte* base = ns_msg_base(message);
  const int used = ns_name_unpack(base, ns_msg_end(message), base + NS_HFIXEDSZ, wire.data(), NS_MAXCDNAME);
  if (used < 0) return false;
  const int length = ns_name_ntol(wire.data(), lower.data(), lower.size());
  if (length < 0 || ns_name_ntop(lower.data(), text.data(), text.size()) < 0) return false;
  query.name.assign(wire.data(), wire.data() + length);
  query.text = text.data();
  if (query.text == ".") query.text.clear();
  query.type = question.type;
  query.rr_class = question.rr_class;
  return true;
}

// RFC 6891 6.1: at most one OPT record, of the root, version 0. Its options are none of our business.
DnsRcode readEdns(ns_msg& message, DnsQuery& query) {
  if (ns_msg_count(message, ns_s_ar) > kMaxAdditional) return DnsRcode::FormErr;
  DnsRcode rcode = DnsRcode::NoError;
  for (int i = 0; i < ns_msg_count(message, ns_s_ar); ++i) {
    ns_rr record;
    if (ns_parserr(&message, ns_s_ar, i, &record) < 0) return DnsRcode::FormErr;
    if (record.type != ns_t_opt) continue;
    if (query.edns || record.name[0] != '\0') return DnsRcode::FormErr;
    query.edns = DnsEdns{record.rr_class, (record.ttl & kFlagDnssecOk) != 0};
    if ((record.ttl >> 16 & 0xff) != 0) rcode = DnsRcode::BadVers;
  }
  return rcode;
}

DnsRcode readBody(ByteView bytes, DnsQuery& query) {
  if (query.opcode != ns_o_query) return DnsRcode::NotImp;
  if (bytes.size() > kMaxDnsQuery) return DnsRcode::FormErr;
  ns_msg message;
  if (ns_initparse(bytes.data(), static_cast<int>(bytes.size()), &message) < 0) return DnsRcode::FormErr;
  if (ns_msg_count(message, ns_s_qd) != 1 || ns_msg_count(message, ns_s_an) != 0 ||
      ns_msg_count(message, ns_s_ns) != 0) {
    return DnsRcode::FormErr;
  }
  if (!readQuestion(message, query)) return DnsRcode::FormErr;
  return readEdns(message, query);
}

void putOpt(Bytes& out, const DnsEdns& edns, DnsRcode rcode) {
  out.push_back(0);  // the root
  put16(out, ns_t_opt);
  put16(out, kMaxDnsUdp);
  out.push_back(static_cast<Byte>(static_cast<unsigned>(rcode) >> 4));
  out.push_back(0);  // version
  put16(out, edns.dnssec_ok ? kFlagDnssecOk : 0);
  put16(out, 0);  // no options
}

Bytes encode(const DnsQuery& query, const DnsAnswer& answer, bool truncated) {
  const auto rcode = static_cast<unsigned>(answer.rcode);
  unsigned flags = kFlagAnswer | kFlagRecursionAvailable | query.opcode << 11 | (rcode & 0xf);
  if (query.recursion_desired) flags |= kFlagRecursionDesired;
  if (query.checking_disabled) flags |= kFlagCheckingDisabled;
  if (truncated) flags |= kFlagTruncated;

  Bytes out;
  put16(out, query.id);
  put16(out, flags);
  put16(out, query.name.empty() ? 0 : 1);
  put16(out, truncated ? 0 : static_cast<unsigned>(answer.records.size()));
  put16(out, 0);
  put16(out, query.edns ? 1 : 0);
  if (!query.name.empty()) {
    out.insert(out.end(), query.name.begin(), query.name.end());
    put16(out, query.type);
    put16(out, query.rr_class);
  }
  for (const DnsRecord& record : answer.records) {
    if (truncated) break;
    put16(out, kPointerToQuestion);
    put16(out, record.type);
    put16(out, ns_c_in);
    put32(out, answer.ttl);
    put16(out, static_cast<unsigned>(record.data.size()));
    out.insert(out.end(), record.data.begin(), record.data.end());
  }
  if (query.edns) putOpt(out, *query.edns, answer.rcode);
  return out;
}

}  // namespace

std::string_view name(DnsRcode rcode) {
  switch (rcode) {
    case DnsRcode::NoError:
      return "NOERROR";
    case DnsRcode::FormErr:
      return "FORMERR";
    case DnsRcode::ServFail:
      return "SERVFAIL";
    case DnsRcode::NxDomain:
      return "NXDOMAIN";
    case DnsRcode::NotImp:
      return "NOTIMP";
    case DnsRcode::Refused:
      return "REFUSED";
    case DnsRcode::BadVers:
      return "BADVERS";
  }
  return "unknown";
}

std::optional<DnsQuery> parseDnsQuery(ByteView message) {
  if (message.size() < NS_HFIXEDSZ || message.size() > NS_MAXMSG) return std::nullopt;
  const unsigned flags = get16(message, 2);
  if ((flags & kFlagAnswer) != 0) return std::nullopt;
  DnsQuery query;
  query.id = static_cast<std::uint16_t>(get16(message, 0));
  query.opcode = flags >> 11 & 0xf;
  query.recursion_desired = (flags & kFlagRecursionDesired) != 0;
  query.checking_disabled = (flags & kFlagCheckingDisabled) != 0;
  query.error = readBody(message, query);
  return query;
}

DnsRecord dnsAddress(std::uint32_t address) {
  DnsRecord record{ns_t_a, {}};
  put32(record.data, address);
  return record;
}

Bytes encodeDnsAnswer(const DnsQuery& query, const DnsAnswer& answer, DnsTransport transport) {
  std::size_t limit = NS_MAXMSG;
  if (transport == DnsTransport::Udp) {
    const std::size_t offered = query.edns ? query.edns->size : NS_PACKETSZ;
    limit = std::clamp<std::size_t>(offered, NS_PACKETSZ, kMaxDnsUdp);
  }
  Bytes out = encode(query, answer, false);
  return out.size() <= limit ? out : encode(query, answer, true);
}

bool dnsAnswers(ByteView query, ByteView answer) {
  const auto asked = parseDnsQuery(query);
  if (!asked || asked->error != DnsRcode::NoError) return false;
  ns_msg message;
  if (answer.size() < NS_HFIXEDSZ || answer.size() > NS_MAXMSG || (get16(answer, 2) & kFlagAnswer) == 0 ||
      ns_initparse(answer.data(), static_cast<int>(answer.size()), &message) < 0 ||
      ns_msg_count(message, ns_s_qd) != 1) {
    return false;
  }
  DnsQuery told;
  return readQuestion(message, told) && ns_msg_id(message) == asked->id && told.text == asked->text &&
         told.type == asked->type && told.rr_class == asked->rr_class;
}

Bytes dnsFailure(ByteView query, DnsTransport transport) {
  const auto asked = parseDnsQuery(query);
  if (!asked) return {};
  DnsAnswer answer;
  answer.rcode = asked->error == DnsRcode::NoError ? DnsRcode::ServFail : asked->error;
  return encodeDnsAnswer(*asked, answer, transport);
}

}  // namespace qimux::bridge
