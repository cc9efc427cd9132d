#include "qimux/ctl/metrics.hpp"

#include "fake_daemon.hpp"
#include "qimux/base/file.hpp"
#include "qimux/ctl/command.hpp"
#include "support/catch.hpp"

#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include <cctype>
#include <cstdlib>
#include <map>
#include <set>
#include <sstream>

using namespace qimux;
using namespace qimux::ctl;
using namespace qimux::ctl::test;

namespace {

const Json kStatus = Json::parse(
    R"({"link":"online","since_s":12.5,"address":"10.1.2.3","operator":"A \"B\" \\","rssi_dbm":-71,
  "registration":"home","queue":2,"unconfirmed_bytes":1460,"uptime_s":99,"version":"0.1.0","device":"/dev/gsm0",
  "module":{"model":"M95","revision":"M95FAR02A08"},"interface":{"name":"gsm7"},"trouble":null,
  "recoveries":{"resync":3,"restart":0},"losses":{"context":1},
  "sockets":[{"index":0,"state":"connected","sent":10,"acknowledged":8,"received":20,"idle_s":0.5},
             {"index":1,"state":"free","sent":0,"acknowledged":0,"received":0,"idle_s":0}]})");
const Json kStats =
    Json::parse(R"({"bytes.sent":100,"tables.tcp":7,"tables.udp":1,"odd-one.x y":5,"text":"no"})");

bool has(const std::string& text, const std::string& line) {
  return ("\n" + text).contains("\n" + line + "\n");
}

// The text format's grammar, as strictly as promtool's: each family once, with HELP and TYPE before its
// samples; names; label values whose quotes are closed; numbers.
void checkFormat(const std::string& text) {
  std::istringstream stream(text);
  std::set<std::string> families;
  std::string family;
  std::string type;
  CHECK(text.ends_with('\n'));
  for (std::string line; std::getline(stream, line);) {
    INFO(line);
    std::istringstream words(line);
    std::string hash, kind, name;
    if (line.starts_with("# HELP ")) {
      words >> hash >> kind >> family;
      CHECK(families.insert(family).second);
      continue;
    }
    if (line.starts_with("# TYPE ")) {
      words >> hash >> kind >> name >> type;
      CHECK(name == family);
      CHECK((type == "gauge" || type == "counter"));
      CHECK((type == "counter") == family.ends_with("_total"));
      continue;
    }
    CHECK(line.starts_with(family + "{"));
    CHECK(family.starts_with("qimuxd_"));
    bool quoted = false;
    std::size_t i = family.size();
    for (; i < line.size() && !(line[i] == '}' && !quoted); ++i) {
      if (quoted && line[i] == '\\') {
        ++i;
      } else if (line[i] == '"') {
        quoted = !quoted;
      }
    }
    REQUIRE(i + 2 < line.size());
    char* end = nullptr;
    std::strtod(line.c_str() + i + 2, &end);
    CHECK(*end == '\0');
  }
}

}  // namespace

TEST_CASE("metrics: names, types, labels and values") {
  const std::string text = renderMetrics(kStatus, kStats, "gsm0");
  checkFormat(text);
  CHECK(has(text, R"(qimuxd_up{interface="gsm7"} 1)"));
  CHECK(has(text, R"(qimuxd_online{interface="gsm7"} 1)"));
  CHECK(has(text, R"(qimuxd_link_state{interface="gsm7",state="online"} 1)"));
  CHECK(has(text, R"(qimuxd_link_state{interface="gsm7",state="sim"} 0)"));
  CHECK(has(text, R"(qimuxd_signal_dbm{interface="gsm7"} -71)"));
  CHECK(has(text, "# TYPE qimuxd_recoveries_total counter"));
  CHECK(has(text, R"(qimuxd_recoveries_total{interface="gsm7",step="resync"} 3)"));
  CHECK(has(text, R"(qimuxd_losses_total{interface="gsm7",cause="context"} 1)"));
  CHECK(has(text, R"(qimuxd_sockets{interface="gsm7",state="connected"} 1)"));
  CHECK(has(text, R"(qimuxd_socket_received_bytes{interface="gsm7",socket="0"} 20)"));
  CHECK(has(text, R"(qimuxd_table_entries{interface="gsm7",table="udp"} 1)"));
  CHECK(has(text, R"(qimuxd_bytes_sent_total{interface="gsm7"} 100)"));
  CHECK(has(text, R"(qimuxd_odd_one_x_y_total{interface="gsm7"} 5)"));
  CHECK(has(text, R"(qimuxd_trouble{interface="gsm7",trouble="none"} 0)"));
  CHECK_FALSE(text.contains("qimuxd_text"));
}

TEST_CASE("metrics: what a network says cannot end a label") {
  const std::string text = renderMetrics(kStatus, kStats, "gsm0");
  CHECK(text.contains(R"(operator="A \"B\" \\",)"));
  Json status = kStatus;
  status["operator"] = "a\nqimuxd_up 0\n\x1b";
  status["link"] = "new\"state";
  const std::string odd = renderMetrics(status, kStats, "gsm0");
  checkFormat(odd);
  CHECK(odd.contains("state=\"new\\\"state\"} 1"));
}

TEST_CASE("metrics: what is missing is left out") {
  const std::string text = renderMetrics(Json::object(), Json(), "gsm\"0");
  checkFormat(text);
  CHECK(has(text, R"(qimuxd_up{interface="gsm\"0"} 1)"));
  CHECK_FALSE(text.contains("signal"));
  CHECK(renderDown("gsm0") ==
        "# HELP qimuxd_up Whether the daemon answers.\n# TYPE qimuxd_up gauge\nqimuxd_up{interface=\"gsm0\"} "
        "0\n");
}

TEST_CASE("metrics: both questions, to the output or to a file") {
  const FakeDaemon daemon([](const std::string& request) {
    const Json& result = request.contains("stats") ? kStats : kStatus;
    return R"({"ok":true,"result":)" + result.dump() + "}\n";
  });
  Command command;
  command.verb = "metrics";
  command.socket = daemon.path;
  FakeConsole console;
  CHECK(run(command, console) == kOk);
  CHECK(console.said == renderMetrics(kStatus, kStats, "gsm0"));
  command.textfile = daemon.path + ".prom";
  FakeConsole silent;
  CHECK(run(command, silent) == kOk);
  CHECK(silent.said.empty());
  CHECK(readFile(command.textfile, 1 << 20).value_or("") == console.said);
  struct stat state{};
  REQUIRE(::stat(command.textfile.c_str(), &state) == 0);
  CHECK((state.st_mode & 0777) == 0644);
  // No daemon: the file says so, and does not stay what it was.
  command.socket = "/tmp/no-such.sock";
  CHECK(run(command, silent) == kUnreachable);
  CHECK(readFile(command.textfile, 1 << 20).value_or("") == renderDown("gsm0"));
  command.textfile = "/nonexistent/x.prom";
  command.socket = daemon.path;
  CHECK(run(command, silent) == kNo);
  ::unlink((daemon.path + ".prom").c_str());
}

TEST_CASE("metrics: a daemon that says no leaves no file of better times") {
  const FakeDaemon daemon([](const std::string&) {
    return R"({"ok":false,"error":{"kind":"full","message":"16 clients are connected already"}})"
           "\n";
  });
  Command command;
  command.verb = "metrics";
  command.socket = daemon.path;
  command.textfile = daemon.path + ".prom";
  REQUIRE(replaceFile(command.textfile, renderMetrics(kStatus, kStats, "gsm0"), 0644));
  FakeConsole console;
  CHECK(run(command, console) == kNo);
  CHECK(console.complained.contains("16 clients"));
  CHECK(readFile(command.textfile, 1 << 20).value_or("") == renderDown("gsm0"));
  ::unlink(command.textfile.c_str());
}
