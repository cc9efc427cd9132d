#include "qimux/ctl/views.hpp"

#include "qimux/base/bytes.hpp"
#include "qimux/ctl/table.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <vector>

namespace qimux::ctl {
namespace {

constexpr auto kStatusFields = std::to_array<Field>({
    {"link", "link"},
    {"since", "since_s", Format::Span},
    {"trouble", "trouble.message"},
    {"address", "address"},
    {"operator", "operator"},
    {"signal", "rssi_dbm", Format::Dbm},
    {"registration", "registration"},
    {"module", "module.manufacturer module.model module.revision"},
    {"imei", "module.imei"},
    {"device", "device"},
    {"read mode", "mode"},
    {"interface", "interface.name interface.address"},
    {"gateway", "interface.gateway"},
    {"queue", "queue"},
    {"unconfirmed", "unconfirmed_bytes", Format::Bytes},
    {"losses", "losses", Format::Counts},
    {"recoveries", "recoveries", Format::Counts},
    {"the last", "last_recovery.step last_recovery.result"},
    {"last error", "last_error"},
    {"uptime", "uptime_s", Format::Span},
    {"version", "version"},
});

constexpr auto kStatusSockets = std::to_array<Column>({
    {"#", "index", Format::Text, Align::Right},
    {"STATE", "state"},
    {"PROT", "protocol"},
    {"REMOTE", "remote", Format::Text, Align::Left, Elastic::Yes},
    {"LOCAL", "local", Format::Text, Align::Left, Elastic::Yes},
    {"SENT", "sent", Format::Size, Align::Right},
    {"ACKED", "acknowledged", Format::Size, Align::Right},
    {"RECV", "received", Format::Size, Align::Right},
    {"IDLE", "idle_s", Format::Age, Align::Right},
});

constexpr auto kSockets = std::to_array<Column>({
    {"#", "index", Format::Text, Align::Right},
    {"STATE", "state"},
    {"PROT", "protocol"},
    {"FLOW", "flow", Format::Text, Align::Left, Elastic::Yes},
    {"SENT", "sent", Format::Size, Align::Right},
    {"ACKED", "acknowledged", Format::Size, Align::Right},
    {"RECV", "received", Format::Size, Align::Right},
    {"IDLE", "idle_s", Format::Age, Align::Right},
});

// Without the id, which nothing takes yet: 80 columns are better spent on addresses.
constexpr auto kFlows = std::to_array<Column>({
    {"PROT", "protocol"},
    {"SOURCE", "source", Format::Text, Align::Left, Elastic::Yes},
    {"DESTINATION", "destination", Format::Text, Align::Left, Elastic::Yes},
    {"STATE", "state"},
    {"#", "socket", Format::Text, Align::Right},
    {"WAIT", "waiting_s", Format::Age, Align::Right},
    {"SENT", "sent", Format::Size, Align::Right},
    {"RECV", "received", Format::Size, Align::Right},
    {"UNC", "unconfirmed_bytes", Format::Size, Align::Right},
    {"IDLE", "idle_s", Format::Age, Align::Right},
});

struct Counter {
  std::string label;
  std::string value;
};

struct Group {
  std::string name;
  std::vector<Counter> counters;
};

std::vector<Group> grouped(const Json& stats) {
  std::vector<Group> groups;
  if (!stats.is_object()) return groups;
  for (const auto& [key, item] : stats.items()) {
    const std::size_t dot = key.find('.');
    const std::string name = dot == std::string::npos ? "other" : printable(key.substr(0, dot));
    auto place = std::ranges::find(groups, name, &Group::name);
    if (place == groups.end()) place = groups.insert(groups.end(), Group{name, {}});
    const std::string label = dot == std::string::npos ? key : key.substr(dot + 1);
    place->counters.push_back(Counter{printable(label), render(&item, Format::Text)});
  }
  return groups;
}

// The array under `key`, or `result` itself: whichever the daemon sends.
const Json& listIn(const Json& result, std::string_view key) {
  const Json* list = find(result, key);
  return list != nullptr ? *list : result;
}

constexpr auto kRecoveries = std::to_array<Column>({
    {"AGO", "ago_s", Format::Age, Align::Right},
    {"STEP", "step"},
    {"TOOK", "took_ms", Format::Milliseconds, Align::Right},
    {"WHY", "why", Format::Text, Align::Left, Elastic::Yes},
    {"RESULT", "result", Format::Text, Align::Left, Elastic::Yes},
});

constexpr auto kUsage = std::to_array<Column>({
    {"NAME", "name", Format::Text, Align::Left, Elastic::Yes},
    {"SENT", "sent", Format::Bytes, Align::Right},
    {"RECEIVED", "received", Format::Bytes, Align::Right},
});

}  // namespace

std::string renderStatus(const Json& status, std::size_t width) {
  const Json* sockets = find(status, "sockets");
  return renderFields(kStatusFields, status) + "\n" +
         renderTable(kStatusSockets, sockets != nullptr ? *sockets : Json::array(), width);
}

std::string renderSockets(const Json& result, std::size_t width) {
  return renderTable(kSockets, listIn(result, "sockets"), width);
}

std::string renderFlows(const Json& result, std::size_t width) {
  return renderTable(kFlows, listIn(result, "flows"), width);
}

std::string renderStats(const Json& stats) {
  const std::vector<Group> groups = grouped(stats);
  std::size_t label_width = 0;
  std::size_t value_width = 0;
  for (const Group& group : groups) {
    for (const Counter& counter : group.counters) {
      label_width = std::max(label_width, counter.label.size());
      value_width = std::max(value_width, counter.value.size());
    }
  }
  std::string out;
  for (const Group& group : groups) {
    out += group.name + "\n";
    for (const Counter& counter : group.counters) {
      out += fmt::format("  {:<{}}  {:>{}}\n", counter.label, label_width, counter.value, value_width);
    }
  }
  return out;
}

std::string renderRecoveries(const Json& result, std::size_t width) {
  return renderTable(kRecoveries, result, width);
}

std::string renderAt(const Json& result) {
  std::string out;
  if (const Json* lines = find(result, "lines"); lines != nullptr && lines->is_array()) {
    for (const Json& line : *lines) out += render(&line, Format::Text) + "\n";
  }
  return out + render(find(result, "final"), Format::Text) + "\n";
}

std::string renderDns(const Json& result) {
  const Json* addresses = find(result, "addresses");
  if (addresses == nullptr || !addresses->is_array() || addresses->empty()) return "no address\n";
  std::string out;
  for (const Json& address : *addresses) out += render(&address, Format::Text) + "\n";
  return out;
}

std::string renderPing(const Json& result) {
  const Json* time = find(result, "time_ms");
  const std::string address = render(find(result, "address"), Format::Text);
  if (time == nullptr || !time->is_number()) return fmt::format("no reply from {}\n", address);
  return fmt::format("reply from {}: {}\n", address, render(time, Format::Milliseconds));
}

std::string renderUsage(const Json& result, std::size_t width) {
  const Json* by = find(result, "by");
  if (by != nullptr && *by == "off") return "data use is not counted: usage.by is \"off\"\n";
  std::string out;
  const Json* periods = find(result, "periods");
  if (periods == nullptr || !periods->is_array()) return "nothing yet\n";
  for (const Json& period : *periods) {
    const auto part = [&period](std::string_view key, Format format) {
      return render(find(period, key), format);
    };
    if (!out.empty()) out += "\n";
    out += fmt::format("{}: {} sent, {} received\n", part("period", Format::Text),
                       part("sent", Format::Bytes), part("received", Format::Bytes));
    const Json* rows = find(period, "by");
    if (rows != nullptr && !rows->empty()) out += renderTable(kUsage, *rows, width);
  }
  return out.empty() ? "nothing yet\n" : out;
}

std::string renderLogLevel(const Json& result) {
  return render(find(result, "level"), Format::Text) + "\n";
}

std::string renderVersion(const Json& result) {
  return "qimuxd " + render(find(result, "version"), Format::Text) + "\n";
}

bool saysNo(std::string_view verb, const Json& result) {
  if (verb == "ping") return number(find(result, "time_ms"), -1) < 0;
  if (verb != "dns") return false;
  const Json* addresses = find(result, "addresses");
  return addresses == nullptr || !addresses->is_array() || addresses->empty();
}

}  // namespace qimux::ctl
