#include "qimux/async/loop.hpp"

#include "qimux/async/uv_loop.hpp"
#include "qimux/async/virtual_loop.hpp"
#include "support/catch.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <memory>
#include <string>

using namespace qimux::async;
using namespace std::chrono_literals;

TEST_CASE("posted calls run in order, and what they post runs in the next round") {
  VirtualLoop loop;
  std::string log;
  loop.post([&] {
    log += 'a';
    loop.post([&] { log += 'c'; });
  });
  loop.post([&] { log += 'b'; });
  loop.runUntilIdle();
  CHECK(log == "abc");
}

TEST_CASE("calls that never ran are destroyed with the loop") {
  const auto witness = std::make_shared<int>(1);
  {
    VirtualLoop loop;
    loop.post([witness] {});
    CHECK(witness.use_count() == 2);
  }
  CHECK(witness.use_count() == 1);
}

TEST_CASE("a timer may destroy another one that is due at the same moment") {
  VirtualLoop loop;
  std::string log;
  auto second = std::make_unique<Timer>(loop);
  Timer first(loop);
  first.start(1s, [&] {
    log += "first";
    second.reset();
  });
  second->start(1s, [&] { log += "second"; });
  loop.runUntilIdle();
  CHECK(log == "first");
}

TEST_CASE("a timer that sets itself again for now does not hold the loop") {
  VirtualLoop loop;
  int fired = 0;
  Timer timer(loop);
  std::function<void()> again = [&] {
    if (++fired < 3) timer.start(0s, [&] { again(); });
  };
  timer.start(0s, [&] { again(); });
  loop.runUntilIdle();
  CHECK(fired == 3);
}

TEST_CASE("runUntil stops at its condition, and says when it cannot be met") {
  VirtualLoop loop;
  Timer timer(loop);
  bool done = false;
  timer.start(10s, [&] { done = true; });
  CHECK(loop.runUntil([&] { return done; }, 1min));
  CHECK_FALSE(loop.runUntil([] { return false; }, 1min));
}

TEST_CASE("the real loop fires timers in order, reads descriptors and takes signals") {
  UvLoop loop;
  int pipe_fds[2];
  REQUIRE(::pipe2(pipe_fds, O_NONBLOCK | O_CLOEXEC) == 0);
  std::string log;
  std::unique_ptr<UvLoop::FdWatch> watch =
      loop.watch(pipe_fds[0], Interest{.readable = true}, [&](Interest seen) {
        CHECK(seen.readable);
        char byte = 0;
        REQUIRE(::read(pipe_fds[0], &byte, 1) == 1);
        log += byte;
        watch.reset();
        ::raise(SIGUSR1);
      });
  const auto signal = loop.onSignal(SIGUSR1, [&] {
    log += 's';
    loop.stop();
  });
  Timer late(loop);
  Timer early(loop);
  late.start(2ms, [&] { REQUIRE(::write(pipe_fds[1], "w", 1) == 1); });
  early.start(500us, [&] { log += 'e'; });
  loop.post([&] { log += 'p'; });
  loop.run();
  CHECK(log == "pews");
  ::close(pipe_fds[0]);
  ::close(pipe_fds[1]);
}
