#include "qimux/daemon/system_dns_run.hpp"

#include "qimux/base/file.hpp"
#include "qimux/base/log.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>

using namespace qimux;
using namespace qimux::daemon;
using namespace std::chrono_literals;

namespace {

// The only programs on PATH are those of the test, and what is logged is kept.
class Machine {
 public:
  Machine() {
    char name[] = "/tmp/qimux-tools-XXXXXX";
    path_ = ::mkdtemp(name);
    ::setenv("PATH", path_.c_str(), 1);
    log::setSink([this](log::Level, std::string_view message, log::Fields) {
      said += std::string(message) + "\n";
      return true;
    });
  }
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  ~Machine() {
    log::setSink({});
    ::setenv("PATH", before_.c_str(), 1);
    std::filesystem::remove_all(path_);
  }
  void install(const std::string& program, const std::string& script) const {
    REQUIRE(replaceFile(path_ + "/" + program, "#!/bin/sh\n" + script + "\n", 0755));
  }
  std::string said;

 private:
  std::string path_;
  const std::string before_ = std::getenv("PATH") != nullptr ? std::getenv("PATH") : "/usr/bin:/bin";
};

// In a network of its own nothing is asked of anybody.
bool ownNetwork() {
  std::error_code first, own;
  const auto one = std::filesystem::read_symlink("/proc/1/ns/net", first);
  return !first && one != std::filesystem::read_symlink("/proc/self/ns/net", own);
}

}  // namespace

TEST_CASE("tools that are slow together are not waited for, and that is said") {
  if (ownNetwork()) return;
  Machine machine;
  machine.install("resolvectl", "exec /bin/sleep 60");
  const auto begin = std::chrono::steady_clock::now();
  runSystemDns(Config{}, true, 100ms);
  CHECK(std::chrono::steady_clock::now() - begin < 20s);
  CHECK(machine.said == "system dns: the resolver's tools take too long together: apply is left half done\n");
}

TEST_CASE("a resolvconf that had to be killed is not taken for one that works") {
  if (ownNetwork()) return;
  Machine machine;
  machine.install("resolvconf", "exec /bin/sleep 60");
  runSystemDns(Config{}, true, 20s, 100ms);
  CHECK(machine.said.contains("resolvconf does not answer"));
  CHECK_FALSE(machine.said.contains("too long together"));
}
