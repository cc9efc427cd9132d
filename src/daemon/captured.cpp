#include "qimux/daemon/captured.hpp"

#include "qimux/daemon/config_toml.hpp"
#include "qimux/daemon/wiring.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>

namespace qimux::daemon {
namespace {

// Where a rule of the policy speaks of destinations. Of which, the capture's rules records say.
constexpr net::Cidr kRuled{0xffffffff, 32};

std::string utcNow() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

void replaceSecret(std::string& toml, std::string_view key, const std::string& value) {
  const std::string line = fmt::format("\n{} = \"***\"\n", key);
  if (const auto at = toml.find(line); at != std::string::npos) {
    toml.replace(at, line.size(), fmt::format("\n{} = {}\n", key, tomlString(value)));
  }
}

capture::Surroundings surroundingsOf(const Config& config) {
  capture::Surroundings surroundings;
  surroundings.network = config.tun.address;
  surroundings.gateway = config.tun.gateway();
  surroundings.upstream = config.dns.upstream;
  for (const auto& rule : config.policy) surroundings.policy.push_back(rule.to);
  return surroundings;
}

// The program, without its arguments: a token may be among them.
void keepProgram(std::vector<std::string>& command) {
  command.resize(std::min(command.size(), std::size_t{1}));
}

Config withStandIns(Config config, capture::StandIns& stand_ins) {
  if (!config.module.apn.empty()) config.module.apn = "apn";
  if (!config.module.user.empty()) config.module.user = "user";
  for (auto* command : {&config.module.reset.command, &config.hooks.on_up, &config.hooks.on_down})
    keepProgram(*command);
  config.tun.routes = Config::Tun{}.routes;
  if (config.dns.upstream) config.dns.upstream->address = stand_ins.address(config.dns.upstream->address);
  for (auto& probe : config.keepalive.probes) probe.payload = capture::StandIns::stream(probe.payload);
  for (auto& listen : config.listen) listen.to.address = stand_ins.address(listen.to.address);
  for (auto& rule : config.policy) {
    if (rule.to) rule.to = kRuled;
  }
  return config;
}

}  // namespace

std::string capturedConfig(const Config& config, capture::StandIns* stand_ins) {
  std::string toml = describe(stand_ins == nullptr ? config : withStandIns(config, *stand_ins));
  // The cores send what stands here, and it has to pass the checks of the file.
  replaceSecret(toml, "pin", stand_ins == nullptr ? config.module.pin : "0000");
  if (stand_ins == nullptr) replaceSecret(toml, "password", config.module.password);
  return toml;
}

Result<std::unique_ptr<capture::Tap>> openTap(async::Loop& loop, const Config& config,
                                              const CaptureOptions& options) {
  const auto surroundings = surroundingsOf(config);
  auto mask =
      options.everything ? capture::Mask::none(surroundings) : capture::Mask::withStandIns(surroundings);
  capture::Head head;
  head.daemon = QIMUX_VERSION;
  head.started = utcNow();
  head.everything = options.everything;
  head.clock = static_cast<std::uint64_t>(loop.now().time_since_epoch().count());
  head.config = capturedConfig(config, options.everything ? nullptr : &mask.standIns());
  auto writer = capture::Writer::create(options.file, options.limit, head);
  if (!writer) return std::unexpected(writer.error());
  return std::make_unique<capture::Tap>(loop, std::move(*writer), std::move(mask));
}

Result<capture::ReplayOptions> replayOptions(const capture::Head& head) {
  const auto config = parseConfig(head.config, "its configuration");
  if (!config) return std::unexpected(Error{ErrorKind::Invalid, "capture", config.error().front().text()});
  capture::ReplayOptions options;
  options.multiplexer = multiplexerOptions(*config);
  options.gateway = gatewayOptions(*config);
  options.link = linkOptions(*config);
  options.has_reset_line = config->module.reset != decltype(config->module.reset){};
  options.policy = config->policy;
  return options;
}

}  // namespace qimux::daemon
