#include "qimux/daemon/state.hpp"

#include "qimux/daemon/config.hpp"

#include <cstdlib>

namespace qimux::daemon {

std::filesystem::path stateFile(const std::string& interface, const std::string& name,
                                const std::string& ending) {
  const char* state = std::getenv("STATE_DIRECTORY");
  const std::filesystem::path directory(state != nullptr && *state != '\0' ? state : "/var/lib/qimuxd");
  const bool usual = interface == Config::Tun{}.name;
  return directory / ((usual ? name : name + "-" + interface) + ending);
}

}  // namespace qimux::daemon
