// Everything that somebody who has to mend a fault from afar asks for first.
#pragma once

#include "qimux/ctl/redact.hpp"
#include "qimux/ctl/value.hpp"

#include <string>
#include <string_view>

namespace qimux::ctl {

// A configuration as qimuxd --check-config prints it, without what opens a door: user, password, PIN, the
// payload of probes, which may be a login, and the arguments of hooks and of the reset's command.
std::string withoutSecrets(std::string_view configuration);

// A section for each key of `report`: texts as they are, all else as JSON.
std::string renderReport(const Json& report);

}  // namespace qimux::ctl
