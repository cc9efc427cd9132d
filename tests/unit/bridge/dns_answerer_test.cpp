#include "qimux/bridge/dns_answerer.hpp"

#include "support/catch.hpp"
#include "unit/bridge/dns_support.hpp"

using namespace qimux;
using namespace qimux::bridge;
using namespace dns_test;
using namespace std::chrono_literals;
using qimux::async::TimePoint;

TEST_CASE("a name is asked of the module once, and its addresses come back in their order") {
  Server server;
  server.ask(question("www.Example.com"));
  CHECK(server.replies.empty());
  CHECK(server.answerer.nextQuestion() == "www.example.com");
  CHECK(server.answerer.nextQuestion() == std::nullopt);
  server.addresses("www.example.com", {0xc0000203, 0xc0000201, 0xc0000203});
  const Answer answer = server.take();
  CHECK(answer.rcode() == ns_r_noerror);
  CHECK(answer.name == "www.Example.com");
  REQUIRE(answer.records.size() == 2);
  CHECK(answer.records[0].data == Bytes{192, 0, 2, 3});
  CHECK(answer.records[1].data == Bytes{192, 0, 2, 1});
  CHECK(answer.records[0].ttl == 60);
  CHECK(server.answerer.counters().asked == 1);
  CHECK(server.answerer.counters().resolved == 1);
}

TEST_CASE("no more addresses are kept than the bound") {
  Server server;
  std::vector<std::uint32_t> many(40);
  for (std::uint32_t i = 0; i < 40; ++i) many[i] = i + 1;
  server.ask(question("a.example"), DnsTransport::Tcp);
  server.addresses(server.answerer.nextQuestion().value(), many);
  CHECK(server.take().records.size() == kMaxDnsAddresses);
}

TEST_CASE("the cache answers with the time that is left, until it is over") {
  Server server;
  server.learn("a.example", {1});
  server.pass(19500ms);
  server.ask(question("A.example"));
  CHECK(server.take().records.at(0).ttl == 41);
  server.pass(40499ms);
  server.ask(question("a.example"));
  CHECK(server.take().records.at(0).ttl == 1);
  CHECK(server.answerer.nextQuestion() == std::nullopt);
  CHECK(server.answerer.counters().hits == 2);
  server.pass(1ms);
  server.ask(question("a.example"));
  CHECK(server.replies.empty());
  CHECK(server.answerer.nextQuestion() == "a.example");
}

TEST_CASE("a name that does not exist is remembered for a while, for every type") {
  Server server;
  server.ask(question("no.example"));
  server.noSuchName(server.answerer.nextQuestion().value());
  CHECK(server.take().rcode() == ns_r_nxdomain);
  for (const unsigned type : {ns_t_a, ns_t_aaaa, ns_t_any}) {
    server.ask(question("no.example", type));
    CHECK(server.take().rcode() == ns_r_nxdomain);
  }
  CHECK(server.answerer.nextQuestion() == std::nullopt);
  server.pass(30s);
  server.ask(question("no.example", ns_t_aaaa));
  CHECK(server.take().rcode() == ns_r_noerror);
  server.ask(question("no.example"));
  CHECK(server.answerer.nextQuestion() == "no.example");
}

TEST_CASE("other types than A have no data, at once and without the module") {
  Server server;
  for (const unsigned type : {28u, 64u, 65u, 16u, 33u, 12u, 43u, 1000u, 65280u}) {
    CAPTURE(type);
    server.ask(question("a.example", type));
    const Answer answer = server.take();
    CHECK(answer.rcode() == ns_r_noerror);
    CHECK(answer.records.empty());
    CHECK(answer.name == "a.example");
  }
  CHECK(server.answerer.nextQuestion() == std::nullopt);
  CHECK(server.answerer.waiting() == 0);
}

TEST_CASE("type ANY gets the HINFO record that says why") {
  Server server;
  server.ask(question("a.example", ns_t_any));
  const Answer answer = server.take();
  REQUIRE(answer.records.size() == 1);
  CHECK(answer.records[0].type == ns_t_hinfo);
  CHECK(textOf(answer.records[0].data) == std::string_view("\007RFC8482\0", 9));
}

TEST_CASE("other classes and transfers are refused, other opcodes and versions not known") {
  Server server;
  for (const unsigned rr_class : {3u, 4u, 254u, 255u, 0u}) {
    server.ask(question("version.bind", ns_t_txt, rr_class));
    CHECK(server.take().rcode() == ns_r_refused);
  }
  for (const unsigned type : {0u, 41u, 128u, 249u, 250u, 251u, 252u, 253u, 254u}) {
    CAPTURE(type);
    server.ask(question("a.example", type), DnsTransport::Tcp);
    CHECK(server.take().rcode() == ns_r_refused);
  }
  Bytes notify = question("a.example");
  notify[2] = 4 << 3;
  server.ask(notify);
  CHECK(server.take().rcode() == ns_r_notimpl);
  Bytes version = question("a.example");
  putOpt(version, 1232, 3);
  server.ask(version);
  CHECK(server.take().rcode() == ns_r_badvers);
  CHECK(server.answerer.counters().unsupported == 16);
  CHECK(server.answerer.waiting() == 0);
}

TEST_CASE("malformed messages get FORMERR, answers silence") {
  Server server;
  server.ask(header(0x0100, 0));
  CHECK(server.take().rcode() == ns_r_formerr);
  server.ask(header(0x8100, 0));
  server.ask(Bytes(5, 0));
  CHECK(server.replies.empty());
  CHECK(server.answerer.counters().malformed == 1);
  CHECK(server.answerer.counters().silent == 2);
  CHECK(server.answerer.counters().messages == 3);
}

TEST_CASE("names that stay here are answered here") {
  Server server;
  server.ask(question("LocalHost"));
  CHECK(server.take().records.at(0).data == Bytes{127, 0, 0, 1});
  server.ask(question("a.localhost", ns_t_aaaa));
  CHECK(server.take().records.at(0).data == Bytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
  server.ask(question("localhost", ns_t_txt));
  CHECK(server.take().records.empty());
  for (const char* text : {"printer.local", "x.invalid", "x.onion", "192.0.2.1", "1.2.0.192.in-addr.arpa"}) {
    CAPTURE(text);
    server.ask(question(text));
    CHECK(server.take().rcode() == ns_r_nxdomain);
  }
  server.ask(question("1.64.64.10.in-addr.arpa", ns_t_ptr));
  CHECK(server.take().rcode() == ns_r_nxdomain);
  server.ask(question(""));
  CHECK(server.take().rcode() == ns_r_noerror);
  CHECK(server.answerer.counters().local == 10);
  CHECK(server.answerer.counters().invalid_names == 0);
  CHECK(server.answerer.waiting() == 0);
}

TEST_CASE("a name that fits no command line is a failure, not a name that does not exist") {
  Server server;
  const std::string label = std::string(62, 'a') + ".";
  const std::string text = label + label + label + std::string(60, 'b');
  server.ask(question(text));
  CHECK(server.take().rcode() == ns_r_servfail);
  server.ask(question(text, ns_t_aaaa));
  CHECK(server.take().rcode() == ns_r_noerror);
  CHECK(server.answerer.nextQuestion() == std::nullopt);
}

TEST_CASE("names of odd bytes are answered here and counted") {
  Server server;
  for (const char* text :
       {"a\"b.example", "a\r\nb", "x;AT+QPOWD=1", "a b", "\x80.example", "a\\b", "a\x1a"}) {
    CAPTURE(text);
    server.ask(question(text));
    CHECK(server.take().rcode() == ns_r_nxdomain);
    server.ask(question(text, ns_t_aaaa));
    CHECK(server.take().rcode() == ns_r_nxdomain);
  }
  CHECK(server.answerer.counters().invalid_names == 14);
  CHECK(server.answerer.waiting() == 0);
}

TEST_CASE("questions for one name wait together, and each gets its own answer") {
  Server server;
  server.ask(question("A.example", ns_t_a, ns_c_in, 1));
  CHECK(server.answerer.nextQuestion() == "a.example");
  Bytes edns = question("a.EXAMPLE", ns_t_a, ns_c_in, 2);
  putOpt(edns, 1232);
  server.ask(edns, DnsTransport::Tcp);
  CHECK(server.answerer.nextQuestion() == std::nullopt);
  server.addresses("a.example", {1});
  REQUIRE(server.replies.size() == 2);
  const Answer first = server.take();
  CHECK(first.id == 1);
  CHECK(first.name == "A.example");
  CHECK_FALSE(first.edns_size);
  const Answer second = server.take();
  CHECK(second.id == 2);
  CHECK(second.name == "a.EXAMPLE");
  CHECK(second.edns_size);
  CHECK(server.answerer.counters().joined == 1);
}

TEST_CASE("names are handed out in the order in which they were asked") {
  Server server;
  for (const char* text : {"c.example", "a.example", "b.example"}) server.ask(question(text));
  CHECK(server.answerer.nextQuestion() == "c.example");
  CHECK(server.answerer.nextQuestion() == "a.example");
  CHECK(server.answerer.nextQuestion() == "b.example");
}

TEST_CASE("what waits too long fails; the module's late answer is still worth keeping") {
  Server server;
  server.ask(question("a.example"));
  CHECK(server.answerer.nextDeadline() == server.now + 10s);
  CHECK(server.answerer.nextQuestion() == "a.example");
  server.pass(10s - 1us);
  CHECK(server.replies.empty());
  server.pass(1us);
  CHECK(server.take().rcode() == ns_r_servfail);
  CHECK(server.answerer.nextDeadline() == TimePoint::max());
  CHECK(server.answerer.counters().expired == 1);
  server.addresses("a.example", {7});
  CHECK(server.replies.empty());
  server.ask(question("a.example"));
  CHECK(server.take().records.at(0).data == Bytes{0, 0, 0, 7});
}

TEST_CASE("a question that nobody waits for any more is not asked") {
  Server server;
  server.ask(question("a.example"));
  server.pass(4s);
  server.ask(question("b.example"));
  server.pass(6s);
  CHECK(server.replies.size() == 1);
  CHECK(server.answerer.waiting() == 1);
  CHECK(server.answerer.nextQuestion() == "b.example");
  CHECK(server.answerer.nextQuestion() == std::nullopt);
}

TEST_CASE("a late joiner waits its own time") {
  Server server;
  server.ask(question("a.example", ns_t_a, ns_c_in, 1));
  server.pass(6s);
  server.ask(question("a.example", ns_t_a, ns_c_in, 2));
  server.pass(4s);
  CHECK(server.take().id == 1);
  CHECK(server.replies.empty());
  CHECK(server.answerer.nextDeadline() == server.now + 6s);
  CHECK(server.answerer.nextQuestion() == "a.example");
  server.addresses("a.example", {1});
  CHECK(server.take().id == 2);
}

TEST_CASE("a failure is SERVFAIL, also for those who ask again at once") {
  Server server;
  server.ask(question("a.example"));
  server.fail(server.answerer.nextQuestion().value());
  CHECK(server.take().rcode() == ns_r_servfail);
  server.ask(question("a.example"));
  CHECK(server.take().rcode() == ns_r_servfail);
  CHECK(server.answerer.nextQuestion() == std::nullopt);
  server.pass(5s);
  server.ask(question("a.example"));
  CHECK(server.replies.empty());
  CHECK(server.answerer.nextQuestion() == "a.example");
  CHECK(server.answerer.counters().failed == 1);
}

TEST_CASE("addresses without one are a failure") {
  Server server;
  server.ask(question("a.example"));
  server.addresses(server.answerer.nextQuestion().value(), {});
  CHECK(server.take().rcode() == ns_r_servfail);
}

TEST_CASE("addresses that are too old are better than a failure") {
  Server server;
  server.learn("a.example", {9});
  server.pass(1h);
  server.ask(question("a.example"));
  server.fail(server.answerer.nextQuestion().value());
  Answer answer = server.take();
  CHECK(answer.rcode() == ns_r_noerror);
  CHECK(answer.records.at(0).data == Bytes{0, 0, 0, 9});
  CHECK(answer.records.at(0).ttl == 30);
  // and at once for those who ask again before the module should be
  server.ask(question("a.example"));
  CHECK(server.take().records.at(0).ttl == 30);
  CHECK(server.answerer.nextQuestion() == std::nullopt);
  CHECK(server.answerer.counters().stale == 2);

  server.pass(23h + 61s);
  server.ask(question("a.example"));
  server.fail(server.answerer.nextQuestion().value());
  CHECK(server.take().rcode() == ns_r_servfail);
}

TEST_CASE("a slow module does not keep a client from addresses that are too old") {
  Server server;
  server.learn("a.example", {9});
  server.pass(61s);
  server.ask(question("a.example"));
  CHECK(server.answerer.nextQuestion() == "a.example");
  CHECK(server.answerer.nextDeadline() == server.now + 1800ms);
  server.pass(1800ms);
  CHECK(server.take().records.at(0).ttl == 30);
  server.addresses("a.example", {10});
  server.ask(question("a.example"));
  CHECK(server.take().records.at(0).data == Bytes{0, 0, 0, 10});
  CHECK(server.answerer.counters().expired == 0);
}

TEST_CASE("a name that ceased to exist is not served from old addresses") {
  Server server;
  server.learn("a.example", {9});
  server.pass(61s);
  server.ask(question("a.example"));
  server.noSuchName(server.answerer.nextQuestion().value());
  CHECK(server.take().rcode() == ns_r_nxdomain);
  server.answerer.unavailable(true, server.now);
  server.pass(31s);
  server.ask(question("a.example"));
  CHECK(server.replies.empty());
}

TEST_CASE("while the radio is down old addresses serve at once and nothing is handed out") {
  Server server;
  server.learn("old.example", {9});
  server.pass(61s);
  server.ask(question("old.example"));
  server.ask(question("new.example"));
  server.answerer.unavailable(true, server.now);
  server.answerer.unavailable(true, server.now);
  CHECK(server.take().records.at(0).data == Bytes{0, 0, 0, 9});
  server.ask(question("old.example"));
  CHECK(server.take().records.at(0).data == Bytes{0, 0, 0, 9});
  CHECK(server.answerer.nextQuestion() == std::nullopt);
  CHECK(server.answerer.counters().stale == 2);

  SECTION("the others wait until the radio is up") {
    server.pass(5s);
    server.answerer.unavailable(false, server.now);
    CHECK(server.answerer.nextQuestion() == "old.example");
    CHECK(server.answerer.nextQuestion() == "new.example");
    server.addresses("new.example", {1});
    CHECK(server.take().rcode() == ns_r_noerror);
  }
  SECTION("but not longer than the hold") {
    server.pass(10s);
    CHECK(server.take().rcode() == ns_r_servfail);
    CHECK(server.replies.empty());
    CHECK(server.answerer.waiting() == 0);
  }
}

TEST_CASE("a question that the dying radio failed is asked again when it is up") {
  Server server;
  server.ask(question("a.example"));
  CHECK(server.answerer.nextQuestion() == "a.example");
  server.answerer.unavailable(true, server.now);
  server.fail("a.example");
  CHECK(server.replies.empty());
  CHECK(server.answerer.waiting() == 1);
  server.pass(3s);
  server.answerer.unavailable(false, server.now);
  CHECK(server.answerer.nextQuestion() == "a.example");
  server.addresses("a.example", {1});
  CHECK(server.take().rcode() == ns_r_noerror);
}

TEST_CASE("failures are forgotten when the radio is up again") {
  Server server;
  server.ask(question("a.example"));
  server.fail(server.answerer.nextQuestion().value());
  server.replies.clear();
  server.answerer.unavailable(true, server.now);
  server.answerer.unavailable(false, server.now);
  server.ask(question("a.example"));
  CHECK(server.replies.empty());
  CHECK(server.answerer.nextQuestion() == "a.example");
}

TEST_CASE("a failing name waits for the radio like any other") {
  Server server;
  server.ask(question("a.example"));
  server.fail(server.answerer.nextQuestion().value());
  server.replies.clear();
  server.answerer.unavailable(true, server.now);
  server.ask(question("a.example"));
  CHECK(server.replies.empty());
}

TEST_CASE("a dead radio's failure of a question without waiters says nothing about its name") {
  Server server;
  server.ask(question("a.example"));
  CHECK(server.answerer.nextQuestion() == "a.example");
  server.answerer.unavailable(true, server.now);
  server.pass(10s);
  server.replies.clear();
  server.fail("a.example");
  CHECK(server.answerer.waiting() == 0);
  CHECK(server.answerer.cached() == 0);
}

TEST_CASE("too many names, and too many for one name, fail at once") {
  DnsOptions options;
  options.max_waiting = 2;
  options.max_waiters = 3;
  Server server(options);
  server.ask(question("a.example"));
  server.ask(question("b.example"));
  server.ask(question("c.example"));
  CHECK(server.take().rcode() == ns_r_servfail);
  server.ask(question("a.example"));
  server.ask(question("a.example"));
  CHECK(server.replies.empty());
  server.ask(question("a.example"));
  CHECK(server.take().rcode() == ns_r_servfail);
  CHECK(server.answerer.counters().overflow == 2);
  CHECK(server.answerer.waiting() == 2);
}

TEST_CASE("the cache is bounded") {
  DnsOptions options;
  options.cache = 2;
  Server server(options);
  for (const char* text : {"a.example", "b.example", "c.example"}) server.learn(text, {1});
  CHECK(server.answerer.cached() == 2);
  CHECK(server.answerer.evictions() == 1);
  server.ask(question("a.example"));
  CHECK(server.replies.empty());
}

TEST_CASE("without a cache every question is asked") {
  DnsOptions options;
  options.cache = 0;
  Server server(options);
  server.learn("a.example", {1});
  server.ask(question("a.example"));
  CHECK(server.answerer.nextQuestion() == "a.example");
  server.addresses("a.example", {1});
  CHECK(server.take().records.size() == 1);
}

TEST_CASE("names that were not handed out cannot be answered") {
  Server server;
  server.addresses("a.example", {1});
  CHECK(server.answerer.cached() == 0);
  server.ask(question("a.example"));
  server.addresses("a.example", {1});
  CHECK(server.replies.empty());
  CHECK(server.answerer.nextQuestion() == "a.example");
}

TEST_CASE("other types are handed back where an upstream server is configured") {
  DnsOptions options;
  options.forward_other_types = true;
  Server server(options);
  const Bytes message = question("a.example", ns_t_txt);
  server.ask(message, DnsTransport::Tcp);
  REQUIRE(server.forward);
  CHECK(server.forward->message == message);
  CHECK(server.forward->transport == DnsTransport::Tcp);
  CHECK(server.replies.empty());
  server.forward->reply(dnsFailure(message, DnsTransport::Tcp));
  CHECK(server.take().rcode() == ns_r_servfail);
  CHECK(server.answerer.counters().forwarded == 1);

  for (const char* text : {"a b._tcp.example", "1.2.0.192.in-addr.arpa", ""}) {
    server.ask(question(text, ns_t_srv));
    CHECK(server.forward);
  }
  for (const unsigned type : {ns_t_a, ns_t_aaaa, ns_t_any, ns_t_axfr}) {
    server.ask(question("a.example", type));
    CHECK_FALSE(server.forward);
  }
  for (const char* text : {"x.local", "x.onion", "localhost", "192.0.2.1", "my printer.local"}) {
    CAPTURE(text);
    server.ask(question(text, ns_t_txt));
    CHECK_FALSE(server.forward);
  }
  server.ask(question("a.example", ns_t_txt, ns_c_chaos));
  CHECK_FALSE(server.forward);
  server.ask(header(0x0100, 0));
  CHECK_FALSE(server.forward);
}

TEST_CASE("an answer too long for UDP asks for TCP") {
  Server server;
  std::vector<std::uint32_t> many(kMaxDnsAddresses);
  for (std::uint32_t i = 0; i < many.size(); ++i) many[i] = i;
  const std::string label = std::string(60, 'a') + ".";
  const std::string text = label + label + label + std::string(58, 'b');  // 12 + 243 + 4 + 16 * 16 = 515
  server.learn(text, many);
  server.ask(question(text));
  CHECK(server.take().flag(ns_f_tc));
  server.ask(question(text), DnsTransport::Tcp);
  CHECK(server.take().records.size() == 16);
}

TEST_CASE("a reply may ask again") {
  DnsAnswerer answerer({});
  int replies = 0;
  const TimePoint now{1h};
  answerer.ask(question("a.example"), DnsTransport::Udp, now, [&](Bytes) {
    answerer.ask(question("a.example"), DnsTransport::Udp, now, [&](Bytes) { ++replies; });
    answerer.ask(question("b.example"), DnsTransport::Udp, now, [&](Bytes) { ++replies; });
  });
  answerer.answered(answerer.nextQuestion().value(), {DnsOutcome::Kind::Addresses, {1}}, now);
  CHECK(replies == 1);
  CHECK(answerer.nextQuestion() == "b.example");
}
