#include "qimux/daemon/service.hpp"

#include "qimux/async/virtual_loop.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <string>
#include <vector>

using namespace qimux;
using namespace qimux::daemon;
using namespace std::chrono_literals;

namespace {

// A manager that notes what it is told.
struct Rig {
  async::VirtualLoop loop;
  std::vector<std::string> told;
  Engine engine;
  std::string status = "Link no_device";
  Service service;

  explicit Rig(async::Duration watchdog = 60s)
      : service(
            loop, {[this](const std::string& what) { told.push_back(what); }, watchdog},
            [this] { return engine; }, [this] { return status; }) {}

  auto count(const std::string& what) const { return std::count(told.begin(), told.end(), what); }
};

}  // namespace

TEST_CASE("readiness is told once, with the state") {
  Rig rig(0s);
  rig.service.ready();
  rig.service.ready();
  CHECK(rig.told == std::vector<std::string>{"READY=1\nSTATUS=Link no_device"});
}

TEST_CASE("a state is told when it is another one") {
  Rig rig(0s);
  rig.service.ready();
  rig.service.refresh();
  CHECK(rig.told.size() == 1);
  rig.status = "Link online";
  rig.service.refresh();
  rig.service.refresh();
  REQUIRE(rig.told.size() == 2);
  CHECK(rig.told.back() == "STATUS=Link online");
}

TEST_CASE("the watchdog is fed twice in its time, from readiness on") {
  Rig rig(60s);
  rig.loop.runFor(10min);
  CHECK(rig.told.empty());
  rig.service.ready();
  rig.loop.runFor(10min);
  CHECK(rig.count("WATCHDOG=1") == 21);
}

TEST_CASE("a manager without a watchdog is told nothing but what changes, and the loop sleeps") {
  Rig rig(0s);
  rig.service.ready();
  CHECK(rig.loop.runUntilIdle(1h));
  CHECK(rig.told.size() == 1);
}

TEST_CASE("a stuck engine is not covered up: no sign of life, until it moves again") {
  Rig rig(60s);
  rig.service.ready();
  rig.engine = Engine{.commands = 12, .deadline = rig.loop.now() + 75s, .work = true};
  rig.loop.runFor(60s);
  const auto before = rig.count("WATCHDOG=1");
  CHECK(before == 3);
  // Its deadline and the grace are over: a minute without a word is what the manager ends it for.
  rig.loop.runFor(45s);
  rig.told.clear();
  rig.loop.runFor(10min);
  CHECK(rig.count("WATCHDOG=1") == 0);
  rig.engine = Engine{.commands = 13};
  rig.loop.runFor(60s);
  CHECK(rig.count("WATCHDOG=1") == 2);
}

TEST_CASE("the state is looked at again with each beat") {
  Rig rig(60s);
  rig.service.ready();
  rig.status = "Link online: The supply of the module is too weak";
  rig.loop.runFor(31s);
  CHECK(rig.count("STATUS=" + rig.status) == 1);
}

TEST_CASE("a reload begins with the kernel's time and ends with readiness") {
  Rig rig(0s);
  rig.service.ready();
  rig.told.clear();
  rig.service.reloading();
  rig.service.reloaded();
  REQUIRE(rig.told.size() == 2);
  CHECK(rig.told.front().starts_with("RELOADING=1\nMONOTONIC_USEC="));
  CHECK(rig.told.back() == "READY=1");
}

TEST_CASE("an end asks for the time that it needs") {
  Rig rig(0s);
  rig.service.stopping(5min);
  CHECK(rig.told == std::vector<std::string>{"STOPPING=1\nEXTEND_TIMEOUT_USEC=300000000"});
}
