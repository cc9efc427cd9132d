// SMS-DELIVER and SMS-SUBMIT: public examples, round trips, and bytes that are neither.
#include "qimux/sim/sms_pdu.hpp"

#include "qimux/sim/sms_alphabet.hpp"
#include "support/catch.hpp"

#include <random>

using namespace qimux;
using namespace qimux::sim;

namespace {

Bytes octets(std::string_view hex) {
  return octetsOfHex(hex).value();
}

// The two examples of dreamfabric.com/sms, quoted all over the web.
constexpr std::string_view kDeliverCentre = "07917283010010F5";
constexpr std::string_view kDeliver = "040BC87238880900F10000993092516195800AE8329BFD4697D9EC37";
constexpr std::string_view kSubmit = "11000B916407281553F80000AA0AE8329BFD4697D9EC37";

}  // namespace

TEST_CASE("a well known SMS-DELIVER is read") {
  const auto centre = decodeServiceCentre(octets(std::string(kDeliverCentre) + std::string(kDeliver)));
  REQUIRE(centre);
  CHECK(centre->size == 8);
  CHECK(centre->number.shown() == "+27381000015");
  const auto message = decodeTpdu(octets(kDeliver));
  REQUIRE(message);
  CHECK(message->kind() == SmsKind::Deliver);
  CHECK(message->peer.shown() == "27838890001");
  CHECK(shownTime(message->time) == "2099/03/29 15:16:59+08");
  CHECK(message->readable() == "hellohello");
  CHECK(hexOf(encodeTpdu(*message)) == kDeliver);
}

TEST_CASE("a well known SMS-SUBMIT is read") {
  const auto message = decodeTpdu(octets(kSubmit));
  REQUIRE(message);
  CHECK(message->kind() == SmsKind::Submit);
  CHECK(message->peer.shown() == "+46708251358");
  CHECK(message->validity == Bytes{0xaa});
  CHECK(message->length == 10);
  CHECK(message->readable() == "hellohello");
  CHECK(hexOf(encodeTpdu(*message)) == kSubmit);
}

TEST_CASE("a PDU with a byte more or less is none") {
  for (const std::string_view whole : {kDeliver, kSubmit}) {
    const Bytes good = octets(whole);
    for (std::size_t size = 0; size < good.size(); ++size) {
      CHECK_FALSE(decodeTpdu(ByteView(good).first(size)));
    }
    Bytes longer = good;
    longer.push_back(0);
    CHECK_FALSE(decodeTpdu(longer));
  }
}

TEST_CASE("what contradicts itself is refused") {
  // A length beyond 160 septets, beyond 140 octets, more digits than a number has, a header longer than all.
  CHECK_FALSE(decodeTpdu(octets("11000B916407281553F80000AAA1" + std::string(282, '0'))));
  CHECK_FALSE(decodeTpdu(octets("11000B916407281553F80004AA8D" + std::string(282, '0'))));
  CHECK_FALSE(decodeTpdu(octets("110015916407281553F8000000000000FFFF00AA00")));
  CHECK_FALSE(decodeTpdu(octets("51000B916407281553F80004AA020200")));
  CHECK(decodeTpdu(octets("51000B916407281553F80004AA020100")));
  // A digit that is none, a type without its first bit, a status report, a service centre beyond its end.
  CHECK_FALSE(decodeTpdu(octets("11000B916407281553E80000AA00")));
  CHECK_FALSE(decodeTpdu(octets("11000B116407281553F80000AA00")));
  CHECK_FALSE(decodeTpdu(octets("06" + std::string(40, '0'))));
  CHECK_FALSE(decodeServiceCentre(octets("0791")));
  CHECK_FALSE(decodeServiceCentre(octets("0C91000000000000000000000000")));
  CHECK_FALSE(decodeServiceCentre(octets("0191")));
  CHECK_FALSE(decodeServiceCentre({}));
}

TEST_CASE("random bytes are read or refused, and what is read is written back the same") {
  std::mt19937 random(11);
  int read = 0;
  for (int round = 0; round < 200'000; ++round) {
    Bytes bytes = round % 2 == 0 ? octets(kDeliver) : octets(kSubmit);
    for (int changes = static_cast<int>(random() % 4); changes >= 0; --changes) {
      bytes[random() % bytes.size()] = static_cast<Byte>(random());
    }
    if (random() % 8 == 0) bytes.resize(random() % 180);
    (void)decodeServiceCentre(bytes);
    const auto message = decodeTpdu(bytes);
    if (!message) continue;
    ++read;
    (void)message->readable();
    const auto again = decodeTpdu(encodeTpdu(*message));
    REQUIRE(again);
    CHECK(again->readable() == message->readable());
  }
  CHECK(read > 1000);
}

TEST_CASE("the data coding scheme says which alphabet and which class") {
  CHECK(alphabetOf(0x00) == SmsAlphabet::Default);
  CHECK(alphabetOf(0x04) == SmsAlphabet::Octets);
  CHECK(alphabetOf(0x08) == SmsAlphabet::Ucs2);
  CHECK(alphabetOf(0x20) == SmsAlphabet::Octets);
  CHECK(alphabetOf(0xe0) == SmsAlphabet::Ucs2);
  CHECK(alphabetOf(0xf5) == SmsAlphabet::Octets);
  CHECK(classOf(0xf2) == 2);
  CHECK(classOf(0x13) == 3);
  CHECK_FALSE(classOf(0x00));
}

TEST_CASE("numbers are digits with or without a plus") {
  CHECK(parseNumber("+4912")->type == 145);
  CHECK(parseNumber("110")->type == 129);
  CHECK(parseNumber("4912", Byte{145})->shown() == "+4912");
  for (const char* wrong : {"", "+", "12 3", "Bank", "123456789012345678901"})
    CHECK_FALSE(parseNumber(wrong));
  CHECK(hexOf(encodeServiceCentre(*parseNumber("+8613800210500"))) == "0891683108200105F0");
  CHECK(decodeServiceCentre(octets("0891683108200105F0"))->number.shown() == "+8613800210500");
  CHECK(hexOf(encodeServiceCentre(SmsAddress{})) == "00");
}

TEST_CASE("a short text is one message, in the alphabet that it needs") {
  const auto plain = composeDeliver("+491701234567", "Grüße", 0).value();
  REQUIRE(plain.size() == 1);
  CHECK(plain[0].dcs == 0);
  CHECK(plain[0].length == 5);
  CHECK(plain[0].readable() == "Grüße");
  const auto russian = composeDeliver("Bank", "Привет", 0).value();
  REQUIRE(russian.size() == 1);
  CHECK(russian[0].dcs == 8);
  CHECK(russian[0].peer.isName());
  CHECK(decodeTpdu(encodeTpdu(russian[0]))->peer.shown() == "Bank");
  CHECK(russian[0].readable() == "Привет");
  CHECK(composeDeliver("1", std::string(160, 'x'), 0)->size() == 1);
}

TEST_CASE("a long text comes in parts that are put together again") {
  for (const char* word : {"0123456789", "€[]", "мир", "😀"}) {
    std::string text;
    for (int i = 0; i < 60; ++i) text += word;
    const auto parts = composeDeliver("1", text, 9).value();
    CHECK(parts.size() > 1);
    std::string whole;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const auto read = decodeTpdu(encodeTpdu(parts[i]));
      REQUIRE(read);
      CHECK(read->hasHeader());
      CHECK(Bytes(read->data.begin(), read->data.begin() + 6) ==
            Bytes{5, 0, 3, 9, static_cast<Byte>(parts.size()), static_cast<Byte>(i + 1)});
      whole += read->readable();
    }
    CHECK(whole == text);
  }
}

TEST_CASE("what cannot be a message is none") {
  CHECK_FALSE(composeDeliver("", "text", 0));
  CHECK_FALSE(composeDeliver("a name too long", "text", 0));
  CHECK_FALSE(composeDeliver("1", "", 0));
  CHECK_FALSE(composeDeliver("1", std::string(153 * 10 + 1, 'x'), 0));
}

TEST_CASE("times are stamped in UTC") {
  CHECK(shownTime(encodeTime(1285398397)) == "2010/09/25 07:06:37+00");
  CHECK(shownTime({0x01, 0x90, 0x52, 0x51, 0x60, 0x73, 0x2b}) == "2010/09/25 15:06:37-32");
}
