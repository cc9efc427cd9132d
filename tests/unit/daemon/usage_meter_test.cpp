#include "qimux/daemon/usage_meter.hpp"

#include "qimux/async/virtual_loop.hpp"
#include "qimux/base/file.hpp"
#include "qimux/base/log.hpp"
#include "support/catch.hpp"

#include <nlohmann/json.hpp>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

using namespace qimux;
using namespace qimux::daemon;
using namespace std::chrono_literals;
using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

namespace {

struct Rig {
  Rig() {
    std::string pattern = "/tmp/qimux-usage-XXXXXX";
    directory = ::mkdtemp(pattern.data());
    options.file = directory + "/state/usage.json";
    options.today = [this] { return today; };
  }
  ~Rig() { fs::remove_all(directory); }
  void make() { meter = std::make_unique<UsageMeter>(loop, mux, gateway, options); }
  void count(std::uint64_t sent, std::uint64_t received, bridge::SessionId session = 7) const {
    meter->count({session, module::Protocol::Tcp, net::Endpoint{0xc6336401, 443}, sent, received});
  }
  Json day() const { return meter->report("")["periods"][0]; }
  std::string file() const { return readFile(options.file, 1 << 20).value_or("none"); }

  std::string directory;
  std::optional<Date> today = Date(std::chrono::year(2026), std::chrono::month(11), std::chrono::day(23));
  async::VirtualLoop loop;
  bridge::Multiplexer mux{loop, bridge::MultiplexerOptions()};
  bridge::Gateway gateway{
      loop, mux, bridge::Policy(std::vector<bridge::PolicyRule>{}), bridge::GatewayOptions(), {}};
  UsageOptions options;
  std::unique_ptr<UsageMeter> meter;
};

}  // namespace

TEST_CASE("by destination: address, port and protocol; look-ups of names are one of their own") {
  Rig rig;
  rig.make();
  rig.count(100, 0);
  rig.count(0, 900);
  rig.meter->count({0, module::Protocol::Udp, net::Endpoint{0, 53}, 29, 45});
  const Json report = rig.meter->report("");
  CHECK(report["by"] == "destination");
  CHECK(
      report["periods"][0].dump() ==
      R"({"period":"2026-11-23","sent":129,"received":945,"by":[)"
      R"({"name":"tcp 198.51.100.1:443","sent":100,"received":900},{"name":"names","sent":29,"received":45}]})");
  CHECK(report["periods"][1]["period"] == "2026-11");
}

TEST_CASE("the file is written ten minutes after something was counted, and not before or without") {
  Rig rig;
  rig.make();
  rig.loop.runFor(1h);
  CHECK(rig.file() == "none");
  rig.count(1, 2);
  rig.loop.runFor(9min);
  CHECK(rig.file() == "none");
  rig.loop.runFor(2min);
  CHECK(rig.file().contains(R"("tcp 198.51.100.1:443":[1,2])"));
  CHECK((fs::status(rig.options.file).permissions() & fs::perms::others_all) == fs::perms::none);
  fs::remove(rig.options.file);
  rig.loop.runFor(1h);
  CHECK(rig.file() == "none");
}

TEST_CASE("what was counted is written at the end, and goes on after a restart") {
  Rig rig;
  rig.make();
  rig.count(1, 2);
  rig.meter.reset();
  rig.make();
  rig.count(10, 20);
  CHECK(rig.day()["sent"] == 11);
  CHECK(rig.day()["received"] == 22);
}

TEST_CASE("a damaged file is moved aside, and counting begins anew") {
  Rig rig;
  fs::create_directories(rig.directory + "/state");
  std::ofstream(rig.options.file) << "{\"version\":1,\"unk";
  rig.make();
  rig.count(5, 5);
  CHECK(rig.day()["sent"] == 5);
  CHECK(readFile(rig.options.file + ".damaged", 100).value_or("") == "{\"version\":1,\"unk");
  rig.meter.reset();
  CHECK(rig.file().contains("[5,5]"));
}

TEST_CASE("a file that cannot be read is left alone: what is counted stays in memory") {
  Rig rig;
  fs::create_directories(rig.directory + "/state");
  // Not even root can: it leads to itself.
  fs::create_symlink("usage.json", rig.options.file);
  rig.make();
  rig.count(5, 5);
  CHECK(rig.day()["sent"] == 5);
  rig.loop.runFor(1h);
  rig.meter.reset();
  CHECK(fs::is_symlink(rig.options.file));
  CHECK(std::distance(fs::directory_iterator(rig.directory + "/state"), fs::directory_iterator()) == 1);
}

TEST_CASE("a file that is too large is moved aside, too") {
  Rig rig;
  fs::create_directories(rig.directory + "/state");
  std::ofstream(rig.options.file).flush();
  fs::resize_file(rig.options.file, 100 << 20);
  rig.make();
  CHECK(fs::file_size(rig.options.file + ".damaged") == 100 << 20);
  CHECK_FALSE(fs::exists(rig.options.file));
}

TEST_CASE("a clock that is set later: unknown, and then that day's") {
  Rig rig;
  rig.today.reset();
  rig.make();
  rig.count(5, 5);
  CHECK(rig.meter->report("")["periods"].size() == 1);
  CHECK(rig.day()["period"] == "unknown");
  rig.today = Date(std::chrono::year(2026), std::chrono::month(11), std::chrono::day(24));
  rig.count(1, 1);
  CHECK(rig.day()["period"] == "2026-11-24");
  CHECK(rig.day()["sent"] == 6);
}

TEST_CASE("what could not be written is tried again, with nothing new, at the next beat and at the end") {
  Rig rig;
  std::ofstream(rig.directory + "/state") << "no directory";
  rig.make();
  rig.count(5, 5);
  rig.loop.runFor(11min);
  fs::remove(rig.directory + "/state");
  rig.loop.runFor(10min);
  CHECK(rig.file().contains("[5,5]"));
  fs::rename(rig.directory + "/state", rig.directory + "/away");
  std::ofstream(rig.directory + "/state") << "no directory";
  rig.count(1, 1);
  rig.loop.runFor(11min);
  fs::remove(rig.directory + "/state");
  rig.meter.reset();
  CHECK(rig.file().contains("[6,6]"));
}

TEST_CASE("while nothing can be written there is one warning, and another when it fails again later") {
  Rig rig;
  std::vector<std::string> said;
  log::setSink([&said](log::Level level, std::string_view message, log::Fields) {
    if (level == log::Level::Warning) said.emplace_back(message);
    return true;
  });
  for (std::size_t time = 1; time <= 2; ++time) {
    fs::remove_all(rig.directory + "/state");
    std::ofstream(rig.directory + "/state") << "no directory";
    if (!rig.meter) rig.make();
    rig.count(5, 5);
    rig.loop.runFor(24h);
    CHECK(said.size() == time);
    fs::remove(rig.directory + "/state");
    rig.loop.runFor(1h);
    CHECK(fs::exists(rig.options.file));
  }
  log::setSink({});
}

TEST_CASE("what a loss of power has left half written is removed, and nothing else") {
  Rig rig;
  fs::create_directories(rig.directory + "/state");
  REQUIRE(replaceFile(rig.options.file, Usage().save(), 0600));
  const std::string others[] = {"usage.json.backup", "usage.json.new-a0Zz9", "usage.json.new-a0Zz9_",
                                "usage-gsm1.json.new-a0Zz9Q", "usage.json.damaged"};
  for (const auto& name : others) std::ofstream(rig.directory + "/state/" + name) << "x";
  const std::string left = rig.options.file + ".new-a0Zz9Q";
  std::ofstream(left) << "x";
  rig.make();
  CHECK_FALSE(fs::exists(left));
  CHECK(fs::exists(rig.options.file));
  for (const auto& name : others) CHECK(fs::exists(rig.directory + "/state/" + name));
}

TEST_CASE("off: nothing is counted or written") {
  Rig rig;
  rig.options.by = UsageBy::Off;
  rig.make();
  CHECK(rig.meter->report("")["by"] == "off");
  rig.meter.reset();
  CHECK(rig.file() == "none");
}

TEST_CASE("by program: a session that no flow has is unknown") {
  Rig rig;
  rig.options.by = UsageBy::Program;
  rig.make();
  for (bridge::SessionId session = 1; session < 2000; ++session) rig.count(1, 0, session);
  CHECK(rig.day()["by"].dump() == R"([{"name":"unknown","sent":1999,"received":0}])");
}

TEST_CASE("the machine's own date is believed, or is none") {
  const auto date = todaysDate();
  if (date) CHECK(date->ok());
}

TEST_CASE("an interface of another name has a file of its own") {
  ::setenv("STATE_DIRECTORY", "/tmp/qimux-state", 1);
  Config config;
  CHECK(usageOptions(config).file == "/tmp/qimux-state/usage.json");
  config.tun.name = "gsm1";
  config.usage.by = UsageBy::Program;
  CHECK(usageOptions(config).file == "/tmp/qimux-state/usage-gsm1.json");
  CHECK(usageOptions(config).by == UsageBy::Program);
  ::unsetenv("STATE_DIRECTORY");
}
