// The default alphabet, its extension table and its packing; UTF-8 and hex.
#include "qimux/sim/sms_alphabet.hpp"

#include "qimux/sim/te_charset.hpp"
#include "support/catch.hpp"

#include <random>

using namespace qimux;
using namespace qimux::sim;

namespace {
Bytes septets(std::string_view utf8) {
  return septetsOf(utf16Of(utf8)).value_or(Bytes{});
}
}  // namespace

TEST_CASE("septets are packed as in the well known example") {
  CHECK(hexOf(packSeptets(septets("hellohello"))) == "E8329BFD4697D9EC37");
  CHECK(textOf(unpackSeptets(*octetsOfHex("E8329BFD4697D9EC37"), 10)) == "hellohello");
  CHECK(packSeptets({}).empty());
}

TEST_CASE("packing is undone by unpacking, whatever the number of septets, also behind a header") {
  std::mt19937 random(7);
  for (std::size_t count = 0; count <= 160; ++count) {
    Bytes all(count);
    for (Byte& septet : all) septet = static_cast<Byte>(random() & 0x7f);
    const Bytes packed = packSeptets(all);
    CHECK(packed.size() == packedSize(count));
    CHECK(unpackSeptets(packed, count) == all);
  }
  // Six octets and a bit to fill are seven septets.
  Bytes with_header(6, 0xff);
  const Bytes text = septets("text");
  const Bytes packed = packSeptets(text, 1);
  with_header.insert(with_header.end(), packed.begin(), packed.end());
  const Bytes unpacked = unpackSeptets(with_header, 7 + text.size());
  CHECK(Bytes(unpacked.begin() + 7, unpacked.end()) == text);
}

TEST_CASE("every septet but the escape is a character of its own, and back") {
  for (unsigned i = 0; i < 128; ++i) {
    if (i == kSeptetEscape) continue;
    const Bytes one{static_cast<Byte>(i)};
    CHECK(textOfSeptets(one).size() == 1);
    CHECK(septetsOf(textOfSeptets(one)) == one);
  }
  CHECK(textOf(septets("@$_")) == std::string_view("\0\x02\x11", 3));
  CHECK(utf8Of(textOfSeptets(septets("äöüÄÖÜßéΩ¿"))) == "äöüÄÖÜßéΩ¿");
}

TEST_CASE("the extension table takes two septets a character") {
  CHECK(hexOf(septets("€")) == "1B65");
  CHECK(utf8Of(textOfSeptets(septets("^{}\\[~]|€\f"))) == "^{}\\[~]|€\f");
  // What the table does not have, and an escape at the end.
  CHECK(textOfSeptets(Bytes{0x1b, 'A', 0x1b}) == u"A ");
}

TEST_CASE("what the alphabet does not have is refused, or becomes a question mark") {
  CHECK_FALSE(septetsOf(u"Привет"));
  CHECK(textOf(nearestSeptets(u"a\u043fb")) == "a?b");
}

TEST_CASE("UTF-8 that is none becomes U+FFFD, and pairs survive") {
  CHECK(utf16Of("a\xff\xc3") == u"a\ufffd\ufffd");
  CHECK(utf16Of("\xc0\x80\xed\xa0\x80").find(u'\0') == std::u16string::npos);
  CHECK(utf8Of(utf16Of("😀 ok")) == "😀 ok");
  CHECK(textOfUcs2(ucs2Of(utf16Of("😀"))) == utf16Of("😀"));
  CHECK(utf8Of(u"\xd83d") == "\xef\xbf\xbd");
}

TEST_CASE("hex is pairs of digits in either case and nothing else") {
  CHECK(octetsOfHex("2a1B") == Bytes{0x2a, 0x1b});
  CHECK(octetsOfHex("")->empty());
  for (const char* wrong : {"2", "2g", "0x", " 1", "-1"}) CHECK_FALSE(octetsOfHex(wrong));
}

TEST_CASE("the host's character sets show the same text each in its way") {
  const Bytes text = septets("@ä€");
  CHECK(shownAs(TeCharset::Gsm, text) == std::string("\0{\x1b"
                                                     "e",
                                                     4));
  CHECK(shownAs(TeCharset::Hex, text) == "007B1B65");
  CHECK(shownAs(TeCharset::Ira, text) == "@??");
  CHECK(shownAs(TeCharset::Ucs2, text) == "004000E420AC");
  CHECK(shownAs(TeCharset::Latin1, text) == "@\xe4?");
  for (const auto charset : {TeCharset::Gsm, TeCharset::Hex, TeCharset::Ucs2}) {
    CHECK(typedAs(charset, shownAs(charset, text)) == text);
    CHECK(parseTeCharset(name(charset)) == charset);
  }
  CHECK(typedAs(TeCharset::Latin1, "\xe4") == septets("ä"));
}

TEST_CASE("what is typed in a wrong way is no text") {
  CHECK_FALSE(typedAs(TeCharset::Gsm, "\x80"));
  CHECK_FALSE(typedAs(TeCharset::Hex, "80"));
  CHECK_FALSE(typedAs(TeCharset::Hex, "1"));
  CHECK_FALSE(typedAs(TeCharset::Ucs2, "004"));
  CHECK_FALSE(typedAs(TeCharset::Ucs2, "043F"));
  CHECK_FALSE(typedAs(TeCharset::Ira, "`"));
}
