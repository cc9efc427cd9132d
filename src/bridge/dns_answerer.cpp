#include "qimux/bridge/dns_answerer.hpp"

#include "qimux/bridge/dns_name.hpp"

#include <arpa/nameser.h>

#include <algorithm>
#include <cassert>

namespace qimux::bridge {

namespace {

using async::Duration;
using async::TimePoint;

constexpr std::uint32_t kLoopback = 0x7f000001;
constexpr std::int64_t kMaxTtl = 0x7fffffff;  // RFC 2181 8

// Rounded up: an answer that is still good for half a second is not one that may not be kept.
std::uint32_t ttlSeconds(Duration left) {
  const std::int64_t seconds = std::chrono::ceil<std::chrono::seconds>(left).count();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(seconds, 0, kMaxTtl));
}

DnsAnswer addressAnswer(const std::vector<std::uint32_t>& addresses, Duration ttl) {
  DnsAnswer answer;
  answer.ttl = ttlSeconds(ttl);
  for (const std::uint32_t address : addresses) answer.records.push_back(dnsAddress(address));
  return answer;
}

DnsAnswer failure(DnsRcode rcode) {
  DnsAnswer answer;
  answer.rcode = rcode;
  return answer;
}

// RFC 8482 4.2: HINFO "RFC8482" "".
DnsRecord anyRecord() {
  DnsRecord record;
  record.type = ns_t_hinfo;
  record.data = {7, 'R', 'F', 'C', '8', '4', '8', '2', 0};
  return record;
}

// RFC 6761 6.3: never asked of anyone, and always here.
DnsAnswer loopbackAnswer(std::uint16_t type, Duration ttl) {
  DnsAnswer answer;
  answer.ttl = ttlSeconds(ttl);
  if (type == ns_t_a) answer.records.push_back(dnsAddress(kLoopback));
  if (type == ns_t_aaaa) {
    DnsRecord record{ns_t_aaaa, Bytes(NS_IN6ADDRSZ, 0)};
    record.data.back() = 1;
    answer.records.push_back(std::move(record));
  }
  return answer;
}

// Zone transfers, signatures and sessions: there is no answer to them in any name.
bool isMetaType(std::uint16_t type) {
  return (type >= 128 && type < ns_t_any) || type == ns_t_opt || type == ns_t_invalid;
}

// The order is the module's; an address that it says twice is one.
std::vector<std::uint32_t> distinct(const std::vector<std::uint32_t>& addresses) {
  std::vector<std::uint32_t> kept;
  for (const std::uint32_t address : addresses) {
    if (kept.size() == kMaxDnsAddresses) break;
    if (std::ranges::find(kept, address) == kept.end()) kept.push_back(address);
  }
  return kept;
}

bool succeeded(const DnsOutcome& outcome) {
  return outcome.kind == DnsOutcome::Kind::NoSuchName ||
         (outcome.kind == DnsOutcome::Kind::Addresses && !outcome.addresses.empty());
}

}  // namespace

DnsAnswerer::DnsAnswerer(DnsOptions options)
    : options_(options),
      cache_(options.cache,
             DnsLifetimes{options.ttl, options.negative_ttl, options.failure_ttl, options.stale_for}) {}

std::optional<DnsForward> DnsAnswerer::ask(ByteView message, DnsTransport transport, TimePoint now,
                                           DnsReply reply) {
  ++counters_.messages;
  auto query = parseDnsQuery(message);
  if (!query) {
    ++counters_.silent;
    return std::nullopt;
  }
  if (forwards(*query)) {
    ++counters_.forwarded;
    return DnsForward{Bytes(message.begin(), message.end()), transport, std::move(reply)};
  }
  auto answer = answerHere(*query, now);
  if (!answer) {
    Waiter waiter{std::move(*query), transport, {}, std::move(reply)};
    if (enqueue(waiter, now)) return std::nullopt;
    ++counters_.overflow;
    query = std::move(waiter.query);
    reply = std::move(waiter.reply);
    answer = failure(DnsRcode::ServFail);
  }
  reply(encodeDnsAnswer(*query, *answer, transport));
  return std::nullopt;
}

bool DnsAnswerer::forwards(const DnsQuery& query) const {
  if (!options_.forward_other_types || query.error != DnsRcode::NoError || query.rr_class != ns_c_in)
    return false;
  if (query.type == ns_t_a || query.type == ns_t_aaaa || query.type == ns_t_any || isMetaType(query.type)) {
    return false;
  }
  const DnsNameKind kind = classifyDnsName(query.text);
  return kind != DnsNameKind::Loopback && kind != DnsNameKind::Private && kind != DnsNameKind::Numeric;
}

std::optional<DnsAnswer> DnsAnswerer::answerHere(const DnsQuery& query, TimePoint now) {
  if (query.error != DnsRcode::NoError) {
    ++(query.error == DnsRcode::FormErr ? counters_.malformed : counters_.unsupported);
    return failure(query.error);
  }
  if (query.rr_class != ns_c_in || isMetaType(query.type)) {
    ++counters_.unsupported;
    return failure(DnsRcode::Refused);
  }
  const DnsNameKind kind = classifyDnsName(query.text);
  if (kind == DnsNameKind::Host && query.type == ns_t_a) return answerFromCache(query.text, now);

  ++counters_.local;
  switch (kind) {
    case DnsNameKind::Loopback:
      return loopbackAnswer(query.type, options_.ttl);
    case DnsNameKind::NotAHost:
      ++counters_.invalid_names;
      return failure(DnsRcode::NxDomain);
    case DnsNameKind::Numeric:
    case DnsNameKind::Private:
    case DnsNameKind::Reverse:
      return failure(DnsRcode::NxDomain);
    case DnsNameKind::TooLong:
      // It may exist: only nobody here can tell.
      if (query.type == ns_t_a) return failure(DnsRcode::ServFail);
      break;
    case DnsNameKind::Root:
    case DnsNameKind::Host:
      break;
  }
  return otherType(query, now);
}

DnsAnswer DnsAnswerer::otherType(const DnsQuery& query, TimePoint now) {
  const DnsCache::Entry* entry = cache_.find(query.text);
  if (entry != nullptr && entry->fresh(now) && entry->addresses.empty()) return failure(DnsRcode::NxDomain);
  DnsAnswer answer;
  if (query.type == ns_t_any) {
    answer.records.push_back(anyRecord());
    answer.ttl = ttlSeconds(options_.ttl);
  }
  return answer;
}

std::optional<DnsAnswer> DnsAnswerer::answerFromCache(std::string_view name, TimePoint now) {
  const DnsCache::Entry* entry = cache_.find(name);
  if (entry == nullptr) return std::nullopt;
  if (entry->fresh(now)) {
    ++counters_.hits;
    if (entry->addresses.empty()) return failure(DnsRcode::NxDomain);
    return addressAnswer(entry->addresses, entry->expires - now);
  }
  const bool failing = entry->failing(now);
  if (!unavailable_ && !failing) return std::nullopt;
  if (auto answer = staleAnswer(name, now)) {
    ++counters_.stale;
    return answer;
  }
  // While the radio is down the question waits for it; an answer that failed just now would fail again.
  if (unavailable_) return std::nullopt;
  ++counters_.hits;
  return failure(DnsRcode::ServFail);
}

std::optional<DnsAnswer> DnsAnswerer::staleAnswer(std::string_view name, TimePoint now) {
  const DnsCache::Entry* entry = cache_.find(name);
  if (entry == nullptr || !entry->stale(now)) return std::nullopt;
  return addressAnswer(entry->addresses, options_.stale_ttl);
}

bool DnsAnswerer::enqueue(Waiter& waiter, TimePoint now) {
  const std::string& name = waiter.query.text;
  auto found = questions_.find(name);
  if (found == questions_.end()) {
    if (questions_.size() >= options_.max_waiting) return false;
    found = questions_.try_emplace(name).first;
    queue_.push_back(name);
  } else {
    if (found->second.waiters.size() >= options_.max_waiters) return false;
    ++counters_.joined;
  }
  const DnsCache::Entry* entry = cache_.find(name);
  const bool has_stale = entry != nullptr && entry->stale(now);
  waiter.deadline = now + (has_stale ? std::min(options_.stale_after, options_.hold) : options_.hold);
  // The question's own is never the earlier one of the two.
  next_deadline_ = std::min(next_deadline_, waiter.deadline);
  found->second.deadline = now + options_.hold;
  found->second.waiters.push_back(std::move(waiter));
  return true;
}

std::optional<std::string> DnsAnswerer::nextQuestion() {
  if (unavailable_ || queue_.empty()) return std::nullopt;
  std::string name = std::move(queue_.front());
  queue_.pop_front();
  // The last look before the port.
  assert(classifyDnsName(name) == DnsNameKind::Host);
  questions_.find(name)->second.handed_out = true;
  findDeadline();
  ++counters_.asked;
  return name;
}

void DnsAnswerer::answered(std::string_view name, const DnsOutcome& outcome, TimePoint now) {
  const auto found = questions_.find(name);
  if (found == questions_.end() || !found->second.handed_out) return;
  if (unavailable_ && !succeeded(outcome) && !found->second.waiters.empty()) {
    found->second.handed_out = false;
    queue_.push_back(found->first);
    findDeadline();
    return;
  }
  const std::string key = found->first;
  std::vector<Waiter> waiters = std::move(found->second.waiters);
  questions_.erase(found);
  findDeadline();
  store(key, outcome, now);
  const DnsAnswer answer = conclude(key, outcome, now);
  if (!succeeded(outcome) && answer.rcode == DnsRcode::NoError) counters_.stale += waiters.size();
  std::vector<Answered> ready;
  for (Waiter& waiter : waiters) ready.push_back({std::move(waiter), answer});
  send(std::move(ready));
}

void DnsAnswerer::store(std::string_view name, const DnsOutcome& outcome, TimePoint now) {
  if (!succeeded(outcome)) {
    ++counters_.failed;
    // A dead radio says nothing about the name.
    if (!unavailable_) cache_.storeFailure(name, now);
  } else if (outcome.kind == DnsOutcome::Kind::NoSuchName) {
    ++counters_.no_such_name;
    cache_.storeNoSuchName(name, now);
  } else {
    ++counters_.resolved;
    cache_.store(name, distinct(outcome.addresses), now);
  }
}

DnsAnswer DnsAnswerer::conclude(std::string_view name, const DnsOutcome& outcome, TimePoint now) {
  if (succeeded(outcome)) {
    return outcome.kind == DnsOutcome::Kind::NoSuchName
               ? failure(DnsRcode::NxDomain)
               : addressAnswer(distinct(outcome.addresses), options_.ttl);
  }
  return staleAnswer(name, now).value_or(failure(DnsRcode::ServFail));
}

void DnsAnswerer::unavailable(bool down, TimePoint now) {
  if (unavailable_ == down) return;
  unavailable_ = down;
  if (!down) {
    cache_.forgetFailures();
    return;
  }
  std::vector<Answered> ready;
  for (auto& [name, question] : questions_) {
    const auto answer = staleAnswer(name, now);
    if (!answer) continue;
    counters_.stale += question.waiters.size();
    for (Waiter& waiter : question.waiters) ready.push_back({std::move(waiter), *answer});
    question.waiters.clear();
  }
  findDeadline();
  send(std::move(ready));
}

void DnsAnswerer::findDeadline() {
  next_deadline_ = TimePoint::max();
  for (const auto& [name, question] : questions_) {
    if (!question.handed_out) next_deadline_ = std::min(next_deadline_, question.deadline);
    for (const Waiter& waiter : question.waiters) next_deadline_ = std::min(next_deadline_, waiter.deadline);
  }
}

void DnsAnswerer::expire(TimePoint now) {
  std::vector<Answered> ready;
  for (auto place = questions_.begin(); place != questions_.end();) {
    auto& [name, question] = *place;
    auto& waiters = question.waiters;
    const auto late = std::partition(waiters.begin(), waiters.end(),
                                     [now](const Waiter& waiter) { return waiter.deadline > now; });
    for (auto waiter = late; waiter != waiters.end(); ++waiter) {
      const auto stale = staleAnswer(name, now);
      ++(stale ? counters_.stale : counters_.expired);
      ready.push_back({std::move(*waiter), stale.value_or(failure(DnsRcode::ServFail))});
    }
    waiters.erase(late, waiters.end());
    // One that was handed out stays until the module has spoken: its answer is worth keeping.
    if (question.handed_out || question.deadline > now) {
      ++place;
    } else {
      std::erase(queue_, name);
      place = questions_.erase(place);
    }
  }
  findDeadline();
  send(std::move(ready));
}

void DnsAnswerer::send(std::vector<Answered> ready) {
  for (Answered& each : ready) {
    each.waiter.reply(encodeDnsAnswer(each.waiter.query, each.answer, each.waiter.transport));
  }
}

}  // namespace qimux::bridge
