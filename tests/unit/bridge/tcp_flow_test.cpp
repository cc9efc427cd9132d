// Connections through the gateway: what the program's kernel is shown, and when.
#include "qimux/bridge/tcp_flow.hpp"

#include "gateway_rig.hpp"
#include "support/catch.hpp"

#include <set>
#include <string>
#include <string_view>
#include <vector>

using namespace qimux;
using namespace qimux::bridge;
using namespace qimux::bridge::test;
using Lines = std::vector<std::string>;
using namespace net::tcp;

TEST_CASE("a SYN is held until the module has connected, and then passed on, readdressed") {
  GatewayRig rig;
  rig.up();
  rig.syn();
  rig.loop.runFor(500ms);
  CHECK(rig.port.heard() == Lines{R"(AT+QIOPEN=0,"TCP","10.0.0.1",80)"});
  CHECK(rig.out().empty());
  CHECK(rig.inner().empty());
  CHECK(rig.gateway.tcpFlows().front()->state() == FlowState::Held);
  rig.port.sayLines({"0, CONNECT OK"});
  rig.loop.runFor(10ms);
  CHECK(rig.inner() == Lines{"tcp 192.0.0.2:1024 > 192.0.0.1:1024 S seq 1000 ack 0"});
  CHECK(rig.out().empty());
  CHECK(rig.gateway.tcpFlows().front()->state() == FlowState::Answering);
}

TEST_CASE("the inner kernel's answers come back with the address that the program connected to") {
  GatewayRig rig;
  rig.up();
  rig.establish();
  CHECK(rig.out() == Lines{"tcp 10.0.0.1:80 > 10.64.64.1:40000 SA seq 5000 ack 1001"});
  CHECK(rig.inner().back() == "tcp 192.0.0.2:1024 > 192.0.0.1:1024 A seq 1001 ack 5001");
  CHECK(rig.gateway.tcpFlows().front()->state() == FlowState::Established);
  rig.answer(kAck | kPsh, 0, 0, "hello");
  CHECK(rig.out() == Lines{"tcp 10.0.0.1:80 > 10.64.64.1:40000 A seq 5001 ack 1001 \"hello\""});
}

TEST_CASE("retransmissions of a held SYN are swallowed: one open, nothing passed on twice") {
  GatewayRig rig;
  rig.up();
  rig.syn();
  rig.wait(30);
  CHECK(rig.port.count("AT+QIOPEN") == 1);
  CHECK(rig.inner().empty());
  CHECK(rig.out().empty());
  CHECK(rig.gateway.counters().flows == 1);
  rig.port.sayLines({"0, CONNECT OK"});
  rig.loop.runFor(10ms);
  CHECK(rig.inner().size() == 1);
}

TEST_CASE("a SYN that ceases is forgotten: its socket is closed, and nobody is told") {
  GatewayRig rig;
  rig.up();
  rig.syn();
  rig.wait(6);
  rig.loop.runFor(10s);
  CHECK(rig.gateway.tcpFlows().empty());
  CHECK(rig.port.heard().back() == "AT+QICLOSE=0");
  CHECK(rig.out().empty());
}

TEST_CASE("CONNECT FAIL: ECONNREFUSED, a reset with ACK") {
  GatewayRig rig;
  rig.up();
  rig.syn();
  rig.loop.runFor(10ms);
  rig.port.sayLines({"0, CONNECT FAIL"});
  rig.loop.runFor(10ms);
  CHECK(rig.out() == Lines{"tcp 10.0.0.1:80 > 10.64.64.1:40000 RA seq 0 ack 1001"});
  CHECK(rig.gateway.tcpFlows().empty());
}

TEST_CASE("no answer in time: EHOSTUNREACH") {
  GatewayRig rig;
  rig.up();
  rig.syn();
  rig.wait(79);
  CHECK(rig.out().empty());
  rig.loop.runFor(2s);
  CHECK(rig.out() == Lines{"icmp 3/1 10.64.64.2 > 10.64.64.1 about 10.64.64.1:40000 > 10.0.0.1:80"});
  CHECK(rig.gateway.tcpFlows().empty());
}

TEST_CASE("a module's socket that failed: EHOSTUNREACH") {
  for (const char* line : {"ERROR", "ALREADY CONNECT"}) {
    GatewayRig rig;
    rig.up();
    rig.port.awaits(R"(AT+QIOPEN=0,"TCP","10.0.0.1",80)").lines({line});
    rig.syn();
    rig.loop.runFor(800ms);
    CHECK(rig.out() == Lines{"icmp 3/1 10.64.64.2 > 10.64.64.1 about 10.64.64.1:40000 > 10.0.0.1:80"});
  }
}

TEST_CASE("no link for longer than is held: ENETUNREACH, for those who wait and for those who come") {
  GatewayRig rig;
  rig.gateway.online(false);
  rig.syn();
  rig.wait(29);
  CHECK(rig.out().empty());
  rig.loop.runFor(2s);
  const Lines refused{"icmp 3/0 10.64.64.2 > 10.64.64.1 about 10.64.64.1:40000 > 10.0.0.1:80"};
  CHECK(rig.out() == refused);
  rig.syn();
  CHECK(rig.out() == refused);
  CHECK(rig.gateway.tcpFlows().empty());
}

TEST_CASE("a link that never was there is held for no longer than one that went") {
  GatewayRig rig;
  rig.syn();
  rig.wait(29);
  CHECK(rig.out().empty());
  rig.loop.runFor(2s);
  CHECK(rig.out() == Lines{"icmp 3/0 10.64.64.2 > 10.64.64.1 about 10.64.64.1:40000 > 10.0.0.1:80"});
}

TEST_CASE("attempts to come up do not prolong what a program waits") {
  GatewayRig rig;
  rig.gateway.online(true);
  rig.gateway.online(false);
  rig.loop.runFor(31s);
  // The link tells its next state without being online: still too long.
  rig.gateway.online(false);
  rig.syn();
  CHECK(rig.out() == Lines{"icmp 3/0 10.64.64.2 > 10.64.64.1 about 10.64.64.1:40000 > 10.0.0.1:80"});
}

TEST_CASE("a link that comes back in time serves those who waited for it") {
  GatewayRig rig;
  rig.gateway.online(false);
  rig.syn();
  rig.wait(25);
  rig.up();
  rig.loop.runFor(10s);
  CHECK(rig.out().empty());
  CHECK(rig.port.count("AT+QIOPEN") == 1);
  // Down again: the patience begins anew.
  rig.down();
  rig.gateway.online(false);
  rig.loop.runFor(20s);
  CHECK(rig.out().empty());
}

TEST_CASE("a full queue: EHOSTUNREACH at once") {
  GatewayRig rig(gatewayOptions(), {}, pool(1, 2));
  rig.syn();
  rig.syn({kHost, 40001});
  CHECK(rig.out() == Lines{"icmp 3/13 10.64.64.2 > 10.64.64.1 about 10.64.64.1:40001 > 10.0.0.1:80"});
  rig.loop.runFor(1ms);
  CHECK(rig.gateway.tcpFlows().size() == 1);
}

TEST_CASE("who waits for a socket longer than anybody should: EHOSTUNREACH after 115 s") {
  GatewayRig rig;
  // Nobody serves, and nobody says that the link is down.
  rig.gateway.online(true);
  rig.syn();
  rig.wait(114);
  CHECK(rig.out().empty());
  rig.loop.runFor(2s);
  CHECK(rig.out() == Lines{"icmp 3/13 10.64.64.2 > 10.64.64.1 about 10.64.64.1:40000 > 10.0.0.1:80"});
  CHECK(rig.mux.waiting() == 0);
}

TEST_CASE("what the policy forbids: EHOSTUNREACH, counted, and no socket is asked for") {
  GatewayRig rig(gatewayOptions(), {PolicyRule{.action = PolicyAction::Deny,
                                               .protocol = PolicyProtocol::Tcp,
                                               .to = net::Cidr{kServer, 32},
                                               .ports = PortRange{80, 80}}});
  rig.up();
  rig.syn();
  CHECK(rig.out() == Lines{"icmp 3/13 10.64.64.2 > 10.64.64.1 about 10.64.64.1:40000 > 10.0.0.1:80"});
  CHECK(rig.gateway.policy().denied() == 1);
  rig.loop.runFor(1s);
  CHECK(rig.port.heard().empty());
  rig.syn(kApp, {kServer, 81});
  CHECK(rig.out().empty());
}

TEST_CASE("a remote close: all received data, then end of file") {
  GatewayRig rig;
  rig.up();
  rig.establish();
  rig.port.awaits("AT+QIRD=0,1,0,1500").says(readAnswer("bye")).awaits("AT+QIRD=0,1,0,1500").lines({"ERROR"});
  rig.port.sayLines({"0, CLOSED"});
  rig.loop.runFor(1s);
  CHECK(rig.program->read == "bye");
  CHECK(rig.program->saw_end);
  CHECK_FALSE(rig.program->was_reset);
}

TEST_CASE("a lost network: ECONNRESET") {
  GatewayRig rig;
  rig.up();
  rig.establish();
  rig.port.sayLines({"+PDP DEACT"});
  rig.loop.runFor(10ms);
  rig.down();
  CHECK(rig.program->was_reset);
}

namespace {

// "hello" was written, taken by the inner kernel and sent by the module; its first QISACK says nothing yet.
struct Sent : GatewayRig {
  explicit Sent(Acknowledge acknowledge) : GatewayRig(with(acknowledge)) {
    up();
    establish();
    out();
    port.awaits("AT+QISEND=0,5").says("\r\n> ").payload("hello").lines({"SEND OK"});
    port.always("AT+QISACK=0", sackLine(5, 0));
    say(kAck | kPsh, 0, "hello");
    answer(kAck, 0, 5);
    before = out();
    program->write("hello");
    loop.runFor(1s);
  }
  static GatewayOptions with(Acknowledge acknowledge) {
    GatewayOptions options = gatewayOptions();
    options.acknowledge = acknowledge;
    return options;
  }
  Lines before;
};

const Lines kAcknowledged{"tcp 10.0.0.1:80 > 10.64.64.1:40000 A seq 5001 ack 1006"};

}  // namespace

TEST_CASE("acknowledge = remote: the program sees an acknowledgement when the far end has given it") {
  Sent rig(Acknowledge::Remote);
  CHECK(rig.before.empty());
  CHECK(rig.out().empty());
  CHECK(rig.gateway.tcpFlows().front()->unconfirmed() == 5);
  rig.port.always("AT+QISACK=0", sackLine(5, 5));
  rig.loop.runFor(3s);
  CHECK(rig.out() == kAcknowledged);
  CHECK(rig.gateway.tcpFlows().front()->unconfirmed() == 0);
}

TEST_CASE("acknowledge = module: when the module has taken it") {
  Sent rig(Acknowledge::Module);
  CHECK(rig.before.empty());
  CHECK(rig.out() == kAcknowledged);
}

TEST_CASE("acknowledge = local: when the kernel has") {
  Sent rig(Acknowledge::Local);
  CHECK(rig.before == kAcknowledged);
}

TEST_CASE("a program that resets while its SYN is held is done with") {
  GatewayRig rig;
  rig.up();
  rig.syn();
  rig.loop.runFor(10ms);
  rig.say(kRst);
  rig.loop.runFor(10ms);
  CHECK(rig.gateway.tcpFlows().empty());
  CHECK(rig.port.heard().back() == "AT+QICLOSE=0");
  CHECK(rig.out().empty());
}

TEST_CASE("a program that resets while the kernels shake hands") {
  GatewayRig rig;
  rig.up();
  rig.syn();
  rig.loop.runFor(10ms);
  rig.port.sayLines({"0, CONNECT OK"});
  rig.loop.runFor(10ms);
  rig.inner();
  rig.say(kRst);
  CHECK(rig.inner().size() == 1);  // the inner kernel is told as well
  rig.loop.runFor(10ms);
  CHECK(rig.gateway.tcpFlows().empty());
  CHECK(rig.port.heard().back() == "AT+QICLOSE=0");
}

TEST_CASE("hands that are not shaken within 15 s give the socket back") {
  GatewayRig rig;
  rig.up();
  rig.syn();
  rig.loop.runFor(10ms);
  rig.port.sayLines({"0, CONNECT OK"});
  rig.loop.runFor(14s);
  CHECK(rig.gateway.tcpFlows().size() == 1);
  rig.loop.runFor(2s);
  CHECK(rig.gateway.tcpFlows().empty());
  CHECK(rig.mux.occupant(0) == nullptr);
}

TEST_CASE("a connection that nobody waits for any more is reset when it is accepted") {
  GatewayRig rig;
  rig.up();
  rig.establish();
  const auto second = std::make_shared<Program>();
  rig.gateway.accepted(rig.nat_port, std::make_unique<FakeStream>(second));
  CHECK(second->was_reset);
  const auto unknown = std::make_shared<Program>();
  rig.gateway.accepted(9, std::make_unique<FakeStream>(unknown));
  CHECK(unknown->was_reset);
  CHECK_FALSE(rig.program->was_reset);
}

TEST_CASE("a port that is used again: the old connection is history, the new one has its own") {
  GatewayRig rig;
  rig.up();
  rig.establish();
  const auto old = rig.gateway.tcpFlows().front()->id();
  rig.syn(kApp, kRemote, 777777);
  rig.loop.runFor(100ms);
  REQUIRE(rig.gateway.tcpFlows().size() == 1);
  CHECK(rig.gateway.tcpFlows().front()->id() != old);
  CHECK(rig.program->was_reset);
  CHECK(rig.port.count("AT+QICLOSE=0") == 1);
  CHECK(rig.port.count("AT+QIOPEN") == 2);
  CHECK(rig.gateway.tcpFlows().front()->port() != rig.nat_port);
}

TEST_CASE("the SYN of a connection that stands is the inner kernel's to answer") {
  GatewayRig rig;
  rig.up();
  rig.establish();
  rig.inner();
  rig.syn();
  CHECK(rig.inner().size() == 1);
  CHECK(rig.gateway.tcpFlows().size() == 1);
}

TEST_CASE("after its end a flow lingers for the last words of the kernels, then it is forgotten") {
  GatewayRig rig;
  rig.up();
  rig.establish();
  rig.gone = true;
  rig.program->shutDown();
  rig.loop.runFor(1s);
  REQUIRE(rig.gateway.tcpFlows().size() == 1);
  CHECK(rig.gateway.tcpFlows().front()->state() == FlowState::Over);
  CHECK(rig.mux.occupant(0) == nullptr);
  rig.out();
  rig.answer(kAck | kFin, 0, 0);
  CHECK(rig.out().size() == 1);
  rig.loop.runFor(61s);
  CHECK(rig.gateway.tcpFlows().empty());
  rig.answer(kAck | kFin, 0, 0);
  CHECK(rig.out().empty());
}

TEST_CASE("a half-closed program keeps its flow while it reads") {
  GatewayRig rig;
  rig.up();
  rig.establish();
  rig.program->shutDown();
  rig.loop.runFor(25s);
  CHECK(rig.gateway.tcpFlows().front()->state() == FlowState::Established);
  rig.loop.runFor(6s);
  CHECK(rig.gateway.tcpFlows().front()->state() == FlowState::Over);
}

TEST_CASE("states have names") {
  using enum FlowState;
  std::set<std::string_view> names;
  for (const auto state : {Held, Answering, Established, Over}) names.insert(name(state));
  CHECK(names == std::set<std::string_view>{"held", "answering", "established", "over"});
}

TEST_CASE("a keepalive of the program's kernel waits until the module has vouched for the connection") {
  GatewayRig rig;
  rig.up();
  rig.establish();
  rig.inner();
  const auto keepalive = [&] {
    rig.in(
        tcpPacket(TcpFields{.from = kApp, .to = kRemote, .flags = kAck, .seq = kIsn, .ack = kInnerIsn + 1}));
  };
  // No answer of the module: none for the program either, and its kernel gives up in its own time.
  rig.port.awaits("AT+QISACK=0");
  keepalive();
  rig.loop.runFor(4s);
  CHECK(rig.port.heard().back() == "AT+QISACK=0");
  CHECK(rig.inner().empty());
  rig.port.always("AT", FakePort::framed({"OK"}));
  rig.port.always("AT+QISTATE", stateList(0));
  rig.port.always("AT+QISACK=0", sackLine(0, 0));
  rig.loop.runFor(10s);
  // The one that waits, once.
  CHECK(rig.inner().size() == 1);
  keepalive();
  rig.loop.runFor(1s);
  CHECK(rig.inner().size() == 1);
  CHECK(rig.gateway.tcpFlows().front()->state() == FlowState::Established);
}

TEST_CASE("what is no keepalive does not wait: data, an end, a window probe") {
  GatewayRig rig;
  rig.up();
  rig.establish();
  rig.inner();
  rig.say(kAck, 0, "hello");
  rig.say(kAck, 4, {}, 1);  // repeats what is not acknowledged
  rig.say(kAck | kFin, 5);
  CHECK(rig.inner().size() == 3);
}
