// What a configuration that was read again changes while the daemon runs.
//
// The policy holds for connections that begin from now on, keepalive and its probes for those that are, too,
// hooks from the next event on.
// Everything else is made once, when the daemon starts: it is named, and stays as it was.
#pragma once

#include "qimux/daemon/config.hpp"

#include <string>
#include <vector>

namespace qimux::daemon {

struct Reload {
  bool policy = false;
  bool hooks = false;
  bool keepalive = false;              // its times or its probes
  std::vector<std::string> applied{};  // keys and lists that take effect
  std::vector<std::string> restart{};  // those that need a restart
};

// `fresh` against what runs. In the order of the documentation.
Reload compare(const Config& running, const Config& fresh);

// What runs from then on: `running` with what takes effect of `fresh`.
Config merged(Config running, const Config& fresh);

}  // namespace qimux::daemon
