#include "qimux/bridge/dns_cache.hpp"

#include "support/catch.hpp"

using namespace qimux::bridge;
using namespace std::chrono_literals;
using qimux::async::TimePoint;

namespace {
constexpr DnsLifetimes kLifetimes{60s, 30s, 5s, 1h};
constexpr TimePoint kStart{1h};
}  // namespace

TEST_CASE("addresses are fresh, then stale, then nothing") {
  DnsCache cache(4, kLifetimes);
  cache.store("a", {1, 2}, kStart);
  const DnsCache::Entry* entry = cache.find("a");
  REQUIRE(entry != nullptr);
  CHECK(entry->addresses == std::vector<std::uint32_t>{1, 2});
  CHECK(entry->fresh(kStart + 60s - 1us));
  CHECK_FALSE(entry->stale(kStart + 60s - 1us));
  CHECK_FALSE(entry->fresh(kStart + 60s));
  CHECK(entry->stale(kStart + 60s));
  CHECK_FALSE(entry->stale(kStart + 60s + 1h));
}

TEST_CASE("a name that does not exist replaces its addresses and is never stale") {
  DnsCache cache(4, kLifetimes);
  cache.store("a", {1}, kStart);
  cache.storeNoSuchName("a", kStart);
  const DnsCache::Entry* entry = cache.find("a");
  CHECK(entry->addresses.empty());
  CHECK(entry->fresh(kStart + 29s));
  CHECK_FALSE(entry->fresh(kStart + 30s));
  CHECK_FALSE(entry->stale(kStart + 31s));
}

TEST_CASE("a failure lasts a moment, keeps addresses, and is forgotten with its reason") {
  DnsCache cache(4, kLifetimes);
  cache.store("a", {1}, kStart);
  cache.storeFailure("a", kStart + 2min);
  CHECK(cache.find("a")->failing(kStart + 2min + 4s));
  CHECK_FALSE(cache.find("a")->failing(kStart + 2min + 5s));
  CHECK(cache.find("a")->stale(kStart + 2min));
  cache.forgetFailures();
  CHECK_FALSE(cache.find("a")->failing(kStart + 2min));

  cache.storeFailure("a", kStart);
  cache.store("a", {2}, kStart);
  CHECK_FALSE(cache.find("a")->failing(kStart));
}

TEST_CASE("the least recently used name gives way") {
  DnsCache cache(3, kLifetimes);
  for (const char* name : {"a", "b", "c"}) cache.store(name, {1}, kStart);
  CHECK(cache.find("a") != nullptr);
  cache.store("d", {1}, kStart);
  CHECK(cache.find("b") == nullptr);
  CHECK(cache.find("a") != nullptr);
  CHECK(cache.find("c") != nullptr);
  CHECK(cache.find("d") != nullptr);
  CHECK(cache.size() == 3);
  CHECK(cache.evictions() == 1);
}

TEST_CASE("a cache of 0 names keeps none") {
  DnsCache cache(0, kLifetimes);
  cache.store("a", {1}, kStart);
  cache.storeNoSuchName("b", kStart);
  cache.storeFailure("c", kStart);
  CHECK(cache.size() == 0);
  CHECK(cache.find("a") == nullptr);
}
