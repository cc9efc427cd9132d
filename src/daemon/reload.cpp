#include "qimux/daemon/reload.hpp"

#include "qimux/daemon/config_keys.hpp"

namespace qimux::daemon {
namespace {

constexpr std::string_view kKeepalive = "keepalive.";
constexpr std::string_view kHooks = "hooks.";

}  // namespace

Reload compare(const Config& running, const Config& fresh) {
  Reload reload;
  for (const auto& key : settingKeys()) {
    if (key.print(running) == key.print(fresh)) continue;
    const bool keepalive = key.name.starts_with(kKeepalive);
    const bool hooks = key.name.starts_with(kHooks);
    reload.keepalive |= keepalive;
    reload.hooks |= hooks;
    (keepalive || hooks ? reload.applied : reload.restart).emplace_back(key.name);
  }
  if (running.keepalive.probes != fresh.keepalive.probes) {
    reload.keepalive = true;
    reload.applied.emplace_back("keepalive.probe");
  }
  if (running.listen != fresh.listen) reload.restart.emplace_back("listen");
  if (running.policy != fresh.policy) {
    reload.policy = true;
    reload.applied.emplace_back("policy");
  }
  return reload;
}

Config merged(Config running, const Config& fresh) {
  running.policy = fresh.policy;
  running.keepalive = fresh.keepalive;
  running.hooks = fresh.hooks;
  return running;
}

}  // namespace qimux::daemon
