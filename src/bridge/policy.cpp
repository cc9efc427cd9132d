#include "qimux/bridge/policy.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace qimux::bridge {

namespace {

bool hasPorts(PolicyProtocol protocol) {
  return protocol == PolicyProtocol::Tcp || protocol == PolicyProtocol::Udp;
}

bool matches(const PolicyRule& rule, PolicyProtocol protocol, net::Endpoint destination) {
  if (rule.protocol != PolicyProtocol::Any && rule.protocol != protocol) return false;
  if (rule.to && !rule.to->contains(destination.address)) return false;
  if (!rule.ports) return true;
  return hasPorts(protocol) && destination.port >= rule.ports->first && destination.port <= rule.ports->last;
}

}  // namespace

std::string_view name(PolicyAction action) {
  return action == PolicyAction::Allow ? "allow" : "deny";
}

std::string_view name(PolicyProtocol protocol) {
  switch (protocol) {
    case PolicyProtocol::Any:
      return "any";
    case PolicyProtocol::Tcp:
      return "tcp";
    case PolicyProtocol::Udp:
      return "udp";
    case PolicyProtocol::Icmp:
      return "icmp";
  }
  return "unknown";
}

std::string text(const PolicyRule& rule) {
  std::string out = fmt::format("{} {}", name(rule.action), name(rule.protocol));
  if (rule.to) out += " to " + net::text(*rule.to);
  if (rule.ports) {
    out += fmt::format(" port {}", rule.ports->first);
    if (rule.ports->last != rule.ports->first) out += fmt::format("-{}", rule.ports->last);
  }
  return out;
}

Policy::Policy(const std::vector<PolicyRule>& rules) {
  for (const PolicyRule& rule : rules) rules_.push_back({rule, 0});
}

PolicyAction Policy::decide(PolicyProtocol protocol, net::Endpoint destination) {
  const auto found = std::ranges::find_if(
      rules_, [&](const Rule& each) { return matches(each.rule, protocol, destination); });
  if (found == rules_.end()) {
    ++default_hits_;
    return PolicyAction::Allow;
  }
  ++found->hits;
  if (found->rule.action == PolicyAction::Deny) ++denied_;
  return found->rule.action;
}

}  // namespace qimux::bridge
