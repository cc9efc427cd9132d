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

struct Rig {
  Rig() : port(loop), channel(loop, port) {
    channel.onUrc([this](const Urc& urc) { urcs.push_back(urc.text); });
  }
  Result<Reply> execute(std::string text, Ending ending = Ending::Ok, std::string prefix = {},
                        async::Duration deadline = 2s) {
    Command command(std::move(text), deadline, ending, std::move(prefix));
    return run(loop, channel.execute(std::move(command)));
  }
  Result<Reply> send(std::string text, std::string_view payload, async::Duration deadline = 2s) {
    Command command(std::move(text), deadline, Ending::Send);
    command.payload = bytesOf(payload);
    return run(loop, channel.execute(std::move(command)));
  }
  Result<Channel::Resynced> resync() { return run(loop, channel.resync()); }

  async::VirtualLoop loop;
  FakePort port;
  Channel channel;
  Lines urcs;
};

}  // namespace

TEST_CASE("a command goes out with a CR, and its answer comes back") {
  Rig rig;
  rig.port.awaits("AT+CSQ").lines({"+CSQ: 17,0", "OK"});
  const auto reply = rig.execute("AT+CSQ", Ending::Ok, "+CSQ:");
  REQUIRE(reply);
  CHECK(reply->lines == Lines{"+CSQ: 17,0"});
  CHECK(rig.port.trouble() == "");
  CHECK(rig.channel.counters().commands == 1);
  CHECK(rig.channel.counters().bytes_out == 7);
  CHECK(rig.channel.counters().bytes_in == 20);
  CHECK_FALSE(rig.channel.busy());
}

TEST_CASE("an answer byte by byte is the same answer") {
  Rig rig;
  rig.port.chunk(1);
  rig.port.awaits("AT+QIRD=0,1,0,1500")
      .says("\r\n+QIRD: 10.0.0.1:80,TCP,11\r\n\r\nOK\r\n> \r\nx\r\nOK\r\n\r\n0, CLOSED\r\n");
  const auto reply = rig.execute("AT+QIRD=0,1,0,1500", Ending::Read);
  REQUIRE(reply);
  CHECK(textOf(reply->block) == "\r\nOK\r\n> \r\nx");
  rig.loop.runFor(1ms);
  CHECK(rig.urcs == Lines{"0, CLOSED"});
}

TEST_CASE("a block whose OK does not come is there all the same; the first time the channel is in doubt") {
  Rig rig;
  const std::string bare = "\r\n+QIRD:10.0.0.1:80,TCP,5\r\nhello";
  rig.port.always("AT", FakePort::framed({"OK"}));
  const auto read = [&rig](const std::string& answer) {
    rig.port.awaits("AT+QIRD=0,1,0,1500").says(answer);
    const auto reply = rig.execute("AT+QIRD=0,1,0,1500", Ending::Read);
    return reply ? std::string(textOf(reply->block)) : reply.error().text();
  };
  CHECK(read(bare) == "hello");
  CHECK(rig.channel.inDoubt());
  REQUIRE(rig.resync());
  // From then on it is known not to come, and hardly waited for.
  const auto begin = rig.loop.now();
  CHECK(read(bare) == "hello");
  CHECK_FALSE(rig.channel.inDoubt());
  CHECK(rig.loop.now() - begin < 150ms);
  // Until it does come: then it is due, and without it the block may be short of something.
  CHECK(read(bare + "\r\nOK\r\n") == "hello");
  CHECK(read(bare) == "AT+QIRD=0,1,0,1500: no OK behind it (garbled)");
  CHECK(rig.channel.inDoubt());
}

TEST_CASE("a URC in the middle of an answer and one right behind its end are both told, in order") {
  Rig rig;
  rig.port.awaits("AT+CGREG?").lines({"+QIRDI: 0,1,0", "+CGREG: 0,1", "1, CLOSED", "OK", "+QIRDI: 0,1,2"});
  CHECK(rig.execute("AT+CGREG?", Ending::Ok, "+CGREG:")->lines == Lines{"+CGREG: 0,1"});
  rig.loop.runFor(1ms);
  CHECK(rig.urcs == Lines{"+QIRDI: 0,1,0", "1, CLOSED", "+QIRDI: 0,1,2"});
}

TEST_CASE("a URC is told from the loop, and its handler may execute a command") {
  Rig rig;
  std::optional<Running<Result<Reply>>> nested;
  rig.channel.onUrc([&](const Urc& urc) {
    CHECK(urc.kind == Urc::Kind::DataArrived);
    CHECK_FALSE(rig.channel.busy());
    nested.emplace(rig.loop, rig.channel.execute(Command("AT+NESTED", 1s)));
  });
  rig.port.awaits("AT+NESTED").ok();
  rig.port.sayLines({"+QIRDI: 0,1,0"});
  rig.loop.runFor(10ms);
  REQUIRE(nested);
  REQUIRE(nested->done());
  CHECK((**nested).has_value());
}

TEST_CASE("a flood of URCs is bounded and counted") {
  Rig rig;
  std::string flood;
  for (int i = 0; i < 1000; ++i) flood += "\r\nRING\r\n";
  rig.port.say(flood);
  rig.loop.runFor(1s);
  CHECK(rig.urcs.size() == 256);
  CHECK(rig.channel.counters().urcs == 256);
  CHECK(rig.channel.counters().urcs_dropped == 744);
  CHECK(rig.channel.counters().unexpected_lines == 1000);
}

TEST_CASE("an address is an answer only between the OK to its question and the end of it") {
  Rig rig;
  std::vector<Urc::Kind> kinds;
  rig.channel.onUrc([&](const Urc& urc) { kinds.push_back(urc.kind); });
  // A late line of the question before, the OK, and the answer, in one chunk.
  rig.port.awaits("AT+QIDNSGIP=\"a.example\"").lines({"10.0.0.9", "OK", "10.0.0.1"});
  CHECK(rig.execute("AT+QIDNSGIP=\"a.example\"", Ending::Resolve));
  rig.loop.runFor(1ms);
  rig.channel.closeName();
  rig.port.sayLines({"10.0.0.1"});
  rig.loop.runFor(1ms);
  CHECK(kinds == std::vector{Urc::Kind::Unknown, Urc::Kind::DnsAddress, Urc::Kind::Unknown});
}

TEST_CASE("a refused question opens no name") {
  Rig rig;
  rig.port.awaits("AT+QIDNSGIP=\"a.example\"").lines({"ERROR", "10.0.0.1"});
  CHECK_FALSE(rig.execute("AT+QIDNSGIP=\"a.example\"", Ending::Resolve));
  rig.loop.runFor(1ms);
  CHECK(rig.urcs == Lines{"10.0.0.1"});
  CHECK(rig.channel.counters().unexpected_lines == 1);
}

TEST_CASE("a refused command leaves the channel in step") {
  Rig rig;
  rig.port.awaits("AT+X").lines({"+CME ERROR: 601"}).awaits("AT").ok();
  const auto refused = rig.execute("AT+X");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().reply == "+CME ERROR: 601");
  CHECK(rig.channel.counters().refused == 1);
  CHECK_FALSE(rig.channel.inDoubt());
  CHECK(rig.execute("AT"));
}

TEST_CASE("payload is written when the prompt has come, and not before") {
  Rig rig;
  rig.port.awaits("AT+QISEND=0,5").says("\r\n> ", 300ms).payload("he\r\no").lines({"SEND OK"}, 100ms);
  const auto begin = rig.loop.now();
  CHECK(rig.send("AT+QISEND=0,5", "he\r\no"));
  CHECK(rig.loop.now() - begin == 400ms);
  CHECK(rig.port.trouble() == "");
}

TEST_CASE("SEND OK and an arrival in the same chunk") {
  Rig rig;
  rig.port.awaits("AT+QISEND=0,2").says("\r\n> ").payload("hi").says("\r\nSEND OK\r\n\r\n+QIRDI: 0,1,0\r\n");
  CHECK(rig.send("AT+QISEND=0,2", "hi"));
  rig.loop.runFor(1ms);
  CHECK(rig.urcs == Lines{"+QIRDI: 0,1,0"});
}

TEST_CASE("a send to a closed socket gets ERROR instead of a prompt, and no payload is written") {
  Rig rig;
  rig.port.awaits("AT+QISEND=0,2").lines({"ERROR"}).awaits("AT").ok();
  const auto sent = rig.send("AT+QISEND=0,2", "hi");
  REQUIRE_FALSE(sent);
  CHECK(sent.error().kind == ErrorKind::Refused);
  CHECK(rig.execute("AT"));
  CHECK(rig.port.trouble() == "");
}

TEST_CASE("a '>' that comes when nothing is sent is no prompt") {
  Rig rig;
  rig.port.awaits("AT").says("\r\n> \r\nOK\r\n");
  CHECK(rig.execute("AT"));
  rig.loop.runFor(1ms);
  CHECK(rig.urcs == Lines{">"});
}

TEST_CASE("a line with a CME error in words ends a command as well") {
  Rig rig;
  rig.port.awaits("AT+CPIN?").lines({"+CME ERROR: SIM busy"});
  CHECK(rig.execute("AT+CPIN?").error().reply == "+CME ERROR: SIM busy");
}

TEST_CASE("the list of states ends with its second OK at once, and without one after half a second") {
  const std::string list = FakePort::framed(
      {"OK", "STATE: IP STATUS", R"(+QISTATE: 0,"","","","INITIAL")", R"(+QISTATE: 1,"","","","INITIAL")",
       R"(+QISTATE: 2,"","","","INITIAL")", R"(+QISTATE: 3,"","","","INITIAL")",
       R"(+QISTATE: 4,"","","","INITIAL")", R"(+QISTATE: 5,"","","","INITIAL")"});
  Rig rig;
  rig.port.awaits("AT+QISTATE").says(list).lines({"OK"}, 80ms).awaits("AT+QISTATE").says(list);
  auto begin = rig.loop.now();
  CHECK(rig.execute("AT+QISTATE", Ending::StateList)->lines.size() == 7);
  CHECK(rig.loop.now() - begin == 80ms);
  begin = rig.loop.now();
  CHECK(rig.execute("AT+QISTATE", Ending::StateList)->lines.size() == 7);
  CHECK(rig.loop.now() - begin == 500ms);
  CHECK_FALSE(rig.channel.inDoubt());
}

TEST_CASE("silence ends a command by its deadline, and leaves the channel in doubt") {
  Rig rig;
  rig.port.awaits("AT+QIACT");
  const auto begin = rig.loop.now();
  const auto reply = rig.execute("AT+QIACT");
  REQUIRE_FALSE(reply);
  CHECK(reply.error().kind == ErrorKind::Timeout);
  CHECK(reply.error().what == "AT+QIACT");
  CHECK(rig.loop.now() - begin == 2s);
  CHECK(rig.channel.inDoubt());
  CHECK(rig.channel.counters().timeouts == 1);
  // Nothing more is said to it until resync() has made sure.
  const auto second = rig.execute("AT+CSQ");
  REQUIRE_FALSE(second);
  CHECK(second.error().kind == ErrorKind::Garbled);
  CHECK(rig.port.heard() == Lines{"AT+QIACT"});
}

TEST_CASE("a command destroyed under way leaves the channel in doubt") {
  Rig rig;
  rig.port.awaits("AT+QIACT");
  Running<Result<Reply>> running(rig.loop, rig.channel.execute(Command("AT+QIACT", 10s)));
  rig.loop.runFor(1s);
  CHECK(rig.channel.busy());
  running.cancel();
  CHECK_FALSE(rig.channel.busy());
  CHECK(rig.channel.inDoubt());
}

TEST_CASE("an answer that makes no sense leaves the channel in doubt") {
  Rig rig;
  rig.port.awaits("AT+QIRD=0,1,0,1500").lines({"+QIRD: 10.0.0.1:80,TCP,99999"});
  CHECK(rig.execute("AT+QIRD=0,1,0,1500", Ending::Read).error().kind == ErrorKind::Garbled);
  CHECK(rig.channel.inDoubt());
}

TEST_CASE("a port that takes nothing is an error of the command") {
  Rig rig;
  rig.port.refuseWrites(true);
  const auto reply = rig.execute("AT");
  REQUIRE_FALSE(reply);
  CHECK(reply.error().kind == ErrorKind::Full);
}

TEST_CASE("a module that answers is in step after two ATs") {
  Rig rig;
  rig.port.alwaysOk("AT");
  CHECK(rig.resync());
  CHECK(rig.port.heard() == Lines{"AT", "AT"});
  CHECK(rig.port.escapes() == 0);
}

TEST_CASE("the late OK of an older command is not taken for the answer of the next") {
  Rig rig;
  rig.port.awaits("AT+QICLOSE=0").lines({"OK"}, 2100ms).awaits("AT").lines({"OK"}, 350ms);
  rig.port.alwaysOk("AT");
  CHECK_FALSE(rig.execute("AT+QICLOSE=0", Ending::CloseOk));
  CHECK(rig.resync());
  CHECK_FALSE(rig.channel.inDoubt());
  // What follows gets its own answer.
  rig.port.awaits("AT+GSN").lines({"861234567890123", "OK"});
  CHECK(rig.execute("AT+GSN", Ending::Ok, "*")->lines == Lines{"861234567890123"});
  CHECK(rig.port.trouble() == "");
}

TEST_CASE("noise and a foreign baud rate's garbage before the first OK") {
  Rig rig;
  rig.port.awaits("AT").says("AT+QIRE{\xff\xfe\x80");
  rig.port.alwaysOk("AT");
  CHECK(rig.resync());
  CHECK(rig.channel.counters().timeouts == 1);
}

TEST_CASE("a module that waits at a variable prompt is left by ESC") {
  Rig rig;
  rig.port.awaits("AT");  // taken as text behind the prompt
  rig.port.alwaysOk("AT");
  CHECK(rig.resync());
  CHECK(rig.port.escapes() == 1);
  CHECK(rig.port.emptyLines() == 0);
}

TEST_CASE("a module that waits for the bytes of a fixed-length send is filled up") {
  Rig rig;
  // The prompt and the payload were lost: what comes next is taken for payload.
  rig.port.awaits("AT+QISEND=0,1000").swallow(1000).lines({"SEND OK"});
  rig.port.alwaysOk("AT");
  const std::string payload(1000, 'x');
  const auto sent = rig.send("AT+QISEND=0,1000", payload);
  REQUIRE_FALSE(sent);
  CHECK(sent.error().kind == ErrorKind::Timeout);
  const auto synced = rig.resync();
  REQUIRE(synced);
  CHECK(synced->payload_spoiled);
  CHECK(rig.port.trouble() == "");
}

TEST_CASE("a send that failed late spoils nothing less") {
  Rig rig;
  rig.port.awaits("AT+QISEND=0,10").swallow(10).lines({"SEND FAIL"});
  rig.port.alwaysOk("AT");
  CHECK_FALSE(rig.send("AT+QISEND=0,10", "0123456789"));
  CHECK(rig.resync()->payload_spoiled);
}

TEST_CASE("resync gives up after its attempts, and the channel stays in doubt") {
  Rig rig;
  rig.port.always("AT", "");
  const auto synced = run(rig.loop, rig.channel.resync(4));
  REQUIRE_FALSE(synced);
  CHECK(synced.error().kind == ErrorKind::Timeout);
  CHECK(synced.error().text() == "AT: no answer to 4 attempts (timeout)");
  CHECK(rig.channel.inDoubt());
  CHECK(rig.port.heard().size() == 4);
}

TEST_CASE("when the module was last heard is known") {
  Rig rig;
  rig.loop.runFor(5s);
  rig.port.sayLines({"RING"});
  rig.loop.runFor(1s);
  CHECK(rig.channel.lastHeard() == rig.loop.now() - 1s);
}

TEST_CASE("an overlong line of garbage is dropped, and the answer behind it is read") {
  Rig rig;
  rig.port.awaits("AT").says(std::string(5000, '\xfe') + "\r\n\r\nOK\r\n");
  CHECK(rig.execute("AT"));
  CHECK(rig.urcs.empty());
}
