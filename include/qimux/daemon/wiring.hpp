// What the configuration says to each of the cores. The daemon builds them by it, and so does a replay of
// what a daemon did (capture::Replay).
#pragma once

#include "qimux/bridge/gateway.hpp"
#include "qimux/bridge/link.hpp"
#include "qimux/bridge/multiplexer.hpp"
#include "qimux/daemon/config.hpp"

namespace qimux::daemon {

bridge::MultiplexerOptions multiplexerOptions(const Config& config);
bridge::GatewayOptions gatewayOptions(const Config& config);
// Without what is not configuration: the reset line itself, the seed, and what is remembered of the PIN.
bridge::LinkOptions linkOptions(const Config& config);

}  // namespace qimux::daemon
