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

TEST_CASE("a connect is one AT+QIOPEN, and succeeds with its CONNECT OK") {
  MuxRig rig;
  rig.serve();
  Client client;
  rig.connect(client);
  rig.loop.runFor(10ms);
  CHECK(rig.port.heard() == Events{R"(AT+QIOPEN=0,"TCP","10.0.0.1",80)"});
  CHECK(client.events.empty());
  CHECK(rig.mux.occupant(0) == client.session);
  rig.port.say("\r\n0,CONNECT OK\r\n");
  rig.loop.runFor(10ms);
  CHECK(client.events == Events{"connected"});
  CHECK(rig.mux.counters().opened == 1);
}

TEST_CASE("CONNECT FAIL is refused, the index is closed and free again") {
  MuxRig rig;
  rig.serve();
  Client client;
  rig.connect(client);
  rig.loop.runFor(10ms);
  rig.port.sayLines({"0, CONNECT FAIL"});
  rig.loop.runFor(10ms);
  CHECK(client.events == Events{"failed refused"});
  CHECK(rig.port.heard().back() == "AT+QICLOSE=0");
  CHECK(rig.mux.occupant(0) == nullptr);
  CHECK(rig.mux.counters().refused == 1);
}

TEST_CASE("an index in use, however the module says so: unreachable, and the index is closed") {
  for (const char* answer : {"\r\nALREADY CONNECT\r\n\r\nERROR\r\n", "\r\nALREADY CONNECT\r\n",
                             "\r\nERROR\r\n", "\r\n+CME ERROR: 3\r\n", "\r\nOK\r\n\r\nALREADY CONNECT\r\n",
                             "\r\nOK\r\n\r\n0, ALREADY CONNECT\r\n"}) {
    MuxRig rig;
    rig.serve();
    rig.port.awaits(R"(AT+QIOPEN=0,"TCP","10.0.0.1",80)").says(answer);
    Client client;
    rig.connect(client);
    rig.loop.runFor(2s);
    CHECK(client.events == Events{"failed unreachable"});
    CHECK(rig.port.count("AT+QICLOSE=0") == 1);
    CHECK(rig.mux.occupant(0) == nullptr);
    CHECK(rig.port.trouble() == "");
  }
}

TEST_CASE("an open without a word is unreachable after its time, and a late CONNECT OK changes nothing") {
  MuxRig rig;
  rig.serve();
  Client client;
  rig.connect(client);
  rig.loop.runFor(79s);
  CHECK(client.events.empty());
  rig.loop.runFor(2s);
  CHECK(client.events == Events{"failed unreachable"});
  CHECK(rig.mux.counters().unreachable == 1);
  CHECK(rig.port.heard().back() == "AT+QICLOSE=0");
  rig.port.sayLines({"0, CONNECT OK"});
  rig.loop.runFor(1s);
  CHECK(client.events == Events{"failed unreachable"});
  CHECK(rig.mux.occupant(0) == nullptr);
}

TEST_CASE("an address that did not answer is remembered: one open to it at a time") {
  MuxRig rig;
  rig.serve();
  std::array<Client, 4> clients;
  for (auto& client : clients) rig.connect(client);
  rig.loop.runFor(1s);
  CHECK(rig.port.count("AT+QIOPEN") == 2);
  rig.loop.runFor(80s);
  // Both came to nothing; of the two that wait only one may try.
  CHECK(clients[0].events == Events{"failed unreachable"});
  CHECK(clients[1].events == Events{"failed unreachable"});
  CHECK(rig.port.count("AT+QIOPEN") == 3);
}

TEST_CASE("an open that the module does not even answer: resynchronised, unreachable, and the link goes on") {
  MuxRig rig;
  rig.serve();
  rig.port.always("AT+QIOPEN", "");
  rig.port.always("AT", FakePort::framed({"OK"}));
  Client client;
  rig.connect(client);
  rig.loop.runFor(20s);
  CHECK(client.events == Events{"failed unreachable"});
  CHECK(rig.mux.counters().resyncs == 1);
  CHECK_FALSE(rig.serving->done());
}

TEST_CASE("an open that is refused, and a context that is gone: the link is, and the connects wait on") {
  MuxRig rig;
  rig.serve();
  rig.port.always("AT+QIOPEN", FakePort::framed({"ERROR"}));
  rig.port.always("AT+QISTATE", stateList(-1, "PDP DEACT"));
  Client one, two;
  rig.connect(one);
  rig.connect(two);
  rig.loop.runFor(1s);
  REQUIRE(rig.serving->done());
  CHECK(rig.lost() == "PDP context: is gone, says AT+QISTATE (closed)");
  rig.mux.linkLost();
  for (const Client* client : {&one, &two}) {
    CHECK(client->events.empty());
    CHECK(client->session->state() == SessionState::Waiting);
  }
}

TEST_CASE("an open that is refused fails at once, also where the list of states does not come") {
  MuxRig rig;
  rig.serve();
  rig.port.always("AT", FakePort::framed({"OK"}));
  rig.port.always("AT+QIOPEN", FakePort::framed({"ERROR"}));
  rig.port.always("AT+QISTATE", "");
  Client one, two;
  rig.connect(one);
  rig.loop.runFor(1s);
  rig.connect(two);
  rig.loop.runFor(10s);
  CHECK(two.events == Events{"failed unreachable"});
  CHECK_FALSE(rig.serving->done());
}

TEST_CASE("counters and list of states refused though no close was heard: the socket is lost, no clean end") {
  MuxRig rig;
  rig.serve();
  Client client;
  rig.open(client);
  rig.port.awaits("AT+QISEND=0,5").says(prompt()).payload("hello").lines({"SEND OK"});
  rig.port.always("AT+QISACK=0", FakePort::framed({"ERROR"}));
  rig.port.always("AT+QISTATE", FakePort::framed({"ERROR"}));
  client.program->write("hello");
  rig.loop.runFor(5s);
  CHECK(client.program->was_reset);
  CHECK(client.events == Events{"connected", "ended"});
  CHECK(rig.mux.occupant(0) == nullptr);
}

TEST_CASE("six sockets are shared; the seventh waits, and is served the moment one is free") {
  MuxRig rig(pool(64, 6));
  rig.serve();
  std::array<Client, 7> clients;
  for (std::size_t i = 0; i < 6; ++i) rig.open(clients.at(i));
  rig.connect(clients[6]);
  rig.loop.runFor(1s);
  CHECK(rig.mux.waiting() == 1);
  CHECK(clients[6].session->state() == SessionState::Waiting);
  clients[3].program->abort();
  rig.loop.runFor(1s);
  CHECK(clients[3].events == Events{"connected", "released", "ended"});
  CHECK(rig.mux.waiting() == 0);
  CHECK(clients[6].session->slot() == 3);
  CHECK(rig.port.heard().back() == R"(AT+QIOPEN=3,"TCP","10.0.0.1",80)");
}

TEST_CASE("a full queue is said at once") {
  MuxRig rig(pool(1, 2));
  Client first, second;
  rig.connect(first);
  const auto refused = rig.mux.connect(net::Endpoint{kServer, 80}, second);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::Full);
  Peer peer;
  CHECK_FALSE(rig.mux.associate(net::Endpoint{kServer, 53}, peer));
  CHECK(rig.mux.counters().queue_full == 2);
}

TEST_CASE("who gave up while waiting is not served") {
  MuxRig rig;
  Client client;
  rig.connect(client);
  client.session->abandon();
  rig.serve();
  rig.loop.runFor(1s);
  CHECK(rig.port.heard().empty());
  CHECK(rig.mux.waiting() == 0);
}

TEST_CASE("an idle association gives way to a connect that waits, two seconds after its last use") {
  MuxRig rig(pool(64, 6));
  rig.serve();
  std::array<Client, 5> clients;
  for (auto& client : clients) rig.open(client);
  Peer peer;
  rig.open(peer);
  Client late;
  rig.connect(late);
  rig.loop.runFor(1s);
  CHECK(late.session->state() == SessionState::Waiting);
  rig.loop.runFor(1100ms);
  CHECK(peer.events == Events{"ended"});
  CHECK(late.session->state() == SessionState::Opening);
  CHECK(rig.mux.counters().yielded == 1);
}

TEST_CASE("bytes go out with AT+QISEND, and their acknowledgement is asked for and told") {
  MuxRig rig;
  rig.serve();
  Client client;
  rig.open(client);
  rig.port.awaits("AT+QISEND=0,5").says(prompt()).payload("hello").lines({"SEND OK"});
  rig.port.awaits("AT+QISACK=0").says(sackLine(5, 0)).awaits("AT+QISACK=0").says(sackLine(5, 5));
  client.program->write("hello");
  rig.loop.runFor(1s);
  CHECK(rig.port.trouble() == "");
  CHECK(client.taken_bytes == 5);
  CHECK(client.acknowledged_bytes == 5);
  CHECK(rig.mux.counters().bytes_sent == 5);
  CHECK(rig.mux.counters().acknowledge_queries == 2);
  CHECK(rig.mux.counters().acknowledge_bytes > 0);
  // Everything is acknowledged: nothing is asked any more.
  rig.loop.runFor(3s);
  CHECK(rig.port.count("AT+QISACK") == 2);
}

TEST_CASE("unconfirmed bytes are those of all connections") {
  MuxRig rig;
  rig.serve();
  Client one, two;
  rig.open(one);
  rig.open(two);
  rig.port.always("AT+QISACK=0", sackLine(3, 0));
  rig.port.always("AT+QISACK=1", sackLine(4, 0));
  rig.port.awaits("AT+QISEND=0,3").says(prompt()).payload("abc").lines({"SEND OK"});
  one.program->write("abc");
  rig.loop.runFor(100ms);
  rig.port.awaits("AT+QISEND=1,4").says(prompt()).payload("defg").lines({"SEND OK"});
  two.program->write("defg");
  rig.loop.runFor(100ms);
  CHECK(rig.mux.unconfirmed() == 7);
}

TEST_CASE("SEND FAIL: the same bytes again after a pause") {
  MuxRig rig;
  rig.serve();
  Client client;
  rig.open(client);
  rig.port.always("AT+QISACK=0", sackLine(5, 5));
  rig.port.awaits("AT+QISEND=0,5").says(prompt()).payload("hello").lines({"SEND FAIL"});
  rig.port.awaits("AT+QISEND=0,5").says(prompt()).payload("hello").lines({"0, SEND OK"});
  client.program->write("hello");
  rig.loop.runFor(1s);
  CHECK(rig.port.trouble() == "");
  CHECK(client.taken_bytes == 5);
  CHECK(rig.mux.counters().send_fail == 1);
}

TEST_CASE("a send that is refused: the far end has closed, and what it sent before is read first") {
  MuxRig rig;
  rig.serve();
  Client client;
  rig.open(client);
  rig.port.awaits("AT+QISEND=0,5").lines({"ERROR"});
  rig.port.awaits("AT+QIRD=0,1,0,1500").says(readAnswer("bye")).awaits("AT+QIRD=0,1,0,1500").lines({"ERROR"});
  client.program->write("hello");
  rig.loop.runFor(5s);
  CHECK(rig.port.trouble() == "");
  CHECK(client.program->read == "bye");
  // What it wrote is lost: no clean end.
  CHECK(client.program->was_reset);
}

namespace {

// "hello" is sent, and of its end no word comes. What follows is asked in this order: AT, AT, AT+QISACK.
struct LostWord : MuxRig {
  explicit LostWord(const std::string& counters) {
    serve();
    open(client);
    port.awaits("AT+QISEND=0,5").says("\r\n> ").payload("hello").awaits("AT").ok().awaits("AT").ok();
    port.awaits("AT+QISACK=0").says(counters);
    client.program->write("hello");
  }
  Client client;
};

}  // namespace

TEST_CASE("a lost SEND OK: AT+QISACK tells that the bytes went out, and they are not sent again") {
  LostWord rig(sackLine(5, 0));
  rig.port.awaits("AT+QISACK=0").says(sackLine(5, 5));
  rig.loop.runFor(25s);
  CHECK(rig.port.trouble() == "");
  CHECK(rig.mux.counters().sends_settled == 1);
  CHECK(rig.mux.counters().resyncs == 1);
  CHECK(rig.client.taken_bytes == 5);
  CHECK(rig.client.acknowledged_bytes == 5);
  CHECK(rig.port.count("AT+QISEND") == 1);
}

TEST_CASE("a lost SEND OK: AT+QISACK tells that nothing went out, and the same bytes are sent again") {
  LostWord rig(sackLine(0, 0));
  rig.port.awaits("AT+QISEND=0,5").says(prompt()).payload("hello").lines({"SEND OK"});
  rig.port.awaits("AT+QISACK=0").says(sackLine(5, 5));
  rig.loop.runFor(25s);
  CHECK(rig.port.trouble() == "");
  CHECK(rig.mux.counters().sends_settled == 1);
  CHECK(rig.client.taken_bytes == 5);
}

TEST_CASE("a lost SEND OK, and counters that fit neither: the connection is reset, nothing is guessed") {
  for (const auto& counters : {sackLine(3, 0), FakePort::framed({"ERROR"})}) {
    LostWord rig(counters);
    rig.loop.runFor(25s);
    CHECK(rig.port.trouble() == "");
    CHECK(rig.client.program->was_reset);
    CHECK(rig.client.events == Events{"connected", "ended"});
    CHECK(rig.mux.counters().spoiled == 1);
    CHECK(rig.port.heard().back() == "AT+QICLOSE=0");
    CHECK(rig.mux.occupant(0) == nullptr);
    CHECK_FALSE(rig.serving->done());
  }
}

TEST_CASE("a module that took the resynchronisation for payload has spoiled the stream: a reset") {
  MuxRig rig;
  rig.serve();
  Client client;
  rig.open(client);
  // The prompt is lost; what comes next is payload to the module.
  rig.port.awaits("AT+QISEND=0,5").swallow(5).lines({"SEND OK"});
  rig.port.always("AT+QISACK=0", sackLine(5, 0));
  client.program->write("hello");
  rig.port.always("T", FakePort::framed({"ERROR"}));  // what is left of the second AT
  rig.port.always("AT", FakePort::framed({"OK"}));
  rig.loop.runFor(40s);
  CHECK(client.program->was_reset);
  CHECK(rig.mux.counters().spoiled == 1);
}

TEST_CASE("a module that stays silent after a lost SEND OK is a lost link") {
  MuxRig rig;
  rig.serve();
  Client client;
  rig.open(client);
  rig.port.awaits("AT+QISEND=0,5").says(prompt()).payload("hello");
  rig.port.always("AT", "");
  client.program->write("hello");
  rig.loop.runFor(1min);
  REQUIRE(rig.serving->done());
  CHECK(rig.lost() == "AT: no answer to 8 attempts (timeout)");
}

TEST_CASE("payload that crossed the module is told as it happens, once") {
  MuxRig rig;
  rig.serve();
  Client client;
  rig.open(client);
  Multiplexer::Traffic sum;
  rig.mux.onTraffic([&](const Multiplexer::Traffic& traffic) {
    CHECK(traffic.session == client.session->id());
    CHECK(traffic.protocol == module::Protocol::Tcp);
    CHECK(traffic.remote == net::Endpoint{kServer, 80});
    sum.sent += traffic.sent;
    sum.received += traffic.received;
  });
  rig.port.awaits("AT+QIRD=0,1,0,1500").says(readAnswer("good day")).awaits("AT+QIRD=0,1,0,1500").ok();
  rig.port.say("\r\n+QIRDI: 0,1,0\r\n");
  rig.loop.runFor(1s);
  CHECK(sum.received == 8);
  CHECK(sum.sent == 0);
  // What had to be sent twice was sent once.
  rig.port.awaits("AT+QISEND=0,5").says(prompt()).payload("hello").lines({"0, SEND FAIL"});
  rig.port.awaits("AT+QISEND=0,5").says(prompt()).payload("hello").lines({"0, SEND OK"});
  client.program->write("hello");
  rig.loop.runFor(1s);
  CHECK(sum.sent == 5);
  CHECK(sum.received == 8);
  CHECK(rig.mux.counters().bytes_sent == 5);
}

TEST_CASE("what has arrived is read and given to the program") {
  MuxRig rig;
  rig.serve();
  Client client;
  rig.open(client);
  const std::string payload = "\r\nOK\r\n0, CLOSED\r\n+PDP DEACT\r\n> ";
  rig.port.awaits("AT+QIRD=0,1,0,1500").says(readAnswer(payload)).awaits("AT+QIRD=0,1,0,1500").ok();
  rig.port.chunk(3);
  rig.port.say("\r\n+QIRDI: 0,1,0\r\n");
  rig.loop.runFor(1s);
  CHECK(rig.port.trouble() == "");
  CHECK(client.program->read == payload);
  CHECK(rig.mux.counters().bytes_received == payload.size());
  CHECK(rig.mux.counters().empty_reads == 1);
}

TEST_CASE("arrivals of a server socket's clients are nobody's of ours") {
  MuxRig rig;
  rig.serve();
  Client client;
  rig.open(client);
  rig.port.sayLines({"+QIRDI: 0,2,0", "+QIRDI: 0,1,5"});
  rig.loop.runFor(1s);
  CHECK(rig.port.count("AT+QIRD") == 0);
}

TEST_CASE("an answer that was lost in the middle resets the connection: its bytes are gone") {
  MuxRig rig;
  rig.serve();
  Client client;
  rig.open(client);
  rig.port.awaits("AT+QIRD=0,1,0,1500").says("\r\n+QIRD: 10.0.0.1:80,TCP,100\r\nonly a part");
  rig.port.awaits("AT").ok().awaits("AT").ok();
  rig.port.sayLines({"+QIRDI: 0,1,0"});
  rig.loop.runFor(1min);
  CHECK(rig.port.trouble() == "");
  CHECK(client.program->was_reset);
  CHECK(rig.mux.counters().spoiled == 1);
  CHECK(rig.port.heard().back() == "AT+QICLOSE=0");
}

TEST_CASE("a remote close with unread data: all of it, then end of file, then the index is closed") {
  MuxRig rig;
  rig.serve();
  Client client;
  rig.open(client);
  rig.port.awaits("AT+QIRD=0,1,0,1500").says(readAnswer("the end")).awaits("AT+QIRD=0,1,0,1500").ok();
  rig.port.awaits("AT+QISTATE").says(stateList());
  rig.port.sayLines({"+QIRDI: 0,1,0", "0, CLOSED", "0, CLOSED"});
  rig.loop.runFor(2s);
  CHECK(rig.port.trouble() == "");
  CHECK(client.program->read == "the end");
  CHECK(client.program->saw_end);
  CHECK(client.events == Events{"connected", "released", "ended"});
  CHECK(rig.port.heard().back() == "AT+QICLOSE=0");
}

TEST_CASE("a late CLOSED on an index that was opened again does not close the new connection") {
  MuxRig rig;
  rig.serve();
  Client client;
  rig.open(client);
  rig.port.awaits("AT+QIRD=0,1,0,1500").ok();
  rig.port.awaits("AT+QISTATE").says(stateList(0));
  rig.port.sayLines({"0, CLOSED"});
  rig.loop.runFor(2s);
  CHECK(rig.port.trouble() == "");
  CHECK(client.session->state() == SessionState::Connected);
  CHECK(client.events == Events{"connected"});
}

TEST_CASE("a list of states that is refused, or does not come, proves no life") {
  MuxRig rig;
  rig.serve();
  Client client;
  rig.open(client);
  rig.port.always("AT+QIRD", FakePort::framed({"OK"}));
  rig.port.awaits("AT+QISTATE").awaits("AT").ok().awaits("AT").ok().awaits("AT+QISTATE").lines({"ERROR"});
  rig.port.sayLines({"0, CLOSED"});
  rig.loop.runFor(30s);
  CHECK(rig.port.trouble() == "");
  CHECK(client.program->saw_end);
}

TEST_CASE("counters that are refused: the connection goes on without them, if it lives") {
  MuxRig rig;
  rig.serve();
  Client client;
  rig.open(client);
  rig.port.awaits("AT+QISEND=0,5").says(prompt()).payload("hello").lines({"SEND OK"});
  for (int refusal = 0; refusal < 3; ++refusal) {
    rig.port.awaits("AT+QISACK=0").lines({"ERROR"});
    rig.port.awaits("AT+QISTATE").says(stateList(0));
  }
  client.program->write("hello");
  rig.loop.runFor(2s);
  CHECK(rig.port.trouble() == "");
  CHECK(client.acknowledged_bytes == 5);
}

TEST_CASE("counters without an answer: resynchronised and asked again") {
  MuxRig rig;
  rig.serve();
  Client client;
  rig.open(client);
  rig.port.awaits("AT+QISEND=0,5").says(prompt()).payload("hello").lines({"SEND OK"});
  rig.port.awaits("AT+QISACK=0")
      .awaits("AT")
      .ok()
      .awaits("AT")
      .ok()
      .awaits("AT+QISACK=0")
      .says(sackLine(5, 5));
  client.program->write("hello");
  rig.loop.runFor(20s);
  CHECK(rig.port.trouble() == "");
  CHECK(client.acknowledged_bytes == 5);
}

TEST_CASE("a close without an answer is tried once more; then the link is lost") {
  MuxRig rig;
  rig.serve();
  Client client;
  rig.open(client);
  rig.port.awaits("AT+QICLOSE=0").awaits("AT").ok().awaits("AT").ok();
  client.session->abandon();
  rig.loop.runFor(20s);
  CHECK(rig.port.trouble() == "");
  CHECK(rig.mux.occupant(0) == nullptr);
  CHECK(rig.port.count("AT+QICLOSE=0") == 2);

  Client second;
  const int slot = rig.open(second);
  rig.port.always("AT+QICLOSE=" + std::to_string(slot), "");
  rig.port.alwaysOk("AT");
  second.session->abandon();
  rig.loop.runFor(1min);
  REQUIRE(rig.serving->done());
  CHECK(rig.lost() == "AT+QICLOSE=" + std::to_string(slot) + ": no answer (timeout)");
}

TEST_CASE("the first ESC of a stream ends its send; once the module has taken one, nothing is cut any more") {
  MuxRig rig;
  rig.serve();
  Client client;
  rig.open(client);
  rig.port.always("AT+QISACK=0", sackLine(11, 11));
  rig.port.awaits("AT+QISEND=0,3").says(prompt()).payload("ab\x1b").lines({"SEND OK"});
  rig.port.awaits("AT+QISEND=0,8").says(prompt()).payload("AT\x1b\rcde\x1b").lines({"SEND OK"});
  client.program->write(
      "ab\x1b"
      "AT\x1b\rcde\x1b");
  rig.loop.runFor(5s);
  CHECK(rig.port.trouble() == "");
  CHECK(client.taken_bytes == 11);
}

TEST_CASE(
    "where ESC cancels a send, what stands before it goes out and the connection is reset with a word") {
  MuxRig rig;
  rig.serve();
  Client client;
  rig.open(client);
  rig.port.awaits("AT+QISEND=0,3").says(prompt()).payload("ab\x1b").lines({"OK"});
  rig.port.awaits("AT").lines({"OK"});
  rig.port.awaits("AT").lines({"OK"});
  rig.port.awaits("AT+QISACK=0").says(sackLine(0, 0));
  rig.port.awaits("AT+QISEND=0,2").says(prompt()).payload("ab").lines({"SEND OK"});
  rig.port.always("AT+QISACK=0", sackLine(2, 2));
  client.program->write(
      "ab\x1b"
      "AT+CFUN=1,1\r");
  rig.loop.runFor(10s);
  CHECK(rig.port.trouble() == "");
  CHECK(client.taken_bytes == 2);
  CHECK(client.program->was_reset);
  CHECK(rig.mux.counters().unsendable == 1);
  CHECK(rig.port.count("AT+CFUN=1,1") == 0);
  CHECK(rig.port.count("AT+QICLOSE=0") == 1);
}

TEST_CASE("a lost prompt, and as many bytes of the resynchronisation taken for payload: a reset") {
  MuxRig rig;
  rig.serve();
  Client client;
  rig.open(client);
  // Prompt and SEND OK are lost; "AT\r" and an ESC are four bytes.
  rig.port.awaits("AT+QISEND=0,4").swallow(4);
  rig.port.always("AT+QISACK=0", sackLine(4, 4));
  rig.port.always("AT", FakePort::framed({"OK"}));
  client.program->write("ping");
  rig.loop.runFor(40s);
  CHECK(client.program->was_reset);
  CHECK(client.taken_bytes == 0);
  CHECK(rig.mux.counters().spoiled == 1);
}

TEST_CASE("a module that takes less than 1460 bytes at once gets 1459, and no connection is lost for it") {
  MuxRig rig;
  rig.serve();
  Client client;
  rig.open(client);
  const std::string bytes(1460, 'x');
  rig.port.awaits("AT+QISEND=0,1460").lines({"ERROR"});
  rig.port.awaits("AT+QISEND=0,1459").says(prompt()).payload(bytes.substr(1)).lines({"SEND OK"});
  rig.port.awaits("AT+QISEND=0,1").says(prompt()).payload("x").lines({"SEND OK"});
  rig.port.always("AT+QISACK=0", sackLine(1460, 1460));
  client.program->write(bytes);
  rig.loop.runFor(5s);
  CHECK(rig.port.trouble() == "");
  CHECK(client.taken_bytes == 1460);
  CHECK(client.events == Events{"connected"});
}

TEST_CASE(
    "a restart whose RDY was lost is found out by the first open that is refused, and the connect waits") {
  MuxRig rig;
  rig.serve();
  rig.port.always("AT+QIOPEN", FakePort::framed({"ERROR"}));
  rig.port.always("AT+QISTATE", FakePort::framed({"ERROR"}));
  rig.port.always("AT+QIMUX?", FakePort::framed({"+QIMUX: 0", "OK"}));
  Client client;
  rig.connect(client);
  rig.loop.runFor(5s);
  REQUIRE(rig.serving->done());
  CHECK(rig.lost() == "module: it has started anew, and RDY was not heard (closed)");
  rig.mux.linkLost();
  CHECK(client.events.empty());
  CHECK(rig.mux.waiting() == 1);
}
