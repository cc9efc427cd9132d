#include "qimux/daemon/pin_file.hpp"

#include "support/catch.hpp"

#include <cstdlib>
#include <filesystem>
#include <string>

using namespace qimux;

namespace {

struct StateDirectory {
  StateDirectory() {
    std::string name = "/tmp/qimux-pin-XXXXXX";
    path = ::mkdtemp(name.data());
    ::setenv("STATE_DIRECTORY", path.c_str(), 1);
  }
  StateDirectory(const StateDirectory&) = delete;
  StateDirectory& operator=(const StateDirectory&) = delete;
  ~StateDirectory() {
    ::unsetenv("STATE_DIRECTORY");
    std::filesystem::remove_all(path);
  }
  std::filesystem::path path;
};

module::Settings withPin(std::string pin, const std::string& interface = "gsm0") {
  module::Settings settings;
  settings.pin = std::move(pin);
  daemon::rememberPin(settings, interface);
  return settings;
}

}  // namespace

TEST_CASE("a PIN that was refused is refused in the next life too; another one is not") {
  const StateDirectory state;
  const auto first = withPin("1234");
  CHECK_FALSE(first.pin_memory->refused);
  first.pin_memory->on_refused();
  CHECK(withPin("1234").pin_memory->refused);
  CHECK_FALSE(withPin("4321").pin_memory->refused);
  CHECK_FALSE(withPin("").pin_memory->refused);
}

TEST_CASE("two daemons that share a state directory have a mark each") {
  const StateDirectory state;
  withPin("1234").pin_memory->on_refused();
  CHECK_FALSE(withPin("1234", "gsm1").pin_memory->refused);
  withPin("9999", "gsm1").pin_memory->on_refused();
  CHECK(withPin("9999", "gsm1").pin_memory->refused);
  CHECK(withPin("1234").pin_memory->refused);
  CHECK(std::filesystem::exists(state.path / "refused-pin"));
  CHECK(std::filesystem::exists(state.path / "refused-pin-gsm1"));
}

TEST_CASE("the mark is replaced as a whole, and nobody else's to read") {
  const StateDirectory state;
  withPin("1234").pin_memory->on_refused();
  const auto path = state.path / "refused-pin";
  CHECK(std::filesystem::status(path).permissions() ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  std::filesystem::create_hard_link(path, state.path / "old");
  withPin("4321").pin_memory->on_refused();
  CHECK_FALSE(std::filesystem::equivalent(path, state.path / "old"));
  CHECK(withPin("4321").pin_memory->refused);
}

TEST_CASE("without a place to write to the daemon goes on, with a warning") {
  const StateDirectory state;
  ::setenv("STATE_DIRECTORY", "/proc/nowhere", 1);
  const auto settings = withPin("1234");
  settings.pin_memory->on_refused();
  CHECK_FALSE(withPin("1234").pin_memory->refused);
}
