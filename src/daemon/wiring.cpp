#include "qimux/daemon/wiring.hpp"

namespace qimux::daemon {
namespace {

bridge::Acknowledge acknowledgeOf(Acknowledge whose) {
  switch (whose) {
    case Acknowledge::Remote:
      return bridge::Acknowledge::Remote;
    case Acknowledge::Module:
      return bridge::Acknowledge::Module;
    case Acknowledge::Local:
      return bridge::Acknowledge::Local;
  }
  return bridge::Acknowledge::Remote;
}

}  // namespace

bridge::MultiplexerOptions multiplexerOptions(const Config& config) {
  bridge::MultiplexerOptions options;
  options.pool.queue = config.sockets.connect_queue;
  options.pool.per_destination = config.sockets.per_destination;
  options.session.connect_timeout = config.sockets.connect_timeout;
  options.session.udp_idle = config.sockets.udp_idle;
  options.session.half_close_linger = config.sockets.half_close_linger;
  options.session.ask_acknowledged = config.tcp.acknowledge == Acknowledge::Remote;
  options.session.liveness.idle = config.keepalive.idle;
  options.session.liveness.first_check = config.keepalive.first_check;
  options.session.liveness.interval = config.keepalive.interval;
  options.session.liveness.attempts = config.keepalive.attempts;
  for (const auto& probe : config.keepalive.probes) options.session.probes[probe.port] = probe.payload;
  options.line_rate = static_cast<std::uint32_t>(config.serial.baud / 10);
  return options;
}

bridge::GatewayOptions gatewayOptions(const Config& config) {
  bridge::GatewayOptions options;
  options.network = config.tun.address;
  options.gateway = config.tun.gateway();
  options.mtu = static_cast<std::uint16_t>(config.tun.mtu);
  options.hold_offline = config.tun.hold_offline;
  options.acknowledge = acknowledgeOf(config.tcp.acknowledge);
  options.dns.ttl = config.dns.ttl;
  options.dns.cache = config.dns.cache;
  options.dns.forward_other_types = config.dns.upstream.has_value();
  options.dns_upstream = config.dns.upstream;
  return options;
}

bridge::LinkOptions linkOptions(const Config& config) {
  bridge::LinkOptions options;
  options.baud = config.serial.baud;
  options.module = module::Settings{.apn = config.module.apn,
                                    .user = config.module.user,
                                    .password = config.module.password,
                                    .pin = config.module.pin,
                                    .context = config.module.context};
  return options;
}

}  // namespace qimux::daemon
