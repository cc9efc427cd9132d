#include "qimux/bridge/name_service.hpp"

#include "dns_support.hpp"
#include "rig.hpp"
#include "support/catch.hpp"

#include <memory>
#include <string>
#include <vector>

using namespace qimux;
using namespace qimux::bridge;
using namespace qimux::bridge::test;
using dns_test::Answer;
using dns_test::question;

namespace {

constexpr net::Endpoint kUpstream{0x09090909, 53};

DnsOptions dnsOptions(bool forward) {
  DnsOptions options;
  options.forward_other_types = forward;
  return options;
}

struct Rig : MuxRig {
  explicit Rig(std::optional<net::Endpoint> upstream = std::nullopt)
      : names(loop, mux, dnsOptions(upstream.has_value()), upstream) {
    serve();
    loop.runFor(1ms);
    names.online(true);
  }
  void ask(const Bytes& message) {
    names.ask(message, DnsTransport::Udp, [this](Bytes reply) { replies.push_back(std::move(reply)); });
  }
  // A program's connection.
  std::shared_ptr<Program> connect() {
    auto program = std::make_shared<Program>();
    names.serve(std::make_unique<FakeStream>(program), [this] { ++closed; });
    return program;
  }
  NameService names;
  std::vector<Bytes> replies;
  int closed = 0;
};

void write(Program& program, const Bytes& message) {
  const Bytes framed = DnsStream::frame(message);
  program.write(textOf(framed));
}

// The answers that came over a stream.
std::vector<Bytes> answers(const Program& program) {
  std::vector<Bytes> list;
  std::string_view rest = program.read;
  while (rest.size() >= 2) {
    const auto size = static_cast<std::size_t>(static_cast<Byte>(rest[0]) << 8 | static_cast<Byte>(rest[1]));
    const auto body = rest.substr(2, size);
    list.emplace_back(body.begin(), body.end());
    rest.remove_prefix(2 + body.size());
  }
  return list;
}

std::string withId(const Bytes& message, unsigned id) {
  Bytes copy = message;
  copy[0] = static_cast<Byte>(id >> 8);
  copy[1] = static_cast<Byte>(id);
  return std::string(textOf(copy));
}

// What a server says to a question for something that is not there.
Bytes answerTo(Bytes query, unsigned id) {
  query[0] = static_cast<Byte>(id >> 8);
  query[1] = static_cast<Byte>(id);
  query[2] |= 0x80;
  query[3] |= 0x80;
  return query;
}

}  // namespace

TEST_CASE("a name is asked of the module, and its answer kept") {
  Rig rig;
  rig.port.awaits(R"(AT+QIDNSGIP="example.com")").ok().lines({"10.0.0.1", "10.0.0.2"}, 400ms);
  rig.ask(question("example.com"));
  rig.loop.runFor(1s);
  REQUIRE(rig.replies.size() == 1);
  CHECK(Answer(rig.replies[0]).records.size() == 2);
  rig.ask(question("example.com"));
  CHECK(rig.replies.size() == 2);
  CHECK(rig.port.trouble() == "");
}

TEST_CASE("a name that does not exist, and one that could not be asked") {
  Rig rig;
  rig.port.awaits(R"(AT+QIDNSGIP="no.example")").lines({"OK", "ERROR: 4", "STATE: IP STATUS"});
  rig.port.awaits(R"(AT+QIDNSGIP="bad.example")").lines({"OK", "ERROR: 5", "STATE: IP STATUS"});
  rig.ask(question("no.example"));
  rig.ask(question("bad.example"));
  rig.loop.runFor(2s);
  REQUIRE(rig.replies.size() == 2);
  CHECK(Answer(rig.replies[0]).rcode() == ns_r_nxdomain);
  CHECK(Answer(rig.replies[1]).rcode() == ns_r_servfail);
}

TEST_CASE("without a link a question waits, and is asked when the link is back") {
  Rig rig;
  rig.names.online(false);
  rig.ask(question("example.com"));
  rig.loop.runFor(5s);
  CHECK(rig.replies.empty());
  rig.port.awaits(R"(AT+QIDNSGIP="example.com")").lines({"OK", "10.0.0.1"});
  rig.names.online(true);
  rig.loop.runFor(1s);
  CHECK(Answer(rig.replies.at(0)).records.size() == 1);
}

TEST_CASE("without a link a question waits no longer than a program does") {
  Rig rig;
  rig.names.online(false);
  rig.ask(question("example.com"));
  rig.loop.runFor(9s);
  CHECK(rig.replies.empty());
  rig.loop.runFor(2s);
  CHECK(Answer(rig.replies.at(0)).rcode() == ns_r_servfail);
}

TEST_CASE("a hundred names at once are asked one after the other") {
  Rig rig;
  rig.port.always("AT+QIDNSGIP", FakePort::framed({"OK", "10.0.0.1"}), 10ms);
  for (int i = 0; i < 50; ++i) rig.ask(question("host" + std::to_string(i) + ".example"));
  rig.loop.runFor(9s);
  CHECK(rig.replies.size() == 50);
  CHECK(rig.port.count("AT+QIDNSGIP") == 50);
}

TEST_CASE("several questions on one connection, answered as the answers come") {
  Rig rig;
  rig.port.awaits(R"(AT+QIDNSGIP="a.example")").ok().lines({"10.0.0.1"}, 300ms);
  const auto program = rig.connect();
  write(*program, question("a.example", ns_t_a, ns_c_in, 1));
  write(*program, question("b.example", ns_t_aaaa, ns_c_in, 2));
  CHECK(answers(*program).size() == 1);
  rig.loop.runFor(1s);
  const auto got = answers(*program);
  REQUIRE(got.size() == 2);
  CHECK(Answer(got[0]).id == 2);
  CHECK(Answer(got[1]).id == 1);
  CHECK(rig.closed == 0);
}

TEST_CASE("a program that has asked and shut down gets its answers before the end") {
  Rig rig;
  rig.port.awaits(R"(AT+QIDNSGIP="a.example")").ok().lines({"10.0.0.1"}, 3s);
  const auto program = rig.connect();
  write(*program, question("a.example"));
  program->shutDown();
  rig.loop.runFor(2s);
  CHECK_FALSE(program->saw_end);
  rig.loop.runFor(2s);
  CHECK(answers(*program).size() == 1);
  CHECK(program->saw_end);
  CHECK(rig.closed == 1);
  CHECK(program->streamGone());
}

TEST_CASE("an answer that the program has no room for is kept until it has, also at the end") {
  Rig rig;
  rig.port.awaits(R"(AT+QIDNSGIP="a.example")").lines({"OK", "10.0.0.1"});
  const auto program = rig.connect();
  program->room = 5;
  write(*program, question("a.example"));
  program->shutDown();
  rig.loop.runFor(5s);
  CHECK(program->read.size() == 5);
  CHECK_FALSE(program->saw_end);
  program->makeRoom(1000);
  rig.loop.runFor(1s);
  CHECK(answers(*program).size() == 1);
  CHECK(Answer(answers(*program)[0]).records.size() == 1);
  CHECK(program->saw_end);
}

TEST_CASE("a connection on which nothing is asked is closed after 20 s") {
  Rig rig;
  const auto program = rig.connect();
  rig.loop.runFor(19s);
  CHECK_FALSE(program->saw_end);
  rig.loop.runFor(2s);
  CHECK(program->saw_end);
  CHECK(rig.closed == 1);
}

TEST_CASE("a stream that is no DNS is closed") {
  Rig rig;
  const auto program = rig.connect();
  program->write(std::string("\0\0", 2));
  rig.loop.runFor(1ms);
  CHECK(program->saw_end);
  CHECK(rig.closed == 1);
}

TEST_CASE("a program that resets takes nothing with it: a late answer finds nobody") {
  Rig rig;
  rig.port.awaits(R"(AT+QIDNSGIP="a.example")").ok().lines({"10.0.0.1"}, 1s);
  const auto program = rig.connect();
  write(*program, question("a.example"));
  rig.loop.runFor(100ms);
  program->abort();
  rig.loop.runFor(30s);
  CHECK(rig.closed == 1);
  CHECK(program->streamGone());
}

TEST_CASE("connections are bounded: one too many is reset") {
  Rig rig;
  std::vector<std::shared_ptr<Program>> programs;
  for (int i = 0; i < 17; ++i) programs.push_back(rig.connect());
  rig.loop.runFor(1ms);
  CHECK(programs.back()->was_reset);
  CHECK(rig.closed == 1);
  CHECK_FALSE(programs.front()->was_reset);
}

TEST_CASE("a service that ends leaves late answers to nobody") {
  MuxRig rig;
  rig.serve();
  rig.loop.runFor(1ms);
  rig.port.awaits(R"(AT+QIDNSGIP="a.example")").ok().lines({"10.0.0.1"}, 1s);
  auto names = std::make_unique<NameService>(rig.loop, rig.mux, dnsOptions(true), kUpstream);
  names->online(true);
  int replies = 0;
  names->ask(question("a.example"), DnsTransport::Udp, [&](const Bytes&) { ++replies; });
  names->ask(question("a.example", ns_t_txt), DnsTransport::Udp, [&](const Bytes&) { ++replies; });
  rig.loop.runFor(100ms);
  names.reset();
  rig.loop.runFor(5s);
  CHECK(replies == 0);
}

TEST_CASE(
    "other types go to the upstream server, under an id of our own, and come back under the program's") {
  Rig rig(kUpstream);
  const Bytes txt = question("example.com", ns_t_txt, ns_c_in, 0xabcd);
  rig.ask(txt);
  rig.loop.runFor(10ms);
  CHECK(rig.port.heard() == std::vector<std::string>{R"(AT+QIOPEN=0,"UDP","9.9.9.9",53)"});
  rig.port.awaits("AT+QISEND=0,29").says("\r\n> ").payload(withId(txt, 1)).lines({"SEND OK"});
  rig.port.sayLines({"0, CONNECT OK"});
  rig.loop.runFor(10ms);
  // A stray id, another question under the right id, one byte; then the answer.
  const Bytes other = answerTo(question("other.example", ns_t_txt), 1);
  const Bytes right = answerTo(txt, 1);
  for (const Bytes& message : {answerTo(txt, 9), other, Bytes{7}, right}) {
    const std::string size = std::to_string(message.size());
    rig.port.awaits("AT+QIRD=0,1,0," + size)
        .says("\r\n+QIRD: 9.9.9.9:53,UDP," + size + "\r\n" + std::string(textOf(message)) + "\r\nOK\r\n");
    rig.port.say("\r\n+QIRDI: 0,1,0,1," + size + "," + size + "\r\n");
    rig.loop.runFor(10ms);
  }
  CHECK(rig.port.trouble() == "");
  REQUIRE(rig.replies.size() == 1);
  CHECK(rig.replies[0] == answerTo(txt, 0xabcd));
}

TEST_CASE("an upstream server that cannot be reached, or a full queue: SERVFAIL") {
  Rig rig(kUpstream);
  rig.ask(question("example.com", ns_t_txt));
  rig.loop.runFor(10ms);
  rig.port.sayLines({"0, CONNECT FAIL"});
  rig.loop.runFor(10ms);
  REQUIRE(rig.replies.size() == 1);
  CHECK(Answer(rig.replies[0]).rcode() == ns_r_servfail);
  // The next one tries again.
  rig.ask(question("example.com", ns_t_txt));
  rig.loop.runFor(10ms);
  CHECK(rig.port.count("AT+QIOPEN") == 2);
  for (int i = 0; i < 100; ++i) rig.ask(question("example.com", ns_t_txt));
  CHECK(rig.replies.size() == 1 + 100 + 1 - 64);
}

TEST_CASE("forwarded questions without an answer are given up, each in its time") {
  Rig rig(kUpstream);
  rig.port.always("AT+QISEND", FakePort::framed({"SEND OK"}));
  rig.ask(question("example.com", ns_t_txt));
  rig.loop.runFor(5s);
  rig.ask(question("example.com", ns_t_mx));
  rig.loop.runFor(4s);
  CHECK(rig.replies.empty());
  rig.loop.runFor(2s);
  REQUIRE(rig.replies.size() == 1);
  CHECK(Answer(rig.replies[0]).rcode() == ns_r_servfail);
  rig.loop.runFor(5s);
  REQUIRE(rig.replies.size() == 2);
  CHECK(Answer(rig.replies[1]).rcode() == ns_r_servfail);
}
