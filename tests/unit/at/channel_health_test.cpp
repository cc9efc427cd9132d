// What the channel makes of answers that are not what they should be. Payload that got loose must never be
// taken for the module's word.
#include "qimux/at/channel.hpp"
#include "support/catch.hpp"
#include "support/fake_port.hpp"
#include "support/run.hpp"

#include <string>
#include <vector>

using namespace qimux;
using namespace qimux::at;
using namespace qimux::test;
using namespace std::chrono_literals;
using Ending = Command::Ending;
using Lines = std::vector<std::string>;

namespace {

// Looks like all that a module can say.
const std::string kTrap = "\r\n+PDP DEACT\r\n\r\n0, CLOSED\r\n\r\nOK\r\n\r\nRDY\r\n";

struct Rig {
  Rig() : port(loop), channel(loop, port) {
    channel.onUrc([this](const Urc& urc) { urcs.push_back(urc.text); });
    port.alwaysOk("AT");
  }
  Result<Reply> read(std::string answer, std::string asked = "AT+QIRD=0,1,0,1500") {
    port.awaits(asked).says(std::move(answer));
    Command command(std::move(asked), 10s, Ending::Read);
    return run(loop, channel.execute(std::move(command)));
  }
  Result<Reply> send(std::string_view payload) {
    Command command("AT+QISEND=0," + std::to_string(payload.size()), 2s, Ending::Send);
    command.payload = bytesOf(payload);
    return run(loop, channel.execute(std::move(command)));
  }
  Result<Channel::Resynced> resync(async::Duration patience = 30s) {
    return run(loop, channel.resync(8, patience));
  }
  // It says OK behind its blocks, and is known to.
  void meet() { REQUIRE(read("\r\n+QIRD: 10.0.0.1:80,TCP,2\r\nhi\r\nOK\r\n")); }
  // The read has failed, nothing of it was believed, and the channel works again.
  void checkLost(const Result<Reply>& reply, ErrorKind kind = ErrorKind::Garbled) {
    REQUIRE_FALSE(reply);
    CHECK(reply.error().kind == kind);
    CHECK(channel.inDoubt());
    REQUIRE(resync());
    loop.runFor(1s);
    CHECK(urcs.empty());
    CHECK_FALSE(channel.inDoubt());
    port.sayLines({"1, CLOSED"});
    loop.runFor(1ms);
    CHECK(urcs == Lines{"1, CLOSED"});
  }

  async::VirtualLoop loop;
  FakePort port;
  Channel channel;
  Lines urcs;
};

}  // namespace

TEST_CASE("a header with a changed byte: its block is not read as lines") {
  for (const char* header : {"+QISD: 10.0.0.1:80,TCP,", "+QIRD; 10.0.0.1:80,TCP,", "*QIRD: 10.0.0.1:80,TCP,",
                             "\x80\xff", "+IRD: 10.0.0.1:80,TCP,"}) {
    CAPTURE(header);
    Rig rig;
    rig.meet();
    rig.checkLost(rig.read("\r\n" + (header + std::to_string(kTrap.size())) + "\r\n" + kTrap + "\r\nOK\r\n"));
  }
}

TEST_CASE("a header whose length is wrong by any amount is noticed by what follows the block") {
  // Off by more than is there it is a block without an end, which ends by its deadline.
  for (const int off : {-40, -20, -6, -2, -1, 1, 2, 3, 4, 5, 6, 7, 60}) {
    CAPTURE(off);
    Rig rig;
    rig.meet();
    const auto length = static_cast<int>(kTrap.size()) + off;
    const auto reply =
        rig.read("\r\n+QIRD: 10.0.0.1:80,TCP," + std::to_string(length) + "\r\n" + kTrap + "\r\nOK\r\n");
    // Six more is all there is, and its OK is missed.
    rig.checkLost(reply, off > 6 ? ErrorKind::Timeout : ErrorKind::Garbled);
  }
}

TEST_CASE("a block that has swallowed its OK is noticed also on a module that was not heard before") {
  for (const int off : {4, 6}) {
    Rig rig;
    const auto reply =
        rig.read("\r\n+QIRD: 10.0.0.1:80,TCP," + std::to_string(5 + off) + "\r\nhello\r\nOK\r\n");
    REQUIRE_FALSE(reply);
    CHECK(reply.error().kind == ErrorKind::Garbled);
  }
}

TEST_CASE("more than was asked for is never taken") {
  Rig rig;
  const auto reply = rig.read("\r\n+QIRD: 10.0.0.1:80,TCP,11\r\nhello world\r\nOK\r\n", "AT+QIRD=0,1,0,10");
  rig.checkLost(reply);
}

TEST_CASE("a block that is longer than its header says does not become URCs") {
  Rig rig;
  rig.meet();
  rig.checkLost(rig.read("\r\n+QIRD: 10.0.0.1:80,TCP,5\r\nhello" + kTrap + "\r\nOK\r\n"));
}

TEST_CASE("the same on a module that says no OK behind its blocks, unless the surplus begins as a line") {
  Rig rig;
  REQUIRE(rig.read("\r\n+QIRD:10.0.0.1:80,TCP,5\r\nhello"));
  REQUIRE(rig.resync());
  rig.checkLost(rig.read("\r\n+QIRD:10.0.0.1:80,TCP,5\r\nhello!" + kTrap));
  // A URC right behind the block is one.
  rig.urcs.clear();
  const auto reply = rig.read("\r\n+QIRD:10.0.0.1:80,TCP,5\r\nhello\r\n+QIRDI: 0,1,0\r\n");
  REQUIRE(reply);
  CHECK(textOf(reply->block) == "hello");
  rig.loop.runFor(1ms);
  CHECK(rig.urcs == Lines{"+QIRDI: 0,1,0"});
  // Also one that nobody here knows what to do with.
  REQUIRE(rig.read("\r\n+QIRD:10.0.0.1:80,TCP,5\r\nhello\r\nRING\r\n"));
}

TEST_CASE("a module that falls silent in a block, and says the rest when nobody waits for it any more") {
  Rig rig;
  rig.meet();
  rig.port.awaits("AT+QIRD=0,1,0,1500")
      .says("\r\n+QIRD: 10.0.0.1:80,TCP,100\r\nhello")
      .says(kTrap + std::string(95 - kTrap.size(), 'x') + "\r\nOK\r\n", 10100ms);
  Command command("AT+QIRD=0,1,0,1500", 10s, Ending::Read);
  rig.checkLost(run(rig.loop, rig.channel.execute(std::move(command))), ErrorKind::Timeout);
}

TEST_CASE("a whole block that comes too late is not read as lines") {
  Rig rig;
  rig.meet();
  rig.port.awaits("AT+QIRD=0,1,0,1500")
      .says("\r\n+QIRD: 10.0.0.1:80,TCP," + std::to_string(kTrap.size()) + "\r\n" + kTrap + "\r\nOK\r\n",
            10100ms);
  Command command("AT+QIRD=0,1,0,1500", 10s, Ending::Read);
  rig.checkLost(run(rig.loop, rig.channel.execute(std::move(command))), ErrorKind::Timeout);
}

TEST_CASE("a foreign OK ends a read; the block that follows is known for what it is") {
  Rig rig;
  rig.meet();
  const auto reply = rig.read("\r\nOK\r\n\r\n+QIRD: 10.0.0.1:80,TCP," + std::to_string(kTrap.size()) +
                              "\r\n" + kTrap + "\r\nOK\r\n");
  REQUIRE(reply);
  CHECK(reply->block.empty());
  CHECK(rig.channel.inDoubt());
  CHECK(rig.channel.takeStrayBlocks() == Lines{"+QIRD: 10.0.0.1:80,TCP," + std::to_string(kTrap.size())});
  CHECK(rig.channel.takeStrayBlocks().empty());
  REQUIRE(rig.resync());
  CHECK(rig.urcs.empty());
}

TEST_CASE("an echo that is on is noticed, and ends nothing") {
  Rig rig;
  CHECK_FALSE(rig.channel.takeEcho());
  const auto reply = rig.read("AT+QIRD=0,1,0,1500\r\r\n+QIRD: 10.0.0.1:80,TCP,5\r\nhello\r\nOK\r\n");
  REQUIRE(reply);
  CHECK(textOf(reply->block) == "hello");
  CHECK(rig.channel.takeEcho());
  CHECK_FALSE(rig.channel.takeEcho());
  CHECK(rig.urcs.empty());
}

TEST_CASE("a module that hangs for 20 s is waited for, with few words") {
  Rig rig;
  rig.port.always("AT", "");
  auto running = std::make_unique<Running<Result<Channel::Resynced>>>(rig.loop, rig.channel.resync(8, 30s));
  rig.loop.runFor(20s);
  CHECK_FALSE(running->done());
  // Each of them waits in its input, which is bounded.
  CHECK(rig.port.count("AT") < 20);
  rig.port.alwaysOk("AT");
  rig.loop.runFor(10s);
  REQUIRE(running->done());
  CHECK((**running).has_value());
}

TEST_CASE("patience ends: nothing is heard for 30 s") {
  Rig rig;
  rig.port.always("AT", "");
  const auto begin = rig.loop.now();
  CHECK_FALSE(rig.resync());
  CHECK(rig.loop.now() - begin >= 30s);
  CHECK(rig.loop.now() - begin < 33s);
  CHECK(rig.channel.inDoubt());
}

TEST_CASE("SEND OK that is merely late, with every AT answered: the payload is whole") {
  Rig rig;
  rig.port.awaits("AT+QISEND=0,5").says("\r\n> ").payload("hello").lines({"SEND OK"}, 2100ms);
  CHECK_FALSE(rig.send("hello"));
  const auto synced = rig.resync();
  REQUIRE(synced);
  CHECK_FALSE(synced->payload_spoiled);
}

TEST_CASE("SEND OK for payload that was filled up with what brought the module back: it is spoiled") {
  for (const std::size_t missing : {1u, 3u, 4u, 400u}) {
    CAPTURE(missing);
    Rig rig;
    const std::string payload(500, 'x');
    rig.port.awaits("AT+QISEND=0,500").says("\r\n> ").payload(payload).swallow(missing).lines({"SEND OK"});
    CHECK_FALSE(rig.send(payload));
    const auto synced = rig.resync();
    REQUIRE(synced);
    CHECK(synced->payload_spoiled);
  }
}
