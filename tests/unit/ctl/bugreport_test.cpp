#include "qimux/ctl/bugreport.hpp"

#include "fake_daemon.hpp"
#include "qimux/ctl/command.hpp"
#include "support/catch.hpp"

#include <nlohmann/json.hpp>

using namespace qimux::ctl;
using namespace qimux::ctl::test;

TEST_CASE("user, password, PIN and probes are never shown") {
  CHECK(withoutSecrets("[module]\napn = \"internet\"\nuser = \"me\"\npassword = \"***\"\npin = \"1234\"\n"
                       "\n[[keepalive.probe]]\nport = 1883\npayload_hex = \"c000\"\n") ==
        "[module]\napn = \"internet\"\nuser = \"***\"\npassword = \"***\"\npin = \"***\"\n"
        "\n[[keepalive.probe]]\nport = 1883\npayload_hex = \"***\"\n");
  CHECK(withoutSecrets("user = \"\"\n") == "user = \"\"\n");
}

TEST_CASE("of a command only the program is shown: a token may be among its arguments") {
  CHECK(withoutSecrets(
            "[module]\nreset = \"command:/usr/bin/relay --key s3cret\"\n"
            "[hooks]\non_up = \"/usr/bin/notify --token s3cret up\"\non_down = \"/usr/bin/notify\"\n") ==
        "[module]\nreset = \"command:/usr/bin/relay ***\"\n"
        "[hooks]\non_up = \"/usr/bin/notify ***\"\non_down = \"/usr/bin/notify\"\n");
  CHECK(withoutSecrets("reset = \"gpio:gpiochip0:17\"\non_up = \"\"\non_down") ==
        "reset = \"gpio:gpiochip0:17\"\non_up = \"\"\non_down\n");
}

TEST_CASE("a section for each part") {
  const Json report = Json::parse(R"({"versions":{"a":1},"journal":"one\ntwo"})");
  CHECK(renderReport(report) == "== versions\n{\n  \"a\": 1\n}\n\n== journal\none\ntwo\n");
}

TEST_CASE("a report without a daemon, and with one that knows whom it talks to") {
  FakeConsole console;
  Command command;
  command.verb = "bugreport";
  command.json = true;
  command.socket = "/tmp/no-such.sock";
  CHECK(run(command, console) == kOk);
  const Json down = Json::parse(console.said);
  CHECK(down["status"]["error"].get<std::string>().contains("no such socket"));
  for (const char* part :
       {"versions", "configuration", "flows", "stats", "recoveries", "usage", "doctor", "journal"})
    CHECK(down.contains(part));

  const FakeDaemon daemon([](const std::string&) {
    return std::string(R"({"ok":true,"result":{"link":"online","module":{"imei":"490154203237518"},)") +
           R"("sockets":[{"remote":"198.51.100.7:443"}]}})" + "\n";
  });
  command.socket = daemon.path;
  FakeConsole hidden;
  CHECK(run(command, hidden) == kOk);
  CHECK_FALSE(hidden.said.contains("490154203237518"));
  CHECK_FALSE(hidden.said.contains("198.51.100.7"));
  CHECK(hidden.said.contains("<address-1>:443"));
  command.personal_data = true;
  command.json = false;
  FakeConsole shown;
  CHECK(run(command, shown) == kOk);
  CHECK(shown.said.contains("490154203237518"));
  CHECK(shown.said.contains("198.51.100.7:443"));
}
