#include "qimux/ctl/monitor.hpp"

#include "qimux/ctl/table.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <utility>

namespace qimux::ctl {
namespace {

constexpr auto kColumns = std::to_array<Column>({
    {"#", "index", Format::Text, Align::Right},
    {"STATE", "state"},
    {"PROT", "protocol"},
    {"FLOW", "flow", Format::Text, Align::Left, Elastic::Yes},
    {"RX/s", "rx_rate", Format::Size, Align::Right},
    {"TX/s", "tx_rate", Format::Size, Align::Right},
    {"UNACK", "unacknowledged", Format::Size, Align::Right},
    {"IDLE", "idle_s", Format::Age, Align::Right},
});

// Neither flow nor remote.
constexpr std::string_view kNobody = "- -";

constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kGood = "\x1b[1;32m";
constexpr std::string_view kBad = "\x1b[1;33m";
constexpr std::string_view kReverse = "\x1b[7m";
constexpr std::string_view kPlain = "\x1b[0m";

// Blanks at the end, and what is past the edge, go.
std::string cut(std::string line, std::size_t width) {
  if (width > 0 && line.size() > width) line.resize(width);
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

// Colours `length` characters from `at`, as far as they are still there.
void paint(std::string& line, std::size_t at, std::size_t length, std::string_view colour) {
  if (at >= line.size()) return;
  line.insert(std::min(line.size(), at + length), kPlain);
  line.insert(at, colour);
}

double recoveries(const Json& status) {
  const Json* steps = find(status, "recoveries");
  double sum = 0;
  if (steps == nullptr || !steps->is_object()) return sum;
  for (const Json& count : *steps) sum += number(&count, 0);
  return sum;
}

}  // namespace

Monitor::Monitor() = default;
Monitor::~Monitor() = default;

void Monitor::take(const Json& status, double seconds) {
  status_ = std::make_unique<Json>(status.is_object() ? status : Json::object());
  Samples samples;
  const auto rows = status_->find("sockets");
  if (rows != status_->end() && rows->is_array()) {
    for (Json& row : *rows) {
      if (row.is_object()) rate(row, samples, seconds - before_at_);
    }
  }
  before_ = std::move(samples);
  before_at_ = seconds;
}

void Monitor::rate(Json& row, Samples& samples, double span) {
  const double index = number(find(row, "index"), -1);
  if (index < 0 || index >= static_cast<double>(samples.size())) return;
  const auto place = static_cast<std::size_t>(index);
  const double sent = number(find(row, "sent"), 0);
  const Sample now{render(find(row, "flow"), Format::Text) + " " + render(find(row, "remote"), Format::Text),
                   number(find(row, "received"), 0), sent};
  // A datagram is never acknowledged (application note 5.2.2).
  const Json* protocol = find(row, "protocol");
  const Json* acknowledged = find(row, "acknowledged");
  if (protocol != nullptr && *protocol == "tcp" && acknowledged != nullptr) {
    row["unacknowledged"] = sent - number(acknowledged, 0);
  }
  // A socket that nobody has is not one that is quiet.
  if (now.flow == kNobody) return;
  const std::optional<Sample>& last = before_.at(place);
  if (last && last->flow == now.flow && last->received <= now.received && last->sent <= now.sent &&
      span > 0) {
    row["rx_rate"] = (now.received - last->received) / span;
    row["tx_rate"] = (now.sent - last->sent) / span;
  }
  samples.at(place) = now;
}

// The sum over the sockets, "-" where none has it.
std::string Monitor::total(std::string_view key) const {
  const Json* rows = find(*status_, "sockets");
  std::optional<double> sum;
  if (rows != nullptr && rows->is_array()) {
    for (const Json& row : *rows) {
      const Json* value = find(row, key);
      if (value != nullptr && value->is_number()) sum = sum.value_or(0) + value->get<double>();
    }
  }
  const Json all = sum ? Json(*sum) : Json();
  return render(&all, Format::Bytes);
}

std::string Monitor::frame(std::size_t width, bool colour) const {
  if (!status_) return {};
  const auto part = [this](std::string_view path, Format format) {
    return render(find(*status_, path), format);
  };
  const std::string head = "qimuxd " + part("version", Format::Text) + "  ";
  const std::string link = part("link", Format::Text);
  std::string first =
      cut(head + link +
              fmt::format(" for {}  {}  {}  {}", part("since_s", Format::Span), part("address", Format::Text),
                          part("operator", Format::Text), part("rssi_dbm", Format::Dbm)),
          width);
  std::string second = cut(fmt::format("queue {}  unconfirmed {}  rx {}/s  tx {}/s  recoveries {:.0f}",
                                       part("queue", Format::Text), part("unconfirmed_bytes", Format::Bytes),
                                       total("rx_rate"), total("tx_rate"), recoveries(*status_)),
                           width);
  // What is wrong now, in words for people; else what was wrong last.
  const auto line = [&](std::string_view label, std::string_view key) {
    const Json* value = find(*status_, key);
    if (value == nullptr || value->is_null()) return std::string();
    return cut(fmt::format("{}: {}", label, part(key, Format::Text)), width) + "\n";
  };
  std::string word = line("trouble", "trouble.message");
  if (word.empty()) word = line("last error", "last_error");
  const Json* rows = find(*status_, "sockets");
  std::string table = renderTable(kColumns, rows != nullptr ? *rows : Json::array(), width);
  if (colour) {
    paint(first, head.size(), link.size(), link == "online" ? kGood : kBad);
    paint(second, 0, second.find("  "), kBold);
    paint(table, 0, table.find('\n'), kReverse);
  }
  return first + "\n" + second + "\n" + word + "\n" + table;
}

std::string Monitor::line() const {
  if (!status_) return {};
  const auto part = [this](std::string_view path, Format format) {
    return render(find(*status_, path), format);
  };
  return fmt::format("{} {} {} queue {} unconfirmed {} rx {}/s tx {}/s recoveries {:.0f}\n",
                     part("link", Format::Text), part("address", Format::Text), part("rssi_dbm", Format::Dbm),
                     part("queue", Format::Text), part("unconfirmed_bytes", Format::Bytes), total("rx_rate"),
                     total("tx_rate"), recoveries(*status_));
}

}  // namespace qimux::ctl
