#include "qimux/bridge/escape.hpp"

#include "support/catch.hpp"

#include <string>

using namespace qimux;
using namespace qimux::bridge;
using Meaning = EscapeRule::Meaning;

namespace {
const std::string kText =
    "abc\x1b"
    "def\x1bg";
}

TEST_CASE("before anything is known a stream is cut right behind its first ESC") {
  const EscapeRule rule;
  CHECK(rule.streamPart(bytesOf(kText)) == 4);
  CHECK(rule.streamPart(bytesOf("no such byte")) == 12);
}

TEST_CASE("one ESC that was taken is enough: it is data from then on") {
  EscapeRule rule;
  rule.taken(bytesOf("abc"));
  CHECK(rule.meaning() == Meaning::Unknown);
  rule.taken(bytesOf(kText).first(4));
  CHECK(rule.meaning() == Meaning::Data);
  CHECK(rule.streamPart(bytesOf(kText)) == kText.size());
  CHECK(
      rule.datagramMayGo(bytesOf("\x1b"
                                 "AT+CFUN=1,1\r")));
  // A send that fails later for another reason changes nothing.
  rule.cancelled(bytesOf(kText), true);
  CHECK(rule.meaning() == Meaning::Data);
}

TEST_CASE("where ESC cancels, a stream goes as far as its first ESC") {
  EscapeRule rule;
  rule.cancelled(bytesOf(kText), true);
  CHECK(rule.meaning() == Meaning::Cancels);
  CHECK(rule.streamPart(bytesOf(kText)) == 3);
  CHECK(rule.streamPart(bytesOf(kText).subspan(3)) == 0);
  CHECK_FALSE(rule.datagramMayGo(bytesOf(kText)));
  CHECK(rule.datagramMayGo(bytesOf("abc")));
}

TEST_CASE("silence convinces the second time, and only of a payload with ESC") {
  EscapeRule rule;
  rule.cancelled(bytesOf("abc"), false);
  rule.cancelled(bytesOf("abc"), true);
  rule.cancelled(bytesOf(kText), false);
  CHECK(rule.meaning() == Meaning::Unknown);
  rule.cancelled(bytesOf(kText), false);
  CHECK(rule.meaning() == Meaning::Cancels);
}

TEST_CASE("before anything is known no datagram goes that could be read as a command behind its ESC") {
  const EscapeRule rule;
  CHECK(rule.datagramMayGo(bytesOf(kText)));
  CHECK(rule.datagramMayGo(bytesOf("AT\x1bxyz")));
  CHECK_FALSE(rule.datagramMayGo(bytesOf("\x1bxyzAT+CFUN=1,1\r")));
  CHECK_FALSE(rule.datagramMayGo(bytesOf("\x1b\rat\r")));
  CHECK_FALSE(
      rule.datagramMayGo(bytesOf("\x1b"
                                 "A/")));
}

TEST_CASE("another module is asked anew, the same one that comes back is not") {
  EscapeRule rule;
  rule.meet("M95 1");
  rule.cancelled(bytesOf(kText), true);
  rule.meet("M95 1");
  CHECK(rule.meaning() == Meaning::Cancels);
  rule.meet("M95 2");
  CHECK(rule.meaning() == Meaning::Unknown);
}
