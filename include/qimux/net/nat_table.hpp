// Flows and the NAT ports that stand for them on the inner side, both ways. No I/O; times are parameters.
#pragma once

#include "qimux/async/loop.hpp"
#include "qimux/base/error.hpp"
#include "qimux/net/address.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

namespace qimux::net {

class NatTable {
 public:
  struct Options {
    std::uint16_t first = 1024;
    std::uint16_t last = 65535;  // included
    std::size_t bound = 1024;    // most flows at a time
    // How long a freed port is left alone (RFC 6888 REQ-8): the inner kernel's TIME_WAIT, and segments still
    // on their way, must not meet a new flow.
    async::Duration quarantine = std::chrono::seconds(120);
  };

  explicit NatTable(const Options& options);

  // The flow's port: the one it has, or a free one, taken round robin. Full where the table holds as many
  // flows as it may, or where every port is taken or in quarantine.
  Result<std::uint16_t> allocate(const FlowKey& flow, async::TimePoint now);
  // Frees the flow's port; it is in quarantine from now on. No effect for a flow that is not here.
  void release(const FlowKey& flow, async::TimePoint now);
  // Frees the port of a flow of which nothing was ever sent to the inner side: nothing can still be on its
  // way, so it is free at once. Else a flood of refused connects would use up all ports for the quarantine's
  // time.
  void discard(const FlowKey& flow);

  std::optional<std::uint16_t> portOf(const FlowKey& flow) const;
  // Nothing for a port that no flow has, which includes those in quarantine.
  std::optional<FlowKey> flowOf(std::uint16_t port) const;

  std::size_t size() const { return ports_.size(); }
  std::size_t quarantined() const { return resting_.size(); }

 private:
  struct Resting {
    async::TimePoint until;
    std::uint16_t port;
  };
  void wake(async::TimePoint now);
  std::size_t slot(std::uint16_t port) const { return static_cast<std::size_t>(port - options_.first); }

  Options options_;
  std::unordered_map<FlowKey, std::uint16_t> ports_;
  std::unordered_map<std::uint16_t, FlowKey> flows_;
  std::vector<bool> taken_;      // by slot: in use or in quarantine
  std::size_t next_ = 0;         // where the search begins
  std::deque<Resting> resting_;  // the earliest first
};

}  // namespace qimux::net
