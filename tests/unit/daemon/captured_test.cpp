#include "qimux/daemon/captured.hpp"

#include "qimux/async/virtual_loop.hpp"
#include "support/catch.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

using namespace qimux;
using namespace qimux::daemon;
using namespace std::chrono_literals;

namespace {

std::string captureText(const std::string& name) {
  std::ifstream file(std::string(QIMUX_SOURCE_DIR) + "/tests/captures/" + name + ".capture");
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

unsigned lineOf(const std::string& text, std::size_t at) {
  return 1 + static_cast<unsigned>(
                 std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
}

struct Outcome {
  std::optional<capture::Divergence> divergence;
  capture::Replay::Figures figures;
};

Outcome replayed(const std::string& text, async::Duration until = async::Duration::max()) {
  const auto capture = capture::parseCapture(text);
  REQUIRE(capture);
  auto options = replayOptions(capture->head);
  REQUIRE(options);
  options->until = until;
  const auto replay = capture::Replay::create(*capture, *options);
  Outcome outcome;
  outcome.divergence = replay->run();
  outcome.figures = replay->figures();
  return outcome;
}

// All lines but those whose record is of that kind.
std::string without(const std::string& text, const std::string& kind) {
  std::stringstream in(text);
  std::string out;
  for (std::string line; std::getline(in, line);) {
    if (!line.ends_with(" " + kind)) out += line + "\n";
  }
  return out;
}

Config configWithSecrets() {
  const auto config = parseConfig(R"(
[module]
apn = "corp.apn.example"
user = "somebody"
password = "pa55word"
pin = "47110815"
reset = "command:/usr/bin/relay --key k3y"
[hooks]
on_up = "/usr/bin/notify --token t0ken-up"
on_down = "/usr/bin/notify --token t0ken-down"
[dns]
upstream = "93.184.216.34"
[[keepalive.probe]]
port = 1883
payload_hex = "536543526574"
[[listen]]
protocol = "tcp"
port = 2020
to = "192.168.77.9:8080"
[[policy]]
action = "deny"
to = "198.51.100.0/24"
protocol = "tcp"
)",
                                  "test");
  REQUIRE(config);
  return *config;
}

const std::vector<std::string> kSecrets{"corp.apn",      "somebody",     "pa55word",   "47110815",
                                        "93.184.216.34", "536543526574", "192.168.77", "198.51.100",
                                        "k3y",           "t0ken-up",     "t0ken-down"};

}  // namespace

TEST_CASE("sessions of the laboratory replay without a turn of our own") {
  for (const auto* name : {"session", "pdp-deact", "lost-send-ok"}) {
    const auto outcome = replayed(captureText(name));
    CHECK_FALSE(outcome.divergence);
    CHECK(outcome.figures.unrecorded == 0);
    CHECK(outcome.figures.outputs > 90);
  }
}

TEST_CASE("a session replays as well where the capture says nothing of the loop's turns") {
  for (const auto* name : {"session", "pdp-deact", "lost-send-ok"}) {
    for (const auto* kind : {"timer", "ready"}) {
      const auto outcome = replayed(without(captureText(name), kind));
      CHECK_FALSE(outcome.divergence);
      CHECK(outcome.figures.unrecorded > 0);
    }
  }
}

TEST_CASE("a command that the cores do not give is found in its line") {
  auto text = captureText("session");
  const auto at = text.find("AT+QIRD=0,1,0,1500");
  REQUIRE(at != std::string::npos);
  text.replace(at, 18, "AT+QIRD=0,1,0,1400");
  const auto outcome = replayed(text);
  REQUIRE(outcome.divergence);
  CHECK(outcome.divergence->line == lineOf(text, at));
  CHECK(outcome.divergence->channel == "port>");
  CHECK(outcome.divergence->expected == R"("AT+QIRD=0,1,0,1400\r")");
  CHECK(outcome.divergence->got == R"("AT+QIRD=0,1,0,1500\r")");
}

TEST_CASE("a command that is not in the capture is found, and one that is missing in the cores") {
  const auto text = captureText("session");
  const auto begin = text.rfind('\n', text.find("port> \"AT+QIRD=0,1,0,1500")) + 1;
  const auto line = text.substr(begin, text.find('\n', begin) + 1 - begin);
  auto doubled = text;
  doubled.insert(begin, line);
  CHECK(replayed(doubled).divergence);
  auto lacking = text;
  lacking.erase(begin, line.size());
  const auto outcome = replayed(lacking);
  REQUIRE(outcome.divergence);
  CHECK(outcome.divergence->got == R"("AT+QIRD=0,1,0,1500\r")");
}

TEST_CASE("another answer of the module makes another session") {
  auto text = captureText("session");
  const auto at = text.find("SEND OK");
  REQUIRE(at != std::string::npos);
  text.replace(at, 7, "SEND NO");
  CHECK(replayed(text).divergence);
}

TEST_CASE("a packet that differs in one bit is found") {
  auto text = captureText("session");
  const auto at = text.find("outer> 45") + 7 + 2 * 45;
  text[at] = text[at] == '0' ? '1' : '0';
  const auto outcome = replayed(text);
  REQUIRE(outcome.divergence);
  CHECK(outcome.divergence->line == lineOf(text, at));
  CHECK(outcome.divergence->channel == "outer>");
}

TEST_CASE("another configuration is another daemon") {
  auto text = captureText("session");
  const auto at = text.find("config acknowledge = \"remote\"");
  REQUIRE(at != std::string::npos);
  text.replace(at, 29, "config acknowledge = \"local\"");
  CHECK(replayed(text).divergence);
}

TEST_CASE("a replay may end before what differs") {
  auto text = captureText("pdp-deact");
  const auto at = text.rfind("AT+QIDEACT");
  text.replace(at, 10, "AT+QIDEXXX");
  CHECK(replayed(text).divergence);
  CHECK_FALSE(replayed(text, 1s).divergence);
}

TEST_CASE("a capture that was cut off replays up to there") {
  const auto text = captureText("pdp-deact");
  for (std::size_t size = text.find("begin\n") + 6; size < text.size(); size += 997) {
    CHECK_FALSE(replayed(text.substr(0, size)).divergence);
    // At its limit it ends with a whole line, in the middle of a moment all the same.
    const auto lines = text.substr(0, text.rfind('\n', size) + 1);
    CHECK_FALSE(replayed(lines + "99.000000 end \"limit\"\n").divergence);
  }
}

TEST_CASE("the head of a capture holds no secret, and the configuration in it can be used") {
  const auto config = configWithSecrets();
  capture::Surroundings surroundings;
  surroundings.network = config.tun.address;
  surroundings.gateway = config.tun.gateway();
  capture::StandIns stand_ins(surroundings);
  const auto shown = capturedConfig(config, &stand_ins);
  for (const auto& secret : kSecrets) {
    INFO(secret);
    CHECK(shown.find(secret) == std::string::npos);
  }
  const auto back = parseConfig(shown, "capture");
  REQUIRE(back);
  CHECK(back->module.pin == "0000");
  CHECK(back->module.password == "***");
  CHECK(back->module.reset.command == std::vector<std::string>{"/usr/bin/relay"});
  CHECK(back->hooks.on_up == std::vector<std::string>{"/usr/bin/notify"});
  CHECK(back->keepalive.probes.at(0).payload.size() == 6);
  CHECK(back->dns.upstream->address == stand_ins.address(config.dns.upstream->address));
}

TEST_CASE("the head of a capture of everything is the configuration") {
  const auto config = configWithSecrets();
  const auto shown = capturedConfig(config, nullptr);
  for (const auto& secret : kSecrets) {
    INFO(secret);
    CHECK(shown.find(secret) != std::string::npos);
  }
  CHECK(parseConfig(shown, "capture") == config);
}

TEST_CASE("rules about destinations speak of their stand-ins in a replay") {
  const auto config = configWithSecrets();
  const std::string text =
      "qimux-capture 1\nclock 1\nbegin\n0.000000 rules 3325256705 \"1\"\n0.000000 rules 3325256706 \"2,1\"\n";
  const auto capture = capture::parseCapture(text);
  REQUIRE(capture);
  const auto rules = capture::replayPolicy(*capture, config.policy);
  REQUIRE(rules.size() == 2);
  CHECK(rules[0].to == net::Cidr{3325256705, 32});
  CHECK(rules[1].to == net::Cidr{3325256706, 32});
  CHECK(rules[1].protocol == config.policy[0].protocol);
}

TEST_CASE("a tap is opened with the limit and the content that were asked for") {
  char name[] = "/tmp/qimux-captured-XXXXXX";
  const std::string directory = ::mkdtemp(name);
  async::VirtualLoop loop;
  for (const bool everything : {false, true}) {
    CaptureOptions options;
    options.file = directory + "/a";
    options.everything = everything;
    const auto tap = openTap(loop, configWithSecrets(), options);
    REQUIRE(tap);
    const auto capture = capture::readCapture(options.file);
    REQUIRE(capture);
    CHECK(capture->head.everything == everything);
    CHECK((capture->head.config.find("47110815") != std::string::npos) == everything);
    CHECK(replayOptions(capture->head));
  }
  CHECK_FALSE(openTap(loop, Config{}, CaptureOptions{.file = directory + "/no/such"}));
  std::filesystem::remove_all(directory);
}
