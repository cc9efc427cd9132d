#include "qimux/bridge/slot_pool.hpp"

#include "support/catch.hpp"

#include <set>
#include <vector>

using namespace qimux;
using namespace qimux::bridge;
using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t kA = 0x0a000001, kB = 0x0a000002, kC = 0x0a000003;
constexpr async::TimePoint kStart{1h};

struct Rig {
  explicit Rig(PoolLimits limits = {}) : pool(limits) {}
  // Who is served now, in order.
  std::vector<SessionId> grantAll() {
    std::vector<SessionId> served;
    while (const auto grant = pool.grant(now)) {
      served.push_back(grant->id);
      slot_of.push_back(grant->slot);
    }
    return served;
  }
  async::TimePoint now = kStart;
  SlotPool pool;
  std::vector<int> slot_of;
};

using Ids = std::vector<SessionId>;

}  // namespace

TEST_CASE("first come, first served") {
  Rig rig;
  for (SessionId id = 1; id <= 8; ++id) REQUIRE(rig.pool.enqueue(id, static_cast<std::uint32_t>(id)));
  CHECK(rig.pool.waiting() == 8);
  CHECK(rig.grantAll() == Ids{1, 2, 3, 4, 5, 6});
  CHECK(std::set<int>(rig.slot_of.begin(), rig.slot_of.end()).size() == 6);
  CHECK(rig.pool.free() == 0);
  CHECK(rig.pool.waiting() == 2);
  rig.pool.release(3);
  rig.slot_of.clear();
  CHECK(rig.grantAll() == Ids{7});
  CHECK(rig.slot_of == std::vector{3});
}

TEST_CASE("the queue is bounded") {
  Rig rig(PoolLimits{.queue = 2, .per_destination = 2});
  CHECK(rig.pool.enqueue(1, kA));
  CHECK(rig.pool.enqueue(2, kA));
  CHECK_FALSE(rig.pool.enqueue(3, kA));
  CHECK(rig.pool.waiting() == 2);
}

TEST_CASE("datagrams have half of the queue, and take turns with connects") {
  constexpr auto kUdp = module::Protocol::Udp;
  constexpr auto kTcp = module::Protocol::Tcp;
  Rig rig(PoolLimits{.queue = 8, .per_destination = 2});
  for (SessionId id = 1; id <= 4; ++id)
    REQUIRE(rig.pool.enqueue(id, kA + static_cast<std::uint32_t>(id), kUdp));
  CHECK_FALSE(rig.pool.hasRoom(kUdp));
  CHECK_FALSE(rig.pool.enqueue(5, kA, kUdp));
  CHECK(rig.pool.hasRoom(kTcp));
  for (SessionId id = 11; id <= 14; ++id) REQUIRE(rig.pool.enqueue(id, kB + static_cast<std::uint32_t>(id)));
  CHECK_FALSE(rig.pool.hasRoom(kTcp));
  CHECK(rig.grantAll() == Ids{11, 1, 12, 2, 13, 3});
  // The places are free again, whether they were granted or withdrawn.
  rig.pool.withdraw(4);
  CHECK(rig.pool.waiting() == 1);
  for (SessionId id = 21; id <= 24; ++id) CHECK(rig.pool.enqueue(id, kA, kUdp));
  CHECK_FALSE(rig.pool.hasRoom(kUdp));
  CHECK(rig.pool.waiting() == 5);
}

TEST_CASE("who has withdrawn is not served; who never waited cannot withdraw") {
  Rig rig;
  rig.pool.enqueue(1, kA);
  rig.pool.enqueue(2, kB);
  rig.pool.withdraw(1);
  rig.pool.withdraw(77);
  CHECK(rig.grantAll() == Ids{2});
}

TEST_CASE("only so many opens to one address are pending, and others pass by") {
  Rig rig;
  for (SessionId id = 1; id <= 4; ++id) rig.pool.enqueue(id, kA);
  rig.pool.enqueue(5, kB);
  CHECK(rig.grantAll() == Ids{1, 2, 5});
  CHECK(rig.pool.free() == 3);
  // An outcome makes room for the next to that address.
  rig.pool.settled(rig.slot_of.at(0), true, rig.now);
  CHECK(rig.grantAll() == Ids{3});
  rig.pool.settled(rig.slot_of.at(1), true, rig.now);
  CHECK(rig.grantAll() == Ids{4});
}

TEST_CASE("a slot that was just given back is taken last") {
  Rig rig;
  rig.pool.enqueue(1, kA);
  rig.grantAll();
  rig.pool.settled(rig.slot_of.at(0), true, rig.now);
  rig.pool.release(rig.slot_of.at(0));
  const int old = rig.slot_of.at(0);
  rig.slot_of.clear();
  for (SessionId id = 2; id <= 7; ++id) rig.pool.enqueue(id, static_cast<std::uint32_t>(id));
  rig.grantAll();
  REQUIRE(rig.slot_of.size() == 6);
  CHECK(rig.slot_of.back() == old);
}

namespace {

// One open to `address` that has no answer.
void fallSilent(Rig& rig, std::uint32_t address) {
  rig.slot_of.clear();
  REQUIRE(rig.pool.enqueue(1000, address));
  REQUIRE(rig.grantAll() == Ids{1000});
  rig.pool.settled(rig.slot_of.at(0), false, rig.now);
  rig.pool.release(rig.slot_of.at(0));
  rig.slot_of.clear();
}

}  // namespace

TEST_CASE("to an address that did not answer one open is pending at a time, for a while") {
  Rig rig;
  fallSilent(rig, kA);
  rig.pool.enqueue(1, kA);
  rig.pool.enqueue(2, kA);
  rig.pool.enqueue(3, kB);
  CHECK(rig.grantAll() == Ids{1, 3});
  rig.now += 29s;
  CHECK(rig.grantAll().empty());
  rig.now += 1s;
  CHECK(rig.grantAll() == Ids{2});
}

TEST_CASE("an address that did not answer never gets the last free socket") {
  Rig rig;
  fallSilent(rig, kA);
  for (SessionId id = 1; id <= 5; ++id) rig.pool.enqueue(id, static_cast<std::uint32_t>(id));
  CHECK(rig.grantAll().size() == 5);
  rig.pool.enqueue(6, kA);
  CHECK(rig.grantAll().empty());
  CHECK(rig.pool.free() == 1);
  // Somebody else does.
  rig.pool.enqueue(7, kB);
  CHECK(rig.grantAll() == Ids{7});
  rig.pool.release(rig.slot_of.at(0));
  rig.pool.release(rig.slot_of.at(1));
  CHECK(rig.grantAll() == Ids{6});
}

TEST_CASE("the memory doubles with each silence, up to eight minutes, and an answer wipes it out") {
  Rig rig;
  for (const auto span : {30s, 60s, 120s, 240s, 480s, 480s}) {
    fallSilent(rig, kA);
    rig.pool.enqueue(1, kA);
    rig.pool.enqueue(2, kA);
    CHECK(rig.grantAll() == Ids{1});
    rig.now += span - 1s;
    CHECK(rig.grantAll().empty());
    rig.now += 1s;
    CHECK(rig.grantAll() == Ids{2});
    for (const int slot : rig.slot_of) rig.pool.release(slot);
    rig.slot_of.clear();
  }
  rig.pool.enqueue(3, kA);
  rig.grantAll();
  rig.pool.settled(rig.slot_of.at(0), true, rig.now);
  rig.pool.release(rig.slot_of.at(0));
  fallSilent(rig, kA);
  rig.pool.enqueue(4, kA);
  rig.pool.enqueue(5, kA);
  CHECK(rig.grantAll() == Ids{4});
  rig.now += 30s;
  CHECK(rig.grantAll() == Ids{5});
}

TEST_CASE("silent addresses are remembered up to a bound: the one that ends first gives way") {
  Rig rig;
  fallSilent(rig, kA);
  for (std::uint32_t other = 1; other <= 64; ++other) {
    rig.now += 1ms;
    fallSilent(rig, 0x0b000000 + other);
  }
  rig.pool.enqueue(1, kA);
  rig.pool.enqueue(2, kA);
  CHECK(rig.grantAll() == Ids{1, 2});
  rig.pool.enqueue(3, 0x0b000001);
  rig.pool.enqueue(4, 0x0b000001);
  CHECK(rig.grantAll() == Ids{3});
}

TEST_CASE("an outcome is told once; a second one changes nothing") {
  Rig rig;
  rig.pool.enqueue(1, kA);
  rig.grantAll();
  rig.pool.settled(0, true, rig.now);
  rig.pool.settled(0, false, rig.now);
  rig.pool.enqueue(2, kA);
  rig.pool.enqueue(3, kA);
  CHECK(rig.grantAll() == Ids{2, 3});
}

TEST_CASE("starved: somebody waits who could open if only a socket were free") {
  Rig rig;
  CHECK_FALSE(rig.pool.starved(rig.now));
  for (SessionId id = 1; id <= 6; ++id) rig.pool.enqueue(id, static_cast<std::uint32_t>(id));
  rig.grantAll();
  CHECK_FALSE(rig.pool.starved(rig.now));
  rig.pool.enqueue(7, kC);
  CHECK(rig.pool.starved(rig.now));
  rig.pool.release(2);
  CHECK_FALSE(rig.pool.starved(rig.now));
}

TEST_CASE("who waits only for his own address starves nobody") {
  Rig rig(PoolLimits{.queue = 64, .per_destination = 6});
  for (SessionId id = 1; id <= 6; ++id) rig.pool.enqueue(id, kA);
  rig.grantAll();
  rig.pool.enqueue(7, kA);
  CHECK_FALSE(rig.pool.starved(rig.now));
}
