#include "qimux/bridge/dns_message.hpp"

#include "support/catch.hpp"
#include "unit/bridge/dns_support.hpp"

using namespace qimux;
using namespace qimux::bridge;
using namespace dns_test;

TEST_CASE("a question is read with its name as asked and in lower case") {
  const auto query = parseDnsQuery(question("wWw.Example.COM", ns_t_aaaa));
  REQUIRE(query);
  CHECK(query->error == DnsRcode::NoError);
  CHECK(query->id == 0x1234);
  CHECK(query->recursion_desired);
  CHECK(query->text == "www.example.com");
  CHECK(query->name == wireName("wWw.Example.COM"));
  CHECK(query->type == ns_t_aaaa);
  CHECK(query->rr_class == ns_c_in);
  CHECK_FALSE(query->edns);
}

TEST_CASE("the root has an empty name") {
  const auto query = parseDnsQuery(question(""));
  REQUIRE(query);
  CHECK(query->error == DnsRcode::NoError);
  CHECK(query->text.empty());
  CHECK(query->name == Bytes{0});
}

TEST_CASE("a name of 255 octets is read, one of 256 is malformed") {
  const std::string label(63, 'a');
  const std::string three = label + "." + label + "." + label + ".";
  const auto longest = parseDnsQuery(question(three + std::string(61, 'b')));
  REQUIRE(longest);
  CHECK(longest->error == DnsRcode::NoError);
  CHECK(longest->name.size() == 255);
  CHECK(longest->text.size() == 253);
  const auto beyond = parseDnsQuery(question(three + std::string(62, 'b')));
  REQUIRE(beyond);
  CHECK(beyond->error == DnsRcode::FormErr);
}

TEST_CASE("odd bytes of a name come escaped, so that no dot of a label is a separator") {
  CHECK(parseDnsQuery(question("a\"b.c;d"))->text == "a\\\"b.c\\;d");
  CHECK(parseDnsQuery(question("a\r\nb"))->text == "a\\013\\010b");
  Bytes dotted = header();
  for (const Byte byte : Bytes{3, 'a', '.', 'b', 0, 0, 1, 0, 1}) dotted.push_back(byte);
  CHECK(parseDnsQuery(dotted)->text == "a\\.b");
}

TEST_CASE("silence is the answer to an answer and to less than a header") {
  CHECK_FALSE(parseDnsQuery({}));
  CHECK_FALSE(parseDnsQuery(Bytes(11, 0)));
  Bytes answer = question("a.example");
  answer[2] |= 0x80;
  CHECK_FALSE(parseDnsQuery(answer));
  CHECK_FALSE(parseDnsQuery(Bytes(65536, 0)));
}

TEST_CASE("what is no question is malformed") {
  Bytes message = question("a.example");
  SECTION("no question") {
    message = header(0x0100, 0);
  }
  SECTION("two questions") {
    message[5] = 2;
    const Bytes more = wireName("b.example");
    message.insert(message.end(), more.begin(), more.end());
    put16(message, ns_t_a);
    put16(message, ns_c_in);
  }
  SECTION("an answer record in a question") {
    message[7] = 1;
  }
  SECTION("bytes behind the end") {
    message.push_back(0);
  }
  SECTION("cut short") {
    message.pop_back();
  }
  SECTION("a name that points at itself") {
    message = header();
    for (const Byte byte : Bytes{0xc0, 12, 0, 1, 0, 1}) message.push_back(byte);
  }
  SECTION("a name that points behind the end") {
    message = header();
    for (const Byte byte : Bytes{0xc3, 0xff, 0, 1, 0, 1}) message.push_back(byte);
  }
  SECTION("a label of a type that does not exist") {
    message = header();
    for (const Byte byte : Bytes{0x81, 'a', 0, 0, 1, 0, 1}) message.push_back(byte);
  }
  SECTION("longer than a question can be") {
    message[11] = 1;
    message.push_back(0);
    put16(message, ns_t_txt);
    put16(message, ns_c_in);
    put16(message, 0);
    put16(message, 0);
    put16(message, 5000);
    message.resize(message.size() + 5000);
  }
  SECTION("two OPT records") {
    putOpt(message, 1232);
    putOpt(message, 1232);
  }
  SECTION("nine additional records") {
    for (int i = 0; i < 9; ++i) {
      message.push_back(0);
      for (int j = 0; j < 5; ++j) put16(message, 0);
      ++message[11];
    }
  }
  SECTION("an OPT record of another name than the root") {
    putOpt(message, 1232);
    const Bytes name = wireName("x");
    const auto place = message.end() - 11;
    message.insert(message.erase(place), name.begin(), name.end());
  }
  SECTION("an additional record whose name points behind the end") {
    for (const Byte byte : Bytes{0xff, 0xff}) message.push_back(byte);
    for (int j = 0; j < 5; ++j) put16(message, 0);
    ++message[11];
  }
  const auto query = parseDnsQuery(message);
  REQUIRE(query);
  CHECK(query->error == DnsRcode::FormErr);
  const Answer answer(encodeDnsAnswer(*query, {query->error, {}, 0}, DnsTransport::Udp));
  CHECK(answer.id == 0x1234);
  CHECK(answer.rcode() == ns_r_formerr);
  CHECK(answer.records.empty());
}

TEST_CASE("records besides OPT in the additional section are allowed") {
  Bytes message = question("a.example");
  message.push_back(0);
  put16(message, ns_t_tsig);
  for (int j = 0; j < 4; ++j) put16(message, 0);
  ++message[11];
  putOpt(message, 1400);
  const auto query = parseDnsQuery(message);
  REQUIRE(query);
  CHECK(query->error == DnsRcode::NoError);
  REQUIRE(query->edns);
  CHECK(query->edns->size == 1400);
}

TEST_CASE("other opcodes are not implemented, whatever follows their header") {
  Bytes update = header(5u << 11, 3);
  const auto query = parseDnsQuery(update);
  REQUIRE(query);
  CHECK(query->error == DnsRcode::NotImp);
  const Answer answer(encodeDnsAnswer(*query, {query->error, {}, 0}, DnsTransport::Udp));
  CHECK(answer.rcode() == ns_r_notimpl);
  CHECK(ns_msg_getflag(answer.message, ns_f_opcode) == 5);
  CHECK(answer.questions == 0);
}

TEST_CASE("OPT in the question makes OPT in the answer, and DO is copied") {
  Bytes message = question("a.example");
  const bool dnssec_ok = GENERATE(false, true);
  putOpt(message, 4096, 0, dnssec_ok);
  const auto query = parseDnsQuery(message);
  REQUIRE(query);
  const Answer answer(encodeDnsAnswer(*query, {}, DnsTransport::Udp));
  REQUIRE(answer.edns_size);
  CHECK(*answer.edns_size == kMaxDnsUdp);
  CHECK(answer.edns_flags == (dnssec_ok ? 0x8000u : 0u));
}

TEST_CASE("an EDNS version that is not 0 gets BADVERS, with its upper bits in OPT") {
  Bytes message = question("a.example");
  putOpt(message, 1232, 1);
  const auto query = parseDnsQuery(message);
  REQUIRE(query);
  CHECK(query->error == DnsRcode::BadVers);
  const Answer answer(encodeDnsAnswer(*query, {query->error, {}, 0}, DnsTransport::Udp));
  CHECK(answer.rcode() == ns_r_badvers);
  CHECK((answer.edns_flags >> 16 & 0xff) == 0);
}

TEST_CASE("an answer says what was asked, letter by letter, and carries its records") {
  Bytes message = question("wWw.Example.COM");
  message[3] |= 0x10;  // CD
  const auto query = parseDnsQuery(message);
  REQUIRE(query);
  const Answer answer(encodeDnsAnswer(
      *query, {DnsRcode::NoError, {dnsAddress(0xc0000201), dnsAddress(0xc0000202)}, 60}, DnsTransport::Udp));
  CHECK(answer.flag(ns_f_qr));
  CHECK(answer.flag(ns_f_rd));
  CHECK(answer.flag(ns_f_ra));
  CHECK(answer.flag(ns_f_cd));
  CHECK_FALSE(answer.flag(ns_f_aa));
  CHECK_FALSE(answer.flag(ns_f_ad));
  CHECK_FALSE(answer.flag(ns_f_tc));
  CHECK(answer.name == "wWw.Example.COM");
  CHECK_FALSE(answer.edns_size);
  REQUIRE(answer.records.size() == 2);
  CHECK(answer.records[0].name == "wWw.Example.COM");
  CHECK(answer.records[0].type == ns_t_a);
  CHECK(answer.records[0].ttl == 60);
  CHECK(answer.records[0].data == Bytes{192, 0, 2, 1});
  CHECK(answer.records[1].data == Bytes{192, 0, 2, 2});
}

TEST_CASE("RD and CD that were not asked are not in the answer") {
  Bytes message = question("a.example");
  message[2] = 0;
  const Answer answer(encodeDnsAnswer(*parseDnsQuery(message), {}, DnsTransport::Udp));
  CHECK_FALSE(answer.flag(ns_f_rd));
  CHECK_FALSE(answer.flag(ns_f_cd));
}

TEST_CASE("an answer that does not fit comes empty with TC over UDP, whole over TCP") {
  DnsAnswer full{DnsRcode::NoError, {}, 60};
  for (std::uint32_t i = 0; i < 31; ++i) full.records.push_back(dnsAddress(i));  // 16 each
  Bytes message = question("a.example");                                         // 27
  std::size_t expected = 27 + 31 * 16;                                           // 523

  SECTION("512 without EDNS") {
    const auto query = parseDnsQuery(message);
    const Answer cut(encodeDnsAnswer(*query, full, DnsTransport::Udp));
    CHECK(cut.flag(ns_f_tc));
    CHECK(cut.records.empty());
    CHECK(cut.name == "a.example");
    const Answer whole(encodeDnsAnswer(*query, full, DnsTransport::Tcp));
    CHECK_FALSE(whole.flag(ns_f_tc));
    CHECK(whole.records.size() == 31);
    CHECK(whole.size == expected);
  }
  SECTION("the size that EDNS offers, to the byte") {
    expected += 11;
    const auto offered = GENERATE_COPY(expected - 1, expected);
    putOpt(message, static_cast<unsigned>(offered));
    const Answer answer(encodeDnsAnswer(*parseDnsQuery(message), full, DnsTransport::Udp));
    CHECK(answer.flag(ns_f_tc) == (offered < expected));
    CHECK(answer.edns_size);
  }
  SECTION("less than 512 means 512, and more than fits every path means that") {
    Bytes small = question("a.example");
    putOpt(small, 0);
    full.records.resize(29);  // 502
    CHECK_FALSE(Answer(encodeDnsAnswer(*parseDnsQuery(small), full, DnsTransport::Udp)).flag(ns_f_tc));
    full.records.resize(100, dnsAddress(1));  // 1638
    putOpt(message, 4096);
    CHECK(Answer(encodeDnsAnswer(*parseDnsQuery(message), full, DnsTransport::Udp)).flag(ns_f_tc));
  }
}

TEST_CASE("an answer belongs to a question of the same id, name, type and class") {
  const Bytes asked = question("a.example", ns_t_txt);
  Bytes told = question("A.example", ns_t_txt);
  told[2] |= 0x80;
  CHECK(dnsAnswers(asked, told));

  SECTION("another id") {
    told[1] ^= 1;
  }
  SECTION("no answer") {
    told[2] = 1;
  }
  SECTION("another name") {
    told[13] = 'b';
  }
  SECTION("another type") {
    told[told.size() - 3] = 1;
  }
  SECTION("another class") {
    told[told.size() - 1] = 3;
  }
  SECTION("malformed") {
    told.pop_back();
  }
  SECTION("no question") {
    told = header(0x8100, 0);
  }
  SECTION("nothing") {
    told.clear();
  }
  CHECK_FALSE(dnsAnswers(asked, told));
}

TEST_CASE("nothing answers a question that is none") {
  Bytes told = question("a.example");
  told[2] |= 0x80;
  CHECK_FALSE(dnsAnswers(told, told));
  CHECK_FALSE(dnsAnswers(header(0x0100, 0), told));
}

TEST_CASE("a forwarded question that failed gets SERVFAIL, a malformed one its own error") {
  CHECK(Answer(dnsFailure(question("a.example", ns_t_txt), DnsTransport::Udp)).rcode() == ns_r_servfail);
  CHECK(Answer(dnsFailure(header(0x0100, 0), DnsTransport::Tcp)).rcode() == ns_r_formerr);
  CHECK(dnsFailure(Bytes(3, 0), DnsTransport::Udp).empty());
}

TEST_CASE("response codes have the names that dig prints") {
  CHECK(name(DnsRcode::NoError) == "NOERROR");
  CHECK(name(DnsRcode::FormErr) == "FORMERR");
  CHECK(name(DnsRcode::ServFail) == "SERVFAIL");
  CHECK(name(DnsRcode::NxDomain) == "NXDOMAIN");
  CHECK(name(DnsRcode::NotImp) == "NOTIMP");
  CHECK(name(DnsRcode::Refused) == "REFUSED");
  CHECK(name(DnsRcode::BadVers) == "BADVERS");
}
