// The name server of the gateway address: answers from its cache, or by way of AT+QIDNSGIP (application note
// 8.2), which spends none of the six sockets. Does no I/O.
//
// The bridge brings messages with ask(), takes one name at a time from nextQuestion() to the module, and
// brings what the module said with answered(). Questions for the same name become one. Only type A is ever
// asked; everything else has its answer at once, or is forwarded where that is configured.
//
// Replies are called from inside ask(), answered(), unavailable() and expire(), as their last action: a reply
// may call back. One that is destroyed without a call means silence; so does the end of the answerer.
#pragma once

#include "qimux/async/loop.hpp"
#include "qimux/bridge/dns_cache.hpp"
#include "qimux/bridge/dns_message.hpp"

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qimux::bridge {

struct DnsOptions {
  async::Duration ttl = std::chrono::seconds(60);
  async::Duration negative_ttl = std::chrono::seconds(30);
  async::Duration failure_ttl = std::chrono::seconds(5);  // RFC 9520: 1 s to 5 min
  async::Duration stale_for = std::chrono::hours(24);     // RFC 8767: 1 to 3 days
  async::Duration stale_ttl = std::chrono::seconds(30);   // RFC 8767 4: TTL of an answer that is too old
  async::Duration stale_after = std::chrono::milliseconds(1800);  // RFC 8767 5: patience where there is one
  async::Duration hold =
      std::chrono::seconds(10);      // patience where there is none; stubs give up after 5 to 15 s
  std::size_t cache = 512;           // names
  std::size_t max_waiting = 64;      // names that wait for the module
  std::size_t max_waiters = 16;      // messages that wait for one name
  bool forward_other_types = false;  // neither A nor AAAA: ask() hands them back
};

// What the module said to AT+QIDNSGIP.
struct DnsOutcome {
  enum class Kind {
    Addresses,
    NoSuchName,  // "ERROR: 4"
    Failed,      // anything else, and no answer
  };
  Kind kind = Kind::Failed;
  std::vector<std::uint32_t> addresses;  // host byte order; beyond kMaxDnsAddresses ignored
};

// The module gives five at most (module manuals); a stray line more does no harm.
inline constexpr std::size_t kMaxDnsAddresses = 16;

struct DnsCounters {
  std::uint64_t messages = 0;       // brought by ask()
  std::uint64_t silent = 0;         // too short, or an answer
  std::uint64_t malformed = 0;      // FORMERR
  std::uint64_t unsupported = 0;    // NOTIMP, REFUSED, BADVERS
  std::uint64_t hits = 0;           // answered from the cache in time
  std::uint64_t stale = 0;          // answered with addresses that are too old
  std::uint64_t local = 0;          // other types and special names, answered here
  std::uint64_t invalid_names = 0;  // no host name: kept from the port
  std::uint64_t forwarded = 0;      // handed back for the upstream server
  std::uint64_t joined = 0;         // found their question waiting
  std::uint64_t asked = 0;          // names handed out for the module
  std::uint64_t resolved = 0;       // of those: addresses
  std::uint64_t no_such_name = 0;   // of those: none
  std::uint64_t failed = 0;         // of those: no answer
  std::uint64_t overflow = 0;       // SERVFAIL because too much is waiting
  std::uint64_t expired = 0;        // SERVFAIL because it took too long
};

using DnsReply = std::move_only_function<void(Bytes)>;

// A question for the upstream server. Whoever takes it sees to the reply: the server's answer where
// dnsAnswers() holds, else dnsFailure().
struct DnsForward {
  Bytes message;
  DnsTransport transport;
  DnsReply reply;
};

class DnsAnswerer {
 public:
  explicit DnsAnswerer(DnsOptions options);

  // One message from a program, over TCP without its length. Replies now or later, once; gives it back only
  // where forward_other_types is set.
  std::optional<DnsForward> ask(ByteView message, DnsTransport transport, async::TimePoint now,
                                DnsReply reply);

  // The next name for the module: a host name of at most kMaxAskedName lower case letters, digits, '-', '_'
  // and
  // '.'. None while unavailable. Each name that is handed out must be brought back once with answered().
  std::optional<std::string> nextQuestion();
  // A name that was not handed out is ignored. A failure while unavailable puts the question back.
  void answered(std::string_view name, const DnsOutcome& outcome, async::TimePoint now);

  // The radio is down, or up again. While down, addresses that are too old serve at once, and other questions
  // wait for at most `hold`.
  void unavailable(bool down, async::TimePoint now);

  // When expire() has something to do; TimePoint::max() for never. Known without looking: it is asked for
  // with every message, also in a flood of them.
  async::TimePoint nextDeadline() const { return next_deadline_; }
  // Answers those that have waited long enough: with old addresses, else SERVFAIL.
  void expire(async::TimePoint now);

  const DnsCounters& counters() const { return counters_; }
  std::size_t cached() const { return cache_.size(); }
  std::uint64_t evictions() const { return cache_.evictions(); }
  std::size_t waiting() const { return questions_.size(); }

 private:
  struct Waiter {
    DnsQuery query;
    DnsTransport transport;
    async::TimePoint deadline;
    DnsReply reply;
  };
  struct Question {
    std::vector<Waiter> waiters;
    async::TimePoint deadline;  // when it is no longer worth asking
    bool handed_out = false;    // else its name is in queue_
  };
  struct Answered {
    Waiter waiter;
    DnsAnswer answer;
  };
  using Questions = std::map<std::string, Question, std::less<>>;

  // The answer that needs nobody else; nullopt for a host's type A and what is to be forwarded.
  std::optional<DnsAnswer> answerHere(const DnsQuery& query, async::TimePoint now);
  DnsAnswer otherType(const DnsQuery& query, async::TimePoint now);
  std::optional<DnsAnswer> answerFromCache(std::string_view name, async::TimePoint now);
  // Addresses that are too old; nullopt without.
  std::optional<DnsAnswer> staleAnswer(std::string_view name, async::TimePoint now);
  bool forwards(const DnsQuery& query) const;
  // False where there is no room.
  bool enqueue(Waiter& waiter, async::TimePoint now);
  void store(std::string_view name, const DnsOutcome& outcome, async::TimePoint now);
  // What all who wait for `name` hear now that the module has answered.
  DnsAnswer conclude(std::string_view name, const DnsOutcome& outcome, async::TimePoint now);
  static void send(std::vector<Answered> ready);
  // next_deadline_ from all that waits. Only where the module or the clock has spoken, which is rare.
  void findDeadline();

  DnsOptions options_;
  DnsCache cache_;
  Questions questions_;
  std::deque<std::string> queue_;  // names of questions_ that were not handed out, oldest first
  bool unavailable_ = false;
  async::TimePoint next_deadline_ = async::TimePoint::max();
  DnsCounters counters_;
};

}  // namespace qimux::bridge
