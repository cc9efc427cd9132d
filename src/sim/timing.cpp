#include "qimux/sim/timing.hpp"

#include "qimux/sim/options.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

namespace qimux::sim {
namespace {

using std::chrono::milliseconds;

constexpr double kLongest = 86'400'000;

struct Row {
  std::string_view command;
  milliseconds least;
  milliseconds most;
};

// "At most" is the Quectel MC60 AT manual V1.2; what is below it has the source that is named, or is an
// estimate.
constexpr std::array kField{
    // 0.34 s in the log of an MC60, up to 3 s in drivers' comments; at most 150 s.
    Row{"+QIACT", milliseconds(300), milliseconds(3000)},
    // Application note 5.5: 2 to 5 s normally.
    Row{"+QIDEACT", milliseconds(2000), milliseconds(5000)},
    // At most 150 s. It opens a socket on a context that is active: the first second of that.
    Row{"+QISERVER", milliseconds(100), milliseconds(1000)},
    // At most 15 s: the radio part starts or stops.
    Row{"+CFUN", milliseconds(500), milliseconds(3000)},
    // At most 5 s: the SIM works it out.
    Row{"+CPIN", milliseconds(200), milliseconds(1000)},
    // At most 75 s: the network is asked.
    Row{"+CGATT", milliseconds(500), milliseconds(3000)},
    // The same; AT+COPS=? draws from it as well, for its search.
    Row{"+COPS", milliseconds(2000), milliseconds(10000)},
};

// Their time is not that from the command line to its answer; see Timing::of().
constexpr std::array<std::string_view, 4> kOwnClock{"+QIACT", "+QIDEACT", "+QISERVER", "+QISEND"};

std::optional<async::Duration> parseMilliseconds(std::string_view text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, value);
  // The comparison is false for what is no number, too.
  if (problem != std::errc{} || stop != end || !(value >= 0 && value <= kLongest)) return std::nullopt;
  return async::Duration(std::llround(value * 1000));
}

// The name in upper case; nothing of a question (AT+X?) or of the form that asks what it takes (AT+X=?).
std::string slowName(std::string_view command) {
  const std::size_t end = command.find_first_of("=?");
  const std::string_view rest = end == std::string_view::npos ? "" : command.substr(end);
  if (rest.starts_with('?') || rest == "=?") return {};
  std::string name(command.substr(0, end));
  for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

}  // namespace

std::optional<Span> parseSpan(std::string_view text) {
  const std::size_t dash = text.find('-', 1);
  const auto least = parseMilliseconds(text.substr(0, dash));
  const auto most = dash == std::string_view::npos ? least : parseMilliseconds(text.substr(dash + 1));
  if (!least || !most || *most < *least) return std::nullopt;
  return Span{*least, *most};
}

void fieldTiming(Options& options) {
  options.command_latency = milliseconds(5);
  options.command_spread = milliseconds(25);
  options.ack_lag = Span{milliseconds(500), milliseconds(1000)};
  for (const Row& row : kField) {
    options.latencies.insert_or_assign(std::string(row.command), Span{row.least, row.most});
  }
}

Timing::Timing(const Options& options) : options_(options), random_(options.seed ^ 0x71e1) {}

async::Duration Timing::draw(Span span) {
  if (span.least >= span.most) return span.least;
  std::uniform_int_distribution<async::Duration::rep> pick(span.least.count(), span.most.count());
  return async::Duration(pick(random_));
}

async::Duration Timing::of(std::string_view command) {
  const auto it = options_.latencies.find(command);
  if (it != options_.latencies.end()) return draw(it->second);
  return draw({options_.command_latency, options_.command_latency + options_.command_spread});
}

async::Duration Timing::ofLine(const std::vector<std::string_view>& commands) {
  async::Duration slow{0};
  bool own = false;
  for (const std::string_view command : commands) {
    const std::string name = slowName(command);
    if (std::ranges::find(kOwnClock, name) != kOwnClock.end()) continue;
    const auto it = options_.latencies.find(name);
    if (it == options_.latencies.end()) continue;
    own = true;
    slow += draw(it->second);
  }
  return own ? slow : of({});
}

}  // namespace qimux::sim
