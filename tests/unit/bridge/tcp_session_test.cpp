#include "qimux/bridge/tcp_session.hpp"

#include "qimux/async/virtual_loop.hpp"
#include "support/catch.hpp"
#include "support/fake_stream.hpp"

#include <string>
#include <vector>

using namespace qimux;
using namespace qimux::bridge;
using namespace qimux::test;
using namespace std::chrono_literals;
using State = SessionState;
using Events = std::vector<std::string>;
constexpr auto kNever = async::TimePoint::max();

namespace {

struct Observer final : TcpObserver {
  void connected() override { events.emplace_back("connected"); }
  void failed(Failure failure) override { events.push_back("failed " + std::string(name(failure))); }
  void taken(std::uint64_t bytes) override { taken_bytes = bytes; }
  void acknowledged(std::uint64_t bytes) override { acknowledged_bytes = bytes; }
  bool programGone() override { return gone; }
  void released() override { events.emplace_back("released"); }
  void ended() override { events.emplace_back("ended"); }

  Events events;
  std::uint64_t taken_bytes = 0;
  std::uint64_t acknowledged_bytes = 0;
  bool gone = false;
};

struct Rig {
  Want want() { return session.want(loop.now()); }
  void open() {
    session.granted(2);
    REQUIRE(want().open);
    session.openSent(loop.now() + rules.connect_timeout);
  }
  void connect() {
    open();
    session.connected();
    session.attach(std::make_unique<FakeStream>(program));
  }
  // One AT+QISEND of what is wanted, all of it taken.
  std::string send() {
    const std::size_t size = want().send;
    REQUIRE(size > 0);
    const std::string bytes(textOf(session.payload(size)));
    session.sendDone(bytes.size());
    return bytes;
  }
  void acknowledge(std::uint64_t bytes) {
    session.counters(module::SendCounters{session.sent(), bytes, session.sent() - bytes});
  }
  void read(std::string_view bytes) {
    REQUIRE(want().read > 0);
    session.readDone(Bytes(bytes.begin(), bytes.end()));
  }
  // The module's socket is closed as wanted.
  void close() {
    REQUIRE(want().close);
    session.closed();
  }

  async::VirtualLoop loop;
  SessionRules rules;
  Observer observer;
  std::shared_ptr<Program> program = std::make_shared<Program>();
  int wakes = 0;
  TcpSession session{loop, rules, 1, net::Endpoint{0x0a000001, 80}, observer, [this] { ++wakes; }};
};

}  // namespace

TEST_CASE("a session that waits wants nothing") {
  Rig rig;
  const Want want = rig.want();
  CHECK_FALSE(want.open);
  CHECK_FALSE(want.close);
  CHECK(want.next == kNever);
}

TEST_CASE("an open is asked for once, and has a deadline") {
  Rig rig;
  rig.open();
  CHECK_FALSE(rig.want().open);
  CHECK(rig.want().next == rig.loop.now() + 80s);
  rig.session.connected();
  CHECK(rig.observer.events == Events{"connected"});
  CHECK(rig.session.state() == State::Connected);
}

TEST_CASE("an open without a result fails as unreachable, and its socket is closed") {
  Rig rig;
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
  Rig rig;
  rig.open();
  rig.session.failed(Failure::Refused);
  CHECK(rig.observer.events == Events{"failed refused"});
  CHECK(rig.want().close);
  // A second word about it says nothing new.
  rig.session.failed(Failure::Unreachable);
  CHECK(rig.observer.events.size() == 1);
}

TEST_CASE("abandoned while it waits, or before its open was sent: nothing is left") {
  Rig waiting;
  waiting.session.abandon();
  CHECK(waiting.session.state() == State::Ended);
  Rig granted;
  granted.session.granted(0);
  granted.session.abandon();
  CHECK(granted.session.state() == State::Ended);
  CHECK(waiting.observer.events.empty());
  CHECK(granted.observer.events.empty());
}

TEST_CASE("abandoned after its open was sent: the socket is closed, whatever comes of the open") {
  Rig rig;
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
  Rig rig;
  rig.connect();
  rig.session.abandon();
  rig.close();
  CHECK(rig.program->was_reset);
  CHECK(rig.program->streamGone());
  CHECK(rig.observer.events == Events{"connected"});
}

TEST_CASE("given up while it waits for a socket") {
  Rig rig;
  rig.session.giveUp(Failure::NoSlot);
  CHECK(rig.observer.events == Events{"failed no_slot"});
  CHECK(rig.session.state() == State::Ended);
}

TEST_CASE("what the program writes goes out in sends of at most 1460 bytes") {
  Rig rig;
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
  Rig rig;
  rig.connect();
  rig.program->write(std::string(1000, 'a') + "tail");
  CHECK(rig.session.payload(730).size() == 730);
  rig.session.sendDone(730);
  CHECK(rig.send() == std::string(270, 'a') + "tail");
}

TEST_CASE("SEND FAIL: after a pause the same bytes again") {
  Rig rig;
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
  Rig rig;
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
  Rig rig;
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
  Rig rig;
  rig.connect();
  rig.program->write("ping");
  rig.send();
  rig.session.arrived(std::nullopt, std::nullopt);
  rig.read("pong");
  CHECK(rig.want().acknowledged);
}

TEST_CASE("where acknowledgements are not shown, they are asked for only to end and to go on") {
  Rig rig;
  rig.rules.ask_acknowledged = false;
  rig.connect();
  rig.program->write("hello");
  rig.send();
  rig.loop.runFor(1min);
  CHECK_FALSE(rig.want().acknowledged);
  rig.program->shutDown();
  CHECK(rig.want().acknowledged);
}

TEST_CASE("the counters' totals may wrap: what counts is what is unacknowledged") {
  Rig rig;
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

TEST_CASE("refused counters on a socket that lives: what the module has taken must do") {
  Rig rig;
  rig.connect();
  rig.program->write("hello");
  rig.send();
  rig.session.countersRefused();
  CHECK(rig.observer.acknowledged_bytes == 0);
  CHECK(rig.want().check);
  CHECK_FALSE(rig.want().acknowledged);
  rig.session.checked(true);
  CHECK(rig.observer.acknowledged_bytes == 5);
  CHECK_FALSE(rig.want().check);
  rig.program->write("again");
  rig.send();
  CHECK(rig.observer.acknowledged_bytes == 10);
  CHECK_FALSE(rig.want().acknowledged);
}

TEST_CASE("refused counters on a socket that is gone acknowledge nothing, and what it holds is still read") {
  Rig rig;
  rig.connect();
  rig.program->write("hello");
  rig.send();
  rig.session.countersRefused();
  rig.session.checked(false);
  CHECK(rig.observer.acknowledged_bytes == 0);
  rig.read("the rest");
  CHECK(rig.program->read == "the rest");
  CHECK(rig.want().read > 0);
}

TEST_CASE("an arrival is an edge: it is read until an empty read") {
  Rig rig;
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
  Rig rig;
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
  Rig rig;
  rig.connect();
  rig.session.arrived(0, 0);
  CHECK(rig.want().read == 1);
}

TEST_CASE("a program that does not read stops its own flow, and loses nothing") {
  Rig rig;
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
  Rig rig;
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

TEST_CASE("half-close: everything is out and acknowledged, then reading goes on for the linger time") {
  Rig rig;
  rig.connect();
  rig.program->write("request");
  rig.program->shutDown();
  CHECK(rig.want().send == 7);
  rig.send();
  CHECK_FALSE(rig.want().close);
  rig.loop.runFor(10s);
  rig.acknowledge(7);
  CHECK_FALSE(rig.want().close);
  rig.loop.runFor(20s);
  rig.session.arrived(std::nullopt, std::nullopt);
  rig.read("answer");
  rig.read("");
  CHECK(rig.program->read == "answer");
  // It counts from the last that came, and ends with a last look.
  CHECK_FALSE(rig.want().close);
  rig.loop.runFor(29s);
  CHECK_FALSE(rig.want().close);
  rig.loop.runFor(2s);
  CHECK(rig.want().poll);
  rig.session.readDone({});
  rig.close();
  CHECK(rig.program->saw_end);
  CHECK_FALSE(rig.program->was_reset);
  CHECK(rig.observer.events == Events{"connected", "released", "ended"});
}

TEST_CASE("a program that is gone altogether keeps no socket once all is acknowledged") {
  Rig rig;
  rig.connect();
  rig.observer.gone = true;
  rig.program->write("last words");
  rig.program->shutDown();
  rig.send();
  CHECK_FALSE(rig.want().close);
  rig.acknowledge(10);
  CHECK(rig.want().close);
}

TEST_CASE("bytes that nobody acknowledges are waited for, and then the program is told that they are lost") {
  Rig rig;
  rig.connect();
  rig.program->write("lost");
  rig.program->shutDown();
  rig.send();
  CHECK_FALSE(rig.want().close);
  rig.loop.runFor(89s);
  CHECK_FALSE(rig.want().close);
  rig.loop.runFor(1s);
  rig.close();
  CHECK(rig.program->was_reset);
  CHECK(rig.observer.events == Events{"connected", "ended"});
}

TEST_CASE("each acknowledgement renews the patience") {
  Rig rig;
  rig.connect();
  rig.program->write("0123456789");
  rig.program->shutDown();
  rig.send();
  CHECK_FALSE(rig.want().close);
  rig.loop.runFor(80s);
  rig.acknowledge(5);
  rig.loop.runFor(80s);
  CHECK_FALSE(rig.want().close);
  rig.loop.runFor(10s);
  CHECK(rig.want().close);
}

TEST_CASE("a program that resets gives its socket up at once, with what it had not sent") {
  Rig rig;
  rig.connect();
  rig.program->write("never mind");
  rig.program->abort();
  CHECK(rig.want().close);
  CHECK(rig.want().send == 0);
  rig.close();
  CHECK(rig.session.state() == State::Ended);
  CHECK(rig.observer.events.back() == "ended");
}

TEST_CASE("a remote close: what the module still holds is read first, then end of file") {
  Rig rig;
  rig.connect();
  rig.session.remoteClosed();
  CHECK_FALSE(rig.want().close);
  rig.read("the rest");
  rig.read(" of it");
  rig.read("");
  // Nothing is left: closed, or the echo of an old life?
  CHECK(rig.want().check);
  CHECK_FALSE(rig.want().close);
  rig.session.checked(false);
  rig.close();
  CHECK(rig.program->read == "the rest of it");
  CHECK(rig.program->saw_end);
  CHECK_FALSE(rig.program->was_reset);
  CHECK(rig.observer.events == Events{"connected", "released", "ended"});
}

TEST_CASE("a remote close, and a module that knows nothing of the socket any more") {
  Rig rig;
  rig.connect();
  rig.session.remoteClosed();
  rig.session.readRefused();
  rig.close();
  CHECK(rig.program->saw_end);
}

TEST_CASE("a remote close waits for a slow program before it reads on") {
  Rig rig;
  rig.connect();
  rig.program->makeRoom(2);
  rig.session.remoteClosed();
  rig.read("abcd");
  CHECK(rig.want().read == 0);
  CHECK_FALSE(rig.want().close);
  rig.program->makeRoom(100);
  rig.read("ef");
  CHECK(rig.program->read == "abcdef");
}

TEST_CASE("bytes that the far end never acknowledged before it closed: no clean end, a reset") {
  Rig rig;
  rig.connect();
  rig.program->write("lost");
  rig.send();
  rig.session.remoteClosed();
  rig.session.readRefused();
  // What it acknowledged before it closed may still be learnt.
  CHECK(rig.want().acknowledged);
  CHECK_FALSE(rig.want().close);
  rig.acknowledge(0);
  rig.loop.runFor(3s);
  CHECK_FALSE(rig.want().acknowledged);
  rig.close();
  CHECK(rig.program->was_reset);
  CHECK(rig.observer.events == Events{"connected", "ended"});
}

TEST_CASE("bytes whose acknowledgement is learnt after the far end closed: a clean end") {
  Rig rig;
  rig.connect();
  rig.program->write("got it");
  rig.send();
  rig.session.remoteClosed();
  rig.session.readRefused();
  rig.acknowledge(6);
  rig.close();
  CHECK(rig.program->saw_end);
  CHECK_FALSE(rig.program->was_reset);
}

TEST_CASE("counters that are refused after the far end closed prove nothing: a reset") {
  Rig rig;
  rig.connect();
  rig.program->write("lost");
  rig.send();
  rig.session.remoteClosed();
  rig.session.readRefused();
  rig.session.countersRefused();
  CHECK(rig.observer.acknowledged_bytes == 0);
  rig.close();
  CHECK(rig.program->was_reset);
}

TEST_CASE("bytes that were never sent before the far end closed: a reset as well") {
  Rig rig;
  rig.connect();
  rig.program->write("unsent");
  rig.session.remoteClosed();
  CHECK(rig.want().send == 0);
  rig.session.readRefused();
  rig.close();
  CHECK(rig.program->was_reset);
}

TEST_CASE("the late CLOSED of an index's last life does not close the new connection") {
  Rig rig;
  rig.open();
  rig.session.remoteClosed();  // before the open's result: not ours
  rig.session.connected();
  rig.session.attach(std::make_unique<FakeStream>(rig.program));
  CHECK(rig.want().read == 0);

  rig.session.remoteClosed();  // after it: perhaps ours
  rig.read("");
  CHECK(rig.want().check);
  rig.session.checked(true);
  CHECK_FALSE(rig.want().close);
  rig.program->write("still here");
  CHECK(rig.send() == "still here");
  CHECK(rig.session.state() == State::Connected);
}

TEST_CASE("the link is lost while the open waits: it waits for a socket again") {
  Rig rig;
  rig.open();
  rig.session.lost();
  CHECK(rig.session.state() == State::Waiting);
  CHECK(rig.observer.events.empty());
  rig.open();
  CHECK(rig.session.state() == State::Opening);
}

TEST_CASE("the link is lost while bytes move: ECONNRESET") {
  Rig rig;
  rig.connect();
  rig.session.lost();
  CHECK(rig.program->was_reset);
  CHECK(rig.session.state() == State::Ended);
  CHECK(rig.observer.events == Events{"connected", "ended"});
}

TEST_CASE("the link is lost while nobody waits for the open any more") {
  Rig rig;
  rig.open();
  rig.session.abandon();
  rig.session.lost();
  CHECK(rig.session.state() == State::Ended);
}

TEST_CASE("the link is lost before the program's end was attached") {
  Rig rig;
  rig.open();
  rig.session.connected();
  rig.session.lost();
  CHECK(rig.session.state() == State::Ended);
  CHECK(rig.observer.events == Events{"connected", "ended"});
}

namespace {

// The far end has sent "abcd" and closed; the program has taken two bytes.
struct Unfinished : Rig {
  Unfinished() {
    connect();
    program->makeRoom(2);
    program->drained = false;
    session.remoteClosed();
    read("abcd");
    session.readRefused();
    close();
    REQUIRE(session.state() == State::Finishing);
  }
};

}  // namespace

TEST_CASE("a program that still reads gets all of it, long after the socket was given back") {
  Unfinished rig;
  CHECK(rig.session.slot() == -1);
  CHECK_FALSE(rig.program->saw_end);
  rig.loop.runFor(1min);
  rig.program->makeRoom(100);
  rig.loop.runFor(2s);
  CHECK(rig.program->read == "abcd");
  CHECK(rig.program->saw_end);
  CHECK(rig.session.state() == State::Finishing);  // its kernel has not yet got it
  rig.program->drain();
  rig.loop.runFor(2s);
  CHECK(rig.session.state() == State::Ended);
  CHECK_FALSE(rig.program->was_reset);
}

TEST_CASE("a program that never reads is reset after ten minutes") {
  Unfinished rig;
  rig.loop.runFor(9min);
  CHECK(rig.session.state() == State::Finishing);
  rig.loop.runFor(61s);
  CHECK(rig.session.state() == State::Ended);
  CHECK(rig.program->was_reset);
}

TEST_CASE("a program that resets while it is given the rest is done with") {
  Unfinished rig;
  rig.program->abort();
  rig.loop.runFor(2s);
  CHECK(rig.session.state() == State::Ended);
}

TEST_CASE("abandoned while the rest is handed over") {
  Unfinished rig;
  rig.session.abandon();
  CHECK(rig.session.state() == State::Ended);
  CHECK(rig.program->was_reset);
}

TEST_CASE("what the program writes after the far end's close is answered with a reset") {
  Unfinished rig;
  rig.program->makeRoom(100);
  rig.loop.runFor(2s);
  rig.program->write("too late");
  rig.program->drain();
  rig.loop.runFor(2s);
  CHECK(rig.session.state() == State::Ended);
  CHECK(rig.program->was_reset);
}

TEST_CASE("nothing is read or sent before the program's end is attached") {
  Rig rig;
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
  Rig rig;
  rig.connect();
  rig.program->write("x");
  rig.session.abandon();
  CHECK(rig.session.payload(1460).empty());
}

TEST_CASE("small exchanges make a flow interactive, bulk does not") {
  Rig rig;
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
  Rig rig;
  rig.connect();
  CHECK(rig.session.yieldsAt() == kNever);
}
