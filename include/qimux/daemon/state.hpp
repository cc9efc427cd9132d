// What the daemon remembers from one start to the next, and where.
#pragma once

#include <filesystem>
#include <string>

namespace qimux::daemon {

// A file of the daemon that has `interface`: NAME and `ending` in $STATE_DIRECTORY, which systemd sets, else
// in /var/lib/qimuxd. Several daemons may share that directory: NAME is `name` with the usual interface, and
// `name`-`interface` with another.
std::filesystem::path stateFile(const std::string& interface, const std::string& name,
                                const std::string& ending = {});

}  // namespace qimux::daemon
