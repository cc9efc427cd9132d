#include "qimux/bridge/link.hpp"

#include "link_rig.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

using namespace qimux;
using namespace qimux::bridge;
using namespace qimux::bridge::test;

TEST_CASE("a device that is there: step by step to online") {
  LinkRig rig;
  rig.start();
  CHECK(rig.states ==
        States{State::Synchronising, State::Sim, State::Registering, State::Activating, State::Online});
  CHECK(rig.link.module()->address() == 0x0a010203u);
  CHECK(rig.link.module()->radio().network == "A");
  CHECK(rig.link.channel() != nullptr);
  CHECK(rig.mux.serving());
  CHECK(rig.link.recovery().ended().empty());
  CHECK_FALSE(rig.link.lastError());
  CHECK(rig.link.since() < rig.loop.now());
}

TEST_CASE("it works while it is brought up, and not when it is idle or waits for its device") {
  LinkRig rig;
  rig.present = false;
  rig.start();
  CHECK_FALSE(rig.link.working());
  std::vector<bool> worked;
  rig.link.onChange([&](State state) {
    if (state == State::Sim || state == State::Activating) worked.push_back(rig.link.working());
  });
  rig.present = true;
  rig.loop.runFor(10s);
  CHECK(worked == std::vector<bool>{true, true});
  REQUIRE(rig.link.state() == State::Online);
  CHECK_FALSE(rig.link.working());
}

TEST_CASE("a device that is missing is looked for until it comes") {
  LinkRig rig;
  rig.present = false;
  rig.start();
  CHECK(rig.link.state() == State::NoDevice);
  CHECK(rig.link.module() == nullptr);
  CHECK(rig.link.lastError()->text() == "/dev/gsm0: No such file or directory (system)");
  // Four times a second, and when it has been gone for half a minute once.
  CHECK(rig.opens == 21);
  rig.loop.runFor(25s);
  rig.opens = 0;
  rig.loop.runFor(1min);
  CHECK(rig.opens == 60);
  rig.present = true;
  rig.loop.runFor(5s);
  CHECK(rig.link.state() == State::Online);
}

TEST_CASE("a device that is pulled and plugged: connections are reset, waiting ones are served again") {
  LinkRig rig;
  rig.start();
  Client client;
  client.session = *rig.mux.connect(net::Endpoint{kServer, 80}, client);
  rig.loop.runFor(10ms);
  rig.port->sayLines({"0, CONNECT OK"});
  rig.loop.runFor(10ms);
  rig.present = false;
  rig.port->unplug();
  rig.loop.runFor(3s);
  CHECK(rig.port == nullptr);
  CHECK(rig.link.state() == State::NoDevice);
  CHECK(rig.link.module() == nullptr);
  CHECK(client.program->was_reset);
  Client waiting;
  waiting.session = *rig.mux.connect(net::Endpoint{kServer, 80}, waiting);
  rig.loop.runFor(3s);
  rig.present = true;
  rig.loop.runFor(5s);
  CHECK(rig.link.state() == State::Online);
  CHECK(waiting.session->state() == SessionState::Opening);
}

TEST_CASE("a device that goes in the middle of coming up") {
  LinkRig rig;
  rig.prepare = [](FakePort& port) { port.always("AT+QIACT", ""); };
  rig.start();
  CHECK(rig.link.state() == State::Activating);
  rig.prepare = {};
  rig.port->unplug();
  rig.loop.runFor(5s);
  CHECK(rig.link.state() == State::Online);
  CHECK(rig.opens == 2);
}

TEST_CASE("a lost context is activated again, a module that started anew brought up again; each is counted") {
  LinkRig rig;
  rig.start();
  rig.port->sayLines({"+PDP DEACT"});
  rig.loop.runFor(5s);
  CHECK(rig.link.state() == State::Online);
  rig.port->sayLines({"RDY", "+CFUN: 1", "+CPIN: READY", "Call Ready"});
  rig.loop.runFor(5s);
  CHECK(rig.link.state() == State::Online);
  CHECK(rig.link.recovery().count(RecoveryStep::Reactivate) == 1);
  CHECK(rig.link.recovery().ended().size() == 1);
  CHECK_FALSE(rig.link.recovery().ended().front().failed);
  CHECK(rig.link.losses(Cause::Context) == 1);
  CHECK(rig.link.losses(Cause::Started) == 1);
  CHECK(rig.link.lastError()->what == "module");
  CHECK(rig.opens == 1);
}

TEST_CASE("a lost context is not a lost module: its settings are left as they are, until it starts anew") {
  LinkRig rig;
  rig.start();
  rig.heard.clear();
  rig.port->sayLines({"+PDP DEACT"});
  rig.loop.runFor(5s);
  CHECK(rig.link.state() == State::Online);
  CHECK(rig.count("ATE0") == 0);
  CHECK(rig.count("AT+QIACT") == 1);
  rig.port->always("AT+QIACT", FakePort::framed({"ERROR"}));
  rig.port->sayLines({"+PDP DEACT"});
  rig.loop.runFor(100ms);
  CHECK(rig.count("ATE0") == 0);
  // In the middle of that: it has forgotten everything.
  rig.port->sayLines({"RDY"});
  rig.port->alwaysOk("AT+QIACT");
  rig.loop.runFor(10s);
  CHECK(rig.link.state() == State::Online);
  CHECK(rig.count("ATE0") >= 1);
}

TEST_CASE("attempts that fail pause ever longer, and after three the module is restarted") {
  LinkRig rig;
  rig.prepare = [](FakePort& port) { port.always("AT+QIACT", FakePort::framed({"ERROR"})); };
  rig.start();
  rig.loop.runFor(1min);
  CHECK(rig.link.lastError()->what == "AT+QIACT");
  CHECK(rig.link.recovery().count(RecoveryStep::Restart) >= 1);
  CHECK(rig.count("AT+CFUN=1,1") >= 1);
  const auto attempts = rig.count("AT+QIACT");
  CHECK(attempts >= 4);
  // At most once a minute or so in the end.
  rig.loop.runFor(1h);
  CHECK(rig.count("AT+QIACT") - attempts <= 70);
  CHECK(rig.count("AT+QIACT") - attempts >= 40);
  rig.port->alwaysOk("AT+QIACT");
  rig.loop.runFor(3min);
  CHECK(rig.link.state() == State::Online);
}

TEST_CASE("a module that does not answer at all: the port is opened anew") {
  LinkRig rig;
  rig.prepare = [](FakePort& port) {
    for (const char* all : {"AT", "AT+CGMI"}) port.always(all, "");
  };
  rig.link.start();
  rig.loop.runFor(2min);
  CHECK(rig.opens >= 2);
  CHECK(rig.link.recovery().count(RecoveryStep::AwaitDevice) >= 1);
  rig.prepare = {};
  rig.loop.runFor(5min);
  CHECK(rig.link.state() == State::Online);
}

TEST_CASE("a wrong PIN is given once, however often the device comes back") {
  LinkRig rig(module::Settings{.pin = "1234"});
  rig.prepare = [](FakePort& port) {
    port.always("AT+CPIN?", FakePort::framed({"+CPIN: SIM PIN", "OK"}));
    port.always("AT+CPIN=", FakePort::framed({"+CME ERROR: 16"}));
  };
  rig.start();
  for (int i = 0; i < 5; ++i) {
    rig.port->unplug();
    rig.loop.runFor(10s);
  }
  CHECK(rig.opens == 6);
  CHECK(rig.count("AT+CPIN=") == 1);
}

TEST_CASE("a stop drains, closes what is open, leaves the context and frees the device") {
  LinkRig rig;
  rig.start();
  Client client;
  client.session = *rig.mux.connect(net::Endpoint{kServer, 80}, client);
  rig.loop.runFor(10ms);
  rig.port->sayLines({"0, CONNECT OK"});
  rig.port->awaits("AT+QISEND=0,4").says("\r\n> ").payload("last").lines({"SEND OK"});
  rig.port->always("AT+QISACK=0", sackLine(4, 0));
  rig.port->always("AT+QISTATE", stateList(0));
  rig.loop.runFor(10ms);
  client.program->write("last");
  rig.loop.runFor(1s);
  rig.heard.clear();
  rig.stop();
  rig.loop.runFor(2s);
  CHECK(rig.stopped == 0);  // not acknowledged yet
  rig.port->always("AT+QISACK=0", sackLine(4, 4));
  rig.loop.runFor(2900ms);
  CHECK(rig.stopped == 1);
  CHECK(rig.link.state() == State::Stopped);
  CHECK(rig.count("AT+QICLOSE=0") == 1);
  CHECK(rig.heard.back() == "AT+QIDEACT");
  CHECK(rig.port == nullptr);
  CHECK(client.acknowledged_bytes == 4);
}

TEST_CASE("a stop takes no longer than its time, and the device is free all the same") {
  LinkRig rig;
  rig.start();
  rig.port->always("AT+QIDEACT", "");
  rig.stop();
  rig.loop.runFor(4900ms);
  CHECK(rig.stopped == 0);
  CHECK(rig.link.state() == State::Stopping);
  rig.loop.runFor(200ms);
  CHECK(rig.stopped == 1);
  CHECK(rig.link.state() == State::Stopped);
  CHECK(rig.port == nullptr);
  rig.loop.runFor(1h);
  CHECK(rig.stopped == 1);
}

TEST_CASE("a stop without a device, or before anything was activated, is done at once") {
  LinkRig missing;
  missing.present = false;
  missing.start();
  missing.stop();
  missing.stop();
  missing.loop.runFor(1ms);
  CHECK(missing.stopped == 1);
  missing.loop.runFor(1h);
  CHECK(missing.stopped == 1);
  CHECK(missing.link.state() == State::Stopped);

  LinkRig coming;
  coming.prepare = [](FakePort& port) { port.always("AT+CGREG?", FakePort::framed({"+CGREG: 0,2", "OK"})); };
  coming.start();
  CHECK(coming.link.state() == State::Registering);
  coming.stop();
  coming.loop.runFor(1ms);
  CHECK(coming.stopped == 1);
  CHECK(coming.port == nullptr);
  coming.loop.runFor(1h);
  CHECK(coming.link.state() == State::Stopped);
  CHECK(coming.stopped == 1);
}

TEST_CASE("a stop in the middle of an activation leaves no context behind") {
  LinkRig rig;
  rig.prepare = [](FakePort& port) { port.always("AT+QIACT", ""); };
  rig.start();
  REQUIRE(rig.link.state() == State::Activating);
  rig.heard.clear();
  rig.stop();
  rig.loop.runFor(2s);
  CHECK(rig.stopped == 1);
  CHECK(rig.heard.back() == "AT+QIDEACT");
  CHECK(rig.port == nullptr);
  CHECK(rig.link.state() == State::Stopped);
}

TEST_CASE("a stop of a module that does not answer any more says nothing to it") {
  LinkRig rig;
  rig.start();
  rig.port->always("AT+QISTATE", "");
  rig.port->always("AT+CSQ", "");
  rig.port->always("AT", "");
  rig.mux.refreshRadio([] {});
  rig.loop.runFor(1s);
  rig.stop(1min);
  rig.loop.runFor(50s);
  CHECK(rig.stopped == 1);
  CHECK(rig.link.state() == State::Stopped);
}

TEST_CASE("a link that is destroyed in any state leaves nothing behind") {
  for (const auto age : {0ms, 1ms, 5000ms}) {
    async::VirtualLoop loop;
    Multiplexer mux(loop, MultiplexerOptions());
    FakePort* port = nullptr;
    {
      Link link(loop, mux, LinkOptions(), [&]() -> Result<std::unique_ptr<serial::Port>> {
        auto made = std::make_unique<FakePort>(loop);
        obey(*made);
        return std::make_unique<Watched>(std::move(made), &port);
      });
      link.start();
      loop.runFor(age);
    }
    loop.runFor(1h);
    CHECK(port == nullptr);
    CHECK_FALSE(mux.serving());
  }
}

TEST_CASE("each state has its own name") {
  using enum LinkState;
  std::set<std::string_view> names;
  for (const auto state : {NoDevice, Synchronising, Sim, Registering, Activating, Online, Pausing, Recovering,
                           Stopping, Stopped})
    names.insert(name(state));
  CHECK(names == std::set<std::string_view>{"no_device", "synchronising", "sim", "registering", "activating",
                                            "online", "pausing", "recovering", "stopping", "stopped"});
}
