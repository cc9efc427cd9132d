#include "qimux/daemon/state.hpp"

#include <cstdlib>

namespace qimux::daemon {

std::filesystem::path stateFile(std::string_view name) {
  const char* state = std::getenv("STATE_DIRECTORY");
  return std::filesystem::path(state != nullptr && *state != '\0' ? state : "/var/lib/qimuxd") / name;
}

}  // namespace qimux::daemon
