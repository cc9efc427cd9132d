// The steps of the recovery ladder, as the link takes them.
#include "link_rig.hpp"
#include "support/catch.hpp"

#include <memory>
#include <string>
#include <utility>

using namespace qimux;
using namespace qimux::bridge;
using namespace qimux::bridge::test;
using Step = RecoveryStep;

namespace {

std::uint64_t taken(const LinkRig& rig, Step step) {
  return rig.link.recovery().count(step);
}

std::string trouble(const LinkRig& rig) {
  const auto condition = rig.link.condition();
  return condition ? std::string(name(condition->trouble)) : "none";
}

int connected(LinkRig& rig, Client& client) {
  client.session = rig.mux.connect(net::Endpoint{kServer, 80}, client).value_or(nullptr);
  rig.loop.runFor(10ms);
  rig.port->sayLines({"0, CONNECT OK"});
  rig.loop.runFor(10ms);
  return client.session == nullptr ? -1 : client.session->slot();
}

}  // namespace

TEST_CASE("a module at another rate is found, told to use ours, and brought up") {
  LinkRig rig;
  rig.prepare = [](FakePort& port) { port.talksAt(9600); };
  rig.link.start();
  rig.loop.runFor(20s);
  CHECK(rig.link.state() == State::Online);
  CHECK(rig.port->rate() == 115200);
  CHECK(rig.count("AT+IPR=115200") == 1);
  CHECK(taken(rig, Step::BaudHunt) == 1);
  CHECK_FALSE(rig.link.recovery().ended().back().failed);
}

TEST_CASE("a module that cannot be told another rate is used at its own") {
  LinkRig rig;
  rig.prepare = [](FakePort& port) {
    port.talksAt(38400);
    port.always("AT+IPR", FakePort::framed({"ERROR"}));
  };
  rig.link.start();
  rig.loop.runFor(20s);
  CHECK(rig.link.state() == State::Online);
  CHECK(rig.port->rate() == 38400);
}

TEST_CASE("a module that does not answer at any rate is waited for, with the port at its own rate") {
  LinkRig rig;
  rig.prepare = [](FakePort& port) { port.talksAt(300); };
  rig.link.start();
  rig.loop.runFor(1min);
  CHECK(rig.port->rate() == 115200);
  CHECK(trouble(rig) == "silent");
  CHECK(taken(rig, Step::BaudHunt) == 1);
  CHECK(taken(rig, Step::AwaitDevice) >= 2);
  rig.prepare = {};
  rig.port->talksAt(0);
  rig.loop.runFor(5s);
  CHECK(rig.link.state() == State::Online);
  CHECK(trouble(rig) == "none");
}

TEST_CASE("AT+QIDEACT without an answer in a minute: the module is restarted, as the application note says") {
  LinkRig rig;
  rig.start();
  rig.port->always("AT+QIDEACT", "");
  rig.port->sayLines({"+PDP DEACT"});
  rig.loop.runFor(58s);
  CHECK(rig.count("AT+CFUN=1,1") == 0);
  rig.loop.runFor(4s);
  CHECK(rig.count("AT+CFUN=1,1") == 1);
  CHECK(taken(rig, Step::Restart) == 1);
  rig.port->always("AT+QIDEACT", FakePort::framed({"DEACT OK"}));
  rig.loop.runFor(5s);
  CHECK(rig.link.state() == State::Online);
}

TEST_CASE("a restarted module is silent while it boots, and brought up as soon as it says RDY") {
  LinkRig rig;
  rig.start();
  rig.port->always("AT+QIDEACT", "");
  rig.port->sayLines({"+PDP DEACT"});
  REQUIRE(rig.loop.runUntil([&] { return rig.count("AT+CFUN=1,1") == 1; }, 2min));
  rig.port->always("AT+QIDEACT", FakePort::framed({"DEACT OK"}));
  rig.loop.runFor(1ms);
  rig.port->always("AT", "");
  rig.loop.runFor(12s);
  CHECK(rig.link.state() == State::Synchronising);
  CHECK(taken(rig, Step::BaudHunt) == 0);
  obey(*rig.port);
  rig.port->sayLines({"RDY", "+CFUN: 1", "+CPIN: READY"});
  const auto booted = rig.loop.now();
  REQUIRE(rig.loop.runUntil([&] { return rig.link.state() == State::Online; }, 1min));
  CHECK(rig.loop.now() - booted < 1s);
  CHECK(taken(rig, Step::Restart) == 1);
  CHECK(rig.link.losses(Cause::Started) == 0);  // it was asked for
}

TEST_CASE("a dead module is reset by its line, where it has one") {
  int pulses = 0;
  LinkOptions options;
  LinkRig* whole = nullptr;
  options.reset_line = [&](serial::Port&) -> async::Task<Result<void>> {
    ++pulses;
    obey(*whole->port);
    co_return Result<void>();
  };
  LinkRig rig(std::move(options));
  whole = &rig;
  rig.start();
  for (const char* all : {"AT", "AT+QISTATE", "AT+QIDEACT"}) rig.port->always(all, "");
  rig.loop.runFor(3min);
  CHECK(pulses == 1);
  CHECK(taken(rig, Step::ResetLine) == 1);
  CHECK(rig.link.state() == State::Online);
}

TEST_CASE("a reset line that fails is told, and the device is opened anew") {
  LinkOptions options;
  options.reset_line = [](serial::Port&) -> async::Task<Result<void>> {
    Error error{ErrorKind::System, "/usr/bin/reset", "exit code 1"};
    co_return std::unexpected(std::move(error));
  };
  LinkRig rig(std::move(options));
  rig.prepare = [](FakePort& port) { port.talksAt(300); };
  rig.link.start();
  rig.loop.runFor(2min);
  CHECK(taken(rig, Step::ResetLine) >= 2);
  CHECK(taken(rig, Step::AwaitDevice) >= 1);
}

TEST_CASE("a line without a word for a minute is asked; a restart that nobody heard is found by that") {
  LinkRig rig;
  rig.start();
  rig.port->always("AT+QISTATE", FakePort::framed({"ERROR"}));
  rig.port->always("AT+QIMUX?", FakePort::framed({"+QIMUX: 0", "OK"}));
  rig.heard.clear();
  rig.loop.runFor(55s);
  CHECK(rig.heard.empty());
  rig.loop.runFor(10s);
  CHECK(rig.link.losses(Cause::Started) == 1);
}

TEST_CASE("a module that hangs is found by the heartbeat, and is back as soon as it answers") {
  LinkRig rig;
  rig.start();
  rig.prepare = [](FakePort& port) { port.talksAt(300); };
  rig.port->talksAt(300);
  rig.loop.runFor(3min);
  CHECK(rig.link.state() != State::Online);
  CHECK(rig.link.losses(Cause::Silence) == 1);
  CHECK(trouble(rig) == "silent");
  rig.prepare = {};
  rig.port->talksAt(0);
  const auto back = rig.loop.now();
  REQUIRE(rig.loop.runUntil([&] { return rig.link.state() == State::Online; }, 1min));
  CHECK(rig.loop.now() - back < 3s);
}

TEST_CASE("coverage that is lost keeps the sockets; opens wait until it is back") {
  Client client;
  Client waiting;
  LinkRig rig;
  rig.start();
  REQUIRE(connected(rig, client) == 0);
  rig.port->sayLines({"+CGREG: 2"});
  rig.loop.runFor(1s);
  CHECK(rig.link.state() == State::Registering);
  CHECK(trouble(rig) == "not_registered");
  waiting.session = *rig.mux.connect(net::Endpoint{kServer, 81}, waiting);
  rig.loop.runFor(100s);
  CHECK(rig.count("AT+QIOPEN") == 1);
  CHECK_FALSE(client.program->was_reset);
  rig.port->sayLines({"+CGREG: 1"});
  rig.loop.runFor(100ms);
  CHECK(rig.link.state() == State::Online);
  CHECK(trouble(rig) == "none");
  CHECK(rig.count("AT+QIOPEN") == 2);
  CHECK_FALSE(client.program->was_reset);
  CHECK(rig.link.losses(Cause::Registration) == 0);
}

TEST_CASE("coverage that stays away for two minutes is a lost network: programs are told") {
  Client client;
  LinkRig rig;
  rig.start();
  REQUIRE(connected(rig, client) == 0);
  rig.port->always("AT+CGREG?", FakePort::framed({"+CGREG: 1,2", "OK"}));
  rig.port->sayLines({"+CGREG: 2"});
  rig.loop.runFor(119s);
  CHECK_FALSE(client.program->was_reset);
  rig.loop.runFor(2s);
  CHECK(client.program->was_reset);
  CHECK(rig.link.losses(Cause::Registration) == 1);
  CHECK(rig.link.state() == State::Registering);
  rig.port->always("AT+CGREG?", FakePort::framed({"+CGREG: 1,5", "OK"}));
  rig.loop.runFor(2s);
  CHECK(rig.link.state() == State::Online);
}

TEST_CASE("RDY in the middle of an activation begins the bring-up again at once, not after its deadline") {
  LinkRig rig;
  rig.prepare = [](FakePort& port) { port.always("AT+QIACT", ""); };
  rig.start();
  REQUIRE(rig.link.state() == State::Activating);
  rig.port->alwaysOk("AT+QIACT");
  rig.port->sayLines({"RDY"});
  rig.loop.runFor(2s);
  CHECK(rig.link.state() == State::Online);
}

TEST_CASE("+PDP DEACT between the activation and the first turn is not lost") {
  LinkRig rig;
  rig.prepare = [](FakePort& port) {
    port.always("AT+COPS?", FakePort::framed({R"(+COPS: 0,0,"A")", "OK", "+PDP DEACT"}));
  };
  rig.link.start();
  rig.loop.runFor(300ms);
  rig.port->always("AT+COPS?", FakePort::framed({R"(+COPS: 0,0,"A")", "OK"}));
  rig.loop.runFor(10s);
  CHECK(rig.link.losses(Cause::Context) >= 1);
  CHECK(rig.link.state() == State::Online);
}

TEST_CASE("a supply that is too weak is told, by what the module says or by how often it starts") {
  LinkRig says;
  says.start();
  says.port->sayLines({"UNDER_VOLTAGE WARNING "});
  says.loop.runFor(1s);
  CHECK(says.link.state() == State::Online);
  CHECK(trouble(says) == "under_voltage");
  says.loop.runFor(10min);
  CHECK(trouble(says) == "none");

  LinkRig loops;
  loops.start();
  for (int i = 0; i < 3; ++i) {
    CHECK(trouble(loops) == "none");
    loops.port->sayLines({"RDY"});
    loops.loop.runFor(10s);
  }
  CHECK(trouble(loops) == "under_voltage");
  CHECK(loops.link.state() == State::Online);
}

TEST_CASE("a SIM that is pulled out ends the link; put back, it is up again by itself") {
  Client client;
  LinkRig rig;
  rig.start();
  REQUIRE(connected(rig, client) == 0);
  rig.port->always("AT+CPIN?", FakePort::framed({"+CME ERROR: 10"}));
  rig.port->sayLines({"+CPIN: NOT INSERTED"});
  rig.loop.runFor(25s);
  CHECK(client.program->was_reset);
  CHECK(trouble(rig) == "sim_missing");
  rig.port->always("AT+CPIN?", FakePort::framed({"+CPIN: READY", "OK"}));
  rig.port->sayLines({"+CPIN: READY"});
  rig.loop.runFor(2s);
  CHECK(rig.link.state() == State::Online);
}

TEST_CASE(
    "what a person has to mend is said, and neither the module is restarted for it nor the SIM locked") {
  struct Case {
    const char* pin;
    std::vector<std::string> cpin;
    const char* trouble;
  };
  for (const Case& one : {Case{"", {"+CPIN: SIM PIN", "OK"}, "sim_pin_needed"},
                          Case{"1234", {"+CPIN: SIM PIN", "OK"}, "sim_pin_wrong"},
                          Case{"1234", {"+CPIN: SIM PUK", "OK"}, "sim_puk"}}) {
    LinkRig rig(module::Settings{.pin = one.pin});
    rig.prepare = [&one](FakePort& port) {
      port.always("AT+CPIN?", FakePort::framed(one.cpin));
      port.always("AT+QPINC", FakePort::framed({"ERROR"}));
      port.always("AT+CPIN=", FakePort::framed({"+CME ERROR: 16"}));
    };
    rig.link.start();
    rig.loop.runFor(24h);
    CHECK(trouble(rig) == one.trouble);
    CHECK(rig.count("AT+CPIN=") <= 1);
    CHECK(rig.count("AT+CFUN=1,1") == 0);
    CHECK(rig.count("AT+CPIN?") < 24 * 60 * 2);
    rig.port->always("AT+CPIN?", FakePort::framed({"+CPIN: READY", "OK"}));
    rig.loop.runFor(80s);
    CHECK(rig.link.state() == State::Online);
  }
}

TEST_CASE("name servers that do not answer three times in a row are told; the first answer ends it") {
  LinkRig rig;
  rig.start();
  rig.port->always("AT+QIDNSGIP", FakePort::framed({"OK", "ERROR: 5"}));
  for (int i = 0; i < 3; ++i) {
    CHECK(trouble(rig) == "none");
    rig.mux.resolve("example.net", [](const auto&) {});
    rig.loop.runFor(1s);
  }
  CHECK(trouble(rig) == "names_dead");
  rig.port->always("AT+QIDNSGIP", FakePort::framed({"OK", "ERROR: 4"}));
  rig.mux.resolve("example.net", [](const auto&) {});
  rig.loop.runFor(1s);
  CHECK(trouble(rig) == "none");
}
