// What the control socket tells of the rooms, as JSON. Field names are a contract: they are added to, never
// changed.
#pragma once

#include "qimux/bridge/gateway.hpp"
#include "qimux/bridge/link.hpp"
#include "qimux/bridge/multiplexer.hpp"
#include "qimux/daemon/config.hpp"

#include <nlohmann/json_fwd.hpp>

namespace qimux::daemon {

struct Rooms {
  const Config& config;
  const bridge::Link& link;
  const bridge::Multiplexer& multiplexer;
  const bridge::Gateway& gateway;
  async::TimePoint started;
  async::TimePoint now;
};

nlohmann::ordered_json statusReport(const Rooms& rooms);
nlohmann::ordered_json socketsReport(const Rooms& rooms);
nlohmann::ordered_json flowsReport(const Rooms& rooms);
// The latest steps of recovery that have ended, the oldest first; each as "last_recovery" of the status.
nlohmann::ordered_json recoveriesReport(const Rooms& rooms);
// Counters by dotted names.
nlohmann::ordered_json statsReport(const Rooms& rooms);

}  // namespace qimux::daemon
