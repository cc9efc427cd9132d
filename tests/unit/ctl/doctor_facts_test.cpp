#include "qimux/base/file.hpp"
#include "qimux/ctl/doctor.hpp"
#include "support/catch.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

using namespace qimux;
using namespace qimux::ctl;

namespace {

// A directory that everybody may enter, and that is gone with the test.
class Place {
 public:
  Place() {
    char name[] = "/tmp/qimux-doctor-XXXXXX";
    path_ = ::mkdtemp(name);
    ::chmod(path_.c_str(), 0755);
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// An ordinary user for as long as it lives, where the test is root.
class Ordinary {
 public:
  Ordinary() { REQUIRE((!root_ || ::seteuid(65534) == 0)); }
  Ordinary(const Ordinary&) = delete;
  Ordinary& operator=(const Ordinary&) = delete;
  ~Ordinary() { CHECK((!root_ || ::seteuid(0) == 0)); }

 private:
  const bool root_ = ::geteuid() == 0;
};

Facts factsWith(const std::string& config) {
  return gatherFacts({"/tmp/no-such.sock", config, "gsm0"});
}

}  // namespace

TEST_CASE("a configuration that this user may not read is neither missing nor wrong") {
  const Place place;
  const std::string config = place / "qimuxd.toml";
  REQUIRE(replaceFile(config, "[module]\napn = \"internet\"\n", 0600));
  ::chmod(config.c_str(), ::geteuid() == 0 ? 0600 : 0);
  const Ordinary user;
  const Facts facts = factsWith(config);
  CHECK(facts.configuration_hidden);
  CHECK(facts.configuration_wrong.empty());
  CHECK_FALSE(facts.configuration_read);
  CHECK_FALSE(factsWith(place / "none.toml").configuration_hidden);
}

TEST_CASE("looking at the firewall does not make the kernel load one") {
  const Place place;
  const std::string asked = place / "asked";
  REQUIRE(replaceFile(place / "iptables-legacy", "#!/bin/sh\n>" + asked + "\n", 0755));
  const std::string path = std::getenv("PATH") != nullptr ? std::getenv("PATH") : "/usr/bin:/bin";
  ::setenv("PATH", ((place / "") + ":" + path).c_str(), 1);
  factsWith("/tmp/no-such.toml");
  ::setenv("PATH", path.c_str(), 1);
  // Where a table is in use already there is nothing to be loaded.
  const auto tables = readFile("/proc/net/ip_tables_names", 4096).value_or("");
  CHECK(std::filesystem::exists(asked) == ("\n" + tables).contains("\nfilter\n"));
}
