// Values of the configuration, from TOML and back.
//
// A reader checks one value and stores it, or says what is wrong with it and what to do, in words that follow
// "file:line: key: ". It stores nothing then.
#pragma once

#include "qimux/async/loop.hpp"
#include "qimux/bridge/policy.hpp"
#include "qimux/daemon/config.hpp"
#include "qimux/daemon/config_toml.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace qimux::daemon {

using Problem = std::optional<std::string>;

// A number of `low` to `high`, both included.
Problem readInteger(const TomlValue& value, std::int64_t low, std::int64_t high, std::int64_t& out);
template <typename T>
Problem readNumber(const TomlValue& value, std::int64_t low, std::int64_t high, T& out) {
  std::int64_t wide = 0;
  auto problem = readInteger(value, low, high, wide);
  if (!problem) out = static_cast<T>(wide);
  return problem;
}
Problem readPort(const TomlValue& value, std::uint16_t& out);

// "500ms", "80s", "8min", "2h", "1d": a whole number and its unit.
Problem readDuration(const TomlValue& value, async::Duration low, async::Duration high, async::Duration& out);
// In the largest of these units that gives a whole number, but none above `largest`.
enum class DurationUnit { Milliseconds, Seconds, Minutes, Hours };
std::string durationText(async::Duration duration, DurationUnit largest = DurationUnit::Seconds);

// Any text without control bytes.
Problem readText(const TomlValue& value, std::string& out);
// A text that goes into a command line of the module between quotes: printable ASCII, no quote, at most
// `longest`.
Problem readModuleText(const TomlValue& value, std::size_t longest, std::string& out);
// "", or 4 to 8 digits (3GPP TS 31.101).
Problem readPin(const TomlValue& value, std::string& out);

Problem readDevice(const TomlValue& value, std::string& out);         // a path
Problem readInterfaceName(const TomlValue& value, std::string& out);  // as the kernel takes it
Problem readSocketPath(const TomlValue& value, std::string& out);     // absolute, and fits a sockaddr_un
Problem readGroup(const TomlValue& value, std::string& out);          // "" or a group's name
Problem readBaud(const TomlValue& value, int& out);
Problem readMtu(const TomlValue& value, int& out);
Problem readReset(const TomlValue& value, serial::ResetSettings& out);
// "" for none; else an absolute path and its arguments, divided by blanks: no shell ever reads them.
Problem readCommandLine(const TomlValue& value, std::vector<std::string>& out);
Problem readHex(const TomlValue& value, std::size_t longest, Bytes& out);

// An address of the host in a network of at most 30 bits, with the next address for the gateway.
Problem readTunAddress(const TomlValue& value, net::Cidr& out);
// No bits beyond the prefix.
Problem readNetwork(const TomlValue& value, net::Cidr& out);
Problem readNetworks(const TomlValue& value, std::vector<net::Cidr>& out);
Problem readEndpoint(const TomlValue& value, net::Endpoint& out);
// "" for none; an address without a port is at port 53.
Problem readUpstream(const TomlValue& value, std::optional<net::Endpoint>& out);
// A number, or "first-last".
Problem readPorts(const TomlValue& value, bridge::PortRange& out);

template <typename T>
using Choices = std::vector<std::pair<std::string_view, T>>;
// The place in `names` of the text that was chosen.
Problem readChoiceIndex(const TomlValue& value, const std::vector<std::string_view>& names, std::size_t& out);
template <typename T>
Problem readChoice(const TomlValue& value, const Choices<T>& choices, T& out) {
  std::vector<std::string_view> names;
  for (const auto& choice : choices) names.push_back(choice.first);
  std::size_t index = 0;
  auto problem = readChoiceIndex(value, names, index);
  if (!problem) out = choices[index].second;
  return problem;
}

// The one of `names` that was probably meant; nullopt where none is near.
std::optional<std::string_view> nearest(std::string_view text, const std::vector<std::string_view>& names);

}  // namespace qimux::daemon
