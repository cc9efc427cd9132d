// Values that name a place: devices, interfaces, sockets, addresses, lines.
#include "qimux/daemon/config_values.hpp"

#include <fmt/format.h>
#include <net/if.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>

namespace qimux::daemon {

namespace {

constexpr std::size_t kMaxPath = sizeof(sockaddr_un::sun_path) - 1;
constexpr std::size_t kMaxGroup = 32;
constexpr std::uint16_t kDnsPort = 53;
constexpr int kMaxTunPrefix = 30;
constexpr int kMinTunPrefix = 8;
constexpr unsigned kMaxGpioLine = 1023;
constexpr std::string_view kWordBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

std::optional<unsigned> parseNumber(std::string_view text, unsigned high) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number > high) return std::nullopt;
  return number;
}

std::optional<std::uint16_t> parsePort(std::string_view text) {
  const auto number = parseNumber(text, 65535);
  if (!number || *number == 0) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

std::optional<net::Endpoint> parseEndpoint(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto address = net::parseAddress(text.substr(0, colon));
  const auto port = parsePort(text.substr(colon + 1));
  if (!address || !port) return std::nullopt;
  return net::Endpoint{*address, *port};
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t blank = std::min(text.find(' '), text.size());
    if (blank > 0) out.emplace_back(text.substr(0, blank));
    text.remove_prefix(std::min(blank + 1, text.size()));
  }
  return out;
}

Problem readGpio(std::string_view place, serial::ResetSettings& out) {
  const std::size_t colon = std::min(place.rfind(':'), place.size());
  const std::string_view chip = place.substr(0, colon);
  const auto line = colon < place.size() ? parseNumber(place.substr(colon + 1), kMaxGpioLine) : std::nullopt;
  const std::string_view bare = chip.starts_with("/dev/") ? chip.substr(5) : chip;
  if (!line || bare.empty() || bare.find_first_not_of(kWordBytes) != std::string_view::npos) {
    return "is no GPIO line; write \"gpio:CHIP:LINE\", like \"gpio:gpiochip0:17\"";
  }
  out = serial::ResetSettings{serial::ResetSettings::Kind::Gpio, std::string(chip), *line, {}};
  return std::nullopt;
}

Problem readCommand(std::string_view command, serial::ResetSettings& out) {
  std::vector<std::string> parts = words(command);
  if (parts.empty() || !parts.front().starts_with('/')) {
    return "names no program by its whole path; write \"command:/path/to/program arguments\"";
  }
  out = serial::ResetSettings{serial::ResetSettings::Kind::Command, {}, 0, std::move(parts)};
  return std::nullopt;
}

}  // namespace

Problem readDevice(const TomlValue& value, std::string& out) {
  std::string path;
  if (auto problem = readText(value, path)) return problem;
  if (path.empty()) return "is empty; write the serial device's path, like \"/dev/ttyUSB0\"";
  out = std::move(path);
  return std::nullopt;
}

Problem readInterfaceName(const TomlValue& value, std::string& out) {
  std::string text;
  if (auto problem = readText(value, text)) return problem;
  if (text.empty() || text.size() >= IFNAMSIZ) {
    return fmt::format("{} is no interface name; write 1 to {} characters", tomlString(text), IFNAMSIZ - 1);
  }
  // ':' and '/' are the kernel's own rule; '%' would make it number the interface.
  if (text.find_first_not_of(kWordBytes) != std::string::npos || text == "." || text == "..") {
    return fmt::format("{} is no interface name; use letters, digits, '_', '.' and '-'", tomlString(text));
  }
  // Programs that are told the name would take it for an option.
  if (text.starts_with('-')) {
    return fmt::format("{} is no interface name; begin it with a letter", tomlString(text));
  }
  out = std::move(text);
  return std::nullopt;
}

Problem readSocketPath(const TomlValue& value, std::string& out) {
  std::string path;
  if (auto problem = readText(value, path)) return problem;
  if (!path.starts_with('/') || path.ends_with('/')) {
    return fmt::format("{} is no absolute path of a file; write one like \"/run/qimuxd/control.sock\"",
                       tomlString(path));
  }
  if (path.size() > kMaxPath) {
    return fmt::format("is {} bytes long; the path of a socket has at most {}", path.size(), kMaxPath);
  }
  out = std::move(path);
  return std::nullopt;
}

Problem readGroup(const TomlValue& value, std::string& out) {
  std::string text;
  if (auto problem = readText(value, text)) return problem;
  if (text.size() > kMaxGroup || text.find_first_not_of(kWordBytes) != std::string::npos) {
    return fmt::format("{} is no group; write a group's name, or \"\" for root only", tomlString(text));
  }
  out = std::move(text);
  return std::nullopt;
}

Problem readReset(const TomlValue& value, serial::ResetSettings& out) {
  std::string text;
  if (auto problem = readText(value, text)) return problem;
  const std::string_view view = text;
  if (view.starts_with("gpio:")) return readGpio(view.substr(5), out);
  if (view.starts_with("command:")) return readCommand(view.substr(8), out);
  for (const auto kind : {serial::ResetSettings::Kind::None, serial::ResetSettings::Kind::Dtr,
                          serial::ResetSettings::Kind::Rts}) {
    serial::ResetSettings reset{kind, {}, 0, {}};
    if (view != daemon::text(reset)) continue;
    out = std::move(reset);
    return std::nullopt;
  }
  return fmt::format(
      "{} is no reset line; choose \"none\", \"dtr\", \"rts\", \"gpio:CHIP:LINE\" or "
      "\"command:/path arguments\"",
      tomlString(text));
}

Problem readCommandLine(const TomlValue& value, std::vector<std::string>& out) {
  std::string text;
  if (auto problem = readText(value, text)) return problem;
  std::vector<std::string> parts = words(text);
  if (!parts.empty() && !parts.front().starts_with('/')) {
    // Reports and logs have this line: an argument may be a token.
    return fmt::format("{} names no program by its whole path; write \"/path/to/program arguments\"",
                       tomlString(parts.front()));
  }
  out = std::move(parts);
  return std::nullopt;
}

Problem readTunAddress(const TomlValue& value, net::Cidr& out) {
  std::string text;
  if (auto problem = readText(value, text)) return problem;
  const auto cidr = net::parseCidr(text);
  if (!cidr || text.find('/') == std::string::npos) {
    return fmt::format("{} is no address with a prefix; write one like \"10.64.64.1/30\"", tomlString(text));
  }
  if (cidr->prefix > kMaxTunPrefix || cidr->prefix < kMinTunPrefix) {
    return fmt::format(
        "a network of {} bits has no room for host and gateway, or too much; choose /{} to /{}", cidr->prefix,
        kMinTunPrefix, kMaxTunPrefix);
  }
  const std::uint32_t host = cidr->address - cidr->network();
  const std::uint32_t broadcast = ~cidr->mask();
  if (host == 0 || host + 1 >= broadcast) {
    return fmt::format(
        "{} leaves no next address for the gateway; choose one between the network's first and its last two",
        tomlString(text));
  }
  out = *cidr;
  return std::nullopt;
}

Problem readNetwork(const TomlValue& value, net::Cidr& out) {
  std::string text;
  if (auto problem = readText(value, text)) return problem;
  const auto cidr = net::parseCidr(text);
  if (!cidr) return fmt::format("{} is no network; write one like \"10.0.0.0/8\"", tomlString(text));
  if (cidr->address != cidr->network()) {
    return fmt::format("{} has bits beyond its prefix; write \"{}\"", tomlString(text),
                       net::text(net::Cidr{cidr->network(), cidr->prefix}));
  }
  out = *cidr;
  return std::nullopt;
}

Problem readNetworks(const TomlValue& value, std::vector<net::Cidr>& out) {
  if (value.kind != TomlValue::Kind::Array) {
    return fmt::format("is {}; write a list of networks, like [\"10.0.0.0/8\"]", name(value.kind));
  }
  std::vector<net::Cidr> networks;
  for (const TomlValue& item : value.items) {
    net::Cidr network;
    if (auto problem = readNetwork(item, network)) return problem;
    networks.push_back(network);
  }
  out = std::move(networks);
  return std::nullopt;
}

Problem readEndpoint(const TomlValue& value, net::Endpoint& out) {
  std::string text;
  if (auto problem = readText(value, text)) return problem;
  const auto endpoint = parseEndpoint(text);
  if (!endpoint) {
    return fmt::format("{} is no address with a port; write one like \"127.0.0.1:8080\"", tomlString(text));
  }
  out = *endpoint;
  return std::nullopt;
}

Problem readUpstream(const TomlValue& value, std::optional<net::Endpoint>& out) {
  std::string text;
  if (auto problem = readText(value, text)) return problem;
  if (text.empty()) {
    out.reset();
    return std::nullopt;
  }
  auto endpoint = parseEndpoint(text);
  if (const auto address = net::parseAddress(text)) endpoint = net::Endpoint{*address, kDnsPort};
  if (!endpoint) {
    return fmt::format("{} is no name server; write its address, like \"192.0.2.53\" or \"192.0.2.53:5353\"",
                       tomlString(text));
  }
  out = endpoint;
  return std::nullopt;
}

Problem readPorts(const TomlValue& value, bridge::PortRange& out) {
  if (value.kind != TomlValue::Kind::String) {
    std::uint16_t port = 0;
    if (auto problem = readPort(value, port)) return problem;
    out = {port, port};
    return std::nullopt;
  }
  const std::string_view text = value.text;
  const std::size_t dash = std::min(text.find('-'), text.size());
  const auto first = parsePort(text.substr(0, dash));
  const auto last = dash < text.size() ? parsePort(text.substr(dash + 1)) : first;
  if (!first || !last || *first > *last) {
    return fmt::format("{} is no range of ports; write one like \"5000-5010\"", tomlString(text));
  }
  out = {*first, *last};
  return std::nullopt;
}

}  // namespace qimux::daemon
