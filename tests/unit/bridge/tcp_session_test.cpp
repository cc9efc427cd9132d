#include "qimux/bridge/tcp_session.hpp"

#include "support/catch.hpp"
#include "tcp_session_rig.hpp"

#include <algorithm>
#include <string>
#include <vector>

using namespace qimux;
using namespace qimux::bridge;
using namespace qimux::bridge::test;
using namespace qimux::test;
using namespace std::chrono_literals;
using State = SessionState;
using Events = std::vector<std::string>;
constexpr auto kNever = async::TimePoint::max();

TEST_CASE("a session that waits wants nothing") {
  SessionRig rig;
  const Want want = rig.want();
  CHECK_FALSE(want.open);
  CHECK_FALSE(want.close);
  CHECK(want.next == kNever);
}

TEST_CASE("an open is asked for once, and has a deadline") {
  SessionRig rig;
  rig.open();
  CHECK_FALSE(rig.want().open);
  CHECK(rig.want().next == rig.loop.now() + 80s);
  rig.session.connected();
  CHECK(rig.observer.events == Events{"connected"});
  CHECK(rig.session.state() == State::Connected);
}

TEST_CASE("an open without a result fails as unreachable, and its socket is closed") {
  SessionRig rig;
  rig.open();
  rig.loop.runFor(80s);
  CHECK(rig.want().close);
  CHECK(rig.observer.events == Events{"failed unreachable"});
  // Too late.
  rig.session.connected();
  CHECK(rig.session.state() == State::Closing);
  rig.close();
  CHECK(rig.session.state() == State::Ended);
  CHECK(rig.observer.events == Events{"failed unreachable"});
}

TEST_CASE("a refused open is told, and its socket is closed too") {
  SessionRig rig;
  rig.open();
  rig.session.failed(Failure::Refused);
  CHECK(rig.observer.events == Events{"failed refused"});
  CHECK(rig.want().close);
  // A second word about it says nothing new.
  rig.session.failed(Failure::Unreachable);
  CHECK(rig.observer.events.size() == 1);
}

TEST_CASE("abandoned while it waits, or before its open was sent: nothing is left") {
  SessionRig waiting;
  waiting.session.abandon();
  CHECK(waiting.session.state() == State::Ended);
  SessionRig granted;
  granted.session.granted(0);
  granted.session.abandon();
  CHECK(granted.session.state() == State::Ended);
  CHECK(waiting.observer.events.empty());
  CHECK(granted.observer.events.empty());
}

TEST_CASE("abandoned after its open was sent: the socket is closed, whatever comes of the open") {
  SessionRig rig;
  rig.open();
  rig.session.abandon();
  CHECK(rig.want().close);
  rig.session.connected();
  CHECK(rig.session.state() == State::Closing);
  rig.session.remoteClosed();
  rig.close();
  CHECK(rig.session.state() == State::Ended);
  CHECK(rig.observer.events.empty());
}

TEST_CASE("abandoned while bytes move: the program is reset, and the observer hears no more") {
  SessionRig rig;
  rig.connect();
  rig.session.abandon();
  rig.close();
  CHECK(rig.program->was_reset);
  CHECK(rig.program->streamGone());
  CHECK(rig.observer.events == Events{"connected"});
}

TEST_CASE("given up while it waits for a socket") {
  SessionRig rig;
  rig.session.giveUp(Failure::NoSlot);
  CHECK(rig.observer.events == Events{"failed no_slot"});
  CHECK(rig.session.state() == State::Ended);
}

TEST_CASE("what the program writes goes out in sends of at most 1460 bytes") {
  SessionRig rig;
  rig.connect();
  const std::string text = std::string(1460, 'a') + std::string(540, 'b');
  rig.program->write(text);
  CHECK(rig.wakes > 0);
  CHECK(rig.want().send == 1460);
  CHECK(rig.send() == text.substr(0, 1460));
  CHECK(rig.observer.taken_bytes == 1460);
  CHECK(rig.send() == text.substr(1460));
  CHECK(rig.observer.taken_bytes == 2000);
  CHECK(rig.session.sent() == 2000);
  CHECK(rig.want().send == 0);
}

TEST_CASE("a short turn sends less, and loses nothing") {
  SessionRig rig;
  rig.connect();
  rig.program->write(std::string(1000, 'a') + "tail");
  CHECK(rig.session.payload(730).size() == 730);
  rig.session.sendDone(730);
  CHECK(rig.send() == std::string(270, 'a') + "tail");
}

TEST_CASE("SEND FAIL: after a pause the same bytes again") {
  SessionRig rig;
  rig.connect();
  rig.program->write("hello");
  CHECK(textOf(rig.session.payload(1460)) == "hello");
  rig.session.sendFull();
  CHECK(rig.want().send == 0);
  CHECK(rig.want().next <= rig.loop.now() + 200ms);
  CHECK(rig.session.unconfirmed() == 5);
  rig.program->write(", world");
  rig.loop.runFor(200ms);
  CHECK(rig.send() == "hello, world");
  CHECK(rig.session.sent() == 12);
}

TEST_CASE("no more is sent than the module's send buffer takes") {
  SessionRig rig;
  rig.connect();
  rig.program->write(std::string(20'000, 'x'));
  std::size_t sent = 0;
  while (rig.want().send > 0) sent += rig.send().size();
  CHECK(sent == module::kSendBuffer);
  rig.loop.runFor(20ms);
  CHECK(rig.want().acknowledged);
  rig.acknowledge(1460);
  CHECK(rig.want().send == 1460);
  CHECK(rig.observer.acknowledged_bytes == 1460);
  CHECK(rig.session.unconfirmed() == module::kSendBuffer - 1460);
}

TEST_CASE("acknowledgements are asked for only while something is unacknowledged") {
  SessionRig rig;
  rig.connect();
  rig.loop.runFor(1h);
  CHECK_FALSE(rig.want().acknowledged);
  rig.program->write("ping");
  rig.send();
  const Want waiting = rig.want();
  CHECK_FALSE(waiting.acknowledged);
  CHECK(waiting.next <= rig.loop.now() + 200ms);
  rig.loop.runFor(200ms);
  CHECK(rig.want().acknowledged);
  rig.acknowledge(0);
  CHECK_FALSE(rig.want().acknowledged);
  CHECK(rig.want().next < rig.loop.now() + 2s);
  rig.loop.runFor(2s);
  CHECK(rig.want().acknowledged);
  rig.acknowledge(4);
  CHECK(rig.observer.acknowledged_bytes == 4);
  rig.loop.runFor(1h);
  CHECK_FALSE(rig.want().acknowledged);
}

TEST_CASE("an answer of the far end makes the question due at once") {
  SessionRig rig;
  rig.connect();
  rig.program->write("ping");
  rig.send();
  rig.session.arrived(std::nullopt, std::nullopt);
  rig.read("pong");
  CHECK(rig.want().acknowledged);
}

TEST_CASE("where acknowledgements are not shown, they are asked for only to end and to go on") {
  SessionRig rig;
  rig.rules.ask_acknowledged = false;
  rig.rules.liveness.first_check = 1h;
  rig.connect();
  rig.program->write("hello");
  rig.send();
  rig.loop.runFor(1min);
  CHECK_FALSE(rig.want().acknowledged);
  rig.program->shutDown();
  CHECK(rig.want().acknowledged);
}

TEST_CASE("the counters' totals may wrap: what counts is what is unacknowledged") {
  SessionRig rig;
  rig.connect();
  rig.program->write("0123456789");
  rig.send();
  rig.session.counters(module::SendCounters{3, 0, 3});
  CHECK(rig.observer.acknowledged_bytes == 7);
  // Less than before changes nothing, and neither does nonsense.
  rig.session.counters(module::SendCounters{10, 0, 10});
  rig.session.counters(module::SendCounters{99, 0, 99});
  CHECK(rig.observer.acknowledged_bytes == 7);
  CHECK(rig.session.acknowledged() == 7);
}

TEST_CASE("refused counters on a socket that lives, thrice: what the module has taken must do") {
  SessionRig rig;
  rig.connect();
  rig.program->write("hello");
  rig.send();
  for (int refusal = 1; refusal <= 3; ++refusal) {
    rig.session.countersRefused(false);
    CHECK(rig.observer.acknowledged_bytes == 0);
    CHECK(rig.want().check);
    CHECK_FALSE(rig.want().acknowledged);
    rig.session.checked(true);
    if (refusal == 3) break;
    CHECK(rig.observer.acknowledged_bytes == 0);
    rig.loop.runFor(200ms);
    CHECK(rig.want().acknowledged);
  }
  CHECK(rig.observer.acknowledged_bytes == 5);
  CHECK_FALSE(rig.want().check);
  rig.program->write("again");
  rig.send();
  CHECK(rig.observer.acknowledged_bytes == 10);
  CHECK_FALSE(rig.want().acknowledged);
}

TEST_CASE(
    "a module that has counted once and then refuses, as on a disturbed line, acknowledges nothing by it") {
  SessionRig rig;
  rig.connect();
  rig.program->write("hello");
  rig.send();
  rig.acknowledge(2);
  for (int refusal = 1; refusal <= 10; ++refusal) {
    rig.session.countersRefused(false);
    rig.session.checked(true);
    rig.loop.runFor(200ms);
    CHECK(rig.want().acknowledged);
  }
  CHECK(rig.observer.acknowledged_bytes == 2);
  rig.acknowledge(5);
  CHECK(rig.observer.acknowledged_bytes == 5);
}

TEST_CASE("an inquiry is answered when the module has vouched for the connection, and not before") {
  SessionRig rig;
  rig.connect();
  REQUIRE(rig.session.inquire());
  CHECK(rig.want().acknowledged);
  // The list of states goes beside it: names that nobody answers may keep it waiting.
  CHECK(rig.want().check);
  rig.acknowledge(0);
  CHECK(rig.observer.vouchers == 1);
  CHECK(rig.want().check);
  rig.session.checked(true);
  CHECK(rig.observer.vouchers == 1);
  // Asked again soon, the short question does; data that comes is an answer, too.
  rig.loop.runFor(10s);
  REQUIRE(rig.session.inquire());
  CHECK_FALSE(rig.want().check);
  CHECK(rig.want().acknowledged);
  rig.session.arrived(std::nullopt, std::nullopt);
  rig.read("hello");
  CHECK(rig.observer.vouchers == 2);
  // Nobody asked: nobody is told.
  rig.acknowledge(0);
  CHECK(rig.observer.vouchers == 2);
}

TEST_CASE("an inquiry into what has ended finds nobody to ask") {
  SessionRig rig;
  rig.connect();
  rig.session.remoteClosed();
  CHECK_FALSE(rig.session.inquire());
}

TEST_CASE("refused counters on a socket that is gone acknowledge nothing, and what it holds is still read") {
  SessionRig rig;
  rig.connect();
  rig.program->write("hello");
  rig.send();
  rig.session.countersRefused(false);
  rig.session.checked(false);
  CHECK(rig.observer.acknowledged_bytes == 0);
  rig.read("the rest");
  CHECK(rig.program->read == "the rest");
  CHECK(rig.want().read > 0);
}

TEST_CASE("an arrival is an edge: it is read until an empty read") {
  SessionRig rig;
  rig.connect();
  CHECK(rig.want().read == 0);
  rig.session.arrived(std::nullopt, std::nullopt);
  rig.read("hello");
  CHECK(rig.program->read == "hello");
  rig.read(" again");
  rig.read("");
  CHECK(rig.want().read == 0);
  CHECK(rig.program->read == "hello again");
  CHECK(rig.session.received() == 11);
}

TEST_CASE("an arrival with its size is read without a look too many") {
  SessionRig rig;
  rig.connect();
  rig.session.arrived(100, 100);
  CHECK(rig.want().read == 100);
  rig.read(std::string(60, 'x'));
  CHECK(rig.want().read == 40);
  rig.read(std::string(40, 'x'));
  CHECK(rig.want().read == 0);
  rig.session.arrived(1460, 4000);
  CHECK(rig.want().read == 1500);
  CHECK(rig.session.readSize(730) == 730);
  CHECK(rig.session.readSize(9999) == 1500);
}

TEST_CASE("an arrival of nothing is looked at all the same") {
  SessionRig rig;
  rig.connect();
  rig.session.arrived(0, 0);
  CHECK(rig.want().read == 1);
}

TEST_CASE("a program that does not read stops its own flow, and loses nothing") {
  SessionRig rig;
  rig.connect();
  rig.program->makeRoom(3);
  rig.session.arrived(std::nullopt, std::nullopt);
  rig.read("abcdef");
  CHECK(rig.program->read == "abc");
  rig.loop.runFor(1h);
  CHECK(rig.want().read == 0);
  CHECK_FALSE(rig.want().poll);
  rig.program->makeRoom(100);
  CHECK(rig.want().read > 0);
  CHECK(rig.program->read == "abcdef");
}

TEST_CASE("arrivals whose URC was lost are looked for, ever more rarely") {
  SessionRig rig;
  rig.rules.liveness.idle = 24h;
  rig.connect();
  CHECK_FALSE(rig.want().poll);
  CHECK(rig.want().next == rig.loop.now() + 4s);
  std::vector<int> steps;
  for (int i = 0; i < 5; ++i) {
    const auto begin = rig.loop.now();
    rig.loop.runFor(rig.want().next - begin);
    REQUIRE(rig.want().poll);
    steps.push_back(static_cast<int>((rig.loop.now() - begin) / 1s));
    rig.session.readDone({});
  }
  CHECK(steps == std::vector{4, 32, 256, 300, 300});
  // Found after all: soon again.
  rig.session.readDone(Bytes{'x'});
  CHECK(rig.program->read == "x");
  rig.read("");
  CHECK(rig.want().next <= rig.loop.now() + 32s);
}

TEST_CASE("nothing is read or sent before the program's end is attached") {
  SessionRig rig;
  rig.open();
  rig.session.connected();
  rig.session.arrived(std::nullopt, std::nullopt);
  CHECK(rig.want().read == 0);
  CHECK(rig.want().send == 0);
  CHECK(rig.session.payload(1460).empty());
  CHECK_FALSE(rig.session.attached());
  rig.session.attach(std::make_unique<FakeStream>(rig.program));
  CHECK(rig.want().read == 1500);
}

TEST_CASE("a send whose wish is gone has no payload") {
  SessionRig rig;
  rig.connect();
  rig.program->write("x");
  rig.session.abandon();
  CHECK(rig.session.payload(1460).empty());
}

TEST_CASE("small exchanges make a flow interactive, bulk does not") {
  SessionRig rig;
  rig.connect();
  rig.program->write(std::string(1460, 'x'));
  rig.send();
  CHECK_FALSE(rig.session.interactive(rig.loop.now()));
  rig.program->write("ls\n");
  rig.send();
  CHECK(rig.session.interactive(rig.loop.now()));
  rig.loop.runFor(10s);
  rig.session.arrived(std::nullopt, std::nullopt);
  rig.read("file\n");
  CHECK(rig.session.interactive(rig.loop.now()));
}

TEST_CASE("a TCP connection never gives its socket up for somebody else") {
  SessionRig rig;
  rig.connect();
  CHECK(rig.session.yieldsAt() == kNever);
}
