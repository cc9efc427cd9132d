#include "qimux/module/sockets.hpp"

#include "support/catch.hpp"
#include "support/fake_port.hpp"
#include "support/run.hpp"

#include <string>
#include <vector>

using namespace qimux;
using namespace qimux::module;
using namespace qimux::test;
using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t kServer = 0x0a000001;  // 10.0.0.1

struct Rig {
  Rig() : port(loop), channel(loop, port), sockets(channel, 0) {
    channel.onUrc([this](const at::Urc& urc) { urcs.push_back(urc.text); });
  }
  async::VirtualLoop loop;
  FakePort port;
  at::Channel channel;
  Sockets sockets;
  std::vector<std::string> urcs;
};

}  // namespace

TEST_CASE("an open is done when the module tries; its result comes later") {
  Rig rig;
  rig.port.awaits(R"(AT+QIOPEN=2,"TCP","10.0.0.1",8080)").ok().lines({"2, CONNECT OK"}, 700ms);
  CHECK(run(rig.loop, rig.sockets.open(2, Protocol::Tcp, kServer, 8080)));
  CHECK(rig.urcs.empty());
  rig.loop.runFor(1s);
  CHECK(rig.urcs == std::vector<std::string>{"2, CONNECT OK"});
  CHECK(rig.port.trouble() == "");
}

TEST_CASE("an open for datagrams, and one that is refused at once") {
  Rig rig;
  rig.port.awaits(R"(AT+QIOPEN=5,"UDP","10.0.0.1",53)").lines({"ERROR"});
  const auto opened = run(rig.loop, rig.sockets.open(5, Protocol::Udp, kServer, 53));
  REQUIRE_FALSE(opened);
  CHECK(opened.error().kind == ErrorKind::Refused);
}

TEST_CASE("an index in use: ALREADY CONNECT, with ERROR behind it") {
  Rig rig;
  rig.port.awaits(R"(AT+QIOPEN=0,"TCP","10.0.0.1",80)").lines({"ALREADY CONNECT", "ERROR"}).awaits("AT").ok();
  CHECK(run(rig.loop, rig.sockets.open(0, Protocol::Tcp, kServer, 80)).error().kind == ErrorKind::Refused);
  // The ERROR belonged to the open: the next command gets its own answer.
  CHECK(run(rig.loop, rig.channel.execute(at::Command("AT", 1s))));
}

TEST_CASE("an index in use: ALREADY CONNECT, and an ERROR a little later") {
  Rig rig;
  rig.port.awaits(R"(AT+QIOPEN=0,"TCP","10.0.0.1",80)").lines({"ALREADY CONNECT"}).lines({"ERROR"}, 200ms);
  rig.port.awaits("AT").ok();
  CHECK(run(rig.loop, rig.sockets.open(0, Protocol::Tcp, kServer, 80)).error().kind == ErrorKind::Refused);
  CHECK(run(rig.loop, rig.channel.execute(at::Command("AT", 1s))));
}

TEST_CASE("an index in use: ALREADY CONNECT and nothing else") {
  Rig rig;
  rig.port.awaits(R"(AT+QIOPEN=0,"TCP","10.0.0.1",80)").lines({"ALREADY CONNECT"});
  const auto opened = run(rig.loop, rig.sockets.open(0, Protocol::Tcp, kServer, 80));
  REQUIRE_FALSE(opened);
  CHECK(opened.error().kind == ErrorKind::Refused);
  CHECK(opened.error().reply == "ALREADY CONNECT");
  CHECK_FALSE(rig.channel.inDoubt());
}

TEST_CASE("a send is done when the module has taken all of it") {
  Rig rig;
  const std::string payload = "GET / HTTP/1.1\r\n\r\n\x1a\x1b> ";
  rig.port.awaits("AT+QISEND=1,22").says("\r\n> ").payload(payload).lines({"1,SEND OK"});
  CHECK(run(rig.loop, rig.sockets.send(1, bytesOf(payload))));
  CHECK(rig.port.trouble() == "");
}

TEST_CASE("a send that fails took nothing") {
  Rig rig;
  rig.port.awaits("AT+QISEND=1,3").says("\r\n> ").payload("abc").lines({"SEND FAIL"});
  CHECK(run(rig.loop, rig.sockets.send(1, bytesOf("abc"))).error().kind == ErrorKind::Full);
}

TEST_CASE("a send without a word of its end is of unknown fate") {
  Rig rig;
  rig.port.awaits("AT+QISEND=1,3").says("\r\n> ").payload("abc");
  const auto sent = run(rig.loop, rig.sockets.send(1, bytesOf("abc")));
  REQUIRE_FALSE(sent);
  CHECK(sent.error().kind == ErrorKind::Timeout);
  CHECK(rig.channel.inDoubt());
}

TEST_CASE("a read gives what waits, and nothing where nothing waits") {
  Rig rig;
  rig.port.awaits("AT+QIRD=0,1,3,1500").says("\r\n+QIRD: 10.0.0.1:80,TCP,7\r\na\r\nOK\r\n\r\nOK\r\n");
  rig.port.awaits("AT+QIRD=0,1,3,100").ok();
  CHECK(textOf(*run(rig.loop, rig.sockets.read(3, 1500))) == "a\r\nOK\r\n");
  const auto empty = run(rig.loop, rig.sockets.read(3, 100));
  REQUIRE(empty);
  CHECK(empty->empty());
}

TEST_CASE("a read of a closed index is refused") {
  Rig rig;
  rig.port.awaits("AT+QIRD=0,1,3,1500").lines({"ERROR"});
  CHECK(run(rig.loop, rig.sockets.read(3, 1500)).error().kind == ErrorKind::Refused);
}

TEST_CASE("reads are of the module's own context") {
  Rig rig;
  Sockets second(rig.channel, 1);
  rig.port.awaits("AT+QIRD=1,1,0,1500").ok();
  CHECK(run(rig.loop, second.read(0, 1500)));
}

TEST_CASE("counters, with and without blanks") {
  Rig rig;
  rig.port.awaits("AT+QISACK=0").lines({"+QISACK: 30, 20, 10", "OK"});
  rig.port.awaits("AT+QISACK=0").lines({"+QISACK:5000000000,4999999999,1", "OK"});
  auto counters = run(rig.loop, rig.sockets.acknowledged(0));
  REQUIRE(counters);
  CHECK(counters->sent == 30);
  CHECK(counters->acknowledged == 20);
  CHECK(counters->unacknowledged == 10);
  counters = run(rig.loop, rig.sockets.acknowledged(0));
  REQUIRE(counters);
  CHECK(counters->sent == 5'000'000'000u);
}

TEST_CASE("counters that are none are garbled, not zero") {
  for (const char* line :
       {"+QISACK: 30, 20", "+QISACK: a, b, c", "+QISACK: 30, 20, 10, 5", "+QISACK: -1, 0, 0",
        "+QISACK:", "QISACK: 1,1,1",
        // One digit changed on the line.
        "+QISACK: 130, 20, 10", "+QISACK: 30, 30, 10", "+QISACK: 30, 20, 0", "+QISACK: 0, 1, 1"}) {
    const auto counters = parseSendCounters(line);
    REQUIRE_FALSE(counters);
    CHECK(counters.error().kind == ErrorKind::Garbled);
    CHECK(counters.error().reply == line);
  }
  Rig rig;
  // Asked once more, then it is told.
  rig.port.awaits("AT+QISACK=0").ok().awaits("AT+QISACK=0").lines({"+QISACK: 30, 29, 1", "OK"});
  CHECK(run(rig.loop, rig.sockets.acknowledged(0))->unacknowledged == 1);
  rig.port.awaits("AT+QISACK=0").ok().awaits("AT+QISACK=0").ok();
  CHECK(run(rig.loop, rig.sockets.acknowledged(0)).error().kind == ErrorKind::Garbled);
  rig.port.awaits("AT+QISACK=0").lines({"ERROR"});
  CHECK(run(rig.loop, rig.sockets.acknowledged(0)).error().kind == ErrorKind::Refused);
}

TEST_CASE("a close ends with its own line in every spelling") {
  Rig rig;
  for (const char* line : {"4, CLOSE OK", "4,CLOSE OK", "CLOSE OK"}) {
    rig.port.awaits("AT+QICLOSE=4").lines({line});
    CHECK(run(rig.loop, rig.sockets.close(4)));
  }
  CHECK(rig.loop.now() < async::TimePoint(1s));
}

TEST_CASE("a module that says it was not open agrees with a close") {
  Rig rig;
  for (const char* line : {"ERROR", "+CME ERROR: 3", "+CME ERROR: operation not allowed"}) {
    rig.port.awaits("AT+QICLOSE=4").lines({line});
    CHECK(run(rig.loop, rig.sockets.close(4)));
  }
}

TEST_CASE("a close without an answer is not known to be done") {
  Rig rig;
  rig.port.awaits("AT+QICLOSE=4");
  CHECK(run(rig.loop, rig.sockets.close(4)).error().kind == ErrorKind::Timeout);
}

TEST_CASE("the list of states") {
  Rig rig;
  rig.port.awaits("AT+QISTATE")
      .lines({"OK", "STATE: IP PROCESSING", R"(+QISTATE: 0,"TCP","10.0.0.1","80","CONNECTED")",
              R"(+QISTATE: 1,"UDP","8.8.8.8","53","CONNECT OK")",
              R"(+QISTATE: 2, "TCP", "10.0.0.1", "80", "CONNECTING")",
              R"(+QISTATE: 3,"TCP","10.0.0.1","80","CLOSE")", R"(+QISTATE: 4,"","","","INITIAL")",
              R"(+QISTATE: 5,"","","","INITIAL")", "OK"});
  const auto stack = run(rig.loop, rig.sockets.state());
  REQUIRE(stack);
  CHECK(stack->state == "IP PROCESSING");
  CHECK(stack->sockets[0].connected());
  CHECK(stack->sockets[0].address == "10.0.0.1");
  CHECK(stack->sockets[0].port == "80");
  CHECK(stack->sockets[1].connected());
  CHECK(stack->sockets[1].protocol == "UDP");
  CHECK_FALSE(stack->sockets[2].connected());
  CHECK_FALSE(stack->sockets[3].connected());
  CHECK(stack->sockets[4].state == "INITIAL");
}

// The daemon uses the form with an index; the other one is that of a module which has forgotten AT+QIMUX=1.
TEST_CASE("the questions of application note 6.1 and 6.2, with an index and without") {
  struct Form {
    std::vector<std::string> lines;
    const char* state;
    bool connected;  // socket 0
  };
  const std::vector<Form> forms{
      {{"OK", "", "STATE: CONNECT OK"}, "CONNECT OK", false},
      {{"OK", "STATE: IP CLOSE"}, "IP CLOSE", false},
      {{"OK", "STATE: TCP CONNECTING"}, "TCP CONNECTING", false},
      {{"STATE: IP PROCESSING", R"(+QISTATE: 0, "TCP", "10.0.0.1", "80", "CONNECTED")"},
       "IP PROCESSING",
       true},
      {{"STATE: IP PROCESSING", R"(+QISTATE: 0, "", "", "", "INITIAL")"}, "IP PROCESSING", false},
  };
  for (const auto& form : forms) {
    const auto stack = parseStackState(form.lines);
    CHECK(stack.state == form.state);
    CHECK(stack.sockets[0].connected() == form.connected);
  }
  // AT+QISACK and AT+QISACK=0 are answered alike.
  for (const char* line : {"+QISACK: 2, 2, 0", "+QISACK: 2,2,0", "+QISACK:2, 2, 0"}) {
    const auto counters = parseSendCounters(line);
    REQUIRE(counters);
    CHECK(counters->unacknowledged == 0);
  }
  CHECK(parseSendCounters("+QISACK: 2, 0, 2")->unacknowledged == 2);
}

TEST_CASE("a list of states that is refused, or full of nonsense") {
  Rig rig;
  rig.port.awaits("AT+QISTATE").lines({"ERROR"});
  CHECK(run(rig.loop, rig.sockets.state()).error().kind == ErrorKind::Refused);
  const auto stack = parseStackState({"+QISTATE: 9,\"\",\"\",\"\",\"CONNECTED\"", "+QISTATE: x",
                                      "+QISTATE: 1,\"TCP\"", "+QISTATE:", "something else"});
  for (const auto& socket : stack.sockets) CHECK(socket.state.empty());
  CHECK(stack.state.empty());
}

TEST_CASE("the protocols by name") {
  CHECK(name(Protocol::Tcp) == "tcp");
  CHECK(name(Protocol::Udp) == "udp");
}
