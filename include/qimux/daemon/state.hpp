// What the daemon remembers from one start to the next, and where.
#pragma once

#include <filesystem>
#include <string_view>

namespace qimux::daemon {

// `name` in $STATE_DIRECTORY, which systemd sets, else in /var/lib/qimuxd.
std::filesystem::path stateFile(std::string_view name);

}  // namespace qimux::daemon
