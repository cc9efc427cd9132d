#include "qimux/bridge/udp_session.hpp"

#include "qimux/async/virtual_loop.hpp"
#include "support/catch.hpp"

#include <string>
#include <vector>

using namespace qimux;
using namespace qimux::bridge;
using namespace std::chrono_literals;
using State = SessionState;
using Events = std::vector<std::string>;

namespace {

struct Observer final : UdpObserver {
  void datagram(ByteView payload) override { datagrams.emplace_back(textOf(payload)); }
  void failed(Failure failure) override { events.push_back("failed " + std::string(name(failure))); }
  void ended() override { events.emplace_back("ended"); }
  Events datagrams;
  Events events;
};

struct Rig {
  Want want() { return session.want(loop.now()); }
  void open() {
    session.granted(4);
    REQUIRE(want().open);
    session.openSent(loop.now() + rules.connect_timeout);
  }
  void connect() {
    open();
    session.connected();
  }
  void write(std::string_view text) { session.send(Bytes(text.begin(), text.end())); }
  std::string send() {
    const std::size_t size = want().send;
    REQUIRE(size > 0);
    // Whatever the turn: a datagram goes out whole.
    const std::string bytes(textOf(session.payload(10)));
    CHECK(bytes.size() == size);
    session.sendDone(bytes.size());
    return bytes;
  }
  void read(std::string_view bytes) {
    REQUIRE(want().read > 0);
    session.readDone(Bytes(bytes.begin(), bytes.end()));
  }
  void close() {
    REQUIRE(want().close);
    session.closed();
  }

  async::VirtualLoop loop;
  SessionRules rules;
  Observer observer;
  int wakes = 0;
  UdpSession session{loop, rules, 1, net::Endpoint{0x08080808, 53}, observer, [this] { ++wakes; }};
};

}  // namespace

TEST_CASE("datagrams wait for the socket and go out as they came, one send each") {
  Rig rig;
  rig.write("first");
  rig.write(std::string(1460, 'x'));
  CHECK(rig.wakes == 2);
  CHECK(rig.want().send == 0);
  rig.connect();
  CHECK(rig.send() == "first");
  CHECK(rig.send() == std::string(1460, 'x'));
  CHECK(rig.want().send == 0);
  CHECK(rig.session.sent() == 1465);
}

TEST_CASE("a bounded few datagrams wait; the oldest goes when there are more") {
  Rig rig;
  for (int i = 0; i < 20; ++i) rig.write("datagram " + std::to_string(i));
  CHECK(rig.session.dropped() == 4);
  rig.connect();
  CHECK(rig.send() == "datagram 4");
}

TEST_CASE("SEND FAIL: the same datagram again after a pause") {
  Rig rig;
  rig.write("once");
  rig.write("twice");
  rig.connect();
  CHECK(textOf(rig.session.payload(1460)) == "once");
  rig.session.sendFull();
  CHECK(rig.want().send == 0);
  CHECK(rig.want().next == rig.loop.now() + 200ms);
  rig.loop.runFor(200ms);
  CHECK(rig.send() == "once");
  CHECK(rig.send() == "twice");
}

TEST_CASE("with sizes told, datagrams keep their boundaries though they are read together") {
  Rig rig;
  rig.connect();
  rig.session.arrived(5, 5);
  rig.session.arrived(3, 8);
  CHECK(rig.session.readSize(1500) == 5);
  rig.read("hello");
  CHECK(rig.session.readSize(1500) == 3);
  rig.read("you");
  CHECK(rig.observer.datagrams == Events{"hello", "you"});
  CHECK(rig.want().read == 0);
}

TEST_CASE("a datagram that is given in pieces is put together") {
  Rig rig;
  rig.connect();
  rig.session.arrived(10, 10);
  rig.read("01234");
  CHECK(rig.observer.datagrams.empty());
  CHECK(rig.session.readSize(1500) == 5);
  rig.read("56789");
  CHECK(rig.observer.datagrams == Events{"0123456789"});
}

TEST_CASE("a URC that was lost costs the datagrams whose boundaries went with it, not the next ones") {
  Rig rig;
  rig.connect();
  rig.session.arrived(5, 25);  // 20 bytes came before, untold
  CHECK(rig.session.readSize(1500) == 20);
  rig.read(std::string(12, '?'));
  CHECK(rig.session.readSize(1500) == 8);
  rig.read(std::string(8, '?'));
  rig.read("hello");
  CHECK(rig.observer.datagrams == Events{"hello"});
  CHECK(rig.session.dropped() == 1);
}

TEST_CASE("a URC in the middle of a datagram's reading counts what was read already") {
  Rig rig;
  rig.connect();
  rig.session.arrived(10, 10);
  rig.read("01234");
  rig.session.arrived(3, 8);  // the five that are left, and three
  rig.read("56789");
  rig.read("abc");
  CHECK(rig.observer.datagrams == Events{"0123456789", "abc"});
  CHECK(rig.session.dropped() == 0);
}

TEST_CASE(
    "a lost arrival as big as what was read just before is told from a URC that came late by the next read") {
  // The URC says 17 and all in all 25: the 8 may be what was being read when it arose, or another datagram.
  const auto begin = [](Rig& rig) {
    rig.connect();
    rig.session.arrived(8, 8);
    rig.read("8 bytes.");
    rig.session.arrived(17, 25);
    CHECK(rig.session.readSize(1500) == 17);
  };
  Rig late;
  begin(late);
  late.read("seventeen bytes !");
  CHECK(late.observer.datagrams == Events{"8 bytes.", "seventeen bytes !"});
  CHECK(late.want().read == 0);
  Rig lost;
  begin(lost);
  lost.read("8 more..");
  CHECK(lost.session.readSize(1500) == 17);
  lost.read("seventeen bytes !");
  CHECK(lost.observer.datagrams == Events{"8 bytes.", "8 more..", "seventeen bytes !"});
  CHECK(lost.want().read == 0);
}

TEST_CASE("a module that dropped some of what it told: what is left is the newest") {
  Rig rig;
  rig.connect();
  rig.session.arrived(100, 100);
  rig.session.arrived(4, 4);
  rig.read("news");
  CHECK(rig.observer.datagrams == Events{"news"});
  rig.session.arrived(100, 100);
  rig.session.arrived(4, 10);
  CHECK(rig.session.readSize(1500) == 6);
  rig.read("??????");
  rig.read("more");
  CHECK(rig.observer.datagrams == Events{"news", "more"});
}

TEST_CASE("an empty read ends what was told and did not come") {
  Rig rig;
  rig.connect();
  rig.session.arrived(10, 10);
  rig.read("01234");
  rig.read("");
  CHECK(rig.want().read == 0);
  rig.session.arrived(2, 2);
  rig.read("ok");
  CHECK(rig.observer.datagrams == Events{"ok"});
}

TEST_CASE("without sizes one read is one datagram, until a read is empty") {
  Rig rig;
  rig.connect();
  rig.session.arrived(std::nullopt, std::nullopt);
  CHECK(rig.want().read == module::kMaxRead);
  rig.read("one");
  rig.read("two");
  rig.read("");
  CHECK(rig.want().read == 0);
  CHECK(rig.observer.datagrams == Events{"one", "two"});
  CHECK(rig.session.received() == 6);
}

TEST_CASE("sizes that no module can mean take no memory and stop nobody") {
  Rig rig;
  rig.connect();
  rig.session.arrived(0, 0);
  CHECK(rig.want().read > 0);
  rig.read("");
  // Four gigabytes are announced; what comes of them is let go at once, and so is what can be no datagram.
  rig.session.arrived(10, 0xffffffff);
  for (int i = 0; i < 1000; ++i) rig.read(std::string(1500, 'x'));
  rig.read("");
  rig.session.arrived(0xffffffff, 0xffffffff);
  for (int i = 0; i < 1000; ++i) rig.read(std::string(1500, 'x'));
  CHECK(rig.observer.datagrams.empty());
  for (int i = 0; i < 10'000; ++i) rig.session.arrived(1, 0xffffffff);
  rig.read("");
  CHECK(rig.want().read == 0);
}

TEST_CASE("an association that is idle ends: 30 s after a one-shot exchange, else after 300 s") {
  Rig rig;
  rig.write("question");
  rig.connect();
  rig.send();
  rig.session.arrived(6, 6);
  rig.read("answer");
  rig.loop.runFor(30s - 1ms);
  CHECK_FALSE(rig.want().close);
  rig.loop.runFor(1ms);
  rig.close();
  CHECK(rig.session.state() == State::Ended);
  CHECK(rig.observer.events == Events{"ended"});

  Rig talk;
  talk.connect();
  for (int i = 0; i < 2; ++i) {
    talk.write("more");
    talk.send();
  }
  talk.loop.runFor(299s);
  CHECK_FALSE(talk.want().close);
  talk.loop.runFor(1s);
  CHECK(talk.want().close);
}

TEST_CASE("an association gives way two seconds after its last use, and not while something is under way") {
  Rig rig;
  CHECK(rig.session.yieldsAt() == async::TimePoint::max());
  rig.write("question");
  rig.connect();
  CHECK(rig.session.yieldsAt() == async::TimePoint::max());
  rig.send();
  CHECK(rig.session.yieldsAt() == rig.loop.now() + 2s);
  rig.session.arrived(6, 6);
  CHECK(rig.session.yieldsAt() == async::TimePoint::max());
}

TEST_CASE("abandoned in each state") {
  Rig waiting;
  waiting.write("x");
  waiting.session.abandon();
  CHECK(waiting.session.state() == State::Ended);
  Rig granted;
  granted.session.granted(0);
  granted.session.abandon();
  CHECK(granted.session.state() == State::Ended);
  Rig opening;
  opening.open();
  opening.session.abandon();
  opening.close();
  Rig connected;
  connected.connect();
  connected.session.abandon();
  connected.session.arrived(1, 1);
  connected.close();
  for (const Rig* rig : {&waiting, &granted, &opening, &connected}) {
    CHECK(rig->session.state() == State::Ended);
    CHECK(rig->observer.events == Events{"ended"});
    CHECK(rig->observer.datagrams.empty());
  }
}

TEST_CASE("an open that fails tells why, and ends") {
  Rig rig;
  rig.write("x");
  rig.open();
  CHECK(rig.want().next == rig.loop.now() + 80s);
  rig.loop.runFor(80s);
  rig.close();
  CHECK(rig.observer.events == Events{"failed unreachable", "ended"});
  Rig waiting;
  waiting.session.giveUp(Failure::Offline);
  CHECK(waiting.observer.events == Events{"failed offline", "ended"});
}

TEST_CASE("a result that comes too late changes nothing") {
  Rig rig;
  rig.open();
  rig.session.abandon();
  rig.session.connected();
  rig.session.failed(Failure::Refused);
  rig.session.remoteClosed();
  rig.session.checked(false);
  rig.close();
  CHECK(rig.session.state() == State::Ended);
  CHECK(rig.observer.events == Events{"ended"});
}

TEST_CASE("after a loss it starts again by itself where datagrams wait, and else ends") {
  Rig rig;
  rig.connect();
  rig.write("still wanted");
  rig.session.lost();
  CHECK(rig.session.state() == State::Waiting);
  CHECK(rig.observer.events.empty());
  rig.connect();
  CHECK(rig.send() == "still wanted");
  rig.session.lost();
  CHECK(rig.session.state() == State::Ended);
  CHECK(rig.observer.events == Events{"ended"});
}

TEST_CASE("a loss while it waits changes nothing") {
  Rig rig;
  rig.write("x");
  rig.session.lost();
  CHECK(rig.session.state() == State::Waiting);
}

TEST_CASE("a send whose end was lost with the link is not repeated") {
  Rig rig;
  rig.connect();
  rig.write("perhaps sent");
  rig.write("surely not");
  CHECK(textOf(rig.session.payload(1460)) == "perhaps sent");
  rig.session.lost();
  rig.connect();
  CHECK(rig.send() == "surely not");
  CHECK(rig.want().send == 0);
}

TEST_CASE("a socket that the module does not know any more is opened again for what waits") {
  const auto gone = std::vector<void (*)(UdpSession&)>{[](UdpSession& session) { session.readRefused(); },
                                                       [](UdpSession& session) { session.remoteClosed(); },
                                                       [](UdpSession& session) { session.checked(false); }};
  for (const auto tell : gone) {
    Rig rig;
    rig.connect();
    rig.write("wanted");
    tell(rig.session);
    rig.close();
    CHECK(rig.session.state() == State::Waiting);
    rig.connect();
    CHECK(rig.send() == "wanted");
  }
  Rig idle;
  idle.connect();
  idle.session.remoteClosed();
  idle.close();
  CHECK(idle.session.state() == State::Ended);
}

TEST_CASE("a socket that lives is left alone") {
  Rig rig;
  rig.connect();
  rig.session.checked(true);
  CHECK(rig.session.state() == State::Connected);
}

TEST_CASE("without sizes an arrival whose URC was lost is looked for") {
  Rig rig;
  rig.write("question");
  rig.connect();
  rig.send();
  REQUIRE(rig.want().next < rig.loop.now() + 30s);
  rig.loop.runFor(rig.want().next - rig.loop.now());
  CHECK(rig.want().poll);
  rig.session.readDone(Bytes{'a'});
  CHECK(rig.observer.datagrams == Events{"a"});
}

TEST_CASE("where each arrival is told with its size, nothing is looked for") {
  Rig rig;
  rig.rules.packet_sizes = true;
  rig.write("question");
  rig.connect();
  rig.send();
  rig.loop.runFor(29s);
  CHECK_FALSE(rig.want().poll);
}
