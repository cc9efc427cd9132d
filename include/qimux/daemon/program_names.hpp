// Which program a flow is of, as far as the kernel tells.
//
// Asked once, at the flow's first packet, while its program is surely there: one question to the kernel for
// the socket, and a walk through /proc for who holds it, which is not cheap. Without the right to see other
// users' processes it is the user; of a machine that this one routes for, its address.
#pragma once

#include "qimux/async/loop.hpp"
#include "qimux/base/bytes.hpp"
#include "qimux/net/sock_diag.hpp"

#include <deque>
#include <optional>
#include <string>
#include <unordered_map>

namespace qimux::daemon {

class ProgramNames {
 public:
  // More flows than that are forgotten, the oldest first.
  static constexpr std::size_t kFlows = 1024;

  explicit ProgramNames(std::string proc = "/proc") : proc_(std::move(proc)) {}

  // A packet that a program sent, before anybody rewrites it. All but a flow's first costs no more than a
  // look; a SYN, or a datagram, that comes `kFresh` after the last one with its addresses begins a new flow.
  void sawPacket(ByteSpan bytes, async::TimePoint now);
  static constexpr async::Duration kFresh = std::chrono::minutes(3);

  // "curl", "user 1000", "192.168.77.2", or "unknown".
  std::string of(const net::FlowKey& flow) const;

 private:
  struct Known {
    std::string name;
    async::TimePoint seen;  // its last SYN, or datagram
  };
  std::string lookUp(const net::FlowKey& flow, std::uint8_t protocol);
  std::optional<std::string> holderOf(std::uint32_t inode) const;

  std::string proc_;
  std::optional<net::SockDiag> diag_;
  std::unordered_map<net::FlowKey, Known> known_;
  std::deque<net::FlowKey> order_;
};

// Whether `address` is one of this machine's.
bool isLocalAddress(std::uint32_t address);

}  // namespace qimux::daemon
