#include "qimux/net/nat_table.hpp"

#include "support/catch.hpp"

#include <map>
#include <random>
#include <set>

namespace qimux::net {
namespace {

using namespace std::chrono_literals;
using async::TimePoint;

FlowKey flowNumber(std::uint32_t number) {
  return {{0x0a000001, 1000}, {number, 80}};
}

NatTable::Options range(std::uint16_t first, std::uint16_t last) {
  NatTable::Options options;
  options.first = first;
  options.last = last;
  return options;
}

}  // namespace

TEST_CASE("a flow has one port, and both ways lead to it") {
  NatTable table({});
  const auto port = table.allocate(flowNumber(1), TimePoint{});
  REQUIRE(port);
  CHECK(*port >= 1024);
  CHECK(table.allocate(flowNumber(1), TimePoint{}).value() == *port);
  CHECK(table.portOf(flowNumber(1)) == *port);
  CHECK(table.flowOf(*port) == flowNumber(1));
  CHECK(table.size() == 1);
  CHECK_FALSE(table.portOf(flowNumber(2)));
  CHECK_FALSE(table.flowOf(static_cast<std::uint16_t>(*port + 1)));
}

TEST_CASE("ports are taken in turn, and one that is in use is never given twice, wrap or no wrap") {
  NatTable table(range(10, 12));
  CHECK(table.allocate(flowNumber(1), TimePoint{}).value() == 10);
  CHECK(table.allocate(flowNumber(2), TimePoint{}).value() == 11);
  table.release(flowNumber(1), TimePoint{});
  CHECK(table.allocate(flowNumber(3), TimePoint{} + 200s).value() == 12);
  CHECK(table.allocate(flowNumber(4), TimePoint{} + 200s).value() == 10);
  const auto full = table.allocate(flowNumber(5), TimePoint{} + 200s);
  REQUIRE_FALSE(full);
  CHECK(full.error().kind == ErrorKind::Full);
}

TEST_CASE("a freed port rests for 120 seconds, to the microsecond") {
  NatTable table(range(10, 10));
  REQUIRE(table.allocate(flowNumber(1), TimePoint{}));
  table.release(flowNumber(1), TimePoint{} + 5s);
  CHECK(table.size() == 0);
  CHECK(table.quarantined() == 1);
  CHECK_FALSE(table.flowOf(10));
  CHECK_FALSE(table.portOf(flowNumber(1)));
  CHECK(table.allocate(flowNumber(1), TimePoint{} + 125s - 1us).error().kind == ErrorKind::Full);
  CHECK(table.allocate(flowNumber(1), TimePoint{} + 125s).value() == 10);
  CHECK(table.quarantined() == 0);
}

TEST_CASE("the table holds no more flows than it may") {
  NatTable::Options options;
  options.bound = 2;
  NatTable table(options);
  CHECK(table.allocate(flowNumber(1), TimePoint{}));
  CHECK(table.allocate(flowNumber(2), TimePoint{}));
  CHECK(table.allocate(flowNumber(3), TimePoint{}).error().kind == ErrorKind::Full);
  CHECK(table.allocate(flowNumber(2), TimePoint{}));
  table.release(flowNumber(1), TimePoint{});
  CHECK(table.allocate(flowNumber(3), TimePoint{}));
}

TEST_CASE("releasing what is not there changes nothing") {
  NatTable table({});
  table.release(flowNumber(1), TimePoint{});
  CHECK(table.quarantined() == 0);
}

TEST_CASE("the whole range is used, to its last port") {
  NatTable::Options options = range(65000, 65535);
  NatTable table(options);
  std::set<std::uint16_t> ports;
  for (std::uint32_t number = 0; number < 536; ++number)
    ports.insert(table.allocate(flowNumber(number), TimePoint{}).value());
  CHECK(ports.size() == 536);
  CHECK(*ports.begin() == 65000);
  CHECK(*ports.rbegin() == 65535);
}

TEST_CASE("random use agrees with a model: no port twice, none before its rest is over") {
  std::mt19937 random(5);
  NatTable table(range(100, 139));
  std::map<FlowKey, std::uint16_t> model;
  std::map<std::uint16_t, TimePoint> freed;
  TimePoint now{};
  for (int round = 0; round < 20'000; ++round) {
    now += std::chrono::milliseconds(random() % 5000);
    const FlowKey flow = flowNumber(static_cast<std::uint32_t>(random() % 60));
    if (random() % 2) {
      table.release(flow, now);
      if (const auto found = model.find(flow); found != model.end()) {
        freed[found->second] = now;
        model.erase(found);
      }
      continue;
    }
    const bool known = model.contains(flow);
    const auto port = table.allocate(flow, now);
    if (known) {
      REQUIRE(port.value() == model[flow]);
    } else if (port) {
      for (const auto& [other, taken] : model) REQUIRE(taken != *port);
      if (freed.contains(*port)) REQUIRE(now - freed[*port] >= 120s);
      model[flow] = *port;
      REQUIRE(table.flowOf(*port) == flow);
    } else {
      std::size_t resting = 0;
      for (const auto& [other, since] : freed) resting += now - since < 120s ? 1 : 0;
      REQUIRE(model.size() + resting >= 40);
    }
    REQUIRE(table.size() == model.size());
  }
}

TEST_CASE("the port of a flow that never sent anything inside is free at once") {
  NatTable table({.first = 2000, .last = 2003, .bound = 4});
  const async::TimePoint now{};
  // Far more than there are ports, and none of them rests.
  for (std::uint32_t number = 0; number < 100; ++number) {
    REQUIRE(table.allocate(flowNumber(number), now).has_value());
    table.discard(flowNumber(number));
    table.discard(flowNumber(number));
  }
  CHECK(table.size() == 0);
  CHECK(table.quarantined() == 0);
}

}  // namespace qimux::net
