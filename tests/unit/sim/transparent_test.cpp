// The line as a wire to the far end: AT+QIMODE=1 (application note 4).
#include "rig.hpp"
#include "support/catch.hpp"

using namespace qimux;
using namespace qimux::sim;
using namespace qimux::sim::test;

namespace {

struct Wired : Rig {
  explicit Wired(std::string_view configure = "AT+QITCFG=3,2,512,1", Options options = {})
      : Rig(std::move(options)) {
    say("ATE0");
    say("AT+QIMODE=1");
    say(configure);
    connected = say("AT+QIOPEN=\"TCP\",\"198.51.100.7\",2000", 1s);
  }
  // Out of data mode, with the guard times.
  std::string escape() {
    loop.runFor(500ms);
    type("+++");
    return after(500ms);
  }
  std::string connected;
};

}  // namespace

TEST_CASE("CONNECT begins data mode: what is typed is sent, what arrives is shown",
          "[AT+QIMODE][AT+QIOPEN]") {
  Wired rig;
  CHECK(rig.connected == "\r\nOK\r\n\r\nCONNECT\r\n");
  rig.type("AT+QICLOSE\r");
  CHECK(rig.after(1s).empty());
  CHECK(rig.seen->received == "AT+QICLOSE\r");
  rig.seen->peer->send(bytesOf("\r\nCLOSED\r\n"));
  CHECK(rig.after(100ms) == "\r\nCLOSED\r\n");
}

TEST_CASE("what is typed waits for more until it makes a packet or its time is over", "[AT+QITCFG]") {
  Wired rig("AT+QITCFG=3,2,8,1");
  rig.type("abc");
  rig.after(199ms);
  CHECK(rig.seen->received.empty());
  rig.after(1ms);
  CHECK(rig.seen->received == "abc");
  rig.type("12345678");
  rig.after(10ms);
  CHECK(rig.seen->received == "abc12345678");
}

TEST_CASE("+++ between its guard times leads to command mode, and ATO back", "[ATO][AT+QITCFG][AT+QISACK]") {
  Wired rig;
  rig.type("x");
  CHECK(rig.escape() == "\r\nOK\r\n");
  CHECK(rig.seen->received == "x");
  CHECK(rig.say("AT+QISACK") == "\r\n+QISACK: 1, 1, 0\r\n\r\nOK\r\n");
  // What arrives waits for data mode.
  rig.seen->peer->send(bytesOf("hello"));
  CHECK(rig.after(1s).empty());
  CHECK(rig.say("ATO") == "\r\nCONNECT\r\nhello");
  rig.type("y");
  rig.after(1s);
  CHECK(rig.seen->received == "xy");
}

TEST_CASE("+++ without its guard times is data") {
  Wired rig;
  const auto sent = [&rig](async::Duration before, async::Duration between, async::Duration behind) {
    rig.after(2s);
    rig.seen->received.clear();
    rig.type("a");
    rig.after(before);
    for (int i = 0; i < 3; ++i) {
      if (i > 0) rig.after(between);
      rig.type("+");
    }
    rig.after(behind);
    rig.type("b");
    rig.after(2s);
    return rig.seen->received;
  };
  CHECK(sent(499ms, 0ms, 600ms) == "a+++b");
  CHECK(sent(600ms, 21ms, 600ms) == "a+++b");
  CHECK(sent(600ms, 0ms, 499ms) == "a+++b");
  CHECK(rig.module.terminal().online());
  rig.after(1s);
  rig.type("++++");
  CHECK(rig.after(2s).empty());
  rig.type("++");
  CHECK(rig.after(2s).empty());
  CHECK(rig.seen->received == "a+++b++++++");
  rig.type("+");
  rig.after(20ms);
  rig.type("+");
  rig.after(20ms);
  rig.type("+");
  CHECK(rig.after(500ms) == "\r\nOK\r\n");
}

TEST_CASE("AT+QITCFG can switch +++ off", "[AT+QITCFG]") {
  Wired rig("AT+QITCFG=3,2,512,0");
  CHECK(rig.escape().empty());
  rig.after(1s);
  CHECK(rig.seen->received == "+++");
}

TEST_CASE("the end of the connection leads to command mode by itself", "[point-7]") {
  Wired rig;
  rig.seen->peer->send(bytesOf("bye"));
  rig.seen->peer->close();
  CHECK(rig.after(100ms) == "bye\r\nCLOSED\r\n");
  CHECK(rig.say("AT") == "\r\nOK\r\n");
  CHECK(rig.say("ATO") == "\r\nNO CARRIER\r\n");
}

TEST_CASE("the loss of the context in data mode leads to command mode, too", "[point-8]") {
  Wired rig;
  CHECK(rig.fault("pdp-deact"));
  CHECK(rig.after(100ms) == "\r\n+PDP DEACT\r\n");
  CHECK(rig.say("AT") == "\r\nOK\r\n");
}

TEST_CASE("what the module says by itself waits for command mode", "[point-5]") {
  Wired rig;
  CHECK(rig.fault("urc RING"));
  CHECK(rig.after(1s).empty());
  CHECK(rig.escape() == "\r\nOK\r\n\r\nRING\r\n");
}

TEST_CASE("in transparent mode AT+QISEND is an error, AT+QICLOSE is not", "[AT+QICLOSE]") {
  Wired rig;
  rig.escape();
  CHECK(rig.say("AT+QISEND") == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QICLOSE") == "\r\nCLOSE OK\r\n");
  CHECK(rig.seen->ended);
  CHECK(rig.say("ATO") == "\r\nNO CARRIER\r\n");
}

TEST_CASE("transparent mode wants an idle context and one connection",
          "[AT+QIMODE][AT+QIMUX][AT+QITCFG][point-14]") {
  Rig rig;
  rig.say("ATE0");
  rig.say("AT+QIMUX=1");
  CHECK(rig.say("AT+QIMODE=1") == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QITCFG=3,2,512,1") == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QIMUX=0") == "\r\nOK\r\n");
  CHECK(rig.say("AT+QIMODE=1") == "\r\nOK\r\n");
  CHECK(rig.say("AT+QIMODE?") == "\r\n+QIMODE: 1\r\n\r\nOK\r\n");
  CHECK(rig.say("AT+QIMUX=1") == "\r\nERROR\r\n");
  CHECK(rig.say("AT+QITCFG=3,2,512,1") == "\r\nOK\r\n");
  CHECK(rig.say("AT+QITCFG=3,2,1461,1") == "\r\nERROR\r\n");
  rig.say("AT+QIREGAPP");
  CHECK(rig.say("AT+QIMODE=0") == "\r\nERROR\r\n");
}

TEST_CASE("a client of a transparent server takes the line", "[AT+QISERVER][ATO][point-20]") {
  Rig rig;
  rig.say("ATE0");
  rig.say("AT+QIMODE=1");
  rig.say("AT+QISERVER", 1s);
  const auto visit = [&rig](std::shared_ptr<Seen> seen) {
    rig.network.call(Protocol::Tcp, 2020, Endpoint{Ipv4{0x0a4f8d1a}, 4000}, std::make_unique<Steered>(seen));
  };
  const auto first = std::make_shared<Seen>();
  visit(first);
  CHECK(rig.after(100ms) == "\r\nREMOTE IP: 10.79.141.26\r\n\r\nCONNECT\r\n");
  rig.type("hi");
  rig.after(1s);
  CHECK(first->received == "hi");
  const auto second = std::make_shared<Seen>();
  visit(second);
  CHECK(rig.after(100ms).empty());
  CHECK(second->was_reset);
  rig.type("+++");
  CHECK(rig.after(1s) == "\r\nOK\r\n");
  CHECK(rig.say("ATO") == "\r\nCONNECT\r\n");
}

TEST_CASE("a slow far end holds up what is typed, and nothing of it is lost") {
  Options options;
  options.input_fifo = 3584;
  Wired rig("AT+QITCFG=3,2,512,1", options);
  rig.seen->peer->setRoom(0);
  std::string all;
  for (int i = 0; i < 10'000; ++i) all += static_cast<char>('a' + i % 26);
  rig.type(all.substr(0, 7300));
  rig.after(1s);
  rig.type(all.substr(7300));
  rig.after(10s);
  CHECK(rig.seen->received.empty());
  rig.seen->peer->setRoom(VirtualPeer::kUnlimited);
  rig.after(10s);
  CHECK(rig.seen->received == all);
}

TEST_CASE("one line carries one session: neither a visitor nor the other context gets a second one",
          "[AT+QISERVER][AT+QIMODE][AT+QIOPEN]") {
  Options options;
  options.rtt = 400ms;
  Rig rig(options);
  rig.say("ATE0");
  rig.say("AT+QIMODE=1");
  rig.say("AT+QISERVER", 1s);
  rig.say("AT+QILOCIP");
  const auto visit = [&rig] {
    const auto seen = std::make_shared<Seen>();
    rig.network.call(Protocol::Tcp, 2020, Endpoint{Ipv4{0x0a4f8d1a}, 4000}, std::make_unique<Steered>(seen));
    return seen;
  };
  rig.type("AT+QIOPEN=\"TCP\",\"198.51.100.7\",2000\r");
  CHECK(rig.after(50ms) == "\r\nOK\r\n");
  // It knocks while the client's own connection is on its way, and in command mode beside it.
  const auto early = visit();
  CHECK(rig.after(1s) == "\r\nCONNECT\r\n");
  CHECK(early->was_reset);
  rig.type("+++");
  CHECK(rig.after(1s) == "\r\nOK\r\n");
  const auto late = visit();
  CHECK(rig.after(1s).empty());
  CHECK(late->was_reset);
  rig.say("AT+QIFGCNT=1");
  CHECK(rig.say("AT+QIMODE=1") == "\r\nERROR\r\n");
  rig.say("AT+QIFGCNT=0");
  CHECK(rig.say("ATO") == "\r\nCONNECT\r\n");
}

TEST_CASE("what was typed as data and not yet sent is not read as commands when the module starts anew") {
  Wired rig;
  rig.seen->peer->setRoom(0);
  std::string typed(30'000, 'x');
  for (std::size_t i = 0; i + 20 < typed.size(); i += 20) typed.replace(i, 10, "\rAT+CMEE=2");
  rig.type(typed.substr(0, 9000));
  rig.fault("reboot");
  rig.after(10s);
  CHECK(rig.transcript.find("-> AT+CMEE=2") == std::string::npos);
}

TEST_CASE("the words of data mode are digits after ATV0, and left out after ATQ1", "[ATV]") {
  Wired rig;
  rig.escape();
  rig.say("ATV0");
  CHECK(rig.say("ATO") == "1\r");
  CHECK(rig.escape() == "0\r");
  rig.say("AT+QICLOSE");
  CHECK(rig.say("ATO") == "3\r");
  rig.say("ATQ1");
  CHECK(rig.say("ATO").empty());
}
