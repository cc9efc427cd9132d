#include "rig.hpp"
#include "support/catch.hpp"

#include <optional>
#include <string>
#include <vector>

using namespace qimux;
using namespace qimux::bridge;
using namespace qimux::bridge::test;
using Lines = std::vector<std::string>;
using Addresses = Multiplexer::Addresses;

namespace {

struct Rig : MuxRig {
  Rig() {
    serve();
    loop.runFor(1ms);
  }
  void resolve(const std::string& host) {
    mux.resolve(host, [this](Result<Addresses> result) { names.push_back(std::move(result)); });
  }
  void ping(std::uint32_t address) {
    mux.ping(address, [this](Result<async::Duration> result) { pings.push_back(std::move(result)); });
  }
  void execute(const std::string& command) {
    mux.execute(command, [this](Result<Lines> result) { commands.push_back(std::move(result)); });
  }
  std::vector<Result<Addresses>> names;
  std::vector<Result<async::Duration>> pings;
  std::vector<Result<Lines>> commands;
};

}  // namespace

TEST_CASE("a name has one to five addresses, each a line of its own, and how many is not announced") {
  for (std::size_t count = 1; count <= 5; ++count) {
    Rig rig;
    Lines answer{"OK"};
    Addresses expected;
    for (std::size_t i = 1; i <= count; ++i) {
      answer.push_back("10.0.0." + std::to_string(i));
      expected.push_back(0x0a000000 + static_cast<std::uint32_t>(i));
    }
    rig.port.awaits(R"(AT+QIDNSGIP="example.com")").lines(answer, 700ms);
    rig.resolve("example.com");
    rig.loop.runFor(750ms);
    CHECK(rig.names.empty());
    rig.loop.runFor(100ms);
    REQUIRE(rig.names.size() == 1);
    CHECK(rig.names[0] == expected);
    CHECK(rig.mux.counters().names == 1);
  }
}

TEST_CASE("a name's answer long after its OK, line by line, with other URCs between") {
  Rig rig;
  rig.port.awaits(R"(AT+QIDNSGIP="example.com")")
      .ok()
      .lines({"10.0.0.1"}, 13s)
      .lines({"+CREG: 1", "10.0.0.2"}, 13050ms);
  rig.resolve("example.com");
  rig.loop.runFor(14s);
  REQUIRE(rig.names.size() == 1);
  CHECK(rig.names[0] == Addresses{0x0a000001, 0x0a000002});
}

TEST_CASE("more addresses than anybody needs are cut") {
  Rig rig;
  Lines answer{"OK"};
  for (int i = 1; i <= 50; ++i) answer.push_back("10.0.0." + std::to_string(i));
  rig.port.awaits(R"(AT+QIDNSGIP="example.com")").lines(answer);
  rig.resolve("example.com");
  rig.loop.runFor(1s);
  CHECK(rig.names.at(0)->size() == 8);
}

TEST_CASE("no such name: ERROR: 4 and a line of state behind it, of which neither ends anything else") {
  Rig rig;
  rig.port.awaits(R"(AT+QIDNSGIP="nowhere.example")").ok().lines({"ERROR: 4", "STATE: IP GPRSACT"}, 2s);
  rig.resolve("nowhere.example");
  rig.loop.runFor(3s);
  REQUIRE(rig.names.size() == 1);
  CHECK(rig.names[0].error().kind == ErrorKind::Invalid);
  CHECK_FALSE(rig.serving->done());
}

TEST_CASE("other errors of a name are no proof that it does not exist") {
  Rig rig;
  rig.port.awaits(R"(AT+QIDNSGIP="a.example")").ok().lines({"ERROR: 5", "STATE: IP GPRSACT"}, 1s);
  rig.port.awaits(R"(AT+QIDNSGIP="b.example")").lines({"ERROR"});
  rig.resolve("a.example");
  rig.resolve("b.example");
  rig.loop.runFor(3s);
  REQUIRE(rig.names.size() == 2);
  CHECK(rig.names[0].error().kind == ErrorKind::Refused);
  CHECK(rig.names[0].error().reply == "ERROR: 5");
  CHECK(rig.names[1].error().kind == ErrorKind::Refused);
}

TEST_CASE("a name without an answer: late after 20 s, and the next is asked") {
  Rig rig;
  rig.port.awaits(R"(AT+QIDNSGIP="a.example")").ok();
  rig.port.awaits(R"(AT+QIDNSGIP="b.example")").lines({"OK", "10.0.0.1"});
  rig.resolve("a.example");
  rig.resolve("b.example");
  rig.loop.runFor(19s);
  CHECK(rig.names.empty());
  rig.loop.runFor(3s);
  REQUIRE(rig.names.size() == 2);
  CHECK(rig.names[0].error().kind == ErrorKind::Timeout);
  CHECK(rig.names[1] == Addresses{0x0a000001});
}

TEST_CASE("an address that comes when no name is asked for is nothing") {
  Rig rig;
  rig.port.awaits(R"(AT+QIDNSGIP="a.example")").lines({"OK", "10.0.0.1"});
  rig.resolve("a.example");
  rig.loop.runFor(1s);
  rig.port.sayLines({"10.0.0.9"});
  rig.loop.runFor(1s);
  CHECK(rig.names.size() == 1);
  CHECK_FALSE(rig.channel.busy());
}

TEST_CASE("a late answer to the question before is not taken for that of the next") {
  Rig rig;
  rig.port.awaits(R"(AT+QIDNSGIP="a.example")").ok();
  rig.port.awaits(R"(AT+QIDNSGIP="b.example")").lines({"10.0.0.9", "OK", "10.0.0.1"}, 100ms);
  rig.resolve("a.example");
  rig.resolve("b.example");
  rig.loop.runFor(25s);
  REQUIRE(rig.names.size() == 2);
  CHECK(rig.names[1] == Addresses{0x0a000001});
}

TEST_CASE("names are asked one at a time: their answers carry no tag") {
  Rig rig;
  rig.port.awaits(R"(AT+QIDNSGIP="a.example")").ok().lines({"10.0.0.1"}, 5s);
  rig.port.awaits(R"(AT+QIDNSGIP="b.example")").lines({"OK", "10.0.0.2"});
  rig.resolve("a.example");
  rig.resolve("b.example");
  rig.loop.runFor(4s);
  CHECK(rig.port.count("AT+QIDNSGIP") == 1);
  rig.loop.runFor(2s);
  CHECK(rig.names.at(0) == Addresses{0x0a000001});
  CHECK(rig.names.at(1) == Addresses{0x0a000002});
}

TEST_CASE("a name, an address or a command that could end its line never reaches the port") {
  Rig rig;
  rig.resolve("a\"\rAT+QPOWD=0");
  rig.execute("AT+CSQ\rAT+QPOWD=0");
  rig.loop.runFor(1s);
  CHECK(rig.names.at(0).error().kind == ErrorKind::Invalid);
  CHECK(rig.commands.at(0).error().kind == ErrorKind::Invalid);
  CHECK(rig.port.heard().empty());
}

TEST_CASE("an echo: the time that the module measured") {
  Rig rig;
  rig.port.awaits(R"(AT+QPING="8.8.8.8",5,1)").ok().lines({"+QPING: 0,8.8.8.8,32,712,54"}, 800ms);
  rig.port.say("\r\n+QPING: 2,1,1,0,712,712,712\r\n", 900ms);
  rig.ping(0x08080808);
  rig.loop.runFor(1s);
  REQUIRE(rig.pings.size() == 1);
  CHECK(rig.pings[0] == 712ms);
  CHECK(rig.mux.counters().pings == 1);
}

TEST_CASE("the summary of an echo is that echo's, however late it comes") {
  Rig rig;
  rig.port.awaits(R"(AT+QPING="1.1.1.1",5,1)").ok().lines({"+QPING: 0,1.1.1.1,32,300,64"}, 300ms);
  rig.ping(0x01010101);
  rig.loop.runFor(301ms);
  REQUIRE(rig.pings.size() == 1);
  CHECK(rig.pings[0] == 300ms);

  rig.port.awaits(R"(AT+QPING="8.8.8.8",5,1)").ok().lines({"+QPING: 0,8.8.8.8,32,712,54"}, 712ms);
  rig.ping(0x08080808);
  rig.loop.runFor(20ms);
  CHECK(rig.port.count("AT+QPING") == 1);
  rig.port.say("\r\n+QPING: 2,1,1,0,300,300,300\r\n");
  rig.loop.runFor(1s);
  REQUIRE(rig.pings.size() == 2);
  CHECK(rig.pings[1] == 712ms);
}

TEST_CASE("no echo, in every way a module says so") {
  for (const char* line : {"+QPING: 1", "+QPING:1", "+QPING: 2,1,0,1,0,0,0", "+QPING: 3", "+QPING: 4",
                           "+QPING: 5", "+QPING: x"}) {
    Rig rig;
    rig.port.awaits(R"(AT+QPING="8.8.8.8",5,1)").lines({"OK", line});
    rig.ping(0x08080808);
    rig.loop.runFor(1s);
    REQUIRE(rig.pings.size() == 1);
    CHECK(rig.pings[0].error().kind == ErrorKind::Timeout);
  }
}

TEST_CASE("an echo whose line makes no sense is waited for no longer than any other") {
  Rig rig;
  rig.port.awaits(R"(AT+QPING="8.8.8.8",5,1)").lines({"OK", "+QPING: 0,8.8.8.8,32,x,54", "+QPING: 0"});
  rig.ping(0x08080808);
  rig.loop.runFor(7s);
  CHECK(rig.pings.empty());
  rig.loop.runFor(2s);
  CHECK(rig.pings.at(0).error().kind == ErrorKind::Timeout);
}

TEST_CASE("echoes go one at a time, and a refused one is told") {
  Rig rig;
  rig.port.awaits(R"(AT+QPING="1.1.1.1",5,1)").ok().lines({"+QPING: 0,1.1.1.1,32,100,54"}, 2s);
  rig.port.awaits(R"(AT+QPING="8.8.8.8",5,1)").lines({"ERROR"});
  rig.ping(0x01010101);
  rig.ping(0x08080808);
  rig.loop.runFor(1s);
  CHECK(rig.port.count("AT+QPING") == 1);
  // And the summary, which never comes.
  rig.loop.runFor(4s);
  CHECK(rig.pings.at(0) == 100ms);
  CHECK(rig.pings.at(1).error().kind == ErrorKind::Refused);
}

TEST_CASE("somebody's command: the lines of its answer, or what the module said to it") {
  Rig rig;
  rig.port.awaits("AT+CGMR").lines({"Revision: M95AR01A21", "OK"}).awaits("AT+X").lines({"+CME ERROR: 601"});
  rig.execute("AT+CGMR");
  rig.execute("AT+X");
  rig.loop.runFor(1s);
  CHECK(rig.commands.at(0) == Lines{"Revision: M95AR01A21"});
  CHECK(rig.commands.at(1).error().reply == "+CME ERROR: 601");
}

TEST_CASE("a command waits while a name or an echo is open: their lines could be taken for its answer") {
  Rig rig;
  rig.port.awaits(R"(AT+QIDNSGIP="a.example")")
      .ok()
      .lines({"10.0.0.1"}, 3s)
      .awaits("AT+QILOCIP")
      .lines({"10.1.2.3"});
  rig.resolve("a.example");
  rig.execute("AT+QILOCIP");
  rig.loop.runFor(2s);
  CHECK(rig.commands.empty());
  rig.loop.runFor(2s);
  CHECK(rig.commands.at(0) == Lines{"10.1.2.3"});
  CHECK(rig.names.at(0) == Addresses{0x0a000001});
}

TEST_CASE("a command whose answer is the list of states") {
  Rig rig;
  rig.port.awaits("AT+QISTATE")
      .lines({"OK", "STATE: IP STATUS", R"(+QISTATE: 0,"","","","INITIAL")",
              R"(+QISTATE: 1,"","","","INITIAL")", R"(+QISTATE: 2,"","","","INITIAL")",
              R"(+QISTATE: 3,"","","","INITIAL")", R"(+QISTATE: 4,"","","","INITIAL")",
              R"(+QISTATE: 5,"","","","INITIAL")", "OK"});
  rig.execute("AT+QISTATE");
  rig.loop.runFor(1s);
  CHECK(rig.commands.at(0)->size() == 7);
}

TEST_CASE("a question that the module does not answer at all: told, and the module is resynchronised") {
  Rig rig;
  rig.port.awaits("AT+COPS=?").awaits("AT").ok().awaits("AT").ok();
  rig.execute("AT+COPS=?");
  rig.loop.runFor(59s);
  CHECK(rig.commands.empty());
  rig.loop.runFor(5s);
  CHECK(rig.commands.at(0).error().kind == ErrorKind::Timeout);
  CHECK(rig.mux.counters().resyncs == 1);
  CHECK_FALSE(rig.serving->done());
}

TEST_CASE("a name and an echo whose questions are not even answered with OK") {
  Rig rig;
  rig.port.always("AT", FakePort::framed({"OK"}));
  rig.port.always("AT+QIDNSGIP", "");
  rig.port.always("AT+QPING", "");
  rig.resolve("a.example");
  rig.ping(0x08080808);
  rig.loop.runFor(15s);
  REQUIRE(rig.names.size() == 1);
  CHECK(rig.names[0].error().kind == ErrorKind::Timeout);
  REQUIRE(rig.pings.size() == 1);
  CHECK(rig.pings[0].error().kind == ErrorKind::Timeout);
  CHECK(rig.mux.counters().resyncs == 2);
  CHECK_FALSE(rig.serving->done());
}

TEST_CASE("signal and operator are asked for when somebody wants to know") {
  Rig rig;
  rig.port.awaits("AT+CSQ").lines({"+CSQ: 17,0", "OK"}).awaits("AT+CGREG?").lines({"+CGREG: 0,1", "OK"});
  rig.port.awaits("AT+COPS?").lines({R"(+COPS: 0,0,"A")", "OK"});
  int done = 0;
  rig.mux.refreshRadio([&] { ++done; });
  CHECK(done == 0);
  rig.loop.runFor(1s);
  CHECK(done == 1);
  CHECK(rig.module.radio().rssi_dbm == -79);
}

TEST_CASE("without a link every question is answered, and never from inside the call") {
  MuxRig rig;
  int answers = 0;
  const auto closed = [&](const auto& result) {
    CHECK(result.error().kind == ErrorKind::Closed);
    ++answers;
  };
  rig.mux.resolve("a.example", closed);
  rig.mux.ping(0x08080808, closed);
  rig.mux.execute("AT", closed);
  rig.mux.refreshRadio([&] { ++answers; });
  CHECK(answers == 0);
  rig.loop.runFor(1ms);
  CHECK(answers == 4);
}

TEST_CASE("questions wait in a bounded queue") {
  Rig rig;
  rig.port.awaits("AT+FIRST").lines({"OK"}, 5s);
  rig.execute("AT+FIRST");
  rig.loop.runFor(1s);
  for (int i = 0; i < 40; ++i) rig.execute("AT+NEXT");
  rig.loop.runFor(1s);
  REQUIRE(rig.commands.size() == 8);
  for (const auto& result : rig.commands) CHECK(result.error().kind == ErrorKind::Full);
  rig.port.alwaysOk("AT+NEXT");
  rig.loop.runFor(10s);
  CHECK(rig.port.count("AT+NEXT") == 32);
}

TEST_CASE("a lost link answers all that was asked, whether it was under way or waited") {
  Rig rig;
  rig.port.awaits(R"(AT+QIDNSGIP="a.example")").ok().awaits(R"(AT+QPING="8.8.8.8",5,1)").ok();
  rig.resolve("a.example");
  rig.ping(0x08080808);
  rig.resolve("b.example");
  rig.execute("AT+CSQ");
  rig.loop.runFor(1s);
  rig.port.sayLines({"+PDP DEACT"});
  rig.loop.runFor(1s);
  rig.mux.linkLost();
  CHECK(rig.names.size() == 2);
  CHECK(rig.pings.size() == 1);
  CHECK(rig.commands.size() == 1);
  for (const auto& result : rig.names) CHECK(result.error().kind == ErrorKind::Closed);
}

TEST_CASE("a question under way when the link goes down with its command is answered too") {
  Rig rig;
  rig.port.awaits("AT+COPS=?");
  rig.execute("AT+COPS=?");
  rig.loop.runFor(1s);
  rig.serving.reset();  // as when the device goes
  rig.mux.linkLost();
  rig.loop.runFor(1s);
  REQUIRE(rig.commands.size() == 1);
  CHECK(rig.commands[0].error().kind == ErrorKind::Closed);
}

TEST_CASE("questions and bytes take turns: neither keeps the other waiting") {
  Rig rig;
  Client client;
  rig.open(client);
  rig.port.always("AT+QIRD=0,1,0", readAnswer(std::string(1500, 'x')), 136ms);
  rig.port.always("AT+CSQ", FakePort::framed({"+CSQ: 17,0", "OK"}), 10ms);
  rig.port.sayLines({"+QIRDI: 0,1,0"});
  rig.loop.runFor(1s);
  const auto before = client.program->read.size();
  for (int i = 0; i < 5; ++i) rig.execute("AT+CSQ");
  rig.loop.runFor(1s);
  CHECK(rig.commands.size() == 5);
  CHECK(client.program->read.size() - before >= 5 * 1500);
}

TEST_CASE("what a look-up of a name costs at least is told, once it is over") {
  Rig rig;
  std::vector<Multiplexer::Traffic> seen;
  rig.mux.onTraffic([&seen](const auto& traffic) { seen.push_back(traffic); });
  rig.port.awaits(R"(AT+QIDNSGIP="example.com")").lines({"OK", "10.0.0.1", "10.0.0.2"});
  rig.port.awaits(R"(AT+QIDNSGIP="no.example")").ok().lines({"ERROR: 4", "STATE: IP GPRSACT"}, 1s);
  rig.resolve("example.com");
  rig.loop.runFor(1s);
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].session == 0);
  CHECK(seen[0].sent == 29);           // header 12, name 13, type and class 4
  CHECK(seen[0].received == 29 + 32);  // and a record of 16 for each address
  rig.resolve("no.example");
  rig.loop.runFor(3s);
  REQUIRE(seen.size() == 2);
  CHECK(seen[1].sent == 28);
  CHECK(seen[1].received == 0);
}
