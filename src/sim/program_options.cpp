#include "program_options.hpp"

#include "qimux/base/fd.hpp"
#include "qimux/sim/catalogue.hpp"
#include "qimux/sim/sms_pdu.hpp"
#include "real_socket.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <ctime>
#include <utility>

namespace qimux::sim {
namespace {

constexpr int kHighestIndi = 2;
constexpr std::size_t kLargestBuffer = 16U << 20;
constexpr double kSecondsOfADay = 86400;
constexpr std::string_view kSpanRule = "LEAST[-MOST] in ms, each 0 to 86400000";

Error invalid(std::string_view option, std::string_view value, std::string_view why) {
  return Error{ErrorKind::Invalid, fmt::format("{} {}", option, value), std::string(why)};
}

Result<std::pair<std::string, std::string>> splitAtEquals(std::string_view option, const std::string& value) {
  const std::size_t equals = value.find('=');
  if (equals == std::string::npos || equals == 0)
    return std::unexpected(invalid(option, value, "needs an ="));
  return std::pair(value.substr(0, equals), value.substr(equals + 1));
}

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

Result<void> takeFirmware(const ProgramOptions& options, Options& result) {
  const auto firmware = parseFirmware(options.firmware);
  if (!firmware) return std::unexpected(invalid("--firmware", options.firmware, "must be note, m95 or mc60"));
  result.firmware = *firmware;
  for (const auto& value : options.quirks) {
    constexpr std::string_view kWithout = "no-";
    const bool without = value.starts_with(kWithout);
    const auto quirk = parseQuirk(std::string_view(value).substr(without ? kWithout.size() : 0));
    if (!quirk) return std::unexpected(invalid("--quirk", value, "is not one of --list-quirks"));
    (without ? result.without : result.quirks).add(*quirk);
  }
  const int indi = result.highest_indi.value_or(0);
  if (indi < 0 || indi > kHighestIndi) {
    return std::unexpected(invalid("--indi", fmt::to_string(indi), "must be 0, 1 or 2"));
  }
  return {};
}

Result<void> checkBuffer(std::string_view option, std::size_t bytes) {
  if (bytes > 0 && bytes <= kLargestBuffer) return {};
  return std::unexpected(invalid(option, fmt::to_string(bytes),
                                 fmt::format("must be a number of bytes, 1 to {}", kLargestBuffer)));
}

Result<void> checkModule(const Options& options) {
  // The comparison is false for what is no number, too.
  if (!(options.loss >= 0 && options.loss <= 1)) {
    return std::unexpected(invalid("--loss", fmt::to_string(options.loss), "must be a probability, 0 to 1"));
  }
  const std::string& pin = options.pin;
  const bool digits = std::ranges::all_of(pin, [](char c) { return c >= '0' && c <= '9'; });
  if (!pin.empty() && (!digits || pin.size() < 4 || pin.size() > 8)) {
    return std::unexpected(invalid("--pin", pin, "must be 4 to 8 digits"));
  }
  if (auto room = checkBuffer("--receive-buffer", options.receive_buffer); !room) return room;
  return checkBuffer("--send-buffer", options.send_buffer);
}

Result<void> takeMessages(const ProgramOptions& options, Options& result) {
  for (const auto& value : options.sms) {
    auto parts = splitAtEquals("--sms", value);
    if (!parts) return std::unexpected(parts.error());
    if (!composeDeliver(parts->first, parts->second, 0)) {
      return std::unexpected(
          invalid("--sms", value, "must be FROM=TEXT: a number or a short name, and a text"));
    }
    result.sms.push_back(std::move(*parts));
  }
  if (!parseNumber(result.own_number)) {
    return std::unexpected(invalid("--own-number", result.own_number, "is no number"));
  }
  return {};
}

// Where both ends of it are numbers, what is wrong is their order.
std::string_view whyNoSpan(std::string_view text, std::string_view rule) {
  const std::size_t dash = text.find('-', 1);
  const bool both = dash != std::string_view::npos && parseSpan(text.substr(0, dash)) &&
                    text.find('-', dash + 1) == std::string_view::npos && parseSpan(text.substr(dash + 1));
  return both ? "MOST is less than LEAST" : rule;
}

Result<void> takeTiming(const ProgramOptions& options, Options& result) {
  for (const auto& value : options.latencies) {
    const auto parts = splitAtEquals("--latency", value);
    if (!parts) return std::unexpected(parts.error());
    const std::string command = upper(parts->first);
    if (std::ranges::find(catalogue(), "AT" + command, &CommandInfo::name) == catalogue().end()) {
      return std::unexpected(invalid("--latency", value, "must name one of --list-commands, as +QIACT"));
    }
    const auto span = parseSpan(parts->second);
    if (!span) {
      const std::string rule = fmt::format("must be NAME={}", kSpanRule);
      return std::unexpected(invalid("--latency", value, whyNoSpan(parts->second, rule)));
    }
    result.latencies.insert_or_assign(command, *span);
  }
  if (options.ack_lag.empty()) return {};
  const auto span = parseSpan(options.ack_lag);
  if (!span) {
    const std::string rule = fmt::format("must be {}", kSpanRule);
    return std::unexpected(invalid("--ack-lag", options.ack_lag, whyNoSpan(options.ack_lag, rule)));
  }
  result.ack_lag = *span;
  return {};
}

Result<std::vector<Ipv4>> parseAddresses(std::string_view option, std::string_view list) {
  std::vector<Ipv4> result;
  while (true) {
    const std::size_t comma = list.find(',');
    const auto address = parseIpv4(list.substr(0, comma));
    if (!address) return std::unexpected(invalid(option, list, "is no IPv4 address"));
    result.push_back(*address);
    if (comma == std::string_view::npos) return result;
    list.remove_prefix(comma + 1);
  }
}

// One that cannot be bound would show only when a program asks for AT+QISERVER.
Result<void> takeInbound(const ProgramOptions& options, SocketNetwork::Config& config) {
  if (options.inbound.empty()) return {};
  const auto address = parseIpv4(options.inbound);
  if (!address) return std::unexpected(invalid("--inbound", options.inbound, "is no IPv4 address"));
  const Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in here = toSockaddr(Endpoint{*address, 0});
  if (fd.valid() && ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here) < 0) {
    return std::unexpected(invalid("--inbound", options.inbound, "must be an address of this machine"));
  }
  config.inbound = address;
  return {};
}

Result<void> takeAddresses(const ProgramOptions& options, SocketNetwork::Config& config) {
  for (const auto& value : options.mappings) {
    const auto parts = splitAtEquals("--map", value);
    if (!parts) return std::unexpected(parts.error());
    const auto range = parseCidr(parts->first);
    const auto to = parseIpv4(parts->second);
    if (!range || !to) return std::unexpected(invalid("--map", value, "must be CIDR=ADDR"));
    config.mappings.push_back({*range, *to});
  }
  for (const auto& value : options.black_holes) {
    const auto range = parseCidr(value);
    if (!range) return std::unexpected(invalid("--black-hole", value, "must be a CIDR"));
    config.black_holes.push_back(*range);
  }
  return {};
}

Result<void> takeNames(const ProgramOptions& options, SocketNetwork::Config& config) {
  for (const auto& value : options.hosts) {
    const auto parts = splitAtEquals("--host", value);
    if (!parts) return std::unexpected(parts.error());
    const auto addresses = parseAddresses("--host", parts->second);
    if (!addresses) return std::unexpected(addresses.error());
    config.hosts[lower(parts->first)] = *addresses;
  }
  return {};
}

}  // namespace

Result<async::Duration> parseDuration(std::string_view option, std::string_view value, Unit unit) {
  const double scale = unit == Unit::Second ? 1 : 1000;
  double number = 0;
  const char* end = value.data() + value.size();
  const auto [stop, problem] = std::from_chars(value.data(), end, number);
  if (problem != std::errc{} || stop != end || !(number >= 0 && number <= kSecondsOfADay * scale)) {
    return std::unexpected(invalid(option, value,
                                   fmt::format("must be a number of {}, 0 to {}",
                                               unit == Unit::Second ? "s" : "ms", kSecondsOfADay * scale)));
  }
  return async::Duration(std::llround(number / scale * 1e6));
}

Result<void> checkPort(const ProgramOptions& options) {
  if (options.link.empty() != options.listen.empty()) return {};
  const char* why = options.link.empty() ? "needs --link or --listen" : "needs --link or --listen, not both";
  return std::unexpected(Error{ErrorKind::Invalid, "qimux-sim", why});
}

Result<Options> moduleOptions(const ProgramOptions& options) {
  Options result = options.module;
  result.wall_clock = [] { return static_cast<std::int64_t>(std::time(nullptr)); };
  for (const auto take : {takeFirmware, takeTiming, takeMessages}) {
    if (auto taken = take(options, result); !taken) return std::unexpected(taken.error());
  }
  if (auto checked = checkModule(result); !checked) return std::unexpected(checked.error());
  return result;
}

Result<SocketNetwork::Config> networkConfig(const ProgramOptions& options) {
  SocketNetwork::Config config;
  config.use_resolver = options.resolve;
  for (const auto take : {takeInbound, takeAddresses, takeNames}) {
    if (auto taken = take(options, config); !taken) return std::unexpected(taken.error());
  }
  return config;
}

Result<void> checkOptions(const ProgramOptions& options) {
  if (auto port = checkPort(options); !port) return port;
  if (auto module = moduleOptions(options); !module) return std::unexpected(module.error());
  if (auto network = networkConfig(options); !network) return std::unexpected(network.error());
  return {};
}

}  // namespace qimux::sim
