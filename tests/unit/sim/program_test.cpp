// What a command line may say, and what is said to one that cannot be.
#include "qimux/sim/program.hpp"

#include "support/catch.hpp"

#include <fstream>
#include <limits>
#include <string>

using namespace qimux;
using namespace qimux::sim;
using namespace std::chrono_literals;

namespace {

std::string wrong(const ProgramOptions& options) {
  const auto checked = checkOptions(options);
  return checked ? "" : checked.error().text();
}

ProgramOptions plain() {
  ProgramOptions options;
  options.listen = "unix:/nowhere";
  return options;
}

// Option, value, and what it must be, all in one message.
bool says(const ProgramOptions& options, std::string_view option_and_value, std::string_view rule) {
  const std::string text = wrong(options);
  CAPTURE(text);
  CHECK(text.starts_with(option_and_value));
  CHECK(text.find(rule) != std::string::npos);
  return !text.empty();
}

}  // namespace

TEST_CASE("a duration is a finite number from 0 to a day") {
  CHECK(parseDuration("--rtt", "300", Unit::Millisecond) == async::Duration(300ms));
  CHECK(parseDuration("--boot-time", "1.5", Unit::Second) == async::Duration(1500ms));
  for (const char* value : {"nan", "inf", "1e300", "-1", "", "5x", "86400001"}) {
    CAPTURE(value);
    const auto parsed = parseDuration("--rtt", value, Unit::Millisecond);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().what == "--rtt " + std::string(value));
    CHECK(parsed.error().reply == "must be a number of ms, 0 to 86400000");
  }
}

TEST_CASE("a port is either a pseudo terminal or a listening socket") {
  ProgramOptions options;
  CHECK(wrong(options).find("--link or --listen") != std::string::npos);
  options.link = "/tmp/a";
  CHECK(wrong(options).empty());
  options.listen = "unix:/tmp/b";
  CHECK(wrong(options).find("not both") != std::string::npos);
}

TEST_CASE("numbers that cannot be are named, with what they must be") {
  auto options = plain();
  CHECK(wrong(options).empty());
  SECTION("loss") {
    options.module.loss = std::numeric_limits<double>::quiet_NaN();
    CHECK(says(options, "--loss nan", "0 to 1"));
    options.module.loss = 1.5;
    CHECK(says(options, "--loss 1.5", "0 to 1"));
  }
  SECTION("highest mode of AT+QINDI") {
    options.module.highest_indi = 7;
    CHECK(says(options, "--indi 7", "0, 1 or 2"));
    options.module.highest_indi = -3;
    CHECK(says(options, "--indi -3", "0, 1 or 2"));
  }
  SECTION("buffers") {
    options.module.receive_buffer = 0;
    CHECK(says(options, "--receive-buffer 0", "1 to 16777216"));
    options = plain();
    options.module.send_buffer = 0;
    CHECK(says(options, "--send-buffer 0", "1 to 16777216"));
  }
  SECTION("PIN") {
    for (const char* pin : {"12", "abcde", "123456789", "12 4"}) {
      options.module.pin = pin;
      CHECK(says(options, "--pin " + std::string(pin), "4 to 8 digits"));
    }
    options.module.pin = "12345678";
    CHECK(wrong(options).empty());
  }
}

TEST_CASE("a latency names a command that there is, and a least and a most in order") {
  auto options = plain();
  options.latencies = {"+cfun=500-3000", "+QIACT=100"};
  CHECK(wrong(options).empty());
  options.latencies = {"+FOO=100"};
  CHECK(says(options, "--latency +FOO=100", "--list-commands"));
  options.latencies = {"+QIACT=100-50"};
  CHECK(says(options, "--latency +QIACT=100-50", "MOST is less than LEAST"));
  options.latencies = {"+QIACT=x"};
  CHECK(says(options, "--latency +QIACT=x", "NAME=LEAST[-MOST]"));
  options.latencies.clear();
  options.ack_lag = "9-8";
  CHECK(says(options, "--ack-lag 9-8", "MOST is less than LEAST"));
}

TEST_CASE("far ends come in at an address of this machine") {
  auto options = plain();
  options.inbound = "127.0.0.1";
  CHECK(wrong(options).empty());
  options.inbound = "192.0.2.77";
  CHECK(says(options, "--inbound 192.0.2.77", "address of this machine"));
}

TEST_CASE("the list of quirks says which firmware has them") {
  const std::string list = listQuirks();
  const std::size_t at = list.find("\nhead-blank ");
  REQUIRE(at != std::string::npos);
  CHECK(list.find("of: note", at) < list.find("\nlistenning ", at));
  const std::size_t free = list.find("\nclosed-twice ");
  CHECK(list.find("of: ", free) > list.find("\nclosed-discards ", free));
}

TEST_CASE("the README's table of firmwares names the quirks of each, and no others") {
  std::ifstream file(QIMUX_SOURCE_DIR "/src/sim/README.md");
  int found = 0;
  for (std::string line; std::getline(file, line);) {
    for (const auto firmware : {Firmware::Note, Firmware::M95, Firmware::Mc60}) {
      // The cell of the name, and that of the quirks behind it.
      if (!line.starts_with("| `" + std::string(name(firmware)) + "` ")) continue;
      const std::size_t begin = line.find('|', 1);
      const std::string cell = line.substr(begin, line.find('|', begin + 1) - begin);
      if (cell.find('`') == std::string::npos) continue;
      ++found;
      for (const auto& quirk : quirks()) {
        CAPTURE(line, quirk.name);
        const bool named = cell.find("`" + std::string(quirk.name) + "`") != std::string::npos;
        CHECK(named == quirksOf(firmware).has(quirk.quirk));
      }
    }
  }
  CHECK(found == 3);
}
