// That what tests claim to show is looked at.
#include "shown.hpp"

#include "points.hpp"
#include "qimux/sim/catalogue.hpp"
#include "qimux/sim/command.hpp"
#include "qimux/sim/program.hpp"
#include "qimux/sim/quirk.hpp"
#include "rig.hpp"
#include "support/catch.hpp"

#include <set>

using namespace qimux;
using namespace qimux::sim;
using namespace qimux::sim::test;

namespace {

// Whether `name` counts as shown after these lines of a transcript.
bool shows(std::initializer_list<std::string_view> lines, const std::string& name) {
  Shown::instance().forget();
  Witness witness;
  for (const auto line : lines) witness.line(line);
  const bool answered = Shown::instance().wasAnswered(name);
  Shown::instance().forget();
  return answered;
}

}  // namespace

TEST_CASE("a command is shown by a good last line, and by no other") {
  CHECK(shows({"    0.000000 -> AT+CSQ", "    0.005000 <- +CSQ: 22,0", "    0.005000 <- OK"}, "AT+CSQ"));
  CHECK(shows({"    0.000000 -> ATE0;+CSQ", "    0.005000 <- OK"}, "ATE"));
  CHECK(shows({"   10.000000 -> AT+QICLOSE=0", "   10.005000 <- 0, CLOSE OK"}, "AT+QICLOSE"));
  CHECK(shows({"    0.000000 -> AT+QILOCIP", "    0.005000 <- 10.180.217.206"}, "AT+QILOCIP"));
  CHECK(shows({"    0.000000 -> AT+QISEND=0,5", "    0.100000 -> \"hello\" (5 bytes)",
               "    0.100000 -- 0: 5 sent, 5 acknowledged", "    0.105000 <- SEND OK"},
              "AT+QISEND"));
  CHECK_FALSE(shows({"    0.000000 -> AT+CSQ", "    0.005000 <- +CSQ: 22,0"}, "AT+CSQ"));
  CHECK_FALSE(shows({"    0.000000 -> AT+CSQ", "    0.005000 <- ERROR", "    1.000000 <- OK"}, "AT+CSQ"));
  CHECK_FALSE(shows({"    0.000000 -> AT+CPIN?", "    0.005000 <- +CME ERROR: 10"}, "AT+CPIN"));
  CHECK_FALSE(shows({"    0.000000 -> AT+CSQ", "    0.005000 <- OK"}, "AT+CREG"));
  CHECK_FALSE(shows({"    0.000000 <- OK"}, "AT+CSQ"));
}

// Run by a test of its own, which expects it to fail the run.
TEST_CASE("a claim without an answer", "[.][lie][AT+QIOPEN]") {
  Rig rig;
  rig.say("ATE0");
  CHECK(rig.say("AT+QIOPEN=9") == "\r\nERROR\r\n");
}

TEST_CASE("the catalogue has every command that the simulator knows, once, and no other") {
  std::set<std::string> listed;
  for (const auto& command : catalogue()) {
    CAPTURE(command.name);
    CHECK(listed.insert(std::string(command.name)).second);
    CHECK_FALSE(command.what.empty());
    CHECK_FALSE(command.source.empty());
  }
  // No command of a line, and understood nevertheless.
  std::set<std::string> known{"+++"};
  for (const auto name : allCommands().names()) known.insert("AT" + std::string(name));
  CHECK(listed == known);
}

TEST_CASE("what --list-commands and --list-quirks print names everything, and where it was seen") {
  const std::string commands = listCommands();
  for (const auto& command : catalogue()) {
    CHECK(commands.find(std::string(command.name) + " ") != std::string::npos);
    CHECK(commands.find("(" + std::string(command.source) + ")\n") != std::string::npos);
  }
  const std::string list = listQuirks();
  for (const auto& quirk : quirks()) {
    CHECK(list.find(std::string(quirk.name) + " ") != std::string::npos);
    CHECK(list.find("seen: " + std::string(quirk.seen) + "\n") != std::string::npos);
    CHECK_FALSE(quirk.seen.empty());
  }
}

TEST_CASE("the points are numbered without a gap, and name no quirk that there is not") {
  int number = 0;
  for (const auto& point : points()) {
    CHECK(point.number == ++number);
    std::string_view rest = point.how;
    for (std::size_t at = 0; (at = rest.find('`')) != std::string_view::npos;) {
      const std::size_t end = rest.find('`', at + 1);
      REQUIRE(end != std::string_view::npos);
      const std::string_view word = rest.substr(at + 1, end - at - 1);
      CAPTURE(word);
      // Options, commands and faults are in backticks, too: those of more words or with a sign.
      const bool fault = std::ranges::any_of(
          faults(), [word](const auto& one) { return one.verb == word.substr(0, word.find(' ')); });
      CHECK((word.starts_with("--") || word.starts_with("AT") || fault || parseQuirk(word)));
      rest.remove_prefix(end + 1);
    }
  }
  CHECK(number == 24);
}
