#include "qimux/daemon/report.hpp"

#include <nlohmann/json.hpp>

namespace qimux::daemon {
namespace {

using nlohmann::ordered_json;

double seconds(async::Duration span) {
  // Tenths are enough for people, and keep the text short.
  return static_cast<double>(std::chrono::duration_cast<std::chrono::milliseconds>(span).count() / 100) /
         10.0;
}

ordered_json textOrNull(const std::string& text) {
  return text.empty() ? ordered_json(nullptr) : ordered_json(text);
}

// The flow that a session serves, by the session's identity.
std::string flowOf(const Rooms& rooms, const bridge::Session* session) {
  for (const auto* flow : rooms.gateway.tcpFlows()) {
    if (flow->session() == session)
      return net::text(flow->key().source) + " -> " + net::text(flow->key().destination);
  }
  for (const auto* flow : rooms.gateway.udpFlows()) {
    if (flow->session() == session)
      return net::text(flow->key().source) + " -> " + net::text(flow->key().destination);
  }
  return {};
}

std::string localOf(const Rooms& rooms) {
  const auto* module = rooms.link.module();
  return module != nullptr && module->address() != 0 ? net::text(module->address()) : std::string();
}

std::string_view registrationText(int number) {
  switch (number) {
    case 1:
      return "home";
    case 2:
      return "searching";
    case 3:
      return "denied";
    case 5:
      return "roaming";
    default:
      return "not registered";
  }
}

ordered_json socketReport(const Rooms& rooms, int slot) {
  const auto* session = rooms.multiplexer.occupant(slot);
  ordered_json socket;
  socket["index"] = slot;
  socket["state"] = session != nullptr ? bridge::name(session->state()) : "free";
  socket["protocol"] =
      session != nullptr ? ordered_json(module::name(session->protocol())) : ordered_json(nullptr);
  socket["remote"] = session != nullptr ? ordered_json(net::text(session->remote())) : ordered_json(nullptr);
  socket["local"] = session != nullptr ? textOrNull(localOf(rooms)) : ordered_json(nullptr);
  socket["sent"] = session != nullptr ? session->sent() : 0;
  socket["acknowledged"] = session != nullptr ? session->acknowledged() : 0;
  socket["received"] = session != nullptr ? session->received() : 0;
  socket["idle_s"] = session != nullptr ? seconds(rooms.now - session->lastActive()) : 0.0;
  socket["flow"] = session != nullptr ? textOrNull(flowOf(rooms, session)) : ordered_json(nullptr);
  return socket;
}

ordered_json recoveryReport(const Rooms& rooms, const bridge::Recovery::Entry& entry) {
  ordered_json report;
  report["step"] = bridge::name(entry.step);
  report["why"] = entry.why;
  report["took_ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(entry.took).count();
  report["ago_s"] = seconds(rooms.now - entry.begun - entry.took);
  report["result"] = entry.failed ? entry.failed->text() : "done";
  return report;
}

ordered_json lastRecovery(const Rooms& rooms) {
  const auto& ended = rooms.link.recovery().ended();
  return ended.empty() ? ordered_json(nullptr) : recoveryReport(rooms, ended.back());
}

ordered_json lossesReport(const Rooms& rooms) {
  using bridge::Cause;
  ordered_json report = ordered_json::object();
  for (const auto cause : {Cause::Context, Cause::Started, Cause::Silence, Cause::Device, Cause::Registration,
                           Cause::PowerDown, Cause::Sim, Cause::Stack})
    report[bridge::name(cause)] = rooms.link.losses(cause);
  return report;
}

ordered_json troubleReport(const Rooms& rooms) {
  const auto condition = rooms.link.condition();
  if (!condition) return nullptr;
  ordered_json report;
  report["name"] = bridge::name(condition->trouble);
  report["message"] = condition->message;
  report["since_s"] = seconds(rooms.now - condition->since);
  return report;
}

ordered_json moduleReport(const Rooms& rooms) {
  const auto* module = rooms.link.module();
  if (module == nullptr) return nullptr;
  const auto& identity = module->identity();
  ordered_json report;
  report["manufacturer"] = textOrNull(identity.manufacturer);
  report["model"] = textOrNull(identity.model);
  report["revision"] = textOrNull(identity.revision);
  report["imei"] = textOrNull(identity.imei);
  return report;
}

template <typename Flow>
ordered_json flowReport(const Rooms& rooms, const Flow& flow, std::string_view protocol) {
  const bridge::Session* session = flow.session();
  ordered_json report;
  report["id"] = flow.id();
  report["protocol"] = protocol;
  report["source"] = net::text(flow.key().source);
  report["destination"] = net::text(flow.key().destination);
  report["state"] = session != nullptr ? bridge::name(session->state()) : "over";
  report["socket"] =
      session != nullptr && session->slot() >= 0 ? ordered_json(session->slot()) : ordered_json(nullptr);
  report["waiting_s"] = 0.0;
  report["sent"] = session != nullptr ? session->sent() : 0;
  report["received"] = session != nullptr ? session->received() : 0;
  report["unconfirmed_bytes"] = 0;
  report["idle_s"] = session != nullptr ? seconds(rooms.now - session->lastActive()) : 0.0;
  return report;
}

}  // namespace

ordered_json recoveriesReport(const Rooms& rooms) {
  ordered_json list = ordered_json::array();
  for (const auto& entry : rooms.link.recovery().ended()) list.push_back(recoveryReport(rooms, entry));
  return list;
}

ordered_json socketsReport(const Rooms& rooms) {
  ordered_json sockets = ordered_json::array();
  for (int slot = 0; slot < module::kSockets; ++slot) sockets.push_back(socketReport(rooms, slot));
  return sockets;
}

ordered_json statusReport(const Rooms& rooms) {
  const auto* module = rooms.link.module();
  ordered_json status;
  status["link"] = bridge::name(rooms.link.state());
  status["since_s"] = seconds(rooms.now - rooms.link.since());
  status["address"] = textOrNull(localOf(rooms));
  status["operator"] = module != nullptr ? textOrNull(module->radio().network) : ordered_json(nullptr);
  status["rssi_dbm"] = module != nullptr && module->radio().rssi_dbm ? ordered_json(*module->radio().rssi_dbm)
                                                                     : ordered_json(nullptr);
  status["registration"] = module != nullptr ? ordered_json(registrationText(module->radio().registration))
                                             : ordered_json(nullptr);
  status["sockets"] = socketsReport(rooms);
  status["queue"] = rooms.multiplexer.waiting();
  status["recoveries"] = ordered_json::object();
  for (const auto step : bridge::kRecoverySteps)
    status["recoveries"][bridge::name(step)] = rooms.link.recovery().count(step);
  status["last_recovery"] = lastRecovery(rooms);
  status["losses"] = lossesReport(rooms);
  status["trouble"] = troubleReport(rooms);
  status["unconfirmed_bytes"] = rooms.multiplexer.unconfirmed();
  status["uptime_s"] = seconds(rooms.now - rooms.started);
  status["version"] = QIMUX_VERSION;
  status["module"] = moduleReport(rooms);
  status["mode"] = module != nullptr ? static_cast<int>(module->indication()) : 0;
  status["device"] = rooms.config.serial.device;
  status["interface"] = {{"name", rooms.config.tun.name},
                         {"address", net::text(rooms.config.tun.address)},
                         {"gateway", net::text(rooms.config.tun.gateway())}};
  const auto& error = rooms.link.lastError();
  status["last_error"] = error ? ordered_json(error->text()) : ordered_json(nullptr);
  return status;
}

ordered_json flowsReport(const Rooms& rooms) {
  ordered_json flows = ordered_json::array();
  for (const auto* flow : rooms.gateway.tcpFlows()) {
    ordered_json report = flowReport(rooms, *flow, "tcp");
    // A program's view: until its connect() has returned it waits.
    report["state"] = bridge::name(flow->state());
    const bool held = flow->state() == bridge::FlowState::Held;
    report["waiting_s"] = held ? seconds(rooms.now - flow->since()) : 0.0;
    report["unconfirmed_bytes"] = flow->unconfirmed();
    flows.push_back(std::move(report));
  }
  for (const auto* flow : rooms.gateway.udpFlows()) flows.push_back(flowReport(rooms, *flow, "udp"));
  return flows;
}

namespace {

// How full the tables are at this moment; each has a bound, and what was refused there is counted.
void addTables(ordered_json& stats, const Rooms& rooms) {
  const auto tables = rooms.gateway.tables();
  const auto& names = rooms.gateway.names();
  stats["tables.tcp"] = tables.tcp;
  stats["tables.tcp_local"] = tables.tcp_local;
  stats["tables.tcp_over"] = tables.tcp_over;
  stats["tables.udp"] = tables.udp;
  stats["tables.nat_ports"] = tables.ports;
  stats["tables.nat_resting"] = tables.ports_resting;
  stats["tables.sessions"] = rooms.multiplexer.sessions();
  stats["tables.connect_queue"] = rooms.multiplexer.waiting();
  stats["tables.pings"] = tables.pings;
  stats["tables.questions"] = rooms.multiplexer.jobs();
  stats["tables.dns_waiting"] = names.answerer().waiting();
  stats["tables.dns_cache"] = names.answerer().cached();
  stats["tables.dns_connections"] = names.connections();
}

}  // namespace

ordered_json statsReport(const Rooms& rooms) {
  const auto& packets = rooms.gateway.counters();
  const auto& sockets = rooms.multiplexer.counters();
  const auto& dns = rooms.gateway.names().answerer().counters();
  ordered_json stats;
  stats["packets.from_program"] = packets.packets_from_program;
  stats["packets.to_program"] = packets.packets_to_program;
  stats["packets.from_inner"] = packets.packets_from_inner;
  stats["packets.to_inner"] = packets.packets_to_inner;
  stats["packets.malformed"] = packets.malformed;
  stats["packets.fragments"] = packets.fragments;
  stats["packets.not_routable"] = packets.not_routable;
  stats["packets.strays"] = packets.strays;
  stats["flows.tcp"] = packets.flows;
  stats["flows.udp"] = packets.associations;
  stats["flows.table_full"] = packets.table_full;
  stats["packets.martians"] = packets.martians;
  stats["flows.displaced"] = packets.displaced;
  stats["flows.local_refused"] = packets.local_refused;
  stats["flows.denied"] = rooms.gateway.policy().denied();
  stats["connect.opened"] = sockets.opened;
  stats["connect.refused"] = sockets.refused;
  stats["connect.unreachable"] = sockets.unreachable;
  stats["connect.queue_full"] = sockets.queue_full;
  stats["connect.udp_yielded"] = sockets.yielded;
  stats["connect.cut_short"] = sockets.cut_short;
  stats["udp.dropped"] = sockets.datagrams_dropped;
  stats["bytes.sent"] = sockets.bytes_sent;
  stats["bytes.received"] = sockets.bytes_received;
  stats["send.fail"] = sockets.send_fail;
  stats["send.settled"] = sockets.sends_settled;
  stats["send.spoiled"] = sockets.spoiled;
  stats["keepalive.dead"] = sockets.dead;
  stats["send.unsendable"] = sockets.unsendable;
  stats["acknowledge.queries"] = sockets.acknowledge_queries;
  stats["acknowledge.line_bytes"] = sockets.acknowledge_bytes;
  stats["read.empty"] = sockets.empty_reads;
  stats["dns.messages"] = dns.messages;
  stats["dns.cache_hits"] = dns.hits;
  stats["dns.asked"] = dns.asked;
  stats["dns.joined"] = dns.joined;
  stats["dns.no_such_name"] = dns.no_such_name;
  stats["dns.failed"] = dns.failed;
  stats["dns.stale"] = dns.stale;
  stats["dns.invalid_names"] = dns.invalid_names;
  stats["dns.malformed"] = dns.malformed;
  stats["dns.overflow"] = dns.overflow;
  stats["dns.expired"] = dns.expired;
  stats["dns.evicted"] = rooms.gateway.names().answerer().evictions();
  stats["dns.connections_refused"] = rooms.gateway.names().connectionsRefused();
  stats["ping.asked"] = sockets.pings;
  stats["ping.refused"] = packets.pings_refused;
  stats["questions.refused"] = sockets.jobs_full;
  addTables(stats, rooms);
  if (const auto* channel = rooms.link.channel()) {
    const auto& line = channel->counters();
    stats["line.bytes_in"] = line.bytes_in;
    stats["line.bytes_out"] = line.bytes_out;
    stats["line.commands"] = line.commands;
    stats["line.refused"] = line.refused;
    stats["line.timeouts"] = line.timeouts;
    stats["line.resyncs"] = sockets.resyncs;
    stats["line.urcs"] = line.urcs;
    stats["line.urcs_dropped"] = line.urcs_dropped;
    stats["line.unexpected"] = line.unexpected_lines;
  }
  return stats;
}

}  // namespace qimux::daemon
