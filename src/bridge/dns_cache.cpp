#include "qimux/bridge/dns_cache.hpp"

namespace qimux::bridge {

const DnsCache::Entry* DnsCache::find(std::string_view name) {
  const auto found = index_.find(name);
  if (found == index_.end()) return nullptr;
  nodes_.splice(nodes_.begin(), nodes_, found->second);
  return &found->second->entry;
}

void DnsCache::store(std::string_view name, std::vector<std::uint32_t> addresses, async::TimePoint now) {
  Entry* entry = claim(name);
  if (entry == nullptr) return;
  entry->addresses = std::move(addresses);
  entry->expires = now + lifetimes_.ttl;
  entry->stale_until = entry->expires + lifetimes_.stale_for;
  entry->failed_until = {};
}

void DnsCache::storeNoSuchName(std::string_view name, async::TimePoint now) {
  Entry* entry = claim(name);
  if (entry == nullptr) return;
  *entry = Entry{};
  entry->expires = now + lifetimes_.negative_ttl;
}

void DnsCache::storeFailure(std::string_view name, async::TimePoint now) {
  Entry* entry = claim(name);
  if (entry != nullptr) entry->failed_until = now + lifetimes_.failure_ttl;
}

void DnsCache::forgetFailures() {
  for (Node& node : nodes_) node.entry.failed_until = {};
}

DnsCache::Entry* DnsCache::claim(std::string_view name) {
  if (capacity_ == 0) return nullptr;
  if (find(name) == nullptr) {
    if (nodes_.size() >= capacity_) {
      index_.erase(nodes_.back().name);
      nodes_.pop_back();
      ++evictions_;
    }
    nodes_.push_front(Node{std::string(name), Entry{}});
    index_.emplace(nodes_.front().name, nodes_.begin());
  }
  return &nodes_.front().entry;
}

}  // namespace qimux::bridge
