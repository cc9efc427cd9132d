// Questions as a program would send them, and answers as it would read them.
#pragma once

#include "qimux/bridge/dns_answerer.hpp"

#include <arpa/nameser.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace dns_test {

using qimux::Byte;
using qimux::Bytes;
using qimux::ByteView;

inline void put16(Bytes& out, unsigned value) {
  out.push_back(static_cast<Byte>(value >> 8));
  out.push_back(static_cast<Byte>(value));
}

// Labels may hold any byte but the dot.
inline Bytes wireName(std::string_view name) {
  Bytes out;
  while (!name.empty()) {
    const std::string_view label = name.substr(0, name.find('.'));
    out.push_back(static_cast<Byte>(label.size()));
    out.insert(out.end(), label.begin(), label.end());
    name.remove_prefix(std::min(name.size(), label.size() + 1));
  }
  out.push_back(0);
  return out;
}

inline void putOpt(Bytes& message, unsigned size, unsigned version = 0, bool dnssec_ok = false) {
  message.push_back(0);
  put16(message, ns_t_opt);
  put16(message, size);
  put16(message, version);
  put16(message, dnssec_ok ? 0x8000 : 0);
  put16(message, 0);
  ++message[11];
}

inline Bytes header(unsigned flags = 0x0100, unsigned questions = 1, unsigned id = 0x1234) {
  Bytes out;
  put16(out, id);
  put16(out, flags);
  put16(out, questions);
  for (int i = 0; i < 3; ++i) put16(out, 0);
  return out;
}

inline Bytes question(std::string_view name, unsigned type = ns_t_a, unsigned rr_class = ns_c_in,
                      unsigned id = 0x1234) {
  Bytes out = header(0x0100, 1, id);
  const Bytes wire = wireName(name);
  out.insert(out.end(), wire.begin(), wire.end());
  put16(out, type);
  put16(out, rr_class);
  return out;
}

struct Record {
  std::string name;
  unsigned type = 0;
  std::uint32_t ttl = 0;
  Bytes data;
};

// An answer taken apart by glibc. Throws where it cannot be.
struct Answer {
  explicit Answer(const Bytes& bytes) : size(bytes.size()) {
    if (ns_initparse(bytes.data(), static_cast<int>(bytes.size()), &message) < 0) throw bytes;
    id = ns_msg_id(message);
    questions = ns_msg_count(message, ns_s_qd);
    ns_rr record;
    if (questions > 0 && ns_parserr(&message, ns_s_qd, 0, &record) < 0) throw bytes;
    if (questions > 0) name = record.name;
    for (int i = 0; i < ns_msg_count(message, ns_s_an); ++i) {
      if (ns_parserr(&message, ns_s_an, i, &record) < 0) throw bytes;
      records.push_back(
          {record.name, record.type, record.ttl, {record.rdata, record.rdata + record.rdlength}});
    }
    for (int i = 0; i < ns_msg_count(message, ns_s_ar); ++i) {
      if (ns_parserr(&message, ns_s_ar, i, &record) < 0 || record.type != ns_t_opt) throw bytes;
      edns_size = record.rr_class;
      edns_flags = record.ttl;
    }
  }
  bool flag(ns_flag which) const { return ns_msg_getflag(message, which) != 0; }
  unsigned rcode() const {
    return static_cast<unsigned>(ns_msg_getflag(message, ns_f_rcode)) | (edns_flags >> 24) << 4;
  }

  std::size_t size;
  ns_msg message{};
  unsigned id = 0;
  unsigned questions = 0;
  std::string name;
  std::vector<Record> records;
  std::optional<unsigned> edns_size;
  std::uint32_t edns_flags = 0;
};

// An answerer with a clock, and the replies in the order in which they came.
struct Server {
  explicit Server(qimux::bridge::DnsOptions options = {}) : answerer(options) {}

  void ask(const Bytes& message, qimux::bridge::DnsTransport transport = qimux::bridge::DnsTransport::Udp) {
    forward =
        answerer.ask(message, transport, now, [this](Bytes reply) { replies.push_back(std::move(reply)); });
  }
  void addresses(std::string_view name, std::vector<std::uint32_t> list) {
    answerer.answered(name, {qimux::bridge::DnsOutcome::Kind::Addresses, std::move(list)}, now);
  }
  void noSuchName(std::string_view name) {
    answerer.answered(name, {qimux::bridge::DnsOutcome::Kind::NoSuchName, {}}, now);
  }
  void fail(std::string_view name) {
    answerer.answered(name, {qimux::bridge::DnsOutcome::Kind::Failed, {}}, now);
  }
  // Asks, has the module answer, and forgets the reply.
  void learn(std::string_view name, std::vector<std::uint32_t> list) {
    ask(question(name));
    if (const auto asked = answerer.nextQuestion()) addresses(*asked, std::move(list));
    replies.clear();
  }
  void pass(qimux::async::Duration time) {
    now += time;
    answerer.expire(now);
  }
  // The oldest reply that was not taken yet. Throws where there is none.
  Answer take() {
    const Bytes reply = replies.at(0);
    replies.erase(replies.begin());
    bytes = reply;
    return Answer(bytes);
  }

  qimux::async::TimePoint now{std::chrono::hours(1)};
  qimux::bridge::DnsAnswerer answerer;
  std::vector<Bytes> replies;
  std::optional<qimux::bridge::DnsForward> forward;
  Bytes bytes;  // of the answer that was taken last
};

}  // namespace dns_test
