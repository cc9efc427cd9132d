// The daemon's state in the text format of Prometheus.
//
// Names are a contract: qimuxd_*, counters end in _total, units are seconds and bytes. Each sample has the
// label `interface`, so that several daemons of one machine can share a collector's directory.
#pragma once

#include "qimux/ctl/value.hpp"

#include <string>
#include <string_view>

namespace qimux::ctl {

// Of `status` and `stats` as the daemon gives them; what they do not have is left out. `interface` is used
// where the status does not say its own.
std::string renderMetrics(const Json& status, const Json& stats, std::string_view interface);

// qimuxd_up 0: what is said where no daemon answers, or it answers no.
std::string renderDown(std::string_view interface);

}  // namespace qimux::ctl
