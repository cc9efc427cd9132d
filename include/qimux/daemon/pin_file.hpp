// What the SIM said to the PIN, remembered across restarts of the daemon and of the machine.
//
// A service that is started again and again with a wrong PIN would lock the SIM at its third start.
#pragma once

#include "qimux/module/module.hpp"

#include <string>

namespace qimux::daemon {

// Marks the PIN as refused where that was written down before, and sees to it that a refusal is: on the disk
// before anything else is done. The file, refused-pin in the service's state directory (state.hpp), holds a
// hash of the PIN (of one that is known to be wrong): another PIN is tried, and one that only may have been
// refused, as the power was lost, is as well. Where it cannot be written, a warning says so. `interface` is
// the daemon's.
void rememberPin(module::Settings& settings, const std::string& interface);

}  // namespace qimux::daemon
