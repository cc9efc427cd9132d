// The module waits for others: AT+QISERVER (application note 3.2, 3.4 and 5.1).
#include "rig.hpp"
#include "support/catch.hpp"

using namespace qimux;
using namespace qimux::sim;
using namespace qimux::sim::test;

namespace {

// A far end that comes in, and what it hears.
struct Visitor {
  std::shared_ptr<Seen> seen = std::make_shared<Seen>();

  bool comes(Rig& rig, Protocol protocol = Protocol::Tcp, int from = 1) {
    const Endpoint where{Ipv4{0x0a4f8d00 + static_cast<std::uint32_t>(from)}, 4000};
    const bool in = rig.network.call(protocol, protocol == Protocol::Tcp ? 2020 : 3030, where,
                                     std::make_unique<Steered>(seen));
    rig.loop.runFor(10ms);
    return in && seen->peer != nullptr;
  }
  void says(std::string_view text) { seen->peer->send(bytesOf(text)); }
};

struct Listening : Rig {
  explicit Listening(bool mux, std::string_view serve = "AT+QISERVER", int indi = 0) {
    say("ATE0");
    if (mux) say("AT+QIMUX=1");
    say("AT+QISDE=0");
    say("AT+QINDI=" + std::to_string(indi));
    served = say(serve, 1s);
  }
  std::string served;
};

}  // namespace

TEST_CASE("AT+QISERVER activates, listens, and says so behind its OK",
          "[AT+QISERVER][AT+QISSTAT][point-2][point-20]") {
  Rig rig;
  rig.say("ATE0");
  CHECK(rig.say("AT+QISSTAT") == "\r\nOK\r\n\r\nS: INITIAL\r\n");
  CHECK(rig.say("AT+QISERVER") == "\r\nOK\r\n");
  CHECK(rig.say("AT+QISSTAT") == "\r\nOK\r\n\r\nS: OPENNING\r\n");
  CHECK(rig.after(1s) == "\r\nSERVER OK\r\n");
  CHECK(rig.say("AT+QISSTAT") == "\r\nOK\r\n\r\nS: LISTENING\r\n");
  CHECK(rig.say("AT+QISERVER") == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QISERVER?") == "\r\n+QISERVER: 0, 1\r\n\r\nOK\r\n");
}

TEST_CASE("AT+QISERVER without GPRS ends with CONNECT FAIL", "[point-20]") {
  Rig rig;
  rig.say("ATE0");
  rig.fault("activation-fail");
  CHECK(rig.say("AT+QISERVER", 1s) == "\r\nOK\r\n\r\nCONNECT FAIL\r\n");
  CHECK(rig.say("AT+QISSTAT") == "\r\nOK\r\n\r\nS: INITIAL\r\n");
}

TEST_CASE("a client of the single server is announced, heard and answered",
          "[AT+QISRVC][AT+QISERVER][point-20]") {
  Listening rig(false);
  Visitor visitor;
  REQUIRE(visitor.comes(rig));
  CHECK(rig.after(10ms) == "\r\nREMOTE IP: 10.79.141.1\r\n");
  visitor.says("hello");
  CHECK(rig.after(100ms) == "hello");
  // As a client it has no connection.
  CHECK(rig.say("AT+QISEND") == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QISRVC=2") == "\r\nOK\r\n");
  CHECK(rig.say("AT+QISRVC?") == "\r\n+QISRVC: 2\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+QISEND=2") == "\r\n> ");
  rig.type("hi");
  CHECK(rig.after(100ms) == "\r\nSEND OK\r\n");
  CHECK(visitor.seen->received == "hi");
  CHECK(rig.say("AT+QISACK") == "\r\n+QISACK: 2, 2, 0\r\n\r\nOK\r\n");
}

TEST_CASE("a single server takes one at a time, and the next when that has gone", "[point-20]") {
  Listening rig(false);
  Visitor first;
  Visitor second;
  REQUIRE(first.comes(rig));
  second.comes(rig, Protocol::Tcp, 2);
  CHECK(rig.after(10ms) == "\r\nREMOTE IP: 10.79.141.1\r\n");
  CHECK(second.seen->was_reset);
  first.seen->peer->close();
  CHECK(rig.after(100ms) == "\r\nCLOSED\r\n");
  Visitor third;
  REQUIRE(third.comes(rig, Protocol::Tcp, 3));
  CHECK(rig.after(10ms) == "\r\nREMOTE IP: 10.79.141.3\r\n");
}

TEST_CASE("the first AT+QICLOSE of a server closes its client, the second the listening",
          "[AT+QICLOSE][point-20]") {
  Listening rig(false);
  Visitor visitor;
  visitor.comes(rig);
  rig.after(10ms);
  rig.say("AT+QISRVC=2");
  CHECK(rig.say("AT+QICLOSE=0") == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QICLOSE") == "\r\nCLOSE OK\r\n");
  CHECK(visitor.seen->ended);
  CHECK(rig.say("AT+QISSTAT") == "\r\nOK\r\n\r\nS: LISTENING\r\n");
  CHECK(rig.say("AT+QICLOSE") == "\r\nCLOSE OK\r\n");
  CHECK(rig.say("AT+QISSTAT") == "\r\nOK\r\n\r\nS: INITIAL\r\n");
  CHECK(rig.say("AT+QICLOSE") == "\r\nERROR\r\n");
  CHECK_FALSE(Visitor{}.comes(rig));
}

TEST_CASE("with AT+QIMUX=1 a server takes as many as it was told, and index 0 is two sockets",
          "[AT+QISERVER][AT+QISRVC][AT+QISEND][point-20]") {
  Listening rig(true, "AT+QISERVER=0,2");
  std::array<Visitor, 3> visitors;
  for (int i = 0; i < 3; ++i) visitors[static_cast<std::size_t>(i)].comes(rig, Protocol::Tcp, i + 1);
  CHECK(rig.after(10ms) == "\r\n0, REMOTE IP: 10.79.141.1\r\n\r\n1, REMOTE IP: 10.79.141.2\r\n");
  CHECK(visitors[2].seen->was_reset);
  rig.say("AT+QILOCIP");
  CHECK(rig.open(0, kQuiet) == "\r\nOK\r\n\r\n0, CONNECT OK\r\n");
  CHECK(rig.send(0, "out").ends_with("SEND OK\r\n"));
  rig.say("AT+QISRVC=2");
  CHECK(rig.send(0, "in").ends_with("SEND OK\r\n"));
  CHECK(rig.seen->received == "out");
  CHECK(visitors[0].seen->received == "in");
  CHECK(rig.say("AT+QICLOSE=0") == "\r\n0, CLOSE OK\r\n");
  CHECK(visitors[0].seen->ended);
  CHECK_FALSE(rig.seen->ended);
  CHECK(rig.say("AT+QICLOSE") == "\r\nCLOSE OK\r\n");
  CHECK(visitors[1].seen->ended);
}

TEST_CASE("clients and accepted ones are five together while a server listens", "[AT+QISERVER][point-20]") {
  Listening rig(true, "AT+QISERVER=0,5");
  rig.say("AT+QILOCIP");
  for (int index = 0; index < 4; ++index) CHECK(rig.open(index, kEcho).ends_with("CONNECT OK\r\n"));
  Visitor fifth;
  Visitor sixth;
  CHECK(fifth.comes(rig));
  sixth.comes(rig, Protocol::Tcp, 2);
  CHECK(sixth.seen->was_reset);
  rig.after(10ms);
  CHECK(rig.open(4, kEcho) == "\r\nOK\r\n\r\n4, CONNECT FAIL\r\n");
}

TEST_CASE("AT+QISSTAT shows the places of a server with AT+QIMUX=1", "[AT+QISSTAT]") {
  Listening rig(true, "AT+QISERVER=0,3");
  Visitor visitor;
  visitor.comes(rig);
  rig.after(10ms);
  CHECK(rig.say("AT+QISSTAT") ==
        "\r\nOK\r\n\r\nS: LISTENING\r\n\r\nC: 0,\"TCP\",\"10.79.141.1\",\"4000\"\r\n"
        "\r\nC: 1,\"\",\"\",\"\"\r\n\r\nC: 2,\"\",\"\",\"\"\r\n\r\nC: 3,\"\",\"\",\"\"\r\n\r\nC: "
        "4,\"\",\"\",\"\"\r\n");
}

TEST_CASE("in pull mode an accepted connection has role 2 in +QIRDI and AT+QIRD",
          "[AT+QIRD][AT+QINDI][point-20]") {
  Listening rig(true, "AT+QISERVER=0,3", 1);
  Visitor visitor;
  visitor.comes(rig);
  rig.after(10ms);
  visitor.says("hello");
  CHECK(rig.after(100ms) == "\r\n+QIRDI: 0,2,0\r\n");
  CHECK(rig.say("AT+QIRD=0,1,0,100") == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QIRD=0,2,0,100") == "\r\n+QIRD: 10.79.141.1:4000,TCP,5\r\nhello\r\nOK\r\n");
}

TEST_CASE("a UDP server hears of a far end with its first datagram", "[AT+QISERVER][point-20]") {
  Listening rig(true, "AT+QISERVER=1,2", 1);
  struct Greeter final : VirtualPeer {
    void connected() override { send(bytesOf("hello")); }
    void received(ByteView bytes) override { *heard += textOf(bytes); }
    std::shared_ptr<std::string> heard = std::make_shared<std::string>();
  };
  auto greeter = std::make_unique<Greeter>();
  const auto heard = greeter->heard;
  REQUIRE(rig.network.call(Protocol::Udp, 3030, Endpoint{Ipv4{0x0a4f8d1a}, 4000}, std::move(greeter)));
  CHECK(rig.after(100ms) == "\r\n0, REMOTE IP: 10.79.141.26\r\n\r\n+QIRDI: 0,2,0\r\n");
  CHECK(rig.say("AT+QIRD=0,2,0,100") == "\r\n+QIRD: 10.79.141.26:4000,UDP,5\r\nhello\r\nOK\r\n");
  rig.say("AT+QISRVC=2");
  CHECK(rig.send(0, "hi").ends_with("SEND OK\r\n"));
  CHECK(*heard == "hi");
}

TEST_CASE("AT+QILPORT sets the ports before a server listens on them", "[AT+QILPORT][AT+QISERVER]") {
  Rig rig;
  rig.say("ATE0");
  CHECK(rig.say("AT+QILPORT?") == "\r\nTCP: 2020\r\n\r\nUDP: 3030\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+QILPORT=\"TCP\",2345") == "\r\nOK\r\n");
  CHECK(rig.say("AT+QILPORT=\"FTP\",2345") == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QILPORT=\"TCP\",0") == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QILPORT?") == "\r\nTCP: 2345\r\n\r\nUDP: 3030\r\n\r\nOK\r\n");
  rig.say("AT+QISERVER", 1s);
  CHECK_FALSE(Visitor{}.comes(rig));
  CHECK(rig.network.call(Protocol::Tcp, 2345, Endpoint{Ipv4{1}, 1}, std::make_unique<Echo>()));
}

TEST_CASE("the loss of the context ends the server with it", "[point-8]") {
  Listening rig(true, "AT+QISERVER=0,3");
  Visitor visitor;
  visitor.comes(rig);
  rig.after(10ms);
  CHECK(rig.fault("pdp-deact"));
  CHECK(rig.after(10ms) == "\r\n+PDP DEACT\r\n");
  CHECK(rig.say("AT+QISSTAT").starts_with("\r\nOK\r\n\r\nS: INITIAL\r\n"));
  CHECK(rig.say("AT+QISERVER=0,3") == "\r\nERROR\r\n");
  CHECK(visitor.seen->was_reset);
}

TEST_CASE("faults find an accepted connection by its letter") {
  Listening rig(true, "AT+QISERVER=0,3");
  Visitor visitor;
  visitor.comes(rig);
  rig.after(10ms);
  CHECK_FALSE(rig.fault("close 0"));
  CHECK_FALSE(rig.fault("close s5"));
  CHECK(rig.fault("close s0"));
  CHECK(rig.after(10ms) == "\r\n0, CLOSED\r\n");
}
