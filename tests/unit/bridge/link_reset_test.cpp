// What somebody asks for: the module started anew, whatever the link is about.
#include "link_rig.hpp"
#include "support/catch.hpp"

#include <string>

using namespace qimux;
using namespace qimux::bridge;
using namespace qimux::bridge::test;
using Step = RecoveryStep;

namespace {

ErrorKind refusal(LinkRig& rig, Step step) {
  const auto done = rig.link.reset(step);
  return done ? ErrorKind::Garbled : done.error().kind;
}

}  // namespace

TEST_CASE("reset: an online module is restarted at once, counted, and brought up again") {
  LinkRig rig;
  rig.start();
  REQUIRE(rig.link.state() == State::Online);
  Client client;
  client.session = rig.mux.connect(net::Endpoint{kServer, 80}, client).value_or(nullptr);
  rig.loop.runFor(10ms);
  rig.port->sayLines({"0, CONNECT OK"});
  rig.loop.runFor(10ms);
  REQUIRE(rig.link.reset(Step::Restart));
  // Whoever waits for "online" now waits for the next time.
  CHECK(rig.link.state() == State::Recovering);
  CHECK(client.events.back() != "connected");
  rig.loop.runFor(1s);
  CHECK(rig.count("AT+CFUN=1,1") == 1);
  rig.port->sayLines({"RDY"});
  rig.loop.runFor(10s);
  CHECK(rig.link.state() == State::Online);
  CHECK(rig.link.recovery().count(Step::Restart) == 1);
  CHECK(rig.link.recovery().ended().back().why == "asked for");
  CHECK_FALSE(rig.link.recovery().ended().back().failed);
  for (const auto cause : {Cause::Started, Cause::Silence, Cause::Context})
    CHECK(rig.link.losses(cause) == 0);
}

TEST_CASE("reset: in the middle of a command, of coming up, and of a pause") {
  for (const char* silent : {"AT+QIDEACT", "AT+CPIN?", "AT+CGREG?", "AT+QIACT"}) {
    INFO(silent);
    LinkRig rig;
    rig.prepare = [silent](FakePort& port) { port.always(silent, ""); };
    rig.link.start();
    rig.loop.runFor(3s);
    REQUIRE(rig.link.state() != State::Online);
    rig.prepare = {};
    REQUIRE(rig.link.reset(Step::Restart));
    obey(*rig.port);
    rig.port->alwaysOk("AT+QIACT");
    REQUIRE(rig.loop.runUntil([&] { return rig.count("AT+CFUN=1,1") == 1; }, 30s));
    REQUIRE(rig.loop.runUntil([&] { return rig.link.state() == State::Online; }, 2min));
  }
}

TEST_CASE("reset: by the line where there is one, and again before the first is done") {
  int pulses = 0;
  LinkOptions options;
  options.reset_line = [&](serial::Port&) -> async::Task<Result<void>> {
    ++pulses;
    co_return Result<void>();
  };
  LinkRig rig(std::move(options));
  rig.start();
  REQUIRE(rig.link.reset(Step::ResetLine));
  rig.loop.runFor(1ms);
  REQUIRE(rig.link.reset(Step::ResetLine));
  rig.loop.runFor(10s);
  CHECK(pulses == 2);
  CHECK(rig.link.recovery().count(Step::ResetLine) == 2);
  CHECK(rig.link.state() == State::Online);
}

TEST_CASE("reset: a module that does not answer is no end of the link") {
  LinkRig rig;
  rig.start();
  rig.port->always("AT", "");
  REQUIRE(rig.link.reset(Step::Restart));
  rig.loop.runFor(90s);
  CHECK(rig.link.recovery().count(Step::Restart) == 1);
  REQUIRE(rig.port != nullptr);
  obey(*rig.port);
  REQUIRE(rig.loop.runUntil([&] { return rig.link.state() == State::Online; }, 5min));
}

TEST_CASE("reset: refused where it cannot be") {
  LinkRig rig;
  rig.present = false;
  rig.start();
  CHECK(refusal(rig, Step::Restart) == ErrorKind::Closed);
  rig.present = true;
  rig.loop.runFor(10s);
  REQUIRE(rig.link.state() == State::Online);
  CHECK(refusal(rig, Step::ResetLine) == ErrorKind::Invalid);
  CHECK(refusal(rig, Step::Resync) == ErrorKind::Invalid);
  CHECK(rig.link.state() == State::Online);
  rig.stop();
  CHECK(refusal(rig, Step::Restart) == ErrorKind::Closed);
  rig.loop.runFor(10s);
  CHECK(rig.stopped == 1);
}

TEST_CASE("reset: a stop behind it ends it") {
  LinkRig rig;
  rig.start();
  REQUIRE(rig.link.reset(Step::Restart));
  rig.loop.runFor(100ms);
  rig.stop();
  rig.loop.runFor(30s);
  CHECK(rig.stopped == 1);
  CHECK(rig.link.state() == State::Stopped);
}
