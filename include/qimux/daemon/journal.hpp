// The log in the journal's own form, with fields: journalctl -u qimuxd LINK_STATE=online
#pragma once

#include "qimux/base/log.hpp"

#include <string>
#include <vector>

namespace qimux::daemon {

// One event as the journal takes it: "MESSAGE=...", "PRIORITY=4", then its fields.
std::vector<std::string> journalEntry(log::Level level, std::string_view message, log::Fields fields);

// Where standard error is the journal's, all that is logged goes there as entries; elsewhere, and where this
// was built without systemd, nothing changes.
void useJournal();

}  // namespace qimux::daemon
