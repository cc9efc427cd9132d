#include "qimux/daemon/usage_meter.hpp"

#include "qimux/base/file.hpp"
#include "qimux/base/log.hpp"
#include "qimux/daemon/state.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cerrno>
#include <ctime>
#include <filesystem>

namespace qimux::daemon {
namespace {

// All tables full, with the longest names.
constexpr std::size_t kMaxFile = 8 * 1024 * 1024;
// Sessions whose program is remembered: many more than can be alive at a time.
constexpr std::size_t kSessions = 512;

}  // namespace

std::optional<Date> todaysDate() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  if (::localtime_r(&now, &local) == nullptr) return std::nullopt;
  constexpr int kEpoch = 1900;
  const Date date(std::chrono::year(local.tm_year + kEpoch),
                  std::chrono::month(static_cast<unsigned>(local.tm_mon) + 1),
                  std::chrono::day(static_cast<unsigned>(local.tm_mday)));
  return believable(date, QIMUX_BUILD_YEAR);
}

UsageOptions usageOptions(const Config& config) {
  UsageOptions options;
  options.by = config.usage.by;
  options.file = stateFile(config.tun.name, "usage", ".json");
  return options;
}

UsageMeter::UsageMeter(async::Loop& loop, bridge::Multiplexer& multiplexer, const bridge::Gateway& gateway,
                       UsageOptions options)
    : loop_(loop), multiplexer_(multiplexer), gateway_(gateway), options_(std::move(options)), beat_(loop) {
  if (options_.by == UsageBy::Off) return;
  read();
  multiplexer_.onTraffic([this](const auto& traffic) { count(traffic); });
}

UsageMeter::~UsageMeter() {
  if (options_.by == UsageBy::Off) return;
  multiplexer_.onTraffic({});
  if (unwritten_) write();
}

void UsageMeter::read() {
  removeLeftovers(options_.file);
  std::error_code error;
  if (!std::filesystem::exists(options_.file, error) && !error) return;
  const auto text = readFile(options_.file, kMaxFile);
  if (!text && text.error().kind == ErrorKind::System) {
    kept_ = false;
    return log::warning(fmt::format("data use: {}: counted from zero, and not kept; the file is left alone",
                                    text.error().text()));
  }
  auto usage = text ? Usage::load(*text) : Result<Usage>(std::unexpected(text.error()));
  if (usage) {
    usage_ = std::move(*usage);
    return;
  }
  std::filesystem::rename(options_.file, options_.file + ".damaged", error);
  log::warning(fmt::format("data use: {}: {}: begun anew; the old one is {}.damaged", options_.file,
                           usage.error().reply, options_.file));
}

void UsageMeter::write() {
  if (!kept_) return;
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(options_.file).parent_path(), ignored);
  constexpr mode_t kMode = 0640;  // whom this machine talks to is not everybody's business
  const auto written = replaceFile(options_.file, usage_.save(), kMode);
  if (!written && !failing_) log::warning("data use is not kept: " + written.error().text());
  unwritten_ = failing_ = !written;
  if (failing_) beat_.start(options_.beat, [this] { write(); });
}

void UsageMeter::count(const bridge::Multiplexer::Traffic& traffic) {
  usage_.add(options_.today(), nameOf(traffic), Volume{traffic.sent, traffic.received});
  unwritten_ = true;
  if (!beat_.armed()) beat_.start(options_.beat, [this] { write(); });
}

std::string UsageMeter::nameOf(const bridge::Multiplexer::Traffic& traffic) {
  if (traffic.session == 0) return "names";
  if (options_.by == UsageBy::Destination)
    return fmt::format("{} {}", module::name(traffic.protocol), net::text(traffic.remote));
  const auto known = names_.find(traffic.session);
  if (known != names_.end()) return known->second;
  if (names_.size() >= kSessions) names_.erase(names_.begin());
  return names_[traffic.session] = programOf(traffic.session);
}

std::string UsageMeter::programOf(bridge::SessionId session) const {
  const auto search = [&](const auto& flows) -> std::optional<std::string> {
    for (const auto* flow : flows) {
      if (flow->session() != nullptr && flow->session()->id() == session) return programs_.of(flow->key());
    }
    return std::nullopt;
  };
  if (auto found = search(gateway_.tcpFlows())) return *found;
  return search(gateway_.udpFlows()).value_or("unknown");
}

nlohmann::ordered_json UsageMeter::report(const std::string& last) const {
  const auto span = parseUsageSpan(last);
  nlohmann::ordered_json json;
  json["by"] = name(options_.by);
  json["periods"] = span ? usage_.report(*span) : usage_.today(options_.today());
  return json;
}

}  // namespace qimux::daemon
