#include "qimux/capture/record.hpp"

#include "qimux/capture/notation.hpp"
#include "support/catch.hpp"

#include <string>

using namespace qimux;
using namespace qimux::capture;

namespace {

Bytes bytes(std::string_view text) {
  const auto view = bytesOf(text);
  return Bytes(view.begin(), view.end());
}

std::string hex(std::string_view text) {
  std::string out;
  encodeHex(out, bytesOf(text));
  return out;
}

std::string quoted(std::string_view text) {
  std::string out;
  encodeText(out, bytesOf(text));
  return out;
}

std::string why(std::string_view line) {
  const auto record = parseRecord(line, 7);
  return record ? "it is fine" : record.error().reply;
}

}  // namespace

TEST_CASE("bytes are written as text, as digits and as filler") {
  CHECK(quoted("\r\nOK\r\n") == R"("\r\nOK\r\n")");
  CHECK(quoted("a\"b\\c\t\x1a\xff") == R"("a\"b\\c\t\x1a\xff")");
  CHECK(quoted("") == R"("")");
  CHECK(quoted("\r\n" + std::string(1460, 'x') + "\r\nOK") == R"("\r\n"<1460>"\r\nOK")");
  CHECK(quoted("xxx") == R"("xxx")");
  CHECK(hex(std::string("\x45\x00\xab", 3) + "xxxxx") == "4500ab<5>");
}

TEST_CASE("every byte comes back as it was, in both ways of writing") {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  all += std::string(9, 'x') + "<7> # " + all;
  for (const auto& written : {quoted(all), hex(all)}) {
    std::string_view rest = written;
    const auto back = decode(rest, kMaxData);
    REQUIRE(back);
    CHECK(textOf(*back) == all);
    CHECK(rest.empty());
  }
}

TEST_CASE("each kind of record comes back as it was") {
  for (int i = 0; i < kKinds; ++i) {
    Record record;
    record.at = std::chrono::microseconds(12'345'678);
    record.kind = static_cast<Kind>(i);
    record.stream = 3;
    record.number = 1460;
    record.text = "a \"text\"  # of two";
    record.data = bytes("\r\nx # y\r\n");
    const std::string line = print(record, "what people read\n");
    CHECK(line.starts_with("12.345678 "));
    CHECK(line.find('\n') == std::string::npos);
    const auto back = parseRecord(line, 9);
    REQUIRE(back);
    CHECK(back->kind == record.kind);
    CHECK(back->at == record.at);
    CHECK(back->line == 9);
    CHECK(print(*back) == print(record));
  }
}

TEST_CASE("a kind is a moment, an answer, an output, or about the capture") {
  for (int i = 0; i < kKinds; ++i) {
    const auto kind = static_cast<Kind>(i);
    CHECK(isMoment(kind) + isAnswer(kind) + isOutput(kind) <= 1);
  }
  CHECK(isMoment(Kind::Timer));
  CHECK(isMoment(Kind::AskPing));
  CHECK(isMoment(Kind::AskReset));
  CHECK(isAnswer(Kind::PortOpened));
  CHECK(isAnswer(Kind::ResetDone));
  CHECK(isOutput(Kind::PortOut));
  CHECK(isOutput(Kind::Reset));
  CHECK_FALSE(isOutput(Kind::Seed));
  CHECK_FALSE(isMoment(Kind::End));
}

TEST_CASE("what is wrong with a record is said") {
  CHECK(why("") == "it does not begin with a time such as 12.345678");
  CHECK(why("12.5 ready") == "it does not begin with a time such as 12.345678");
  CHECK(why("99999999999.000000 ready") == "it does not begin with a time such as 12.345678");
  CHECK(why("1.000000 nonsense") == "\"nonsense\" is no kind of record");
  CHECK(why("1.000000 port>") == "bytes are missing");
  CHECK(why("1.000000 port> # comment") == "bytes are missing");
  CHECK(why("1.000000 port> \"abc") == "a text without its closing quote");
  CHECK(why("1.000000 port> \"a\\qc\"") == "a backslash that begins no escape");
  CHECK(why("1.000000 port> <12") == "a '<' that begins no count of filler bytes such as <100>");
  CHECK(why("1.000000 outer< 45g0") == "something that is neither text, nor <n>, nor hexadecimal");
  CHECK(why("1.000000 accept 1") == "a number is expected, not \"\"");
  CHECK(why("1.000000 accept 1 -5") == "a number is expected, not \"-5\"");
  CHECK(why("1.000000 ready again") == "\"again\" is too much behind ready");
}

TEST_CASE("few characters do not become many bytes") {
  CHECK(why("1.000000 port> <65536>") == "it is fine");
  CHECK(why("1.000000 port> <65537>") == "more bytes than a record can hold");
  CHECK(why("1.000000 port> <65536><1>") == "more bytes than a record can hold");
  CHECK(why("1.000000 port> <99999999999999999999>") ==
        "a '<' that begins no count of filler bytes such as <100>");
}
