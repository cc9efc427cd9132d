#include "qimux/ctl/value.hpp"

#include "support/catch.hpp"

#include <nlohmann/json.hpp>

#include <string>

using namespace qimux::ctl;

namespace {

std::string shown(const Json& value, Format format) {
  return render(&value, format);
}

}  // namespace

TEST_CASE("what is not there is a dash, in every format") {
  const Json null;
  for (const Format format : {Format::Text, Format::Bytes, Format::Size, Format::Span, Format::Age,
                              Format::Dbm, Format::Milliseconds, Format::Counts}) {
    CHECK(render(nullptr, format) == "-");
    CHECK(render(&null, format) == "-");
  }
  CHECK(shown("", Format::Text) == "-");
  CHECK(shown(Json::array(), Format::Text) == "-");
}

TEST_CASE("text is shown as it is, as far as it is printable ASCII") {
  CHECK(shown("online", Format::Text) == "online");
  CHECK(shown("\x1b[2Jgone\r\n", Format::Text) == "\\x1b[2Jgone\\r\\n");
  CHECK(shown("Telef\xc3\xb3nica", Format::Text) == "Telef\\xc3\\xb3nica");
  CHECK(shown(true, Format::Text) == "yes");
  CHECK(shown(false, Format::Text) == "no");
  CHECK(shown(-7, Format::Text) == "-7");
  CHECK(shown(18446744073709551615U, Format::Text) == "18446744073709551615");
  CHECK(shown(0.25, Format::Text) == "0.25");
}

TEST_CASE("lists and objects are shown in one line") {
  CHECK(shown({"a", 1, nullptr}, Format::Text) == "a, 1, -");
  CHECK(shown({{"stat", 5}, {"lac", "00C3"}}, Format::Text) == "stat 5, lac 00C3");
  CHECK(shown({{"k\x1b", "v\x1b"}}, Format::Text) == "k\\x1b v\\x1b");
  CHECK(shown({{"deep", {{"er", "\x7f"}}}}, Format::Text) == "deep {\"er\":\"\\\\u007f\"}");
}

TEST_CASE("counters: those that count") {
  CHECK(shown({{"resync", 3}, {"baud", 0}, {"reset", 1}}, Format::Counts) == "resync 3, reset 1");
  CHECK(shown({{"resync", 0}}, Format::Counts) == "none");
  CHECK(shown(Json::object(), Format::Counts) == "none");
  CHECK(shown(4, Format::Counts) == "4");
}

TEST_CASE("bytes are exact while that is short") {
  CHECK(shown(0, Format::Bytes) == "0 B");
  CHECK(shown(1460, Format::Bytes) == "1460 B");
  CHECK(shown(9999, Format::Bytes) == "9999 B");
  CHECK(shown(9999.7, Format::Bytes) == "10.0 kB");
  CHECK(shown(15935, Format::Bytes) == "15.9 kB");
  CHECK(shown(123456789, Format::Bytes) == "123 MB");
}

TEST_CASE("sizes have at most five characters") {
  CHECK(shown(0, Format::Size) == "0");
  CHECK(shown(999, Format::Size) == "999");
  CHECK(shown(999.6, Format::Size) == "1.0k");
  CHECK(shown(1500, Format::Size) == "1.5k");
  CHECK(shown(99940, Format::Size) == "99.9k");
  CHECK(shown(99960, Format::Size) == "100k");
  CHECK(shown(999499, Format::Size) == "999k");
  CHECK(shown(999500, Format::Size) == "1.0M");
  CHECK(shown(5e12, Format::Size) == "5.0T");
  CHECK(shown(1e300, Format::Size) == "999P");
  CHECK(shown(18446744073709551615U, Format::Size) == "999P");
}

TEST_CASE("spans have two units") {
  CHECK(shown(0, Format::Span) == "0 s");
  CHECK(shown(59.9, Format::Span) == "59 s");
  CHECK(shown(60, Format::Span) == "1 min 00 s");
  CHECK(shown(723, Format::Span) == "12 min 03 s");
  CHECK(shown(3600, Format::Span) == "1 h 00 min");
  CHECK(shown(11100, Format::Span) == "3 h 05 min");
  CHECK(shown(183600, Format::Span) == "2 d 03 h");
  CHECK(shown(1e300, Format::Span) == "9999 d 00 h");
}

TEST_CASE("ages have at most five characters") {
  CHECK(shown(59, Format::Age) == "59s");
  CHECK(shown(723, Format::Age) == "12m");
  CHECK(shown(11100, Format::Age) == "3h05");
  CHECK(shown(183600, Format::Age) == "2d03");
  CHECK(shown(86400 * 100, Format::Age) == "100d");
  CHECK(shown(1e300, Format::Age) == "9999d");
}

TEST_CASE("units go with numbers only") {
  CHECK(shown(-71, Format::Dbm) == "-71 dBm");
  CHECK(shown("weak", Format::Dbm) == "weak");
  CHECK(shown(612, Format::Milliseconds) == "612 ms");
  CHECK(shown("n/a", Format::Size) == "n/a");
  CHECK(shown(-5, Format::Bytes) == "-5");
  CHECK(shown(-5, Format::Age) == "-5");
}

TEST_CASE("a path leads through objects, and nowhere else") {
  const Json json = {{"module", {{"model", "M95"}}}, {"list", {1}}};
  CHECK(*find(json, "module.model") == "M95");
  CHECK(find(json, "") == &json);
  CHECK(find(json, "module.imei") == nullptr);
  CHECK(find(json, "module.model.x") == nullptr);
  CHECK(find(json, "list.0") == nullptr);
  CHECK(find(Json(), "module") == nullptr);
  CHECK(number(find(json, "module"), 7) == 7);
  CHECK(number(nullptr, 7) == 7);
}

TEST_CASE("a long text gives up its middle") {
  CHECK(shorten("10.64.64.1:40000", 16) == "10.64.64.1:40000");
  CHECK(shorten("10.64.64.1:40000", 0) == "10.64.64.1:40000");
  CHECK(shorten("10.64.64.1:40000", 9) == "10.6~0000");
  CHECK(shorten("10.64.64.1:40000", 10) == "10.64~0000");
  CHECK(shorten("abc", 1) == "~");
}
