// The application note's check of a silent connection (6.1 and 6.2), command by command.
#include "qimux/bridge/multiplexer.hpp"
#include "rig.hpp"
#include "support/catch.hpp"

#include <algorithm>

using namespace qimux;
using namespace qimux::bridge;
using namespace qimux::bridge::test;
using Events = std::vector<std::string>;

namespace {

MultiplexerOptions withProbe(std::string_view probe) {
  MultiplexerOptions options;
  options.session.probes[80] = Bytes(probe.begin(), probe.end());
  return options;
}

MultiplexerOptions withoutHeartbeat(MultiplexerOptions options) {
  options.heartbeat = 24h;
  return options;
}

// Connected, and silent from now on.
struct Silent : MuxRig {
  explicit Silent(const MultiplexerOptions& options = {}) : MuxRig(withoutHeartbeat(options)) {
    serve();
    open(client);
    since = loop.now();
    port.always("AT+QISTATE", stateList(0));
  }
  // What is said on the line from now on, but for the looks after lost arrivals.
  Events saidIn(async::Duration span) {
    const std::size_t before = port.heard().size();
    loop.runFor(span);
    Events said(port.heard().begin() + static_cast<std::ptrdiff_t>(before), port.heard().end());
    std::erase_if(said, [](const std::string& line) { return line.starts_with("AT+QIRD"); });
    return said;
  }
  Client client;
  async::TimePoint since;
};

}  // namespace

TEST_CASE("after eight silent minutes the state is asked, then what is unacknowledged, and nothing is sent") {
  Silent rig;
  rig.port.always("AT+QISACK=0", sackLine(0, 0));
  CHECK(rig.saidIn(8min - 1s).empty());
  CHECK(rig.saidIn(2s) == Events{"AT+QISTATE", "AT+QISACK=0"});
  CHECK(rig.client.events == Events{"connected"});
}

TEST_CASE("a probe is sent where the port has one, and its acknowledgement is looked for after 5 s") {
  Silent rig(withProbe("ping"));
  rig.port.awaits("AT+QISACK=0").says(sackLine(0, 0));
  rig.port.awaits("AT+QISEND=0,4").says(prompt()).payload("ping").lines({"SEND OK"});
  rig.port.awaits("AT+QISACK=0").says(sackLine(4, 4));
  CHECK(rig.saidIn(8min + 4s) == Events{"AT+QISTATE", "AT+QISACK=0", "AT+QISEND=0,4"});
  CHECK(rig.saidIn(2s) == Events{"AT+QISACK=0"});
  CHECK(rig.port.trouble() == "");
  CHECK(rig.client.events == Events{"connected"});
  // The program's own counters know nothing of it.
  CHECK(rig.client.taken_bytes == 0);
  CHECK(rig.client.acknowledged_bytes == 0);
}

TEST_CASE(
    "a probe that twelve questions find unacknowledged: the socket is closed, the program gets a reset") {
  Silent rig(withProbe("ping"));
  rig.port.awaits("AT+QISACK=0").says(sackLine(0, 0));
  rig.port.awaits("AT+QISEND=0,4").says(prompt()).payload("ping").lines({"SEND OK"});
  rig.port.always("AT+QISACK=0", sackLine(4, 0));
  rig.loop.runFor(8min + 114s);
  CHECK(rig.client.events == Events{"connected"});
  CHECK(rig.port.count("AT+QISACK=0") == 1 + 11);
  rig.loop.runFor(3s);
  CHECK(rig.port.count("AT+QISACK=0") == 1 + 12);
  CHECK(rig.port.heard().back() == "AT+QICLOSE=0");
  CHECK(rig.client.program->was_reset);
  CHECK(rig.client.events == Events{"connected", "ended"});
  CHECK(rig.mux.counters().dead == 1);
  CHECK(rig.mux.occupant(0) == nullptr);
}

TEST_CASE("other times and probes hold for a connection that is open, from then on") {
  Silent rig;
  rig.mux.setKeepalive({.idle = 1min}, {{80, Bytes{'p', 'i', 'n', 'g'}}});
  rig.port.awaits("AT+QISACK=0").says(sackLine(0, 0));
  rig.port.awaits("AT+QISEND=0,4").says(prompt()).payload("ping").lines({"SEND OK"});
  CHECK(rig.saidIn(1min + 2s) == Events{"AT+QISTATE", "AT+QISACK=0", "AT+QISEND=0,4"});
  CHECK(rig.port.trouble() == "");
}

TEST_CASE("a probe that is taken away when it is due is not sent, and the check begins anew") {
  Silent rig(withProbe("ping"));
  rig.port.awaits("AT+QISACK=0").says(sackLine(0, 0), 100ms);
  rig.loop.runFor(8min + 20ms);
  rig.mux.setKeepalive({}, {});
  CHECK(rig.saidIn(7min).empty());
  rig.port.always("AT+QISACK=0", sackLine(0, 0));
  CHECK(rig.saidIn(2min) == Events{"AT+QISTATE", "AT+QISACK=0"});
  CHECK(rig.client.events == Events{"connected"});
}

TEST_CASE("it has a turn from a wish on until what came of it is done, and none while it sleeps") {
  Silent rig;
  CHECK_FALSE(rig.mux.hasTurn());
  rig.port.awaits("AT+QISEND=0,5").says(prompt(), 2s).payload("hello").lines({"SEND OK"});
  rig.client.program->write("hello");
  rig.loop.runFor(1s);
  CHECK(rig.mux.hasTurn());
  CHECK(rig.channel.deadline().has_value());
  rig.port.always("AT+QISACK=0", sackLine(5, 5));
  rig.loop.runFor(1min);
  CHECK_FALSE(rig.mux.hasTurn());
  CHECK_FALSE(rig.channel.deadline().has_value());
}

TEST_CASE("unacknowledged data after eight minutes is a dead connection; no probe is sent into it") {
  Silent rig(withProbe("ping"));
  rig.port.always("AT+QISACK=0", sackLine(2000, 0));
  rig.loop.runFor(8min + 1s);
  CHECK(rig.port.count("AT+QISEND") == 0);
  CHECK(rig.client.program->was_reset);
  CHECK(rig.mux.counters().dead == 1);
}

TEST_CASE("a socket that is not CONNECTED any more ends as its CLOSED would have ended it") {
  Silent rig(withProbe("ping"));
  rig.port.always("AT+QISTATE", stateList());
  rig.loop.runFor(8min + 5s);
  CHECK(rig.client.program->saw_end);
  CHECK_FALSE(rig.client.program->was_reset);
  CHECK(rig.port.count("AT+QISEND") == 0);
  CHECK(rig.mux.counters().dead == 0);
}

TEST_CASE("data that arrives while the probe is awaited is proof enough") {
  Silent rig(withProbe("ping"));
  rig.port.awaits("AT+QISACK=0").says(sackLine(0, 0));
  rig.port.awaits("AT+QISEND=0,4").says(prompt()).payload("ping").lines({"SEND OK"});
  rig.port.always("AT+QISACK=0", sackLine(4, 0));
  rig.loop.runFor(8min + 20s);
  const std::size_t asked = rig.port.count("AT+QISACK=0");
  rig.port.awaits("AT+QIRD=0,1,0,1500").says(readAnswer("pong"));
  rig.port.say("\r\n+QIRDI: 0,1,0\r\n");
  rig.loop.runFor(5min);
  CHECK(rig.port.count("AT+QISACK=0") == asked);
  CHECK(rig.client.program->read == "pong");
  CHECK(rig.client.events == Events{"connected"});
}

TEST_CASE("a close while the probe is awaited is a close") {
  Silent rig(withProbe("ping"));
  rig.port.awaits("AT+QISACK=0").says(sackLine(0, 0));
  rig.port.awaits("AT+QISEND=0,4").says(prompt()).payload("ping").lines({"SEND OK"});
  rig.port.always("AT+QISACK=0", sackLine(4, 0));
  rig.loop.runFor(8min + 20s);
  rig.port.always("AT+QIRD=0,1,0,1500", FakePort::framed({"ERROR"}));
  rig.port.say("\r\n0, CLOSED\r\n");
  rig.loop.runFor(10s);
  CHECK(rig.client.program->saw_end);
  CHECK_FALSE(rig.client.program->was_reset);
  CHECK(rig.mux.counters().dead == 0);
}

TEST_CASE("what a program has sent last is its probe: unacknowledged for 115 s is dead") {
  Silent rig;
  rig.port.awaits("AT+QISEND=0,5").says(prompt()).payload("hello").lines({"SEND OK"});
  rig.port.always("AT+QISACK=0", sackLine(5, 0));
  rig.client.program->write("hello");
  rig.loop.runFor(114s);
  CHECK(rig.client.events == Events{"connected"});
  rig.loop.runFor(3s);
  CHECK(rig.client.program->was_reset);
  CHECK(rig.mux.counters().dead == 1);
}

TEST_CASE("a lost SEND OK of a probe is settled like any other, and the stream goes on") {
  Silent rig(withProbe("ping"));
  rig.port.awaits("AT+QISACK=0").says(sackLine(0, 0));
  rig.port.awaits("AT+QISEND=0,4").says(prompt()).payload("ping");
  rig.port.always("AT", FakePort::framed({"OK"}));
  rig.port.always("AT+QISACK=0", sackLine(4, 4));
  rig.loop.runFor(9min);
  rig.port.awaits("AT+QISEND=0,5").says(prompt()).payload("hello");
  rig.port.always("AT+QISACK=0", sackLine(9, 9));
  rig.client.program->write("hello");
  rig.loop.runFor(30s);
  CHECK(rig.port.trouble() == "");
  CHECK(rig.client.taken_bytes == 5);
  CHECK(rig.client.acknowledged_bytes == 5);
  CHECK(rig.client.events == Events{"connected"});
}

TEST_CASE("an association has no acknowledgements, and is never found dead") {
  MuxRig rig;
  rig.serve();
  Peer peer;
  rig.open(peer);
  rig.port.awaits("AT+QISEND=0,5").says(prompt()).payload("hello").lines({"SEND OK"});
  peer.send("hello");
  rig.loop.runFor(4min);
  CHECK(rig.port.count("AT+QISACK") == 0);
  CHECK(rig.mux.counters().dead == 0);
}

TEST_CASE(
    "who gives up in the very turn in which a socket gets free is not granted it, and the next one is") {
  MuxRig rig;
  rig.serve();
  rig.loop.runFor(1ms);
  Client client;
  Peer peer;
  Client next;
  rig.connect(client);
  client.session->abandon();
  rig.associate(peer);
  peer.session->abandon();
  rig.connect(next);
  rig.loop.runFor(10ms);
  CHECK(rig.port.count("AT+QIOPEN") == 1);
  CHECK(next.session->slot() >= 0);
  CHECK(rig.mux.sessions() == 1);
}

TEST_CASE("a state that no module has was damaged on the way: it is asked again, not believed") {
  MuxRig rig;
  rig.serve();
  Client client;
  rig.open(client);
  rig.port.always("AT", FakePort::framed({"OK"}));
  std::string damaged = stateList(0);
  damaged.erase(damaged.find("CONNECTED") + 3, 1);
  rig.port.always("AT+QISTATE", damaged);
  rig.loop.runFor(7min);
  REQUIRE(rig.mux.counters().resyncs == 0);
  REQUIRE(rig.loop.runUntil([&] { return rig.mux.counters().resyncs == 1; }, 2min));
  rig.port.always("AT+QISTATE", stateList(0));
  rig.loop.runFor(1min);
  CHECK(client.events == Events{"connected"});
  CHECK_FALSE(client.program->saw_end);
  CHECK_FALSE(client.program->was_reset);
}

TEST_CASE("counters of another total than ours are asked for twice; said twice they are a loss") {
  const auto acknowledgedOf = [](int second) {
    MuxRig rig;
    rig.serve();
    Client client;
    rig.open(client);
    rig.port.always("AT", FakePort::framed({"OK"}));
    rig.port.awaits("AT+QISEND=0,5").says(prompt()).payload("hello").lines({"SEND OK"});
    rig.port.awaits("AT+QISACK=0").says(sackLine(5, 5));
    client.program->write("hello");
    rig.loop.runFor(5s);
    REQUIRE(client.acknowledged_bytes == 5);
    rig.port.awaits("AT+QISEND=0,5").says(prompt()).payload("again").lines({"SEND OK"});
    rig.port.awaits("AT+QISACK=0").says(sackLine(1, 1));
    rig.port.awaits("AT+QISACK=0").says(sackLine(second, second));
    client.program->write("again");
    rig.loop.runFor(5s);
    CHECK(rig.port.trouble() == "");
    CHECK(client.program->was_reset == (second != 10));
    return client.acknowledged_bytes;
  };
  CHECK(acknowledgedOf(10) == 10);
  CHECK(acknowledgedOf(1) == 5);
}
