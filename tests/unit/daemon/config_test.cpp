#include "qimux/daemon/config.hpp"

#include "support/catch.hpp"

#include <fmt/format.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

using namespace qimux;
using namespace qimux::daemon;
using namespace std::chrono_literals;

namespace {

Config parsed(std::string_view toml) {
  auto config = parseConfig(toml, "test.toml");
  if (!config) FAIL(config.error().front().text());
  return *config;
}

std::vector<std::string> errorsOf(std::string_view toml) {
  const auto config = parseConfig(toml, "test.toml");
  std::vector<std::string> texts;
  if (!config) {
    for (const ConfigError& error : config.error()) texts.push_back(error.text());
  }
  return texts;
}

// The one error of a file.
std::string errorOf(std::string_view toml) {
  const auto errors = errorsOf(toml);
  if (errors.size() != 1) return fmt::format("{} errors", errors.size());
  return errors.front();
}

std::string slurp(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = "/tmp/qimux-config-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  std::string write(const std::string& name, std::string_view text) const {
    std::ofstream(path_ + "/" + name) << text;
    return path_ + "/" + name;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

TEST_CASE("an empty file is the defaults") {
  CHECK(parsed("") == Config{});
  const Config config;
  CHECK(config.serial.device == "/dev/gsm0");
  CHECK(config.tun.gateway() == net::parseAddress("10.64.64.2").value());
  CHECK(config.keepalive.idle == 8min);
}

TEST_CASE("the example is the defaults, and has every key with its default") {
  const std::string example = slurp(QIMUX_SOURCE_DIR "/examples/qimuxd.toml");
  REQUIRE(example.size() > 1000);
  CHECK(parsed(example) == Config{});
  std::string section;
  for (const KeyDoc& doc : configKeys()) {
    CAPTURE(doc.key);
    const std::size_t dot = doc.key.rfind('.');
    const std::string key = doc.key.substr(dot + 1);
    const bool list = doc.key.starts_with("keepalive.probe") || doc.key.starts_with("listen") ||
                      doc.key.starts_with("policy");
    CHECK(example.find((list ? "# [[" : "\n[") + doc.key.substr(0, dot) + (list ? "]]" : "]")) !=
          std::string::npos);
    if (list) {
      CHECK((example.find("\n# " + key + " = ") != std::string::npos));
    } else {
      CHECK((example.find("\n" + key + " = " + doc.default_text + "\n") != std::string::npos));
    }
  }
}

TEST_CASE("the example's lists parse when their marks are taken away") {
  std::string example = slurp(QIMUX_SOURCE_DIR "/examples/qimuxd.toml");
  const auto uncomment = [&](const std::string& start) {
    for (std::size_t at = 0; (at = example.find("\n# " + start, at)) != std::string::npos;)
      example.erase(at + 1, 2);
  };
  for (const char* start : {"[[", "port = ", "payload_hex = ", "protocol = ", "to = ", "action = "})
    uncomment(start);
  const Config config = parsed(example);
  CHECK(config.keepalive.probes == std::vector<Probe>{{1883, {0xc0, 0}}});
  CHECK(config.listen.size() == 1);
  CHECK(config.policy.size() == 2);
}

TEST_CASE("every key can be set") {
  const Config config = parsed(R"(
[serial]
device = "/dev/ttyUSB0"
baud = 9600
flow_control = "rtscts"
on_missing = "exit"
[module]
apn = "internet"
user = "me"
password = "se cret"
pin = "1234"
context = 1
reset = "gpio:gpiochip0:17"
[tun]
name = "wwan7"
address = "192.0.2.5/24"
mtu = 576
routes = ["10.0.0.0/8", "192.0.2.1"]
metric = 4294967295
hold_offline = "0s"
[tcp]
acknowledge = "module"
[dns]
ttl = "2h"
cache = 0
upstream = "192.0.2.53"
system = "resolvconf"
[sockets]
connect_timeout = "1500ms"
connect_queue = 0
per_destination = 6
udp_idle = "1d"
half_close_linger = "0s"
[keepalive]
idle = "10s"
first_check = "1s"
interval = "2s"
attempts = 1
[[keepalive.probe]]
port = 1883
payload_hex = "C000"
[[keepalive.probe]]
port = 5683
payload_hex = "40000001"
[[listen]]
port = 2020
to = "127.0.0.1:8080"
[[listen]]
protocol = "udp"
port = 2020
to = "127.0.0.1:8080"
[[policy]]
action = "deny"
protocol = "udp"
to = "10.0.0.0/8"
port = 5353
[[policy]]
action = "allow"
port = "5000-5010"
[hooks]
on_up = "/usr/local/sbin/link  up"
on_down = "/bin/true"
[control]
socket = "/tmp/c.sock"
group = ""
[usage]
by = "program"
[shutdown]
drain = "1min"
)");
  Config expected;
  expected.serial = {"/dev/ttyUSB0", 9600, serial::FlowControl::RtsCts, OnMissing::Exit};
  expected.module = {"internet", "me", "se cret",
                     "1234",     1,    {serial::ResetSettings::Kind::Gpio, "gpiochip0", 17, {}}};
  expected.tun = {"wwan7", {0xc0000205, 24}, 576, {{0x0a000000, 8}, {0xc0000201, 32}}, 4294967295, 0s};
  expected.tcp = {Acknowledge::Module};
  expected.dns = {2h, 0, net::Endpoint{0xc0000235, 53}, SystemDns::Resolvconf};
  expected.hooks = {{"/usr/local/sbin/link", "up"}, {"/bin/true"}};
  expected.sockets = {1500ms, 0, 6, 24h, 0s};
  expected.keepalive = {10s, 1s, 2s, 1, {{1883, {0xc0, 0}}, {5683, {0x40, 0, 0, 1}}}};
  expected.listen = {{module::Protocol::Tcp, 2020, {0x7f000001, 8080}},
                     {module::Protocol::Udp, 2020, {0x7f000001, 8080}}};
  expected.policy = {{bridge::PolicyAction::Deny, bridge::PolicyProtocol::Udp, net::Cidr{0x0a000000, 8},
                      bridge::PortRange{5353, 5353}},
                     {bridge::PolicyAction::Allow, bridge::PolicyProtocol::Any, std::nullopt,
                      bridge::PortRange{5000, 5010}}};
  expected.control = {"/tmp/c.sock", ""};
  expected.usage = {UsageBy::Program};
  expected.shutdown = {1min};
  CHECK(config.serial == expected.serial);
  CHECK(config.module == expected.module);
  CHECK(config.tun == expected.tun);
  CHECK(config.dns == expected.dns);
  CHECK(config.hooks == expected.hooks);
  CHECK(config.sockets == expected.sockets);
  CHECK(config.keepalive == expected.keepalive);
  CHECK(config.listen == expected.listen);
  CHECK(config.policy == expected.policy);
  CHECK(config == expected);
}

TEST_CASE("an unknown key comes with the nearest known one") {
  CHECK(errorOf("[serial]\nbuad = 9600\n") ==
        "test.toml:2: serial.buad: is not known; did you mean \"baud\"?");
  CHECK(errorOf("[seral]\nbaud = 9600\n") == "test.toml:1: seral: is not known; did you mean \"serial\"?");
  CHECK(errorOf("[serial]\nflowcontrol = 1\n") ==
        "test.toml:2: serial.flowcontrol: is not known; did you mean \"flow_control\"?");
  CHECK(errorOf("[serial]\napn = \"x\"\n") ==
        "test.toml:2: serial.apn: is not known here; did you mean \"module.apn\"?");
  CHECK(errorOf("baud = 9600\n") == "test.toml:1: baud: is not known here; did you mean \"serial.baud\"?");
  CHECK(errorOf("[serial]\nzebra = 1\n") == "test.toml:2: serial.zebra: is not known; remove it");
  CHECK(errorOf("[xylophone]\n") == "test.toml:1: xylophone: is not known; remove it");
  CHECK(errorOf("[[keepalive.prob]]\nport = 1\n") ==
        "test.toml:1: keepalive.prob: is not known; did you mean \"probe\"?");
  CHECK(errorOf("[[listn]]\nport = 1\n") == "test.toml:1: listn: is not known; did you mean \"listen\"?");
  CHECK(errorOf("[[policy]]\naction = \"deny\"\nprot = 1\n") ==
        "test.toml:3: policy.prot: is not known; did you mean \"port\"?");
  CHECK(errorOf("[[policy]]\naction = \"deny\"\nzebra = 1\n") ==
        "test.toml:3: policy.zebra: is not known; choose one of action, protocol, to, port");
  CHECK(errorOf("\"keepalive.probe\" = []\n") == "test.toml:1: keepalive.probe: is not known; remove it");
  CHECK(errorOf("[serial]\n\"a\\u0007\" = 1\n") == "test.toml:2: serial.a\\x07: is not known; remove it");
  CHECK(errorOf("[serial]\n" + std::string(5000, 'z') + " = 1\n").ends_with("is not known; remove it"));
}

TEST_CASE("all errors come at once, in the order of the file") {
  const auto errors = errorsOf(R"([tun]
mtu = 9000
zebra = 1
[serial]
baud = "fast"
device = ""
[[policy]]
port = 70000
[dns]
ttl = 60
)");
  CHECK(errors ==
        std::vector<std::string>{
            "test.toml:2: tun.mtu: 9000 is too much: the module sends 1460 bytes at once, and 28 are headers "
            "of IP "
            "and UDP; choose 576 to 1488",
            "test.toml:3: tun.zebra: is not known; remove it",
            "test.toml:5: serial.baud: is a text; write a number of 1200 to 921600, without quotes",
            "test.toml:6: serial.device: is empty; write the serial device's path, like \"/dev/ttyUSB0\"",
            "test.toml:7: policy.action: is missing; add it",
            "test.toml:8: policy.port: 70000 is out of range; choose 1 to 65535",
            "test.toml:10: dns.ttl: a duration needs its unit; write \"60s\" for seconds",
        });
  const auto config = parseConfig("[tun]\n  mtu = 9000\n", "f");
  REQUIRE_FALSE(config);
  CHECK(config.error()[0].file == "f");
  CHECK(config.error()[0].key == "tun.mtu");
  CHECK(config.error()[0].line == 2);
  CHECK(config.error()[0].column == 9);
}

TEST_CASE("what is no TOML has one error with its place") {
  CHECK(errorOf("[serial]\nbaud = \n").starts_with("test.toml:2: is no TOML: "));
  CHECK(errorOf("[serial]\nbaud = 9600\nbaud = 9600\n").starts_with("test.toml:3: is no TOML: "));
  CHECK(errorOf("\xff\xfe").starts_with("test.toml:1: is no TOML: "));
  CHECK(errorOf("[serial]\ndevice = \"\"\"\n\"\"\"\n") ==
        "test.toml:2: is no TOML: no text here has several lines; use plain quotes");
  CHECK(errorOf("[serial]\ndevice = \'\'\'x\'\'\'\n") ==
        "test.toml:2: is no TOML: no text here has several lines; use plain quotes");
}

TEST_CASE("a file cannot nest until the stack ends") {
  std::string dots = "a";
  for (int i = 0; i < 30'000; ++i) dots += ".a";
  const std::string refusal = "test.toml:1: is no TOML: too many dots in keys; no key here has more than one";
  CHECK(errorOf("[" + dots + "]\n") == refusal);
  CHECK(errorOf(dots + " = 1\n") == refusal);
  CHECK(errorOf("x = [{" + dots + " = 1}]\n") == refusal);
  CHECK(errorOf("x = " + std::string(1'000, '[') + std::string(1'000, ']'))
            .starts_with("test.toml:1: is no TOML"));
  // Dots in texts and comments are no keys'.
  std::string many = "# " + dots.substr(0, 20'000) + "\n[tun]\nroutes = [";
  for (int i = 0; i < 500; ++i) many += "\"10.0.0.0/8\", '10.0.0.0/8', ";
  CHECK(parsed(many + "]\n").tun.routes.size() == 1000);
  CHECK(parsed("[module]\nuser = \"\\\\\"\npassword = \"a" + std::string(60, '.') + "\"\n").module.user ==
        "\\");
}

TEST_CASE("a file that is too large is refused") {
  CHECK(errorOf(std::string(kMaxConfigFile, '\n')) == "0 errors");
  CHECK(errorOf(std::string(kMaxConfigFile + 1, '\n')) ==
        "test.toml: is larger than 65536 bytes; is it the configuration?");
}

TEST_CASE("a section is no value and a list is a list of tables") {
  CHECK(errorOf("serial = 1\n") == "test.toml:1: serial: is a number; write a section, [serial]");
  CHECK(errorOf("[[serial]]\n") == "test.toml:1: serial: is a list; write a section, [serial]");
  CHECK(errorOf("[listen]\nport = 1\n") == "test.toml:1: listen: is a list of tables; write [[listen]]");
  CHECK(errorOf("listen = [1]\n") == "test.toml:1: listen: is a list of tables; write [[listen]]");
  CHECK(errorOf("[keepalive]\nprobe = true\n") ==
        "test.toml:2: keepalive.probe: is a list of tables; write [[keepalive.probe]]");
  CHECK(errorOf("[serial]\nbaud = 1.5\n").find("is a fraction; write a number") != std::string::npos);
  CHECK(errorOf("[serial]\nbaud = true\n").find("is true or false; write a number") != std::string::npos);
  CHECK(errorOf("[serial]\nbaud = 2024-02-29\n").find("is a date; write a number") != std::string::npos);
  CHECK(errorOf("[serial]\nbaud = {}\n").find("is a table; write a number") != std::string::npos);
  CHECK(errorOf("[serial]\ndevice = []\n").find("is a list; write a text in quotes") != std::string::npos);
}

TEST_CASE("keys of lists that must be there are missed") {
  CHECK(errorsOf("[[listen]]\n") == std::vector<std::string>{"test.toml:1: listen.port: is missing; add it",
                                                             "test.toml:1: listen.to: is missing; add it"});
  CHECK(
      errorOf("[[keepalive.probe]]\nport = 1\npayload_hex = \"c01b00\"\n") ==
      "test.toml:3: keepalive.probe.payload_hex: contains 1b (ESC), at which a module may end what it sends; "
      "choose another message");
  CHECK(errorsOf("[[keepalive.probe]]\nport = 1\n") ==
        std::vector<std::string>{"test.toml:1: keepalive.probe.payload_hex: is missing; add it"});
}

TEST_CASE("what could only be used once is there once") {
  const std::string probe = "[[keepalive.probe]]\nport = 1883\npayload_hex = \"c000\"\n";
  CHECK(errorOf(probe + probe) == "test.toml:4: keepalive.probe.port: 1883 is there twice; remove one");
  const std::string listen = "[[listen]]\nport = 80\nto = \"127.0.0.1:80\"\n";
  CHECK(errorOf(listen + listen) == "test.toml:4: listen.port: 80 is there twice; remove one");
  CHECK(errorsOf("[[listen]]\nport = 0\n[[listen]]\nport = 0\n").size() == 4);
}

TEST_CASE("the configuration prints itself as a file that means the same") {
  CHECK(parsed(describe(Config{})) == Config{});
  Config config;
  config.serial.device = "/dev/\"odd\\name\"";
  config.module.reset = {serial::ResetSettings::Kind::Command, {}, 0, {"/bin/reset", "--hard", "now"}};
  config.tun.routes = {};
  config.dns.upstream = net::Endpoint{0xc0000235, 5353};
  config.dns.system = SystemDns::Off;
  config.hooks = {{"/bin/echo", "a'b", "\"c\""}, {}};
  config.keepalive.idle = 90s;
  config.keepalive.probes = {{1883, {0xc0, 0}}};
  config.listen = {{module::Protocol::Udp, 7, {0x7f000001, 9}}};
  config.policy = {
      {bridge::PolicyAction::Deny, bridge::PolicyProtocol::Icmp, net::Cidr{0, 0}, std::nullopt},
      {bridge::PolicyAction::Allow, bridge::PolicyProtocol::Any, std::nullopt, bridge::PortRange{1, 2}}};
  CHECK(parsed(describe(config)) == config);
}

TEST_CASE("secrets are not printed") {
  Config config;
  CHECK(describe(config).find("***") == std::string::npos);
  config.module.password = "hunter2";
  config.module.pin = "4711";
  const std::string text = describe(config);
  CHECK(text.find("hunter2") == std::string::npos);
  CHECK(text.find("4711") == std::string::npos);
  CHECK(text.find("password = \"***\"\npin = \"***\"\n") != std::string::npos);
}

TEST_CASE("the table of keys is complete and says something of each") {
  const auto docs = configKeys();
  CHECK(docs.size() == 45);
  for (const KeyDoc& doc : docs) {
    CAPTURE(doc.key);
    CHECK_FALSE(doc.type.empty());
    CHECK(doc.help.ends_with("."));
    CHECK(std::ranges::count(docs, doc.key, &KeyDoc::key) == 1);
  }
  const auto find = [&](const std::string& key) { return *std::ranges::find(docs, key, &KeyDoc::key); };
  CHECK(find("keepalive.idle").default_text == "\"8min\"");
  CHECK(find("sockets.udp_idle").default_text == "\"300s\"");
  CHECK(find("tun.routes").default_text == "[\"0.0.0.0/0\"]");
  CHECK(find("listen.protocol").default_text == "\"tcp\"");
  CHECK(find("policy.action").default_text.empty());
  CHECK(find("policy.to").default_text.empty());
}

TEST_CASE("a file is loaded, and its errors carry its name") {
  const TemporaryDirectory directory;
  const auto good = loadConfig(directory.write("good.toml", "[serial]\nbaud = 9600\n"));
  REQUIRE(good);
  CHECK(good->serial.baud == 9600);
  const std::string bad = directory.write("bad.toml", "[serial]\nbaud = 9601\n");
  const auto errors = loadConfig(bad);
  REQUIRE_FALSE(errors);
  CHECK(errors.error().front().text().starts_with(
      bad + ":2: serial.baud: 9601 is no line rate; choose one of 1200, "));
}

TEST_CASE("a file that was asked for must be there and readable") {
  const TemporaryDirectory directory;
  const auto missing = loadConfig(directory.path() + "/none.toml");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().front().text() ==
        directory.path() +
            "/none.toml: cannot be read: No such file or directory; create it, or name another with "
            "--config");
  const auto not_a_file = loadConfig(directory.path());
  REQUIRE_FALSE(not_a_file);
  CHECK(not_a_file.error().front().text().find("Is a directory") != std::string::npos);
  const auto large = loadConfig(directory.write("large.toml", std::string(3 * kMaxConfigFile, '\n')));
  REQUIRE_FALSE(large);
  CHECK(large.error().front().text().find("is larger than") != std::string::npos);
}

TEST_CASE("without a default file the defaults are used") {
  if (access(std::string(kDefaultConfigFile).c_str(), F_OK) == 0) return;  // a machine that runs qimuxd
  const auto config = loadConfig(std::nullopt);
  REQUIRE(config);
  CHECK(*config == Config{});
}

TEST_CASE("a key can be set from the command line with the checks of the file") {
  Config config;
  CHECK(setConfigKey(config, "serial.device", "/dev/ttyS1") == std::nullopt);
  CHECK(setConfigKey(config, "tun.name", "gsm1") == std::nullopt);
  CHECK(config.serial.device == "/dev/ttyS1");
  CHECK(config.tun.name == "gsm1");
  CHECK(setConfigKey(config, "tun.name", "a/b").value().find("is no interface name") != std::string::npos);
  CHECK(config.tun.name == "gsm1");
  CHECK(setConfigKey(config, "tun.nam", "x").value() == "is no key of the configuration");
}
