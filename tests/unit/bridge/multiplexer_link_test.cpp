// The link that comes and goes under the sessions, and who gets how much of the line.
#include "qimux/bridge/multiplexer.hpp"
#include "rig.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

using namespace qimux;
using namespace qimux::bridge;
using namespace qimux::bridge::test;
using Events = std::vector<std::string>;

TEST_CASE("what ends the link, and how it is told") {
  struct Case {
    const char* line;
    const char* error;
  };
  for (const auto& one : {Case{"+PDP DEACT", "PDP context: +PDP DEACT (closed)"},
                          Case{"+PDP: DEACT", "PDP context: +PDP DEACT (closed)"},
                          Case{"RDY", "module: it has started anew (RDY) (closed)"},
                          Case{"NORMAL POWER DOWN", "module: NORMAL POWER DOWN (closed)"},
                          Case{"+RECEIVE: 0, 5", "module: it pushes data: its settings are gone (closed)"}}) {
    MuxRig rig;
    rig.serve();
    rig.loop.runFor(1s);
    rig.port.sayLines({one.line});
    rig.loop.runFor(1s);
    REQUIRE(rig.serving->done());
    CHECK(rig.lost() == one.error);
  }
}

TEST_CASE("foreign lines end nothing") {
  MuxRig rig;
  rig.serve();
  Client client;
  rig.open(client);
  rig.port.sayLines({"RING", "+CMTI: \"SM\",14", "+CREG: 1", "UNDER_VOLTAGE WARNING ", "Call Ready",
                     "garbage \xff", "5, CLOSED", "3, CONNECT OK", "ERROR: 4", "+QPING: 1",
                     "STATE: IP STATUS", "0, CONNECT FAIL"});
  rig.loop.runFor(1s);
  CHECK_FALSE(rig.serving->done());
  CHECK(client.session->state() == SessionState::Connected);
}

TEST_CASE("a lost link: connections are reset, waiting ones wait on, opens are tried again") {
  MuxRig rig;
  rig.serve();
  Client moving, opening, waiting;
  rig.open(moving);
  rig.connect(opening);
  rig.loop.runFor(10ms);
  REQUIRE(opening.session->state() == SessionState::Opening);
  rig.port.sayLines({"+PDP DEACT"});
  rig.loop.runFor(1s);
  REQUIRE(rig.serving->done());
  rig.mux.linkLost();
  CHECK_FALSE(rig.mux.serving());
  rig.connect(waiting);
  rig.loop.runFor(1s);
  CHECK(moving.program->was_reset);
  CHECK(opening.events.empty());
  CHECK(rig.mux.waiting() == 2);
  for (int slot = 0; slot < module::kSockets; ++slot) CHECK(rig.mux.occupant(slot) == nullptr);
  rig.serve();
  rig.loop.runFor(1s);
  CHECK(opening.session->state() == SessionState::Opening);
  CHECK(waiting.session->state() == SessionState::Opening);
}

TEST_CASE("a lost link with a full queue: an open that cannot wait again is told") {
  MuxRig rig(pool(1, 6));
  rig.serve();
  Client opening, waiting;
  rig.connect(opening);
  rig.loop.runFor(10ms);
  rig.mux.endServing(Loss{Cause::Stop, Error{ErrorKind::Cancelled, "link", "is shut down"}});
  rig.loop.runFor(10ms);
  rig.connect(waiting);
  REQUIRE(waiting.session != nullptr);
  rig.mux.linkLost();
  rig.loop.runFor(10ms);
  CHECK(opening.events == Events{"failed no_slot"});
}

TEST_CASE("an association goes on after a lost link with what was not yet sent") {
  MuxRig rig;
  rig.serve();
  Peer peer;
  const int slot = rig.open(peer);
  CHECK(slot == 0);
  rig.port.sayLines({"RDY"});
  rig.loop.runFor(10ms);
  peer.send("question");
  rig.mux.linkLost();
  rig.serve();
  rig.loop.runFor(10ms);
  REQUIRE(peer.session != nullptr);
  const int again = peer.session->slot();
  rig.port.awaits("AT+QISEND=" + std::to_string(again) + ",8")
      .says(prompt())
      .payload("question")
      .lines({"SEND OK"});
  rig.port.sayLines({std::to_string(again) + ", CONNECT OK"});
  rig.loop.runFor(100ms);
  CHECK(rig.port.trouble() == "");
}

TEST_CASE("datagrams come back with their boundaries where their sizes are told") {
  MuxRig rig;
  rig.serve();
  Peer peer;
  rig.open(peer);
  rig.port.awaits("AT+QIRD=0,1,0,5").says("\r\n+QIRD: 8.8.8.8:53,UDP,5\r\nhello\r\nOK\r\n");
  rig.port.awaits("AT+QIRD=0,1,0,3").says("\r\n+QIRD: 8.8.8.8:53,UDP,3\r\nyou\r\nOK\r\n");
  rig.port.say("\r\n+QIRDI: 0,1,0,1,5,5\r\n\r\n+QIRDI: 0,1,0,2,3,8\r\n");
  rig.loop.runFor(100ms);
  CHECK(rig.port.trouble() == "");
  CHECK(peer.datagrams == Events{"hello", "you"});
}

TEST_CASE("a datagram whose send has no known end is not sent again") {
  MuxRig rig;
  rig.serve();
  Peer peer;
  rig.open(peer);
  rig.port.awaits("AT+QISEND=0,4").says(prompt()).payload("once").awaits("AT").ok().awaits("AT").ok();
  peer.send("once");
  rig.loop.runFor(25s);
  CHECK(rig.port.trouble() == "");
  CHECK(rig.port.count("AT+QISEND") == 1);
}

TEST_CASE("a bulk flow takes short turns beside an interactive one, and long ones alone") {
  MuxRig rig;
  rig.serve();
  Client bulk, shell;
  rig.open(bulk);
  rig.open(shell);
  rig.port.always("AT+QISACK=0", sackLine(0, 0));
  rig.port.always("AT+QISACK=1", sackLine(0, 0));
  rig.port.awaits("AT+QISEND=0,1460").says(prompt()).payload(std::string(1460, 'x')).lines({"SEND OK"});
  bulk.program->write(std::string(1460, 'x'));
  rig.loop.runFor(100ms);
  rig.port.awaits("AT+QISEND=1,3").says(prompt()).payload("ls\n").lines({"SEND OK"});
  shell.program->write("ls\n");
  rig.loop.runFor(100ms);
  rig.port.awaits("AT+QISEND=0,730").says(prompt()).payload(std::string(730, 'y')).lines({"SEND OK"});
  rig.port.awaits("AT+QISEND=0,270").says(prompt()).payload(std::string(270, 'y')).lines({"SEND OK"});
  bulk.program->write(std::string(1000, 'y'));
  rig.loop.runFor(100ms);
  CHECK(rig.port.trouble() == "");
}

TEST_CASE("AT+QISACK takes at most a fiftieth of a busy line") {
  MuxRig rig;
  rig.serve();
  Client client;
  rig.open(client);
  // A line of 115200 baud: a read of 1500 bytes takes 136 ms.
  rig.port.always("AT+QIRD=0,1,0,1500", readAnswer(std::string(1500, 'x')), 136ms);
  rig.port.always("AT+QISACK=0", sackLine(1, 0), 5ms);
  rig.port.awaits("AT+QISEND=0,1").says(prompt()).payload("x").lines({"SEND OK"});
  client.program->write("x");
  rig.loop.runFor(10ms);
  rig.port.sayLines({"+QIRDI: 0,1,0"});
  rig.loop.runFor(60s);
  const auto& counters = rig.mux.counters();
  CHECK(counters.bytes_received > 500'000);
  CHECK(counters.acknowledge_queries > 10);
  CHECK(counters.acknowledge_bytes <= 60 * 11520 / 50 + 6 * 56);
}

TEST_CASE("a busy flow keeps nobody from being looked at: lost arrivals and closes are found beside it") {
  MuxRig rig;
  rig.serve();
  Client bulk, quiet, closed;
  rig.open(bulk);
  rig.open(quiet);
  rig.open(closed);
  rig.port.always("AT+QIRD=0,1,1", readAnswer("found"));
  rig.port.always("AT+QIRD=0,1,0", readAnswer(std::string(1500, 'x')), 136ms);
  rig.port.always("AT+QIRD=0,1,2", FakePort::framed({"OK"}));
  rig.port.always("AT+QISTATE", FakePort::framed({"ERROR"}));
  rig.port.sayLines({"+QIRDI: 0,1,0", "2, CLOSED"});
  rig.loop.runFor(10s);
  CHECK(bulk.program->read.size() > 10'000);
  CHECK(quiet.program->read.starts_with("found"));
  CHECK(closed.program->saw_end);
}

TEST_CASE("the budget of AT+QISACK is shared by all who wait for acknowledgements") {
  MultiplexerOptions slow;
  slow.line_rate = 960;
  MuxRig rig(slow);
  rig.serve();
  Client one, two, bulk;
  rig.open(one);
  rig.open(two);
  rig.open(bulk);
  rig.port.always("AT+QIRD=0,1,2", readAnswer(std::string(1500, 'x')), 136ms);
  rig.port.always("AT+QIRD=0,1,2,730", readAnswer(std::string(730, 'x')), 68ms);
  rig.port.always("AT+QISACK=0", sackLine(1, 0), 5ms);
  rig.port.always("AT+QISACK=1", sackLine(1, 0), 5ms);
  rig.port.awaits("AT+QISEND=0,1").says(prompt()).payload("x").lines({"SEND OK"});
  rig.port.awaits("AT+QISEND=1,1").says(prompt()).payload("x").lines({"SEND OK"});
  one.program->write("x");
  rig.loop.runFor(50ms);
  two.program->write("x");
  rig.loop.runFor(50ms);
  rig.port.sayLines({"+QIRDI: 0,1,2"});
  rig.loop.runFor(60s);
  const auto first = rig.port.count("AT+QISACK=0");
  const auto second = rig.port.count("AT+QISACK=1");
  CHECK(first + second > 10);
  CHECK(std::max(first, second) <= std::min(first, second) + 2);
}

TEST_CASE("an arrival whose URC was lost is found") {
  MuxRig rig;
  rig.serve();
  Client client;
  rig.open(client);
  rig.port.awaits("AT+QIRD=0,1,0,1500").says(readAnswer("found")).awaits("AT+QIRD=0,1,0,1500").ok();
  rig.loop.runFor(5s);
  CHECK(rig.port.trouble() == "");
  CHECK(client.program->read == "found");
}

TEST_CASE("serving is ended by request, after the command that runs") {
  MuxRig rig;
  rig.serve();
  Client client;
  rig.connect(client);
  rig.loop.runUntil([&] { return rig.channel.busy(); }, 1s);
  rig.mux.endServing(Loss{Cause::Stop, Error{ErrorKind::Cancelled, "link", "is shut down"}});
  rig.loop.runFor(1s);
  REQUIRE(rig.serving->done());
  CHECK(rig.serving->operator->()->cause == Cause::Stop);
}
