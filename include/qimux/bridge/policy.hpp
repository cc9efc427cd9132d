// Who may be reached through the module: rules in order, the first that matches decides, none means allow.
#pragma once

#include "qimux/net/address.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qimux::bridge {

enum class PolicyAction { Allow, Deny };
std::string_view name(PolicyAction action);

enum class PolicyProtocol { Any, Tcp, Udp, Icmp };
std::string_view name(PolicyProtocol protocol);

struct PortRange {
  std::uint16_t first = 0;
  std::uint16_t last = 0;  // included
  friend bool operator==(const PortRange&, const PortRange&) = default;
};

struct PolicyRule {
  PolicyAction action = PolicyAction::Deny;
  PolicyProtocol protocol = PolicyProtocol::Any;
  std::optional<net::Cidr> to;     // the destination; all without
  std::optional<PortRange> ports;  // destination ports; a rule with ports never matches ICMP, which has none
  friend bool operator==(const PolicyRule&, const PolicyRule&) = default;
};

// "deny udp to 10.0.0.0/8 port 5000-5010"
std::string text(const PolicyRule& rule);

class Policy {
 public:
  struct Rule {
    PolicyRule rule;
    std::uint64_t hits = 0;  // decisions that it made
  };

  Policy() = default;
  explicit Policy(const std::vector<PolicyRule>& rules);

  // Of the first packet of a flow, and of each ping. `protocol` is that of the packet, not Any; the port
  // counts for TCP and UDP only. Counts.
  PolicyAction decide(PolicyProtocol protocol, net::Endpoint destination);

  const std::vector<Rule>& rules() const { return rules_; }
  std::uint64_t defaultHits() const { return default_hits_; }  // decisions that no rule made
  std::uint64_t denied() const { return denied_; }

 private:
  std::vector<Rule> rules_;
  std::uint64_t default_hits_ = 0;
  std::uint64_t denied_ = 0;
};

}  // namespace qimux::bridge
