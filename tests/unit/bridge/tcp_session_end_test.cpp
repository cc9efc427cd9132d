// How TCP sessions end: who is told what, and that nothing is lost on the way.
#include "qimux/bridge/tcp_session.hpp"
#include "support/catch.hpp"
#include "tcp_session_rig.hpp"

#include <string>
#include <vector>

using namespace qimux;
using namespace qimux::bridge;
using namespace qimux::bridge::test;
using namespace qimux::test;
using namespace std::chrono_literals;
using State = SessionState;
using Events = std::vector<std::string>;

TEST_CASE("half-close: everything is out and acknowledged, then reading goes on for the linger time") {
  SessionRig rig;
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
  SessionRig rig;
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
  SessionRig rig;
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
  SessionRig rig;
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
  SessionRig rig;
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
  SessionRig rig;
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
  SessionRig rig;
  rig.connect();
  rig.session.remoteClosed();
  rig.session.readRefused();
  rig.close();
  CHECK(rig.program->saw_end);
}

TEST_CASE("a remote close waits for a slow program before it reads on") {
  SessionRig rig;
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
  SessionRig rig;
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
  SessionRig rig;
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
  SessionRig rig;
  rig.connect();
  rig.program->write("lost");
  rig.send();
  rig.session.remoteClosed();
  rig.session.readRefused();
  rig.session.countersRefused(false);
  CHECK(rig.observer.acknowledged_bytes == 0);
  rig.close();
  CHECK(rig.program->was_reset);
}

TEST_CASE("what was announced, and is gone when it is to be read after the far end closed: no clean end") {
  SessionRig rig;
  rig.connect();
  rig.session.arrived(std::nullopt, std::nullopt);
  rig.session.remoteClosed();
  rig.session.readRefused();
  rig.close();
  CHECK(rig.program->was_reset);
  CHECK_FALSE(rig.program->saw_end);
}

TEST_CASE("a socket that lives and refuses to be read has lost a block: a reset") {
  SessionRig rig;
  rig.connect();
  rig.session.arrived(std::nullopt, std::nullopt);
  rig.session.readRefused();
  REQUIRE(rig.want().check);
  rig.session.checked(true);
  rig.close();
  CHECK(rig.program->was_reset);
}

TEST_CASE(
    "a refusal of counters by a module that counts is another program's: nothing is taken for granted") {
  SessionRig rig;
  rig.connect();
  rig.program->write("hello");
  rig.send();
  for (int i = 0; i < 5; ++i) {
    rig.session.countersRefused(true);
    REQUIRE(rig.want().check);
    rig.session.checked(true);
    rig.loop.runFor(3s);
    CHECK(rig.want().acknowledged);
  }
  CHECK(rig.observer.acknowledged_bytes == 0);
  rig.acknowledge(5);
  CHECK(rig.observer.acknowledged_bytes == 5);
}

TEST_CASE("bytes that were never sent before the far end closed: a reset as well") {
  SessionRig rig;
  rig.connect();
  rig.program->write("unsent");
  rig.session.remoteClosed();
  CHECK(rig.want().send == 0);
  rig.session.readRefused();
  rig.close();
  CHECK(rig.program->was_reset);
}

TEST_CASE("the late CLOSED of an index's last life does not close the new connection") {
  SessionRig rig;
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
  SessionRig rig;
  rig.open();
  rig.session.lost();
  CHECK(rig.session.state() == State::Waiting);
  CHECK(rig.observer.events.empty());
  rig.open();
  CHECK(rig.session.state() == State::Opening);
}

TEST_CASE("the link is lost while bytes move: ECONNRESET") {
  SessionRig rig;
  rig.connect();
  rig.session.lost();
  CHECK(rig.program->was_reset);
  CHECK(rig.session.state() == State::Ended);
  CHECK(rig.observer.events == Events{"connected", "ended"});
}

TEST_CASE("the link is lost while nobody waits for the open any more") {
  SessionRig rig;
  rig.open();
  rig.session.abandon();
  rig.session.lost();
  CHECK(rig.session.state() == State::Ended);
}

TEST_CASE("the link is lost before the program's end was attached") {
  SessionRig rig;
  rig.open();
  rig.session.connected();
  rig.session.lost();
  CHECK(rig.session.state() == State::Ended);
  CHECK(rig.observer.events == Events{"connected", "ended"});
}

namespace {

// The far end has sent "abcd" and closed; the program has taken two bytes.
struct Unfinished : SessionRig {
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
