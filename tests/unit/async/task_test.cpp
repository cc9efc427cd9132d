#include "qimux/async/task.hpp"

#include "qimux/async/event.hpp"
#include "qimux/async/queue.hpp"
#include "qimux/async/virtual_loop.hpp"
#include "support/catch.hpp"

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

using namespace qimux::async;
using namespace std::chrono_literals;

namespace {

Task<int> immediate(int value) {
  co_return value;
}

Task<void> sumMany(int count, std::int64_t& sum) {
  for (int i = 0; i < count; ++i) sum += co_await immediate(i);
}

Task<int> later(Loop& loop, Duration span, int value) {
  co_await sleep(loop, span);
  co_return value;
}

Task<void> record(Loop& loop, Duration span, int value, std::vector<int>& seen) {
  const int result = co_await later(loop, span, value);
  seen.push_back(result);
}

struct Marker {
  std::string& log;
  explicit Marker(std::string& text) : log(text) {}
  ~Marker() { log += "destroyed"; }
};

Task<void> holdMarker(Loop& loop, std::string& log) {
  const Marker marker(log);
  co_await sleep(loop, 1h);
  log += "ended";
}

Task<void> throwLater(Loop& loop) {
  co_await sleep(loop, 1s);
  throw std::logic_error("a defect");
}

Task<void> waitEvent(Event& event, Duration span, std::string& log) {
  const bool set = co_await event.waitFor(span);
  log += set ? "set " : "late ";
}

}  // namespace

TEST_CASE("a million synchronous children do not grow the stack") {
  VirtualLoop loop;
  Scope scope(loop);
  std::int64_t sum = 0;
  scope.spawn(sumMany(1'000'000, sum));
  loop.runUntilIdle();
  CHECK(sum == 499'999'500'000);
  CHECK(scope.size() == 0);
}

TEST_CASE("tasks end in the order of their deadlines and virtual time is exact") {
  VirtualLoop loop;
  Scope scope(loop);
  std::vector<int> seen;
  const auto start = loop.now();
  scope.spawn(record(loop, 3h, 3, seen));
  scope.spawn(record(loop, 1us, 1, seen));
  scope.spawn(record(loop, 2s, 2, seen));
  loop.runUntilIdle();
  CHECK(seen == std::vector<int>{1, 2, 3});
  CHECK(loop.now() - start == 3h);
}

TEST_CASE("cancelling a scope destroys what its tasks hold, and nothing of them runs later") {
  VirtualLoop loop;
  std::string log;
  {
    Scope scope(loop);
    scope.spawn(holdMarker(loop, log));
    loop.runFor(1s);
    CHECK(log.empty());
  }
  CHECK(log == "destroyed");
  loop.runUntilIdle();
  CHECK(log == "destroyed");
}

TEST_CASE("a task that was never started is destroyed quietly") {
  VirtualLoop loop;
  std::string log;
  {
    const auto task = holdMarker(loop, log);
  }
  CHECK(log.empty());
}

TEST_CASE("an exception leaves through the loop") {
  VirtualLoop loop;
  Scope scope(loop);
  scope.spawn(throwLater(loop));
  CHECK_THROWS_AS(loop.runUntilIdle(), std::logic_error);
}

TEST_CASE("an event wakes its waiters once, the late ones see the deadline") {
  VirtualLoop loop;
  Scope scope(loop);
  Event event(loop);
  std::string log;
  scope.spawn(waitEvent(event, 1s, log));
  scope.spawn(waitEvent(event, 5s, log));
  loop.runFor(2s);
  CHECK(log == "late ");
  event.set();
  event.reset();
  loop.runUntilIdle();
  CHECK(log == "late set ");
}

TEST_CASE("a queue keeps order, is bounded, and gives up at its deadline") {
  VirtualLoop loop;
  Queue<int> queue(loop, 2);
  CHECK(queue.push(1));
  CHECK(queue.push(2));
  CHECK_FALSE(queue.push(3));
  CHECK(queue.tryPop() == 1);
  CHECK(queue.size() == 1);

  Scope scope(loop);
  std::string log;
  const auto drain = [](Loop& clock, Queue<int>& from, std::string& text) -> Task<void> {
    for (;;) {
      const auto deadline = clock.now() + 1s;
      const auto item = co_await from.pop(deadline);
      if (!item) co_return;
      text += std::to_string(*item);
    }
  };
  scope.spawn(drain(loop, queue, log));
  Timer timer(loop);
  timer.start(500ms, [&] { queue.push(7); });
  loop.runUntilIdle();
  CHECK(log == "27");
  CHECK(scope.size() == 0);
}
