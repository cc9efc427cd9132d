// What is known about names: a bounded cache, the least recently used entry gives way.
//
// Holds addresses, also for a while after their time, so that a dead radio does not take the names with it
// (RFC 8767); names that do not exist (RFC 2308); and failures, for a moment only, so that a program that
// asks again and again does not cost the module a command each time (RFC 9520).
#pragma once

#include "qimux/async/loop.hpp"

#include <cstdint>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace qimux::bridge {

struct DnsLifetimes {
  async::Duration ttl;           // of addresses: the module does not tell theirs
  async::Duration negative_ttl;  // of "no such name"
  async::Duration failure_ttl;   // of a failure
  async::Duration stale_for;     // how long expired addresses are kept for bad times
};

class DnsCache {
 public:
  struct Entry {
    std::vector<std::uint32_t> addresses;  // host byte order; none: the name does not exist, or only failures
    async::TimePoint expires{};            // until then addresses, or their absence, are the truth
    async::TimePoint stale_until{};        // until then addresses are better than nothing
    async::TimePoint failed_until{};       // until then asking again is not worth it

    bool fresh(async::TimePoint now) const { return now < expires; }
    bool stale(async::TimePoint now) const { return !addresses.empty() && !fresh(now) && now < stale_until; }
    bool failing(async::TimePoint now) const { return now < failed_until; }
  };

  DnsCache(std::size_t capacity, DnsLifetimes lifetimes) : capacity_(capacity), lifetimes_(lifetimes) {}

  // The entry, now the most recently used; nullptr without one. Valid until the next call that changes it.
  const Entry* find(std::string_view name);

  void store(std::string_view name, std::vector<std::uint32_t> addresses, async::TimePoint now);
  void storeNoSuchName(std::string_view name, async::TimePoint now);
  // Keeps addresses that are there.
  void storeFailure(std::string_view name, async::TimePoint now);
  // The reason for the failures is gone: every name may be asked at once.
  void forgetFailures();

  std::size_t size() const { return index_.size(); }
  std::uint64_t evictions() const { return evictions_; }

 private:
  struct Node {
    std::string name;
    Entry entry;
  };
  // The name's entry, made where there is none; nullptr where the capacity is 0.
  Entry* claim(std::string_view name);

  std::size_t capacity_;
  DnsLifetimes lifetimes_;
  std::list<Node> nodes_;                                        // most recently used first
  std::map<std::string_view, std::list<Node>::iterator> index_;  // views of the nodes' names
  std::uint64_t evictions_ = 0;
};

}  // namespace qimux::bridge
