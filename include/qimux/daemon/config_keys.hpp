// The one table of what the configuration may say. Reading a file, printing a configuration and the
// documentation all go through it; the defaults themselves stand in Config.
#pragma once

#include "qimux/daemon/config.hpp"
#include "qimux/daemon/config_values.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace qimux::daemon {

// One key of a Target: the Config, or one table of a list.
template <typename Target>
struct ConfigKey {
  std::string_view name;  // "serial.baud"; in a list the last part alone: "port"
  std::string_view type;
  std::string_view help;
  Problem (*read)(const TomlValue& value, Target& target);
  std::string (*print)(const Target& target);  // as TOML; empty where it is left out
  bool required = false;                       // lists only
  bool secret = false;
};

// In the order of the documentation; a section's keys stand together.
const std::vector<ConfigKey<Config>>& settingKeys();

const std::vector<ConfigKey<Probe>>& probeKeys();                // [[keepalive.probe]]
const std::vector<ConfigKey<Listen>>& listenKeys();              // [[listen]]
const std::vector<ConfigKey<bridge::PolicyRule>>& policyKeys();  // [[policy]]

}  // namespace qimux::daemon
