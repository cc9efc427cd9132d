// The keys of the configuration's lists.
#include "qimux/daemon/config_keys.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace qimux::daemon {

namespace {

constexpr std::size_t kMaxProbe = 1460;  // one AT+QISEND

const Choices<module::Protocol> kProtocols = {{"tcp", module::Protocol::Tcp}, {"udp", module::Protocol::Udp}};

using bridge::PolicyAction;
using bridge::PolicyProtocol;
using bridge::PolicyRule;
const Choices<PolicyAction> kActions = {{"allow", PolicyAction::Allow}, {"deny", PolicyAction::Deny}};
const Choices<PolicyProtocol> kPolicyProtocols = {{"any", PolicyProtocol::Any},
                                                  {"tcp", PolicyProtocol::Tcp},
                                                  {"udp", PolicyProtocol::Udp},
                                                  {"icmp", PolicyProtocol::Icmp}};

std::string hex(const Bytes& bytes) {
  return fmt::format("{:02x}", fmt::join(bytes, ""));
}

std::string portOrNothing(std::uint16_t port) {
  return port == 0 ? std::string() : fmt::to_string(port);
}

std::string ports(const PolicyRule& rule) {
  if (!rule.ports) return {};
  if (rule.ports->first == rule.ports->last) return fmt::to_string(rule.ports->first);
  return fmt::format("\"{}-{}\"", rule.ports->first, rule.ports->last);
}

// ESC is the end of a send to some firmware, and a probe cannot be cut.
Problem readProbe(const TomlValue& value, Probe& probe) {
  if (auto problem = readHex(value, kMaxProbe, probe.payload)) return problem;
  const bool escape = std::ranges::find(probe.payload, Byte{0x1b}) != probe.payload.end();
  if (escape) return "contains 1b (ESC), at which a module may end what it sends; choose another message";
  return std::nullopt;
}

Problem readTo(const TomlValue& value, PolicyRule& rule) {
  net::Cidr network;
  if (auto problem = readNetwork(value, network)) return problem;
  rule.to = network;
  return std::nullopt;
}

Problem readRulePorts(const TomlValue& value, PolicyRule& rule) {
  bridge::PortRange range;
  if (auto problem = readPorts(value, range)) return problem;
  rule.ports = range;
  return std::nullopt;
}

}  // namespace

const std::vector<ConfigKey<Probe>>& probeKeys() {
  static const std::vector<ConfigKey<Probe>> kKeys = {
      {"port", "number", "Connections to this remote port are probed.",
       [](const TomlValue& v, Probe& p) { return readPort(v, p.port); },
       [](const Probe& p) { return portOrNothing(p.port); }, true},
      {"payload_hex", "text", "What is sent: a message of the port's protocol that the far end ignores.",
       readProbe,
       [](const Probe& p) { return p.payload.empty() ? std::string() : tomlString(hex(p.payload)); }, true},
  };
  return kKeys;
}

const std::vector<ConfigKey<Listen>>& listenKeys() {
  static const std::vector<ConfigKey<Listen>> kKeys = {
      {"protocol", "\"tcp\" or \"udp\"", "What the module listens for (AT+QISERVER).",
       [](const TomlValue& v, Listen& l) { return readChoice(v, kProtocols, l.protocol); },
       [](const Listen& l) { return tomlString(module::name(l.protocol)); }},
      {"port", "number", "The module's port.",
       [](const TomlValue& v, Listen& l) { return readPort(v, l.port); },
       [](const Listen& l) { return portOrNothing(l.port); }, true},
      {"to", "address:port", "Where what comes in goes.",
       [](const TomlValue& v, Listen& l) { return readEndpoint(v, l.to); },
       [](const Listen& l) { return l.to.port == 0 ? std::string() : tomlString(net::text(l.to)); }, true},
  };
  return kKeys;
}

const std::vector<ConfigKey<PolicyRule>>& policyKeys() {
  static const std::vector<ConfigKey<PolicyRule>> kKeys = {
      {"action", "\"allow\" or \"deny\"", "What the first rule that matches decides.",
       [](const TomlValue& v, PolicyRule& r) { return readChoice(v, kActions, r.action); },
       [](const PolicyRule& r) { return tomlString(name(r.action)); }, true},
      {"protocol", "\"any\", \"tcp\", \"udp\" or \"icmp\"", "For which protocol.",
       [](const TomlValue& v, PolicyRule& r) { return readChoice(v, kPolicyProtocols, r.protocol); },
       [](const PolicyRule& r) { return tomlString(name(r.protocol)); }},
      {"to", "network", "For which destinations; without it for all.", readTo,
       [](const PolicyRule& r) { return r.to ? tomlString(net::text(*r.to)) : std::string(); }},
      {"port", "number or \"first-last\"", "For which remote ports; without it for all.", readRulePorts,
       ports},
  };
  return kKeys;
}

}  // namespace qimux::daemon
