#include "qimux/bridge/syn_watch.hpp"

#include "support/catch.hpp"

#include <vector>

using namespace qimux;
using namespace std::chrono_literals;
using bridge::SynWatch;

namespace {

constexpr async::TimePoint kStart{1h};

// The kernel's retransmissions at these seconds after the first: nobody may be given up before the next one
// comes.
void neverTooEarly(const std::vector<int>& seconds) {
  SynWatch watch(kStart);
  for (const int at : seconds) {
    const auto next = kStart + std::chrono::seconds(at);
    CHECK(watch.abandonedAt() > next + 100ms);
    watch.again(next);
  }
}

}  // namespace

TEST_CASE("a program that waits is never given up: the kernel's schedules, new and old") {
  neverTooEarly({1, 2, 3, 4, 5, 7, 11, 19, 36, 69});
  neverTooEarly({1, 3, 7, 15, 31, 63});
}

TEST_CASE("a program that gave up at once is forgotten within seconds") {
  const SynWatch watch(kStart);
  CHECK(watch.abandonedAt() <= kStart + 3s);
}

TEST_CASE("a program that gave up later is forgotten when the next retransmission is overdue") {
  SynWatch watch(kStart);
  for (const int at : {1, 3, 7}) watch.again(kStart + std::chrono::seconds(at));
  CHECK(watch.abandonedAt() > kStart + 15s);
  CHECK(watch.abandonedAt() < kStart + 16500ms);
  CHECK(watch.first() == kStart);
  CHECK(watch.last() == kStart + 7s);
}
