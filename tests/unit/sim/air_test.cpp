// What the way through the air does to bytes: late acknowledgements, losses, paths that die.
#include "rig.hpp"
#include "support/catch.hpp"

#include <algorithm>

using namespace qimux;
using namespace qimux::sim;
using namespace qimux::sim::test;

namespace {

std::string ack(std::uint64_t sent, std::uint64_t acknowledged) {
  return "\r\n+QISACK: " + std::to_string(sent) + ", " + std::to_string(acknowledged) + ", " +
         std::to_string(sent - acknowledged) + "\r\n\r\nOK\r\n";
}

// A connected socket 0 towards the far end that the test steers.
struct Connected : Rig {
  explicit Connected(Options options = {}, std::string_view protocol = "TCP", std::string_view before = "")
      : Rig(std::move(options)) {
    bringUp();
    if (!before.empty()) say(before);
    open(0, kQuiet, protocol, 3s);
  }
  bool closedWithin(async::Duration span) {
    heard.clear();
    return after(span).find("0, CLOSED") != std::string::npos;
  }
};

Options lagging(async::Duration least, async::Duration most) {
  Options options;
  options.ack_lag = {least, most};
  return options;
}

Options lossy(double probability) {
  Options options;
  options.loss = probability;
  return options;
}

}  // namespace

TEST_CASE("acknowledgements lag behind what the far end has", "[AT+QISACK][point-10]") {
  Connected rig(lagging(600ms, 600ms));
  rig.type("AT+QISEND=0,5\r");
  rig.after(10ms);
  rig.type("hello");
  rig.after(10ms);
  CHECK(rig.seen->received == "hello");
  CHECK(rig.say("AT+QISACK=0", 580ms) == ack(5, 0));
  rig.after(10ms);
  CHECK(rig.say("AT+QISACK=0") == ack(5, 5));
}

TEST_CASE("each block lags by its own part of the span, never before the one ahead of it",
          "[AT+QISACK][point-10]") {
  Connected rig(lagging(500ms, 1s));
  async::Duration least = 1h;
  async::Duration most{0};
  for (std::uint64_t i = 1; i <= 30; ++i) {
    const async::TimePoint begin = rig.loop.now();
    rig.type("AT+QISEND=0,1\r");
    rig.after(5ms);
    rig.type("x");
    rig.after(5ms);
    while (rig.say("AT+QISACK=0", 10ms) != ack(i, i)) {
      REQUIRE(rig.loop.now() - begin < 2s);
    }
    least = std::min(least, rig.loop.now() - begin);
    most = std::max(most, rig.loop.now() - begin);
  }
  CHECK(least >= 500ms);
  CHECK(least <= 600ms);
  CHECK(most >= 900ms);
  CHECK(most <= 1030ms);
}

TEST_CASE("a round trip that is longer than the lag is what an acknowledgement takes", "[AT+QISACK]") {
  Options options = lagging(300ms, 300ms);
  options.rtt = 1s;
  Connected rig(std::move(options));
  rig.type("AT+QISEND=0,1\r");
  rig.after(5ms);
  rig.type("x");
  rig.after(900ms);
  CHECK(rig.say("AT+QISACK=0", 90ms) == ack(1, 0));
  rig.after(20ms);
  CHECK(rig.say("AT+QISACK=0") == ack(1, 1));
}

TEST_CASE("a reset does not acknowledge what it has lost") {
  async::VirtualLoop loop;
  VirtualNetwork network(loop);
  const auto seen = std::make_shared<Seen>();
  network.serveTcp(kQuiet, [&] { return std::make_unique<Steered>(seen); });
  struct Events final : SocketEvents {
    void opened() override {}
    void refused() override {}
    void readable() override { ++told; }
    void writable() override {}
    int told = 0;
  } events;
  const auto socket = network.open(Protocol::Tcp, kQuiet, events);
  loop.runFor(1ms);
  seen->peer->setRoom(3);
  CHECK(socket->send(bytesOf("lost and found")) == 14);
  loop.runFor(1ms);
  CHECK(socket->unacknowledged() == 11);
  seen->peer->reset();
  loop.runFor(1ms);
  CHECK(socket->unacknowledged() == 11);
  // It is told of though nothing was wanted, and once.
  CHECK(events.told == 1);
  CHECK(socket->receive({}).what == Take::Broken);
}

TEST_CASE("a reset is noticed while the receive buffer is full") {
  Connected rig;
  rig.seen->peer->send(bytesOf(std::string(20000, 'x')));
  rig.after(10ms);
  rig.seen->peer->reset();
  CHECK(rig.after(10ms) == "\r\n0, CLOSED\r\n");
  CHECK(rig.read(0).find("TCP,1500\r\n") != std::string::npos);
}

TEST_CASE("a datagram that is lost is gone, in either direction, and the rest is not", "[AT+QISEND]") {
  Options options = lossy(0.3);
  options.receive_buffer = 65536;
  Connected rig(std::move(options), "UDP");
  for (int i = 0; i < 200; ++i) CHECK(rig.send(0, "up") == "\r\nSEND OK\r\n");
  const auto arrived = rig.seen->datagrams.size();
  CHECK(arrived > 110);
  CHECK(arrived < 170);
  for (int i = 0; i < 200; ++i) rig.seen->peer->send(bytesOf("down"));
  rig.after(1s);
  int read = 0;
  while (rig.read(0).find("UDP,4") != std::string::npos) ++read;
  CHECK(read > 110);
  CHECK(read < 170);
}

TEST_CASE("a datagram for which there is no room is dropped whole", "[AT+QIRD][point-21]") {
  Options options;
  options.receive_buffer = 5000;
  Connected rig(std::move(options), "UDP");
  rig.seen->peer->send(bytesOf(std::string(3000, 'a')));
  // Its first packet would fit.
  rig.seen->peer->send(bytesOf(std::string(2500, 'b')));
  rig.seen->peer->send(bytesOf("c"));
  rig.after(1s);
  std::string all;
  for (int i = 0; i < 10; ++i) {
    const std::string heard = rig.read(0);
    const std::size_t begin = heard.find("UDP,");
    if (begin == std::string::npos) break;
    all += heard.substr(heard.find("\r\n", begin) + 2);
  }
  CHECK(std::ranges::count(all, 'a') == 3000);
  CHECK(std::ranges::count(all, 'b') == 0);
  CHECK(std::ranges::count(all, 'c') == 1);
}

TEST_CASE("TCP loses nothing: what got lost comes late, and holds up what is behind it", "[AT+QISEND]") {
  Connected rig(lossy(0.2));
  std::string sent;
  async::Duration longest{0};
  for (int i = 0; i < 100; ++i) {
    const std::string block(10, static_cast<char>('a' + i % 26));
    rig.type("AT+QISEND=0,10\r");
    rig.after(10ms);
    rig.type(block);
    rig.after(10ms);
    sent += block;
    const async::TimePoint begin = rig.loop.now();
    // In order, at any time.
    REQUIRE(sent.starts_with(rig.seen->received));
    REQUIRE(rig.loop.runUntil([&] { return rig.seen->received.size() == sent.size(); }, 100s));
    longest = std::max(longest, rig.loop.now() - begin);
  }
  CHECK(rig.seen->received == sent);
  // One retransmission takes a second, a second one two more.
  CHECK(longest >= 2900ms);
  rig.seen->peer->send(bytesOf(std::string(5000, 'z')));
  rig.after(60s);
  std::size_t back = 0;
  for (int i = 0; i < 4; ++i) {
    const std::string heard = rig.read(0);
    back += static_cast<std::size_t>(std::ranges::count(heard, 'z'));
  }
  CHECK(back == 5000);
}

TEST_CASE("what was lost is not acknowledged before it was sent again", "[AT+QISACK]") {
  Connected rig;
  CHECK(rig.fault("loss 1"));
  rig.send(0, "gone");
  rig.fault("loss 0");
  rig.send(0, "behind");
  rig.after(60s);
  CHECK(rig.seen->received.empty());
  CHECK(rig.say("AT+QISACK=0") == ack(10, 0));
  CHECK_FALSE(rig.fault("loss 2"));
  CHECK_FALSE(rig.fault("loss"));
}

TEST_CASE("data that nobody acknowledges ends the connection after minutes", "[AT+QISEND][AT+QISACK]") {
  for (const bool by_fault : {true, false}) {
    Connected rig;
    if (by_fault) {
      rig.fault("dead 0");
    } else {
      rig.seen->peer->vanish();
    }
    CHECK(rig.send(0, "anybody?") == "\r\nSEND OK\r\n");
    CHECK_FALSE(rig.closedWithin(235s));
    CHECK(rig.say("AT+QISACK=0") == ack(8, 0));
    CHECK(rig.closedWithin(30s));
    CHECK(rig.say("AT+QISEND=0,1") == "\r\nERROR\r\n");
    CHECK(rig.open(0, kEcho) == "\r\nOK\r\n\r\n0, CONNECT OK\r\n");
  }
}

TEST_CASE("a window that is closed for hours ends nothing", "[AT+QISEND]") {
  Connected rig;
  rig.seen->peer->setRoom(0);
  rig.send(0, "patience");
  CHECK_FALSE(rig.closedWithin(10h));
  rig.seen->peer->setRoom(VirtualPeer::kUnlimited);
  rig.after(10ms);
  CHECK(rig.say("AT+QISACK=0") == ack(8, 8));
}

TEST_CASE("how long data may go unanswered can be said") {
  Options options;
  options.give_up = 20s;
  Connected rig(std::move(options));
  rig.send(0, "first");
  rig.fault("dead 0");
  rig.after(100s);
  rig.send(0, "second");
  CHECK_FALSE(rig.closedWithin(18s));
  CHECK(rig.closedWithin(5s));
}

TEST_CASE("an idle path that is dead is not noticed by itself", "[AT+QIKALIVE]") {
  for (const char* setting : {"", "AT+QIKALIVE=1,60,10"}) {
    Connected rig({}, "TCP", setting);
    rig.seen->peer->vanish();
    CHECK_FALSE(rig.closedWithin(24h));
    CHECK(rig.say("AT+QISACK=0") == ack(0, 0));
  }
}

TEST_CASE("AT+QIKALIVE notices it: three probes without an answer behind the idle time", "[AT+QIKALIVE]") {
  for (const bool by_fault : {true, false}) {
    Connected rig({}, "TCP", "AT+QIKALIVE=0,60,10");
    if (by_fault) {
      rig.fault("dead 0");
    } else {
      rig.seen->peer->vanish();
    }
    // The socket is three seconds old.
    CHECK_FALSE(rig.closedWithin(86s));
    CHECK(rig.closedWithin(2s));
  }
}

TEST_CASE("AT+QIKALIVE leaves a path alone that lives, idle or not", "[AT+QIKALIVE]") {
  Connected rig({}, "TCP", "AT+QIKALIVE=0,60,10");
  CHECK_FALSE(rig.closedWithin(10h));
  CHECK(rig.send(0, "still here") == "\r\nSEND OK\r\n");
  CHECK(rig.seen->received == "still here");
  // Traffic counts: not idle before a minute without any.
  rig.after(50s);
  rig.seen->peer->send(bytesOf("x"));
  rig.after(30s);
  rig.fault("dead 0");
  CHECK_FALSE(rig.closedWithin(55s));
  CHECK(rig.closedWithin(10s));
}

TEST_CASE("AT+QIKALIVE is forgotten at a restart", "[AT+QIKALIVE]") {
  Connected rig({}, "TCP", "AT+QIKALIVE=0,60,10");
  rig.fault("reboot");
  rig.after(30s);
  CHECK(rig.say("AT+QIKALIVE?").find("+QIKALIVE: 1,60,10") != std::string::npos);
  rig.bringUp();
  rig.open(0, kQuiet);
  rig.seen->peer->vanish();
  CHECK_FALSE(rig.closedWithin(1h));
}

TEST_CASE("AT+QPING sums up what its samples really took", "[AT+QPING]") {
  Options options;
  options.rtt = 300ms;
  Rig rig(std::move(options));
  rig.bringUp();
  CHECK(rig.say("AT+QPING=\"198.51.100.7\",1,2", 5s) ==
        "\r\nOK\r\n\r\n+QPING: 0,198.51.100.7,32,300,64\r\n\r\n+QPING: 0,198.51.100.7,32,300,64\r\n"
        "\r\n+QPING: 2,2,2,0,300,300,300\r\n");
  // Nobody there, and a limit of a second for each.
  CHECK(rig.say("AT+QPING=\"192.0.2.9\",1,2", 1900ms).find("+QPING: 2") == std::string::npos);
  CHECK(rig.after(200ms) == "\r\n+QPING: 1\r\n\r\n+QPING: 2,2,0,2,0,0,0\r\n");
  rig.fault("loss 1");
  CHECK(rig.say("AT+QPING=\"198.51.100.7\",1,1", 2s).ends_with("+QPING: 2,1,0,1,0,0,0\r\n"));
}

namespace {

// The time of an echo request is what the test says next.
struct Uneven final : Network {
  explicit Uneven(async::Loop& on) : loop(on), inner(on) {}
  std::unique_ptr<Socket> open(Protocol protocol, Endpoint remote, SocketEvents& events) override {
    return inner.open(protocol, remote, events);
  }
  std::unique_ptr<Listener> listen(Protocol protocol, std::uint16_t port, ListenerEvents& events) override {
    return inner.listen(protocol, port, events);
  }
  void resolve(const std::string& host, Resolved done) override { inner.resolve(host, std::move(done)); }
  void ping(Ipv4, async::Duration, Echoed done) override {
    loop.post([time = times.front(), done = std::move(done)]() mutable { done(time); });
    times.erase(times.begin());
  }
  async::Loop& loop;
  VirtualNetwork inner;
  std::vector<std::optional<async::Duration>> times;
};

}  // namespace

TEST_CASE("AT+QPING tells shortest, longest and average of the answers alone") {
  async::VirtualLoop loop;
  Uneven network(loop);
  network.times = {10ms, std::nullopt, 40ms, 13ms};
  std::string heard;
  Module::Host host;
  host.write = [&](ByteView bytes) { heard += textOf(bytes); };
  Module module(loop, Options{}, network, std::move(host));
  module.fromHost(bytesOf("AT+QPING=\"198.51.100.7\"\r"));
  loop.runFor(5s);
  CHECK(heard.ends_with("+QPING: 2,4,3,1,10,40,21\r\n"));
}
