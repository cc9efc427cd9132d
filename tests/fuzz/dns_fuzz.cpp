// A program's bytes as DNS messages and as DNS over TCP: survived, answered with messages that glibc can
// read, and nothing but host names comes out on the module's side.
#include "qimux/bridge/dns_answerer.hpp"
#include "qimux/bridge/dns_stream.hpp"

#include <arpa/nameser.h>

#include <cstdlib>

using namespace qimux;
using namespace qimux::bridge;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void checkReply(const Bytes& reply, DnsTransport transport) {
  ns_msg message;
  require(ns_initparse(reply.data(), static_cast<int>(reply.size()), &message) == 0);
  require(transport == DnsTransport::Tcp || reply.size() <= kMaxDnsUdp);
}

void checkName(const std::string& name) {
  require(!name.empty() && name.size() <= 241);
  require(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.") == std::string::npos);
}

class Gateway {
 public:
  explicit Gateway(bool forward) : answerer_(options(forward)) {}

  void ask(ByteView message, DnsTransport transport) {
    auto forward = answerer_.ask(message, transport, now_,
                                 [transport](const Bytes& reply) { checkReply(reply, transport); });
    if (forward) forward->reply(dnsFailure(forward->message, transport));
    (void)dnsAnswers(message, message);
  }

  void serve(unsigned turn) {
    while (const auto name = answerer_.nextQuestion()) {
      checkName(*name);
      DnsOutcome outcome;
      outcome.kind = static_cast<DnsOutcome::Kind>(turn % 3);
      outcome.addresses.assign(turn % 7, turn);
      answerer_.answered(*name, outcome, now_);
    }
    answerer_.unavailable(turn % 5 == 0, now_);
    now_ += std::chrono::seconds(turn % 64);
    answerer_.expire(now_);
    require(answerer_.nextDeadline() > now_);
  }

 private:
  static DnsOptions options(bool forward) {
    DnsOptions out;
    out.cache = 3;
    out.max_waiting = 4;
    out.max_waiters = 2;
    out.forward_other_types = forward;
    return out;
  }

  async::TimePoint now_{};
  DnsAnswerer answerer_;
};

}  // namespace

// The first byte chooses; the rest is one datagram, or a stream of several messages.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const unsigned choice = data[0];
  const ByteView rest(data + 1, size - 1);
  Gateway gateway((choice & 1) != 0);
  if ((choice & 2) == 0) {
    gateway.ask(rest, DnsTransport::Udp);
    gateway.serve(choice >> 2);
    gateway.ask(rest, DnsTransport::Udp);
    gateway.serve(choice >> 3);
    return 0;
  }
  DnsStream stream;
  const std::size_t cut = (choice >> 2) % (rest.size() + 1);
  unsigned turn = choice;
  for (const ByteView part : {rest.first(cut), rest.subspan(cut)}) {
    for (const Bytes& message : stream.feed(part)) {
      gateway.ask(message, DnsTransport::Tcp);
      if (++turn % 2 == 0) gateway.serve(turn);
    }
  }
  gateway.serve(turn);
  return 0;
}
