// Floods: every table has a bound, what is beyond it is refused and counted, and all is given back.
#include "dns_support.hpp"
#include "gateway_rig.hpp"
#include "support/catch.hpp"

using namespace qimux;
using namespace qimux::bridge;
using namespace qimux::bridge::test;
using namespace net::tcp;

namespace {

constexpr net::Endpoint kNames{kGateway, 53};

// The n-th of very many.
net::Endpoint target(std::uint32_t n) {
  return {0x0b000000 + n / 60'000, static_cast<std::uint16_t>(1024 + n % 60'000)};
}

Bytes broken(Bytes packet, std::size_t at) {
  packet[at] ^= 0x40;
  return packet;
}

void checkEmpty(const Gateway& gateway, const Multiplexer& mux) {
  const auto tables = gateway.tables();
  CHECK(tables.tcp == 0);
  CHECK(tables.tcp_local == 0);
  CHECK(tables.tcp_over == 0);
  CHECK(tables.udp == 0);
  CHECK(tables.ports == 0);
  CHECK(mux.sessions() == 0);
  CHECK(mux.waiting() == 0);
  CHECK(gateway.names().answerer().waiting() == 0);
}

}  // namespace

TEST_CASE("ten thousand SYNs a second: as many wait as may, the others are refused, all is given back") {
  GatewayRig rig;
  rig.up();
  rig.establish();
  for (int turn = 0; turn < 20; ++turn) {
    for (std::uint32_t n = 0; n < 10'000; ++n) {
      rig.syn({kHost, static_cast<std::uint16_t>(2000 + turn)},
              target(static_cast<std::uint32_t>(turn) * 10'000 + n));
    }
    CHECK(rig.gateway.tables().tcp <= 1 + 64 + 6);
    CHECK(rig.gateway.tables().ports == rig.gateway.tables().tcp);
    rig.loop.runFor(1s);
  }
  CHECK(rig.mux.counters().queue_full > 199'000);
  CHECK(rig.mux.counters().queue_full + rig.gateway.counters().flows == 200'001);
  // What is established is served, and a connect is a few seconds later.
  CHECK(rig.gateway.tcpFlows().front()->state() == FlowState::Established);
  rig.loop.runFor(5s);
  CHECK(rig.gateway.tables().tcp == 1);
  rig.syn({kHost, 50'000}, {kServer, 81});
  rig.loop.runFor(10ms);
  CHECK(rig.gateway.tcpFlows().back()->session()->state() == SessionState::Opening);
  rig.program->abort();
  rig.loop.runFor(200s);
  checkEmpty(rig.gateway, rig.mux);
}

TEST_CASE("a flood of connects to the name server leaves places and ports for all others") {
  GatewayRig rig;
  rig.up();
  for (std::uint16_t n = 0; n < 10'000; ++n) rig.syn({kHost, static_cast<std::uint16_t>(2000 + n)}, kNames);
  CHECK(rig.gateway.tables().tcp_local == 256);
  CHECK(rig.gateway.counters().local_refused == 9'744);
  CHECK(rig.to_program.back() == "tcp 10.64.64.2:53 > 10.64.64.1:11999 RA seq 0 ack 1001");
  rig.syn();
  CHECK(rig.gateway.tables().tcp == 257);
  rig.loop.runFor(30s);
  checkEmpty(rig.gateway, rig.mux);
  CHECK(rig.gateway.tables().ports_resting == 256);
}

TEST_CASE("a program's kernel that knows nothing of its SYN resets: its NAT port is free at once") {
  GatewayRig rig;
  rig.up();
  for (std::uint16_t n = 0; n < 10'000; ++n) {
    const net::Endpoint from{kHost, static_cast<std::uint16_t>(2000 + n)};
    rig.syn(from, kNames);
    rig.in(tcpPacket(TcpFields{.from = from, .to = kNames, .flags = kRst, .seq = kIsn + 1}));
    rig.loop.runFor(1ms);
  }
  CHECK(rig.gateway.counters().local_refused == 0);
  CHECK(rig.gateway.tables().ports_resting == 0);
  checkEmpty(rig.gateway, rig.mux);
}

TEST_CASE("one port, a new connection with each SYN: NAT ports in quarantine stay few") {
  GatewayRig rig;
  rig.up();
  for (std::uint32_t n = 0; n < 100'000; ++n) rig.syn(kApp, kNames, n * 7);
  CHECK(rig.gateway.tables().ports_resting == 8192);
  CHECK(rig.gateway.counters().local_refused == 100'000 - 8192);
  rig.syn();
  CHECK(rig.gateway.tables().tcp == 1);
  rig.loop.runFor(130s);
  checkEmpty(rig.gateway, rig.mux);
  // The oldest are looked at when a port is wanted.
  rig.syn({kHost, 41'000});
  CHECK(rig.gateway.tables().ports_resting == 0);
}

TEST_CASE("where the table is full, the flow that is over for longest gives way") {
  GatewayOptions options = gatewayOptions();
  options.tcp_flows = 2;
  GatewayRig rig(options);
  rig.up();
  const int slot = rig.establish();
  rig.port.sayLines({std::to_string(slot) + ", CLOSED"});
  rig.loop.runFor(10ms);
  rig.program->shutDown();
  rig.loop.runFor(5s);
  REQUIRE(rig.gateway.tables().tcp_over == 1);
  rig.syn({kHost, 40'001});
  rig.out();
  rig.syn({kHost, 40'002});
  CHECK(rig.out().empty());
  CHECK(rig.gateway.counters().displaced == 1);
  CHECK(rig.gateway.tables().tcp == 2);
  CHECK(rig.gateway.tables().tcp_over == 0);
  // Nobody else is displaced.
  rig.syn({kHost, 40'003});
  CHECK(rig.out().size() == 1);
  CHECK(rig.gateway.counters().table_full == 1);
}

TEST_CASE("datagrams to sixty thousand ports: half of the queue at most, and not for ever") {
  GatewayRig rig;
  rig.up();
  const auto spray = [&](std::uint32_t count) {
    for (std::uint32_t n = 0; n < count; ++n)
      rig.in(udpPacket({kHost, 5555}, {kServer, target(n).port}, "x"));
  };
  spray(60'000);
  CHECK(rig.gateway.tables().udp == 32);
  CHECK(rig.mux.counters().queue_full == 60'000 - 32);
  // A connect finds a place behind them, and does not wait for all of them.
  rig.loop.runFor(10ms);
  spray(60'000);
  CHECK(rig.mux.waiting() == 32);
  rig.syn();
  REQUIRE(rig.mux.waiting() == 33);
  for (int slot = 0; slot < 6; ++slot) {
    rig.port.sayLines({std::to_string(slot) + ", CONNECT FAIL"});
  }
  rig.loop.runFor(100ms);
  CHECK(rig.gateway.tcpFlows().front()->session()->state() == SessionState::Opening);
  rig.loop.runFor(31s);
  CHECK(rig.mux.waiting() == 0);
  rig.loop.runFor(400s);
  checkEmpty(rig.gateway, rig.mux);
}

TEST_CASE("who waits for a socket with a datagram waits thirty seconds, and is told") {
  GatewayRig rig({gatewayOptions()}, {}, pool(64, 6));
  rig.up();
  for (std::uint16_t n = 0; n < 6; ++n) rig.syn({kHost, static_cast<std::uint16_t>(30'000 + n)});
  rig.loop.runFor(10ms);
  for (int slot = 0; slot < 6; ++slot) rig.port.sayLines({std::to_string(slot) + ", CONNECT OK"});
  rig.in(udpPacket({kHost, 5555}, {kServer, 9}, "anybody?"));
  rig.loop.runFor(10ms);
  // The six stay: their handshakes go on.
  for (const auto* flow : rig.gateway.tcpFlows()) {
    rig.nat_port = flow->port();
    rig.gateway.accepted(flow->port(), std::make_unique<FakeStream>(std::make_shared<Program>()));
  }
  rig.out();
  rig.loop.runFor(29s);
  CHECK(rig.out().empty());
  rig.loop.runFor(1s);
  CHECK(rig.out() ==
        std::vector<std::string>{"icmp 3/13 10.64.64.2 > 10.64.64.1 about 10.64.64.1:5555 > 10.0.0.1:9"});
  CHECK(rig.gateway.tables().udp == 0);
}

TEST_CASE("packets from addresses that nobody has, and packets that are not what was sent") {
  GatewayRig rig;
  rig.up();
  for (const std::uint32_t source : {0x00000000u, 0x7f000001u, 0xe0000001u, 0xffffffffu, kGateway}) {
    rig.in(udpPacket({source, 53}, kRemote, "martian"));
    rig.syn({source, 4000});
    rig.in(udpPacket({source, 53}, kNames, "martian"));
  }
  CHECK(rig.gateway.counters().martians == 15);
  rig.in(broken(tcpPacket(TcpFields{.from = kApp, .to = kRemote, .flags = kSyn, .seq = 1}), 25));
  rig.in(broken(icmpPacket(kHost, kServer, 8, "ping"), 30));
  rig.in(broken(udpPacket(kApp, kRemote, "x"), 8));
  // A checksum where none is needed is a wrong one, too.
  rig.in(broken(udpPacket(kApp, kRemote, "x"), 26));
  CHECK(rig.gateway.counters().malformed == 4);
  rig.loop.runFor(1s);
  CHECK(rig.out().empty());
  CHECK(rig.port.heard().empty());
  checkEmpty(rig.gateway, rig.mux);
}

TEST_CASE("a flood of names: as many wait as may, each is answered, and nothing is left") {
  GatewayRig rig;
  rig.up();
  rig.port.alwaysOk("AT+QIDNSGIP");  // and then never an answer
  for (int n = 0; n < 5'000; ++n) {
    const Bytes question = dns_test::question("n" + std::to_string(n) + ".example");
    rig.in(udpPacket({kHost, static_cast<std::uint16_t>(1024 + n)}, kNames,
                     {reinterpret_cast<const char*>(question.data()), question.size()}));
  }
  CHECK(rig.gateway.names().answerer().waiting() == 64);
  CHECK(rig.gateway.names().answerer().counters().overflow == 5'000 - 64);
  rig.loop.runFor(60s);
  CHECK(rig.out().size() == 5'000);
  checkEmpty(rig.gateway, rig.mux);
}

TEST_CASE("programs that do not take what they were sent keep a bounded number of connections") {
  MultiplexerOptions options;
  options.finishing = 2;
  MuxRig rig(options);
  rig.serve();
  std::vector<std::unique_ptr<Client>> clients;
  for (int n = 0; n < 4; ++n) {
    auto& client = *clients.emplace_back(std::make_unique<Client>());
    const int slot = rig.open(client);
    // All is read from the module, and waits in the program's kernel.
    client.program->drained = false;
    rig.port.sayLines({std::to_string(slot) + ", CLOSED"});
    rig.loop.runFor(10s);
  }
  CHECK(rig.mux.counters().cut_short == 2);
  CHECK(clients[0]->events.back() == "ended");
  CHECK(clients[0]->program->was_reset);
  CHECK(clients[1]->events.back() == "ended");
  CHECK(clients[2]->session->state() == SessionState::Finishing);
  CHECK(clients[3]->session->state() == SessionState::Finishing);
  CHECK(rig.mux.sessions() == 2);
}
