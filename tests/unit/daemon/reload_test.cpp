#include "qimux/daemon/reload.hpp"

#include "support/catch.hpp"

using namespace qimux;
using namespace qimux::daemon;

namespace {

Config parsed(const char* toml) {
  auto config = parseConfig(toml, "qimuxd.toml");
  REQUIRE(config);
  return *config;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("the same configuration changes nothing") {
  const auto reload = compare(Config{}, parsed(""));
  CHECK_FALSE(reload.policy);
  CHECK_FALSE(reload.keepalive);
  CHECK(reload.applied.empty());
  CHECK(reload.restart.empty());
}

TEST_CASE("policy and keepalive take effect, with the probes") {
  const auto fresh = parsed(R"(
[keepalive]
idle = "2min"
[[keepalive.probe]]
port = 1883
payload_hex = "c000"
[[policy]]
action = "deny"
protocol = "udp"
)");
  const auto reload = compare(Config{}, fresh);
  CHECK(reload.policy);
  CHECK(reload.keepalive);
  CHECK(reload.applied == Names{"keepalive.idle", "keepalive.probe", "policy"});
  CHECK(reload.restart.empty());
  CHECK(merged(Config{}, fresh) == fresh);
}

TEST_CASE("hooks take effect") {
  const auto fresh = parsed("[hooks]\non_down = \"/bin/true\"\n");
  const auto reload = compare(Config{}, fresh);
  CHECK(reload.hooks);
  CHECK(reload.applied == Names{"hooks.on_down"});
  CHECK(reload.restart.empty());
  CHECK(merged(Config{}, fresh) == fresh);
}

TEST_CASE("a probe alone is a change of keepalive") {
  const auto reload = compare(Config{}, parsed("[[keepalive.probe]]\nport = 7\npayload_hex = \"00\"\n"));
  CHECK(reload.keepalive);
  CHECK_FALSE(reload.policy);
}

TEST_CASE("what is made at the start is named, and stays as it was") {
  const auto fresh = parsed(R"(
[serial]
baud = 9600
[module]
apn = "other"
pin = "1234"
[shutdown]
drain = "1s"
[[listen]]
protocol = "tcp"
port = 2020
to = "127.0.0.1:8080"
)");
  const auto reload = compare(Config{}, fresh);
  CHECK(reload.restart == Names{"serial.baud", "module.apn", "module.pin", "shutdown.drain", "listen"});
  CHECK(reload.applied.empty());
  CHECK(merged(Config{}, fresh) == Config{});
}
