#include "qimux/ctl/command.hpp"

#include "fake_daemon.hpp"
#include "support/catch.hpp"

#include <string>

using namespace qimux::ctl;
using namespace qimux::ctl::test;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view kWatch = R"({"verb":"watch"})";

Command commandFor(const std::string& socket, std::string verb, std::string argument = {}) {
  Command command;
  command.socket = socket;
  command.verb = std::move(verb);
  command.argument = std::move(argument);
  return command;
}

// What a daemon is asked by `verb`, and what comes out of its `result`.
struct Trial {
  Trial(std::string verb, std::string argument, const std::string& answer, bool json = false) {
    const FakeDaemon daemon([this, &answer](const std::string& seen) {
      request = seen;
      return answer + "\n";
    });
    Command command = commandFor(daemon.path, std::move(verb), std::move(argument));
    command.json = json;
    code = run(command, console);
  }
  std::string request;
  FakeConsole console;
  ExitCode code = kUsage;
};

}  // namespace

TEST_CASE("each verb asks for what it says, and shows it") {
  const Trial status("status", "", R"({"ok":true,"result":{"link":"online"}})");
  CHECK(status.request == R"({"verb":"status"})");
  CHECK(status.console.said.starts_with("link          online\n"));
  CHECK(status.code == kOk);
  const Trial sockets("sockets", "", R"({"ok":true,"result":{"sockets":[{"index":4}]}})");
  CHECK(sockets.console.said ==
        "# STATE PROT FLOW SENT ACKED RECV IDLE\n4 -     -    -       -     -    -    -\n");
  const Trial flows("flows", "", R"({"ok":true,"result":[]})");
  CHECK(flows.console.said.starts_with("PROT SOURCE"));
  const Trial stats("stats", "", R"({"ok":true,"result":{"a.b":1}})");
  CHECK(stats.console.said == "a\n  b  1\n");
  const Trial at("at", "AT+CSQ", R"({"ok":true,"result":{"lines":["+CSQ: 21,0"],"final":"OK"}})");
  CHECK(at.request == R"({"verb":"at","command":"AT+CSQ"})");
  CHECK(at.console.said == "+CSQ: 21,0\nOK\n");
  const Trial dns("dns", "example.org", R"({"ok":true,"result":{"addresses":["198.51.100.7"]}})");
  CHECK(dns.request == R"({"verb":"dns","name":"example.org"})");
  CHECK(dns.console.said == "198.51.100.7\n");
  const Trial ping("ping", "192.0.2.1", R"({"ok":true,"result":{"address":"192.0.2.1","time_ms":612}})");
  CHECK(ping.request == R"({"verb":"ping","address":"192.0.2.1"})");
  CHECK(ping.code == kOk);
  const Trial level("log-level", "", R"({"ok":true,"result":{"level":"info"}})");
  CHECK(level.request == R"({"verb":"log-level"})");
  CHECK(level.console.said == "info\n");
  const Trial set("log-level", "debug", R"({"ok":true,"result":{"level":"debug"}})");
  CHECK(set.request == R"({"verb":"log-level","level":"debug"})");
  const Trial version("version", "", R"({"ok":true,"result":{"version":"0.1.0"}})");
  CHECK(version.console.said == "qimuxd 0.1.0\n");
}

TEST_CASE("--json gives the result as it is, in ASCII") {
  const Trial trial("status", "", R"({"ok":true,"result":{"z":1,"a":[2.5,null],"operator":"é\u001b"}})",
                    true);
  CHECK(trial.console.said == "{\"z\":1,\"a\":[2.5,null],\"operator\":\"\\u00e9\\u001b\"}\n");
  CHECK(trial.code == kOk);
}

TEST_CASE("a no is 1, whether it is an error or an answer") {
  const Trial refused("at", "AT+CSQ", R"({"ok":false,"error":{"kind":"refused","message":"AT+CSQ: ERROR"}})");
  CHECK(refused.code == kNo);
  CHECK(refused.console.said.empty());
  CHECK(refused.console.complained == "qimuxctl: AT+CSQ: ERROR\n");
  const Trial none("dns", "example.org", R"({"ok":true,"result":{"name":"example.org","addresses":[]}})");
  CHECK(none.code == kNo);
  CHECK(none.console.said == "no address\n");
}

TEST_CASE("with --json what went wrong is JSON on the output, with the exit code") {
  const Trial refused("at", "AT+CSQ", R"({"ok":false,"error":{"kind":"refused","message":"AT+CSQ: ERROR"}})",
                      true);
  CHECK(refused.code == kNo);
  CHECK(refused.console.said == "{\"error\":{\"message\":\"AT+CSQ: ERROR\",\"exit_code\":1}}\n");
  CHECK(refused.console.complained.empty());
  FakeConsole console;
  Command command = commandFor("/tmp/no-such.sock", "status");
  command.json = true;
  CHECK(run(command, console) == kUnreachable);
  CHECK(console.said.starts_with("{\"error\":{\"message\":\"/tmp/no-such.sock: no such socket"));
  CHECK(console.said.ends_with("\"exit_code\":3}}\n"));
}

TEST_CASE("usage asks for what is wanted") {
  const Trial today("usage", "", R"({"ok":true,"result":{"by":"off","periods":[]}})");
  CHECK(today.request == R"({"verb":"usage"})");
  const Trial week("usage", "7d", R"({"ok":true,"result":{"by":"program","periods":[]}})");
  CHECK(week.request == R"({"verb":"usage","last":"7d"})");
  CHECK(week.console.said == "nothing yet\n");
}

TEST_CASE("no daemon is 3, and the reason is said") {
  FakeConsole console;
  CHECK(run(commandFor("/tmp/no-such.sock", "status"), console) == kUnreachable);
  CHECK(console.complained.starts_with("qimuxctl: /tmp/no-such.sock: no such socket: is qimuxd running"));
  const Trial garbled("status", "", "hello");
  CHECK(garbled.code == kUnreachable);
  CHECK(garbled.console.complained == "qimuxctl: \"hello\": no answer of a qimuxd\n");
  CHECK(run(commandFor("/tmp/no-such.sock", "monitor"), console) == kUnreachable);
}

TEST_CASE("an unknown verb is wrong usage") {
  FakeConsole console;
  CHECK(run(commandFor("/tmp/no-such.sock", "frobnicate"), console) == kUsage);
}

TEST_CASE("monitor: a line for each status where there is no terminal, until the daemon goes") {
  const FakeDaemon daemon(
      [](const std::string& request) {
        if (request != kWatch) return std::string();
        return std::string(R"({"ok":true,"result":{"link":"online"}})") + "\n" +
               R"({"ok":true,"result":{"link":"resync"}})" + "\n";
      },
      true);
  FakeConsole console;
  CHECK(run(commandFor(daemon.path, "monitor"), console) == kUnreachable);
  CHECK(console.said ==
        "online - - queue - unconfirmed - rx -/s tx -/s recoveries 0\n"
        "resync - - queue - unconfirmed - rx -/s tx -/s recoveries 0\n");
  CHECK(console.complained.find("has closed the connection") != std::string::npos);
  Command command = commandFor(daemon.path, "monitor");
  command.json = true;
  FakeConsole plain;
  plain.redraw = true;
  run(command, plain);
  CHECK(plain.said.starts_with("{\"link\":\"online\"}\n{\"link\":\"resync\"}\n{\"error\":{\"message\":"));
}

TEST_CASE("monitor: frames on a screen that is given back however it ends") {
  const FakeDaemon daemon(
      [](const std::string&) { return std::string(R"({"ok":true,"result":{"link":"online"}})") + "\n"; },
      true);
  FakeConsole console;
  console.redraw = true;
  CHECK(run(commandFor(daemon.path, "monitor"), console) == kUnreachable);
  CHECK(console.said == "[enter][leave]");
  REQUIRE(console.frames.size() == 1);
  CHECK(console.frames.front().starts_with("qimuxd -  online for -"));
}

TEST_CASE("monitor: the user ends it, and that is no failure") {
  const FakeDaemon daemon([](const std::string&) { return ""; });
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  REQUIRE(::write(ends[1], "x", 1) == 1);
  FakeConsole console;
  console.redraw = true;
  console.wake = ends[0];
  CHECK(run(commandFor(daemon.path, "monitor"), console) == kOk);
  // The first look found something else than a wish to stop: a window that changed its size.
  CHECK(console.asked == 2);
  CHECK(console.frames.empty());
  CHECK(console.complained.empty());
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("monitor: a daemon that has no place for it says no") {
  const Trial trial("monitor", "", R"({"ok":false,"error":{"kind":"full","message":"control: 16 clients"}})");
  CHECK(trial.code == kNo);
  CHECK(trial.console.complained == "qimuxctl: qimuxd: control: 16 clients\n");
}

TEST_CASE("wait-online: done as soon as the link is online") {
  const FakeDaemon daemon([](const std::string& request) {
    if (request != kWatch) return std::string();
    return std::string(R"({"ok":true,"result":{"link":"registering"}})") + "\n" +
           R"({"ok":true,"result":{"link":"online"}})" + "\n";
  });
  FakeConsole console;
  Command command = commandFor(daemon.path, "wait-online");
  CHECK(run(command, console) == kOk);
  command.timeout = 20s;
  CHECK(run(command, console) == kOk);
}

TEST_CASE("wait-online: no time is one look, and says what it saw") {
  const FakeDaemon daemon([](const std::string&) {
    return std::string(R"({"ok":true,"result":{"link":"registering"}})") + "\n";
  });
  FakeConsole console;
  Command command = commandFor(daemon.path, "wait-online");
  command.timeout = 0ms;
  CHECK(run(command, console) == kNo);
  CHECK(console.complained == "qimuxctl: not online in time; the link is registering\n");
}

TEST_CASE("wait-online: waits for the daemon to appear and to come back") {
  int connections = 0;
  const std::string path = socketPath();
  std::unique_ptr<FakeDaemon> daemon;
  std::thread later([&] {
    std::this_thread::sleep_for(50ms);
    daemon = std::make_unique<FakeDaemon>(
        [&connections](const std::string&) {
          return ++connections < 3 ? std::string()
                                   : std::string(R"({"ok":true,"result":{"link":"online"}})") + "\n";
        },
        true, path);
  });
  FakeConsole console;
  const ExitCode code = run(commandFor(path, "wait-online"), console);
  later.join();
  CHECK(code == kOk);
  CHECK(connections == 3);
}

TEST_CASE("wait-online: over without a daemon, and says so") {
  FakeConsole console;
  Command command = commandFor("/tmp/no-such.sock", "wait-online");
  command.timeout = 10ms;
  CHECK(run(command, console) == kNo);
  CHECK(console.complained.find("unknown: no such socket: is qimuxd running") != std::string::npos);
}

TEST_CASE("wait-online: something that is no qimuxd is not waited for") {
  const FakeDaemon daemon([](const std::string&) { return "220 mail ESMTP\n"; });
  FakeConsole console;
  CHECK(run(commandFor(daemon.path, "wait-online"), console) == kUnreachable);
}
