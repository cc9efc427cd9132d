#include "qimux/ctl/metrics.hpp"

#include "qimux/base/bytes.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

namespace qimux::ctl {
namespace {

struct Gauge {
  std::string_view name;
  std::string_view path;  // in the status
  std::string_view help;
};

constexpr auto kGauges = std::to_array<Gauge>({
    {"qimuxd_uptime_seconds", "uptime_s", "Since the daemon was started."},
    {"qimuxd_link_state_age_seconds", "since_s", "Since the link's state has changed."},
    {"qimuxd_signal_dbm", "rssi_dbm", "Received signal strength."},
    {"qimuxd_connect_queue", "queue", "Connections that wait for one of the six sockets."},
    {"qimuxd_unconfirmed_bytes", "unconfirmed_bytes",
     "What the kernel has taken from programs, and the far end has not acknowledged."},
});

struct Labelled {
  std::string_view name;
  std::string_view path;
  std::string_view label;
  std::string_view help;
};

constexpr auto kCounts = std::to_array<Labelled>({
    {"qimuxd_recoveries_total", "recoveries", "step", "Steps of recovery that were taken."},
    {"qimuxd_losses_total", "losses", "cause", "How often the link was lost."},
});

// Of one socket's connection: they begin again with the next one, so they are no counters.
constexpr auto kSocketGauges = std::to_array<Gauge>({
    {"qimuxd_socket_sent_bytes", "sent", "Payload that the connection of this socket has sent."},
    {"qimuxd_socket_acknowledged_bytes", "acknowledged", "What of it the far end has acknowledged."},
    {"qimuxd_socket_received_bytes", "received", "Payload that the connection of this socket has received."},
    {"qimuxd_socket_idle_seconds", "idle_s", "Since anything was sent or received."},
});

constexpr auto kLinkStates =
    std::to_array<std::string_view>({"no_device", "synchronising", "sim", "registering", "activating",
                                     "online", "pausing", "recovering", "stopping", "stopped"});

struct Words {
  std::string_view counter;
  std::string_view help;
};

// What the names alone do not tell.
constexpr auto kCounterHelp = std::to_array<Words>({
    {"bytes.sent", "Payload bytes that the module has taken."},
    {"bytes.received", "Payload bytes that were read from the module."},
    {"connect.opened", "Connections that the module has opened."},
    {"connect.refused", "Connections that the far end refused."},
    {"connect.unreachable", "Connections that had no answer."},
    {"connect.queue_full", "Connections for which the queue had no room."},
    {"flows.denied", "Flows that the policy forbids."},
    {"line.bytes_in", "Bytes from the module, all of them."},
    {"line.bytes_out", "Bytes to the module, all of them."},
    {"line.commands", "AT commands."},
    {"line.timeouts", "AT commands without an answer."},
    {"line.resyncs", "How often the AT channel was out of step, and was brought back."},
    {"keepalive.dead", "Connections that were found dead."},
    {"dns.messages", "Questions for names."},
    {"dns.cache_hits", "Questions that were answered from the cache."},
});

using Labels = std::vector<std::pair<std::string_view, std::string>>;

// As a name may be: letters, digits and underscores.
std::string nameOf(std::string_view text) {
  std::string name(text);
  std::ranges::replace_if(
      name,
      [](char c) { return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')); },
      '_');
  return name;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    // What a network or a module says may be anything; a page is ASCII.
    out += c >= ' ' && c <= '~' ? c : '?';
  }
  return out;
}

// Families in the order of their first samples; a family's samples stand together, as the format wants it.
class Page {
 public:
  explicit Page(std::string interface) : interface_(std::move(interface)) {}

  void add(std::string_view name, std::string_view type, std::string_view help, const Labels& labels,
           const Json* value) {
    if (value == nullptr || !(value->is_number() || value->is_boolean())) return;
    std::string& family = of(std::string(name));
    if (family.empty()) family = fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
    family += fmt::format("{}{{interface=\"{}\"", name, escaped(interface_));
    for (const auto& [label, text] : labels) family += fmt::format(",{}=\"{}\"", label, escaped(text));
    family += fmt::format("}} {}\n", value->is_boolean() ? (value->get<bool>() ? "1" : "0") : value->dump());
  }
  void gauge(std::string_view name, std::string_view help, const Labels& labels, const Json& value) {
    add(name, "gauge", help, labels, &value);
  }
  std::string text() const {
    std::string all;
    for (const auto& [name, family] : families_) all += family;
    return all;
  }

 private:
  std::string& of(const std::string& name) {
    const auto [place, is_new] = places_.try_emplace(name, families_.size());
    if (is_new) families_.emplace_back(name, std::string());
    return families_.at(place->second).second;
  }

  std::string interface_;
  std::map<std::string, std::size_t> places_;
  std::vector<std::pair<std::string, std::string>> families_;
};

void addLink(Page& page, const Json& status) {
  const std::string link = render(find(status, "link"), Format::Text);
  page.gauge("qimuxd_online", "Whether sockets can be opened.", {}, link == "online");
  const auto state = [&](std::string_view name) {
    page.gauge("qimuxd_link_state", "1 for the state that the link is in.", {{"state", std::string(name)}},
               name == link);
  };
  for (const std::string_view name : kLinkStates) state(name);
  if (std::ranges::find(kLinkStates, link) == kLinkStates.end()) state(link);
  const Json* trouble = find(status, "trouble.name");
  page.gauge("qimuxd_trouble", "1 where a person may have to mend something.",
             {{"trouble", trouble != nullptr ? render(trouble, Format::Text) : "none"}}, trouble != nullptr);
}

void addInfo(Page& page, const Json& status) {
  const auto text = [&status](std::string_view path) {
    const Json* value = find(status, path);
    return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
  };
  page.gauge("qimuxd_info", "The daemon and its module.",
             {{"version", text("version")},
              {"device", text("device")},
              {"model", text("module.model")},
              {"revision", text("module.revision")},
              {"operator", text("operator")},
              {"registration", text("registration")}},
             1);
}

void addSockets(Page& page, const Json& sockets) {
  std::map<std::string, int> states;
  for (const Json& socket : sockets) ++states[render(find(socket, "state"), Format::Text)];
  for (const auto& [state, count] : states)
    page.gauge("qimuxd_sockets", "The module's sockets by state.", {{"state", state}}, count);
  for (const Gauge& gauge : kSocketGauges) {
    for (const Json& socket : sockets) {
      page.add(gauge.name, "gauge", gauge.help, {{"socket", render(find(socket, "index"), Format::Text)}},
               find(socket, gauge.path));
    }
  }
}

void addStats(Page& page, const Json& stats) {
  if (!stats.is_object()) return;
  for (const auto& [key, value] : stats.items()) {
    if (key.starts_with("tables.")) {
      page.add("qimuxd_table_entries", "gauge", "How full the tables are.",
               {{"table", key.substr(key.find('.') + 1)}}, &value);
      continue;
    }
    const auto* words = std::ranges::find(kCounterHelp, key, &Words::counter);
    const std::string help = words != kCounterHelp.end()
                                 ? std::string(words->help)
                                 : "The counter " + printable(key) + " of the daemon.";
    page.add("qimuxd_" + nameOf(key) + "_total", "counter", escaped(help), {}, &value);
  }
}

constexpr std::string_view kUp = "qimuxd_up";
constexpr std::string_view kUpHelp = "Whether the daemon answers.";

}  // namespace

std::string renderMetrics(const Json& status, const Json& stats, std::string_view interface) {
  const Json* own = find(status, "interface.name");
  Page page(own != nullptr && own->is_string() ? own->get<std::string>() : std::string(interface));
  page.gauge(kUp, kUpHelp, {}, 1);
  addInfo(page, status);
  addLink(page, status);
  for (const Gauge& gauge : kGauges) page.add(gauge.name, "gauge", gauge.help, {}, find(status, gauge.path));
  for (const Labelled& counts : kCounts) {
    const Json* object = find(status, counts.path);
    if (object == nullptr || !object->is_object()) continue;
    for (const auto& [key, value] : object->items())
      page.add(counts.name, "counter", counts.help, {{counts.label, key}}, &value);
  }
  const Json* sockets = find(status, "sockets");
  if (sockets != nullptr && sockets->is_array()) addSockets(page, *sockets);
  addStats(page, stats);
  return page.text();
}

std::string renderDown(std::string_view interface) {
  Page page{std::string(interface)};
  page.gauge(kUp, kUpHelp, {}, 0);
  return page.text();
}

}  // namespace qimux::ctl
