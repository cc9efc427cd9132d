#include "qimux/bridge/gateway.hpp"

#include "dns_support.hpp"
#include "gateway_rig.hpp"
#include "support/catch.hpp"

#include <string>
#include <vector>

using namespace qimux;
using namespace qimux::bridge;
using namespace qimux::bridge::test;
using Lines = std::vector<std::string>;
using namespace net::tcp;

namespace {

constexpr net::Endpoint kUdpApp{kHost, 5555};
constexpr net::Endpoint kResolver{0x08080808, 53};
constexpr net::Endpoint kNames{kGateway, 53};

Bytes fragment(Bytes packet) {
  packet[6] = 0x20;  // more of it follow
  net::store16(packet, 10, 0);
  net::store16(packet, 10, net::checksumOf(net::sumOf(ByteView(packet).first(20))));
  return packet;
}

}  // namespace

TEST_CASE("only a SYN makes a flow: a stray segment gets a reset, a stray reset nothing") {
  GatewayRig rig;
  rig.up();
  rig.say(kAck, 0, "lost");
  CHECK(rig.out() == Lines{"tcp 10.0.0.1:80 > 10.64.64.1:40000 R seq 5001 ack 0"});
  rig.say(kSyn | kAck);
  CHECK(rig.out().size() == 1);
  rig.say(kRst);
  CHECK(rig.out().empty());
  CHECK(rig.gateway.counters().strays == 2);
  CHECK(rig.gateway.tcpFlows().empty());
}

TEST_CASE("what is no packet, and what no module speaks") {
  GatewayRig rig;
  rig.up();
  rig.in(Bytes{0x60, 0, 0, 0});
  rig.in(Bytes(19, 0x45));
  rig.in(Bytes{});
  CHECK(rig.gateway.counters().malformed == 3);
  CHECK(rig.out().empty());
  rig.in(qimux::test::ipPacket(47, kHost, kServer, Bytes(20)));
  CHECK(rig.out() == Lines{"icmp 3/2 10.64.64.2 > 10.64.64.1 about 10.64.64.1:0 > 10.0.0.1:0"});
}

TEST_CASE("groups, broadcasts and addresses of nobody take no socket") {
  GatewayRig rig;
  rig.up();
  for (const std::uint32_t address : {0xe00000fbu, 0xeffffffau, 0xffffffffu, 0xf0000001u}) {
    rig.in(udpPacket(kUdpApp, {address, 5353}, "who is there?"));
    rig.in(icmpPacket(kHost, address, 8, "ping"));
  }
  CHECK(rig.out().empty());
  // Addresses of our own network and of the machine are no far end either.
  rig.in(udpPacket(kUdpApp, {kHost + 2, 5353}, "broadcast"));
  rig.syn(kApp, {0x7f000001, 80});
  rig.loop.runFor(5s);
  CHECK(rig.port.heard().empty());
  CHECK(rig.gateway.udpFlows().empty());
  CHECK(rig.gateway.tcpFlows().empty());
  CHECK(rig.gateway.counters().not_routable == 10);
}

TEST_CASE("a piece of a datagram: its program learns the size that fits") {
  GatewayRig rig;
  rig.up();
  rig.in(fragment(udpPacket(kUdpApp, kResolver, std::string(1400, 'x'))));
  REQUIRE(rig.to_program.size() == 1);
  CHECK(rig.out().front().starts_with("icmp 3/4 10.64.64.2 > 10.64.64.1"));
  CHECK(rig.gateway.counters().fragments == 1);
  CHECK(rig.gateway.udpFlows().empty());
}

TEST_CASE("a table that is full refuses, and goes on with what it has") {
  GatewayOptions options = gatewayOptions();
  options.tcp_flows = 1;
  options.udp_flows = 1;
  GatewayRig rig(options);
  rig.up();
  rig.syn();
  rig.syn({kHost, 40001});
  CHECK(rig.out() == Lines{"icmp 3/13 10.64.64.2 > 10.64.64.1 about 10.64.64.1:40001 > 10.0.0.1:80"});
  rig.in(udpPacket(kUdpApp, kResolver, "one"));
  rig.in(udpPacket({kHost, 5556}, kResolver, "two"));
  CHECK(rig.out() == Lines{"icmp 3/13 10.64.64.2 > 10.64.64.1 about 10.64.64.1:5556 > 8.8.8.8:53"});
  CHECK(rig.gateway.counters().table_full == 2);
  CHECK(rig.gateway.tcpFlows().size() == 1);
  CHECK(rig.gateway.udpFlows().size() == 1);
}

TEST_CASE("two destinations from one port are two flows, the oldest first") {
  GatewayRig rig;
  rig.up();
  rig.syn(kApp, kRemote);
  rig.syn(kApp, {kServer, 81});
  const auto flows = rig.gateway.tcpFlows();
  REQUIRE(flows.size() == 2);
  CHECK(flows[0]->key().destination == kRemote);
  CHECK(flows[0]->id() < flows[1]->id());
  CHECK(flows[0]->since() == rig.loop.now());
  CHECK(rig.gateway.counters().flows == 2);
}

TEST_CASE("packets of the inner TUN that belong to nobody go nowhere") {
  GatewayRig rig;
  rig.up();
  rig.establish();
  rig.out();
  const auto inner = [&](net::Endpoint from, net::Endpoint to) {
    Bytes packet = tcpPacket(TcpFields{.from = from, .to = to, .flags = kAck});
    rig.gateway.fromInner(packet);
  };
  inner(net::kInnerListener, {net::kInnerPeer, 9});
  inner(net::kInnerListener, {kHost, rig.nat_port});
  Bytes other = udpPacket(net::kInnerListener, {net::kInnerPeer, rig.nat_port}, "x");
  rig.gateway.fromInner(other);
  Bytes garbage{1, 2, 3};
  rig.gateway.fromInner(garbage);
  CHECK(rig.out().empty());
  CHECK(rig.gateway.counters().packets_from_inner == 5);
}

TEST_CASE("packets are counted where they go in and out") {
  GatewayRig rig;
  rig.up();
  rig.establish();
  const auto& counters = rig.gateway.counters();
  CHECK(counters.packets_from_program == 2);
  CHECK(counters.packets_to_inner == 2);
  CHECK(counters.packets_from_inner == 1);
  CHECK(counters.packets_to_program == 1);
}

TEST_CASE("datagrams: one association for a pair of endpoints, and answers with the far end's address") {
  GatewayRig rig;
  rig.up();
  rig.in(udpPacket(kUdpApp, kResolver, "first"));
  rig.loop.runFor(10ms);
  CHECK(rig.port.heard() == Lines{R"(AT+QIOPEN=0,"UDP","8.8.8.8",53)"});
  rig.port.awaits("AT+QISEND=0,5").says("\r\n> ").payload("first").lines({"SEND OK"});
  rig.port.awaits("AT+QISEND=0,6").says("\r\n> ").payload("second").lines({"SEND OK"});
  rig.port.sayLines({"0, CONNECT OK"});
  rig.loop.runFor(10ms);
  rig.in(udpPacket(kUdpApp, kResolver, "second"));
  rig.loop.runFor(10ms);
  rig.port.awaits("AT+QIRD=0,1,0,6").says("\r\n+QIRD: 8.8.8.8:53,UDP,6\r\nanswer\r\nOK\r\n");
  rig.port.say("\r\n+QIRDI: 0,1,0,1,6,6\r\n");
  rig.loop.runFor(10ms);
  CHECK(rig.port.trouble() == "");
  CHECK(rig.out() == Lines{"udp 8.8.8.8:53 > 10.64.64.1:5555 \"answer\""});
  CHECK(rig.gateway.counters().associations == 1);
}

TEST_CASE("a datagram from behind the gateway board is answered to where it came from") {
  GatewayRig rig;
  rig.up();
  const net::Endpoint lan{0xc0a80107, 1234};  // 192.168.1.7
  rig.in(udpPacket(lan, kResolver, "x"));
  rig.loop.runFor(10ms);
  rig.port.sayLines({"0, CONNECT FAIL"});
  rig.loop.runFor(10ms);
  CHECK(rig.out() == Lines{"icmp 3/1 10.64.64.2 > 192.168.1.7 about 192.168.1.7:1234 > 8.8.8.8:53"});
}

TEST_CASE("a datagram of nothing, and one that fits no send, make no association") {
  GatewayRig rig;
  rig.up();
  rig.in(udpPacket(kUdpApp, kResolver, ""));
  rig.in(udpPacket(kUdpApp, kResolver, std::string(1461, 'x')));
  CHECK(rig.gateway.udpFlows().empty());
  CHECK(rig.gateway.counters().not_routable == 2);
  rig.in(udpPacket(kUdpApp, kResolver, std::string(1460, 'x')));
  CHECK(rig.gateway.udpFlows().size() == 1);
}

TEST_CASE("datagrams that the policy forbids, or that have waited for a link too long") {
  GatewayRig rig(gatewayOptions(), {PolicyRule{.action = PolicyAction::Deny,
                                               .protocol = PolicyProtocol::Udp,
                                               .to = {},
                                               .ports = PortRange{5353, 5353}}});
  rig.gateway.online(false);
  rig.in(udpPacket(kUdpApp, {0x08080808, 5353}, "x"));
  CHECK(rig.out() == Lines{"icmp 3/13 10.64.64.2 > 10.64.64.1 about 10.64.64.1:5555 > 8.8.8.8:5353"});
  rig.in(udpPacket(kUdpApp, kResolver, "x"));
  rig.loop.runFor(31s);
  const Lines refused{"icmp 3/0 10.64.64.2 > 10.64.64.1 about 10.64.64.1:5555 > 8.8.8.8:53"};
  CHECK(rig.out() == refused);
  CHECK(rig.gateway.udpFlows().empty());
  rig.in(udpPacket(kUdpApp, kResolver, "x"));
  CHECK(rig.out() == refused);
}

TEST_CASE("an association that has ended is made anew by the next datagram") {
  GatewayRig rig;
  rig.up();
  rig.in(udpPacket(kUdpApp, kResolver, "x"));
  rig.loop.runFor(10ms);
  rig.port.sayLines({"0, CONNECT FAIL"});
  rig.loop.runFor(10ms);
  CHECK(rig.gateway.udpFlows().empty());
  rig.in(udpPacket(kUdpApp, kResolver, "x"));
  rig.loop.runFor(10ms);
  CHECK(rig.port.count("AT+QIOPEN") == 2);
  CHECK(rig.gateway.udpFlows().size() == 1);
}

TEST_CASE("a gateway that ends takes its associations with it") {
  MuxRig rig;
  rig.serve();
  rig.loop.runFor(1ms);
  {
    Gateway gateway(rig.loop, rig.mux, Policy(), gatewayOptions(),
                    Gateway::Exits{.to_program = [](ByteView) {},
                                   .to_inner = [](ByteView) {},
                                   .program_gone = [](const net::FlowKey&) { return false; }});
    gateway.online(true);
    Bytes datagram = udpPacket(kUdpApp, kResolver, "x");
    gateway.fromProgram(datagram);
    Bytes syn = tcpPacket(TcpFields{.from = kApp, .to = kRemote, .flags = kSyn});
    gateway.fromProgram(syn);
    Bytes echo = icmpPacket(kHost, kServer, 8, "x");
    gateway.fromProgram(echo);
    rig.port.alwaysOk("AT+QPING");
    rig.loop.runFor(10ms);
  }
  rig.port.sayLines({"+QPING: 0,10.0.0.1,32,10,54"});
  rig.loop.runFor(1s);
  CHECK(rig.mux.occupant(0) == nullptr);
  CHECK(rig.mux.occupant(1) == nullptr);
  CHECK(rig.port.count("AT+QICLOSE") == 2);
}

TEST_CASE("ports of the gateway where nothing listens") {
  GatewayRig rig;
  rig.up();
  rig.in(udpPacket(kUdpApp, {kGateway, 123}, "time?"));
  CHECK(rig.out() == Lines{"icmp 3/3 10.64.64.2 > 10.64.64.1 about 10.64.64.1:5555 > 10.64.64.2:123"});
  rig.syn(kApp, {kGateway, 80});
  CHECK(rig.out() == Lines{"tcp 10.64.64.2:80 > 10.64.64.1:40000 RA seq 0 ack 1001"});
}

TEST_CASE("a name over UDP: the gateway answers by AT+QIDNSGIP, and spends no socket") {
  GatewayRig rig;
  rig.up();
  rig.port.awaits(R"(AT+QIDNSGIP="example.com")").ok().lines({"93.184.216.34"}, 300ms);
  std::string reply;
  Bytes question = dns_test::question("example.com");
  rig.in(udpPacket(kUdpApp, kNames, textOf(question)));
  rig.loop.runFor(1s);
  CHECK(rig.port.trouble() == "");
  const auto answer = rig.out();
  REQUIRE(answer.size() == 1);
  CHECK(answer.front().starts_with("udp 10.64.64.2:53 > 10.64.64.1:5555"));
  CHECK(answer.front().find("\x5d\xb8\xd8\x22") != std::string::npos);
  CHECK(answer.front().find("damaged") == std::string::npos);
  CHECK(rig.gateway.names().answerer().counters().resolved == 1);
  CHECK(rig.gateway.udpFlows().empty());
}

TEST_CASE("a name over a stream: the gateway takes the connection itself") {
  GatewayRig rig;
  rig.up();
  rig.port.awaits(R"(AT+QIDNSGIP="example.com")").lines({"OK", "93.184.216.34"});
  rig.syn(kApp, kNames);
  rig.loop.runFor(1ms);
  CHECK(rig.inner() == Lines{"tcp 192.0.0.2:1024 > 192.0.0.1:1024 S seq 1000 ack 0"});
  rig.gateway.accepted(1024, std::make_unique<FakeStream>(rig.program));
  const Bytes framed = DnsStream::frame(dns_test::question("example.com"));
  rig.program->write(textOf(framed));
  rig.loop.runFor(1s);
  CHECK(rig.port.trouble() == "");
  CHECK(rig.program->read.find("\x5d\xb8\xd8\x22") != std::string::npos);
  rig.program->shutDown();
  rig.loop.runFor(1s);
  CHECK(rig.program->saw_end);
  CHECK(rig.gateway.tcpFlows().front()->state() == FlowState::Over);
  rig.loop.runFor(61s);
  CHECK(rig.gateway.tcpFlows().empty());
}

TEST_CASE("an echo to the gateway is answered at once, one to the world when the module measured it") {
  GatewayRig rig;
  rig.up();
  rig.in(icmpPacket(kHost, kGateway, 8, "abc"));
  CHECK(rig.out() == Lines{"icmp 0/0 10.64.64.2 > 10.64.64.1"});
  rig.port.awaits(R"(AT+QPING="10.0.0.1",5,1)").ok().lines({"+QPING: 0,10.0.0.1,32,700,54"}, 700ms);
  rig.in(icmpPacket(kHost, kServer, 8, "abc"));
  rig.loop.runFor(600ms);
  CHECK(rig.out().empty());
  rig.loop.runFor(200ms);
  CHECK(rig.out() == Lines{"icmp 0/0 10.0.0.1 > 10.64.64.1"});
}

TEST_CASE("an echo that does not come back, and one without a link") {
  GatewayRig rig;
  rig.up();
  rig.port.awaits(R"(AT+QPING="10.0.0.1",5,1)").ok().lines({"+QPING: 1", "+QPING: 2,1,0,1,0,0,0"}, 5s);
  rig.in(icmpPacket(kHost, kServer, 8, "abc"));
  rig.loop.runFor(6s);
  const auto out = rig.out();
  REQUIRE(out.size() == 1);
  CHECK(out.front().starts_with("icmp 3/1 10.64.64.2 > 10.64.64.1"));
  rig.down();
  rig.in(icmpPacket(kHost, kServer, 8, "abc"));
  rig.loop.runFor(1s);
  REQUIRE(rig.to_program.size() == 1);
  CHECK(rig.out().front().starts_with("icmp 3/0"));
}

TEST_CASE("a flood of echoes is refused, and so is what the policy forbids") {
  GatewayRig rig(gatewayOptions(), {PolicyRule{.action = PolicyAction::Deny,
                                               .protocol = PolicyProtocol::Icmp,
                                               .to = net::Cidr{0x08080808, 32},
                                               .ports = {}}});
  rig.up();
  rig.port.alwaysOk("AT+QPING");
  for (int i = 0; i < 10; ++i) rig.in(icmpPacket(kHost, kServer, 8, "abc"));
  CHECK(rig.out().size() == 2);
  CHECK(rig.gateway.counters().pings_refused == 2);
  rig.in(icmpPacket(kHost, 0x08080808, 8, "abc"));
  REQUIRE(rig.to_program.size() == 1);
  CHECK(rig.out().front().starts_with("icmp 3/13"));
  // Each ends some time: there is room again.
  rig.loop.runFor(5min);
  rig.out();
  rig.in(icmpPacket(kHost, kServer, 8, "abc"));
  CHECK(rig.out().empty());
}

TEST_CASE("other ICMP messages go nowhere") {
  GatewayRig rig;
  rig.up();
  rig.in(icmpPacket(kHost, kServer, 0, "unasked"));
  rig.in(icmpPacket(kHost, kServer, 13, "0123456789ab"));
  rig.in(icmpPacket(kHost, kGateway, 3, std::string(28, 'x')));
  rig.loop.runFor(1s);
  CHECK(rig.out().empty());
  CHECK(rig.port.heard().empty());
}
