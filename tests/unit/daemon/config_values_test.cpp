#include "qimux/daemon/config_values.hpp"

#include "support/catch.hpp"

using namespace qimux;
using namespace qimux::daemon;
using namespace std::chrono_literals;

namespace {

TomlValue textValue(std::string_view text) {
  TomlValue value;
  value.kind = TomlValue::Kind::String;
  value.text = text;
  return value;
}

TomlValue numberValue(std::int64_t number) {
  TomlValue value;
  value.kind = TomlValue::Kind::Integer;
  value.integer = number;
  return value;
}

std::string durationProblem(std::string_view text) {
  async::Duration out = 7s;
  const auto problem = readDuration(textValue(text), 1s, 24h, out);
  if (problem) CHECK(out == 7s);
  return problem.value_or("");
}

bool bad(const Problem& problem, std::string_view part) {
  CAPTURE(problem.value_or("(nothing)"));
  return problem && problem->find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("durations have a whole number and a unit") {
  const std::vector<std::pair<std::string_view, async::Duration>> good = {
      {"1000ms", 1s}, {"1500ms", 1500ms}, {"80s", 80s}, {"8min", 8min},
      {"2h", 2h},     {"1d", 24h},        {"007s", 7s}};
  for (const auto& [text, expected] : good) {
    CAPTURE(text);
    async::Duration out{};
    CHECK(readDuration(textValue(text), 1s, 24h, out) == std::nullopt);
    CHECK(out == expected);
  }
  CHECK(durationProblem("80") == "\"80\" has no unit; write \"80s\" for seconds");
  CHECK(durationProblem("8m") == "\"m\" could be minutes or milliseconds; write \"8min\" or \"8ms\"");
  CHECK(durationProblem("8 s") == "\" s\" is no unit of time; choose one of ms, s, min, h, d");
  CHECK(durationProblem("8sec") == "\"sec\" is no unit of time; choose one of ms, s, min, h, d");
  CHECK(durationProblem("1.5s") == "\".5s\" is no unit of time; choose one of ms, s, min, h, d");
  CHECK(durationProblem("s") == "\"s\" is no duration; write a whole number and its unit, like \"80s\"");
  CHECK(durationProblem("") == "\"\" is no duration; write a whole number and its unit, like \"80s\"");
  CHECK(durationProblem("-5s") == "\"-5s\" is no duration; write a whole number and its unit, like \"80s\"");
  CHECK(durationProblem("123456789s") ==
        "\"123456789s\" is no duration; write a whole number and its unit, like \"80s\"");
  CHECK(durationProblem("99999999d") == "\"99999999d\" is out of range; choose 1s to 24h");
  CHECK(durationProblem("999ms") == "\"999ms\" is out of range; choose 1s to 24h");
  CHECK(durationProblem("1\ns").starts_with("has a control character"));
}

TEST_CASE("a duration prints in the unit that was meant") {
  CHECK(durationText(60s) == "60s");
  CHECK(durationText(8min, DurationUnit::Minutes) == "8min");
  CHECK(durationText(90s, DurationUnit::Minutes) == "90s");
  CHECK(durationText(1500ms, DurationUnit::Hours) == "1500ms");
  CHECK(durationText(0s, DurationUnit::Seconds) == "0s");
}

TEST_CASE("numbers keep to their ranges, to the last one") {
  std::int64_t out = 3;
  CHECK(readInteger(numberValue(5), 5, 9, out) == std::nullopt);
  CHECK(out == 5);
  CHECK(readInteger(numberValue(9), 5, 9, out) == std::nullopt);
  CHECK(readInteger(numberValue(4), 5, 9, out) == "4 is out of range; choose 5 to 9");
  CHECK(readInteger(numberValue(10), 5, 9, out) == "10 is out of range; choose 5 to 9");
  CHECK(out == 9);
}

TEST_CASE("no text that reaches the module can end its line or its quotes") {
  std::string out = "old";
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text = std::string("a") + static_cast<char>(byte) + "b";
    const bool allowed = byte >= 0x20 && byte < 0x7f && byte != '"';
    CAPTURE(byte);
    CHECK(readModuleText(textValue(text), 10, out).has_value() != allowed);
    if (!allowed) CHECK(readPin(textValue(text), out).has_value());
  }
  CHECK(readModuleText(textValue("12345678901"), 10, out) == "is 11 characters long; the module takes 10");
  CHECK(bad(readModuleText(textValue("a\"b"), 10, out), "quote"));
  CHECK(bad(readModuleText(textValue("caf\xc3\xa9"), 10, out), "not ASCII"));
  CHECK(bad(readModuleText(textValue("a\x1a"), 10, out), "control character"));
}

TEST_CASE("a PIN has 4 to 8 digits") {
  std::string out;
  for (const char* good : {"", "1234", "12345678"}) CHECK(readPin(textValue(good), out) == std::nullopt);
  for (const char* wrong : {"123", "123456789", "12a4", "12 4", "-1234"}) {
    CHECK(bad(readPin(textValue(wrong), out), "is no PIN"));
  }
  // and the number itself is not repeated in the error
  CHECK(readPin(numberValue(1234), out) == "is a number; write its 4 to 8 digits in quotes");
  CHECK(readPin(textValue("123456789"), out).value().find("123456789") == std::string::npos);
}

TEST_CASE("line rates are those that modules have") {
  int baud = 0;
  for (const int good : {1200, 9600, 115200, 921600})
    CHECK(readBaud(numberValue(good), baud) == std::nullopt);
  CHECK(bad(readBaud(numberValue(115201), baud), "is no line rate"));
  CHECK(bad(readBaud(numberValue(300), baud), "is out of range"));
  CHECK(bad(readBaud(numberValue(1'000'000), baud), "is out of range"));
}

TEST_CASE("the MTU has room for what IP demands and not more than a QISEND") {
  int mtu = 0;
  CHECK(readMtu(numberValue(576), mtu) == std::nullopt);
  CHECK(readMtu(numberValue(1488), mtu) == std::nullopt);
  CHECK(mtu == 1488);
  CHECK(bad(readMtu(numberValue(575), mtu), "out of range"));
  CHECK(bad(readMtu(numberValue(1489), mtu), "1460 bytes at once"));
  CHECK(bad(readMtu(textValue("1488"), mtu), "without quotes"));
}

TEST_CASE("reset lines") {
  serial::ResetSettings out;
  for (const char* good : {"none", "dtr", "rts", "gpio:gpiochip0:17", "gpio:/dev/gpiochip1:0",
                           "command:/sbin/reset-modem", "command:/bin/sh -c x"}) {
    CAPTURE(good);
    CHECK(readReset(textValue(good), out) == std::nullopt);
    CHECK(text(out) == good);
  }
  CHECK(readReset(textValue("command:/bin/a   b  c "), out) == std::nullopt);
  CHECK(out.command == std::vector<std::string>{"/bin/a", "b", "c"});
  for (const char* wrong : {"gpio:", "gpio:chip", "gpio:chip:", "gpio::1", "gpio:chip:x", "gpio:chip:-1",
                            "gpio:chip:1024", "gpio:a/b:1", "gpio:/dev/:1", "gpio:/etc/x:1"}) {
    CAPTURE(wrong);
    CHECK(bad(readReset(textValue(wrong), out), "is no GPIO line"));
  }
  for (const char* wrong : {"command:", "command: ", "command:reset", "command:./reset"}) {
    CAPTURE(wrong);
    CHECK(bad(readReset(textValue(wrong), out), "whole path"));
  }
  for (const char* wrong : {"", "DTR", "dtr ", "cts", "gpio"}) {
    CAPTURE(wrong);
    CHECK(bad(readReset(textValue(wrong), out), "is no reset line"));
  }
  CHECK(bad(readReset(numberValue(1), out), "write a text"));
  CHECK(out.command.size() == 3);
}

TEST_CASE("interface names are the kernel's") {
  std::string out;
  for (const char* good : {"gsm0", "a", "wwan-7.2_x", "fifteen-letters"}) {
    CHECK(readInterfaceName(textValue(good), out) == std::nullopt);
  }
  for (const char* wrong :
       {"", "sixteen-letters!", "a/b", "a:b", "a b", ".", "..", "gsm%d", "caf\xc3\xa9", "-x"}) {
    CAPTURE(wrong);
    CHECK(bad(readInterfaceName(textValue(wrong), out), "is no interface name"));
  }
}

TEST_CASE("a command line is a whole path and words, or nothing") {
  std::vector<std::string> out{"old"};
  CHECK(bad(readCommandLine(textValue("link up"), out), "\"link\" names no program by its whole path"));
  CHECK(out == std::vector<std::string>{"old"});
  CHECK(readCommandLine(textValue("/bin/x  a 'b c' ;"), out) == std::nullopt);
  CHECK(out == std::vector<std::string>{"/bin/x", "a", "'b", "c'", ";"});
  CHECK(bad(readCommandLine(textValue("/bin/x\na"), out), "control character"));
  CHECK(readCommandLine(textValue(" "), out) == std::nullopt);
  CHECK(out.empty());
}

TEST_CASE("paths and groups") {
  std::string out;
  CHECK(readSocketPath(textValue("/run/" + std::string(102, 'x')), out) == std::nullopt);
  CHECK(bad(readSocketPath(textValue("/run/" + std::string(103, 'x')), out), "at most 107"));
  for (const char* wrong : {"", "run/x", "@abstract", "/run/"}) {
    CHECK(bad(readSocketPath(textValue(wrong), out), "no absolute path"));
  }
  for (const char* good : {"", "qimux", "www-data"}) CHECK(readGroup(textValue(good), out) == std::nullopt);
  for (const char* wrong : {"a b", "a:b", "012345678901234567890123456789abc"}) {
    CHECK(bad(readGroup(textValue(wrong), out), "is no group"));
  }
  CHECK(bad(readDevice(textValue(""), out), "is empty"));
  CHECK(bad(readDevice(textValue("/dev/x\n"), out), "control character"));
}

TEST_CASE("the interface's address leaves one for the gateway") {
  net::Cidr out;
  for (const char* good : {"10.64.64.1/30", "192.0.2.253/24", "10.0.0.1/8"}) {
    CAPTURE(good);
    CHECK(readTunAddress(textValue(good), out) == std::nullopt);
    CHECK(net::text(out) == good);
  }
  for (const char* wrong : {"10.64.64.1", "10.64.64/30", "10.64.64.1/33", "x", ""}) {
    CHECK(bad(readTunAddress(textValue(wrong), out), "is no address with a prefix"));
  }
  CHECK(bad(readTunAddress(textValue("10.64.64.1/31"), out), "choose /8 to /30"));
  CHECK(bad(readTunAddress(textValue("10.64.64.1/7"), out), "choose /8 to /30"));
  for (const char* wrong : {"10.64.64.0/30", "10.64.64.2/30", "10.64.64.3/30", "192.0.2.254/24"}) {
    CAPTURE(wrong);
    CHECK(bad(readTunAddress(textValue(wrong), out), "no next address"));
  }
}

TEST_CASE("networks and endpoints") {
  net::Cidr network;
  CHECK(bad(readNetwork(textValue("10.0.0.1/8"), network), "write \"10.0.0.0/8\""));
  CHECK(bad(readNetwork(textValue("example.com"), network), "is no network"));
  std::vector<net::Cidr> list{net::Cidr{}};
  TomlValue array;
  array.kind = TomlValue::Kind::Array;
  array.items = {textValue("10.0.0.0/8"), textValue("x")};
  CHECK(bad(readNetworks(array, list), "\"x\" is no network"));
  CHECK(list.size() == 1);
  CHECK(bad(readNetworks(textValue("10.0.0.0/8"), list), "write a list"));

  net::Endpoint endpoint;
  CHECK(readEndpoint(textValue("127.0.0.1:80"), endpoint) == std::nullopt);
  CHECK(endpoint == net::Endpoint{0x7f000001, 80});
  for (const char* wrong : {"127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "localhost:80",
                            ":80", "127.0.0.1:80 ", "127.0.0.1:+8"}) {
    CAPTURE(wrong);
    CHECK(bad(readEndpoint(textValue(wrong), endpoint), "is no address with a port"));
  }
  std::optional<net::Endpoint> upstream;
  CHECK(readUpstream(textValue("192.0.2.1:5353"), upstream) == std::nullopt);
  CHECK(upstream->port == 5353);
  CHECK(bad(readUpstream(textValue("dns.example"), upstream), "is no name server"));
  CHECK(readUpstream(textValue(""), upstream) == std::nullopt);
  CHECK_FALSE(upstream);
}

TEST_CASE("ports are one or a range") {
  bridge::PortRange out;
  CHECK(readPorts(numberValue(80), out) == std::nullopt);
  CHECK(out == bridge::PortRange{80, 80});
  CHECK(readPorts(textValue("80"), out) == std::nullopt);
  CHECK(readPorts(textValue("1-65535"), out) == std::nullopt);
  CHECK(out == bridge::PortRange{1, 65535});
  for (const char* wrong : {"", "-", "5-", "-5", "9-8", "0-5", "1-70000", "1-2-3", "a"}) {
    CAPTURE(wrong);
    CHECK(bad(readPorts(textValue(wrong), out), "is no range"));
  }
  CHECK(bad(readPorts(numberValue(0), out), "out of range"));
}

TEST_CASE("hexadecimal payloads fit one QISEND") {
  Bytes out;
  CHECK(readHex(textValue("c0FF00"), 3, out) == std::nullopt);
  CHECK(out == Bytes{0xc0, 0xff, 0});
  CHECK(bad(readHex(textValue("c0ff0000"), 3, out), "is 4 bytes long"));
  for (const char* wrong : {"", "c", "0xc0", "c0 00", "gg"})
    CHECK(bad(readHex(textValue(wrong), 3, out), "hexadecimal"));
}

TEST_CASE("a choice is one of its names") {
  const Choices<int> choices = {{"one", 1}, {"two", 2}};
  int out = 0;
  CHECK(readChoice(textValue("two"), choices, out) == std::nullopt);
  CHECK(out == 2);
  CHECK(readChoice(textValue("Two"), choices, out) == "\"Two\" is not known; choose \"one\" or \"two\"");
  CHECK(bad(readChoice(numberValue(1), choices, out), "write a text"));
}

TEST_CASE("the nearest name is near") {
  const std::vector<std::string_view> names = {"baud", "device", "flow_control"};
  CHECK(nearest("buad", names) == "baud");
  CHECK(nearest("baudd", names) == "baud");
  CHECK(nearest("bd", names) == std::nullopt);
  CHECK(nearest("devize", names) == "device");
  CHECK(nearest("flowcontrol", names) == "flow_control");
  CHECK(nearest("zebra", names) == std::nullopt);
  CHECK(nearest(std::string(65, 'a'), names) == std::nullopt);
}
