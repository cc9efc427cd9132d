// What the SIM said to the PIN, remembered across restarts of the daemon and of the machine.
//
// A service that is started again and again with a wrong PIN would lock the SIM at its third start.
#pragma once

#include "qimux/module/module.hpp"

namespace qimux::daemon {

// Marks the PIN as refused where that was written down before, and sees to it that a refusal is. The file,
// refused-pin in the service's state directory ($STATE_DIRECTORY, or /var/lib/qimuxd), holds a hash of the
// PIN (of one that is known to be wrong): another PIN is tried. Where it cannot be written, a warning says
// so.
void rememberPin(module::Settings& settings);

}  // namespace qimux::daemon
