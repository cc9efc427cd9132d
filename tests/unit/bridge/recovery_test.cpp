#include "qimux/bridge/recovery.hpp"

#include "qimux/async/virtual_loop.hpp"
#include "support/catch.hpp"

using namespace qimux;
using namespace qimux::bridge;
using namespace std::chrono_literals;

TEST_CASE("a step that helped: counted at its begin, remembered at its end with its time") {
  async::VirtualLoop loop;
  Recovery recovery(loop);
  recovery.begin(RecoveryStep::Restart, "AT+QIDEACT: no answer");
  CHECK(recovery.count(RecoveryStep::Restart) == 1);
  CHECK(recovery.underWay());
  CHECK(recovery.ended().empty());
  loop.runFor(7s);
  recovery.end({});
  CHECK_FALSE(recovery.underWay());
  REQUIRE(recovery.ended().size() == 1);
  const auto& entry = recovery.ended().front();
  CHECK(entry.step == RecoveryStep::Restart);
  CHECK(entry.why == "AT+QIDEACT: no answer");
  CHECK(entry.took == 7s);
  CHECK_FALSE(entry.failed);
}

TEST_CASE("a step that failed keeps what it failed of") {
  async::VirtualLoop loop;
  Recovery recovery(loop);
  recovery.begin(RecoveryStep::Resync, "silence");
  recovery.end(std::unexpected(Error{ErrorKind::Timeout, "AT", "no answer"}));
  REQUIRE(recovery.ended().size() == 1);
  CHECK(recovery.ended().front().failed->what == "AT");
}

TEST_CASE("a step that another one comes between has not helped; an end without a begin is nothing") {
  async::VirtualLoop loop;
  Recovery recovery(loop);
  recovery.end({});
  CHECK(recovery.ended().empty());
  recovery.begin(RecoveryStep::Restart, "a");
  recovery.begin(RecoveryStep::AwaitDevice, "b");
  REQUIRE(recovery.ended().size() == 1);
  CHECK(recovery.ended().front().failed->kind == ErrorKind::Cancelled);
  recovery.end({});
  CHECK(recovery.ended().back().step == RecoveryStep::AwaitDevice);
}

TEST_CASE("years of steps need no more memory than the last few") {
  async::VirtualLoop loop;
  Recovery recovery(loop);
  for (int i = 0; i < 1000; ++i) {
    recovery.begin(RecoveryStep::Resync, std::to_string(i));
    recovery.end({});
  }
  CHECK(recovery.count(RecoveryStep::Resync) == 1000);
  CHECK(recovery.ended().size() == Recovery::kRemembered);
  CHECK(recovery.ended().back().why == "999");
}
