#include "qimux/at/exchange.hpp"

#include "support/catch.hpp"

#include <string>
#include <vector>

using namespace qimux;
using namespace qimux::at;
using namespace std::chrono_literals;
using Ending = Command::Ending;
using Verdict = Exchange::Verdict;
using Lines = std::vector<std::string>;

namespace {

struct Course {
  explicit Course(Ending ending, std::string prefix = {}, std::string text = "AT+X")
      : command(std::move(text), 1s, ending, std::move(prefix)), exchange(command) {}
  Verdict line(std::string_view text) { return exchange.onToken(Token{Token::Kind::Line, bytesOf(text)}); }
  // All but the last are part of the answer, the last ends it.
  Result<Reply> answer(const Lines& list) {
    for (std::size_t i = 0; i + 1 < list.size(); ++i) REQUIRE(line(list.at(i)) == Verdict::Taken);
    REQUIRE(line(list.back()) == Verdict::Done);
    return exchange.takeResult();
  }
  Command command;
  Exchange exchange;
};

}  // namespace

TEST_CASE("most commands end with OK, whatever line says OK inside it") {
  Course course(Ending::Ok);
  for (const char* line : {"SEND OK", "0, CONNECT OK", "CLOSE OK", "DEACT OK", "OKAY", "NOT OK"}) {
    CHECK(course.line(line) == Verdict::Foreign);
  }
  CHECK(course.line("OK") == Verdict::Done);
  CHECK(course.exchange.takeResult());
}

TEST_CASE("information lines are those with the prefix; others are URCs even then") {
  Course course(Ending::Ok, "+CGREG:");
  CHECK(course.line("+QIRDI: 0,1,0") == Verdict::Foreign);
  CHECK(course.line("+CGREG: 0,1") == Verdict::Taken);
  CHECK(course.line("3, CLOSED") == Verdict::Foreign);
  CHECK(course.line("OK") == Verdict::Done);
  CHECK(course.exchange.takeResult()->lines == Lines{"+CGREG: 0,1"});
}

TEST_CASE("a command whose answer has no prefix takes all lines that are no URC") {
  Course course(Ending::Ok, "*", "AT+GSN");
  CHECK(course.line("+QIRDI: 0,1,0") == Verdict::Foreign);
  CHECK(course.line("861234567890123") == Verdict::Taken);
  CHECK(course.line("0, CLOSED") == Verdict::Foreign);
  CHECK(course.line("OK") == Verdict::Done);
  CHECK(course.exchange.takeResult()->lines == Lines{"861234567890123"});
}

TEST_CASE("the echo of the command is no information") {
  Course course(Ending::Ok, "*", "AT+GSN");
  CHECK(course.answer({"AT+GSN", "861234567890123", "OK"})->lines == Lines{"861234567890123"});
}

TEST_CASE("every failure ends every command, with its own words") {
  for (const auto ending : {Ending::Ok, Ending::Open, Ending::CloseOk, Ending::DeactOk, Ending::Address,
                            Ending::Send, Ending::Read, Ending::StateList, Ending::PowerDown}) {
    for (const char* line :
         {"ERROR", "+CME ERROR: 3", "+CME ERROR: operation not allowed", "+CMS ERROR: 302"}) {
      Course course(ending);
      const auto result = course.answer({line});
      REQUIRE_FALSE(result);
      CHECK(result.error().kind == ErrorKind::Refused);
      CHECK(result.error().what == "AT+X");
      CHECK(result.error().reply == line);
    }
  }
}

TEST_CASE("an open of an index in use: ALREADY CONNECT, and perhaps an ERROR that belongs to it") {
  for (const char* line : {"ALREADY CONNECT", "0, ALREADY CONNECT"}) {
    Course course(Ending::Open);
    CHECK_FALSE(course.exchange.completeButForEnd());
    CHECK(course.line(line) == Verdict::Taken);
    CHECK(course.exchange.completeButForEnd());
    CHECK(course.line("ERROR") == Verdict::Done);
    const auto result = course.exchange.takeResult();
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == ErrorKind::Refused);
    CHECK(result.error().reply == line);
  }
}

TEST_CASE("an open ends with OK; its result is a URC") {
  Course course(Ending::Open);
  CHECK(course.line("3, CONNECT FAIL") == Verdict::Foreign);
  CHECK(course.line("OK") == Verdict::Done);
  CHECK(course.exchange.takeResult());
}

TEST_CASE("a close ends with its own line, with or without an index, and not with OK") {
  for (const char* line : {"0, CLOSE OK", "0,CLOSE OK", "CLOSE OK"}) {
    Course course(Ending::CloseOk);
    CHECK(course.line("OK") == Verdict::Foreign);
    CHECK(course.line("0, CLOSED") == Verdict::Foreign);
    CHECK(course.line(line) == Verdict::Done);
  }
}

TEST_CASE("a deactivation ends with DEACT OK") {
  Course course(Ending::DeactOk);
  CHECK(course.line("+PDP DEACT") == Verdict::Foreign);
  CHECK(course.line("DEACT OK") == Verdict::Done);
}

TEST_CASE("an address is a whole answer, without OK") {
  Course course(Ending::Address);
  CHECK(course.line("Call Ready") == Verdict::Foreign);
  CHECK(course.answer({"10.1.2.3"})->lines == Lines{"10.1.2.3"});
}

TEST_CASE("a send: prompt, then its end, with or without an index") {
  for (const char* end : {"SEND OK", "2,SEND OK", "2, SEND OK"}) {
    Course course(Ending::Send);
    CHECK_FALSE(course.exchange.promptSeen());
    CHECK(course.exchange.onToken(Token{Token::Kind::Prompt, {}}) == Verdict::SendPayload);
    CHECK(course.exchange.promptSeen());
    CHECK(course.line("+QIRDI: 0,1,2") == Verdict::Foreign);
    CHECK(course.line("OK") == Verdict::Foreign);
    CHECK(course.line(end) == Verdict::Done);
    CHECK(course.exchange.takeResult());
  }
}

TEST_CASE("a failed send took nothing and may be repeated") {
  for (const char* end : {"SEND FAIL", "2,SEND FAIL"}) {
    Course course(Ending::Send);
    CHECK(course.exchange.onToken(Token{Token::Kind::Prompt, {}}) == Verdict::SendPayload);
    const auto result = course.answer({end});
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == ErrorKind::Full);
  }
}

TEST_CASE("a read: header, block, OK") {
  Course course(Ending::Read);
  CHECK(course.line("+QIRDI: 0,1,3") == Verdict::Foreign);
  CHECK(course.line("+QIRD: 10.0.0.1:80,TCP,5") == Verdict::Block);
  CHECK(course.exchange.blockSize() == 5);
  CHECK(course.exchange.onToken(Token{Token::Kind::Block, bytesOf("he\r\nl")}) == Verdict::Taken);
  CHECK(course.line("OK") == Verdict::Done);
  CHECK(textOf(course.exchange.takeResult()->block) == "he\r\nl");
}

TEST_CASE("a read of nothing is a bare OK") {
  CHECK(Course(Ending::Read).answer({"OK"})->block.empty());
}

TEST_CASE("a header that announces more than a read can give, or none, is garbled") {
  for (const char* line : {"+QIRD: 10.0.0.1:80,TCP,1501", "+QIRD: 10.0.0.1:80,TCP,x",
                           "+QIRD: 10.0.0.1:80,TCP,", "+QIRD: 5", "+QIRD:", "+QIRD: 10.0.0.1:80,TCP,-1"}) {
    const auto result = Course(Ending::Read).answer({line});
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == ErrorKind::Garbled);
  }
}

namespace {

const Lines kList{"OK",
                  "STATE: IP PROCESSING",
                  R"(+QISTATE: 0,"TCP","10.0.0.1","80","CONNECTED")",
                  R"(+QISTATE: 1,"","","","INITIAL")",
                  R"(+QISTATE: 2,"","","","INITIAL")",
                  R"(+QISTATE: 3,"","","","INITIAL")",
                  R"(+QISTATE: 4,"","","","INITIAL")",
                  R"(+QISTATE: 5,"","","","INITIAL")"};

}  // namespace

TEST_CASE("the list of states with its second OK") {
  Course course(Ending::StateList);
  Lines list = kList;
  list.emplace_back("OK");
  const auto result = course.answer(list);
  REQUIRE(result);
  CHECK(result->lines == Lines(kList.begin() + 1, kList.end()));
}

TEST_CASE("the list of states without a second OK is complete after its sixth line") {
  Course course(Ending::StateList);
  for (std::size_t i = 0; i < kList.size(); ++i) {
    CHECK_FALSE(course.exchange.completeButForEnd());
    CHECK(course.line(kList.at(i)) == Verdict::Taken);
  }
  CHECK(course.exchange.completeButForEnd());
  course.exchange.finish();
  CHECK(course.exchange.takeResult()->lines.size() == 7);
}

TEST_CASE("a URC in the middle of the list of states is none of its lines") {
  Course course(Ending::StateList);
  CHECK(course.line("OK") == Verdict::Taken);
  CHECK(course.line("2, CLOSED") == Verdict::Foreign);
  CHECK(course.line("STATE: IP STATUS") == Verdict::Taken);
}

TEST_CASE("switching off ends with its own line or with OK") {
  CHECK(Course(Ending::PowerDown).answer({"NORMAL POWER DOWN"}));
  CHECK(Course(Ending::PowerDown).answer({"OK"}));
  CHECK(Course(Ending::PowerDown).line("Call Ready") == Verdict::Foreign);
}

TEST_CASE("an answer of many lines is cut, not kept without bound") {
  Course course(Ending::Ok, "*");
  for (std::size_t i = 0; i < 3 * Reply::kMaxLines; ++i) CHECK(course.line("line") == Verdict::Taken);
  CHECK(course.line("OK") == Verdict::Done);
  CHECK(course.exchange.takeResult()->lines.size() == Reply::kMaxLines);
}

TEST_CASE("a cut line is of no command") {
  Course course(Ending::Ok, "*");
  const std::string text(512, 'a');
  CHECK(course.exchange.onToken(Token{Token::Kind::Overlong, bytesOf(text)}) == Verdict::Foreign);
}
