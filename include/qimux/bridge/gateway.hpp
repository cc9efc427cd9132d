// The gateway that programs route through: every packet of the outer TUN ends here, and what comes back
// starts here.
//
// TCP becomes flows over the module's sockets, UDP associations, questions to the gateway's port 53 the
// module's name look-up, pings its AT+QPING. What cannot be served is refused so that the program learns why.
// Does no I/O: packets come and go by calls.
#pragma once

#include "qimux/bridge/multiplexer.hpp"
#include "qimux/bridge/name_service.hpp"
#include "qimux/bridge/policy.hpp"
#include "qimux/bridge/tcp_flow.hpp"
#include "qimux/bridge/udp_flow.hpp"
#include "qimux/net/nat_table.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

namespace qimux::bridge {

struct GatewayOptions {
  net::Cidr network;          // tun.address
  std::uint32_t gateway = 0;  // the next address in it
  std::uint16_t mtu = 1488;
  async::Duration hold_offline = std::chrono::seconds(30);
  Acknowledge acknowledge = Acknowledge::Remote;
  DnsOptions dns;
  std::optional<net::Endpoint> dns_upstream;
  // Bounds of the tables. A flow that is over gives its place to a new one; else a new one is refused.
  std::size_t tcp_flows = 1024;
  std::size_t udp_flows = 256;
  std::size_t local_flows = 256;     // of tcp_flows: connections to the gateway's own port 53
  std::size_t resting_ports = 8192;  // NAT ports in quarantine; with more, no connection to port 53
};

class Gateway final : private FlowHost {
 public:
  struct Exits {
    std::function<void(ByteView)> to_program;               // one packet for the outer TUN
    std::function<void(ByteView)> to_inner;                 // one for the inner TUN
    std::function<bool(const net::FlowKey&)> program_gone;  // FlowHost::programGone
  };
  Gateway(async::Loop& loop, Multiplexer& multiplexer, Policy policy, const GatewayOptions& options,
          Exits exits);
  ~Gateway() override;

  // A packet from either TUN; rewritten in place.
  void fromProgram(ByteSpan bytes);
  void fromInner(ByteSpan bytes);
  // The inner listener accepted the connection of NAT port `port`.
  void accepted(std::uint16_t port, std::unique_ptr<AppStream> stream);
  // The link is up, or no longer. Waiting connects wait for `hold_offline` from when it went.
  void online(bool up);

  struct Counters {
    std::uint64_t packets_from_program = 0;
    std::uint64_t packets_to_program = 0;
    std::uint64_t packets_from_inner = 0;
    std::uint64_t packets_to_inner = 0;
    std::uint64_t malformed = 0;
    std::uint64_t fragments = 0;
    std::uint64_t not_routable = 0;  // groups, broadcasts, protocols that the module does not speak
    std::uint64_t strays = 0;        // segments of no flow, answered with a reset
    std::uint64_t flows = 0;
    std::uint64_t associations = 0;
    std::uint64_t martians = 0;  // from addresses that nobody can have
    std::uint64_t pings_refused = 0;
    std::uint64_t table_full = 0;
    std::uint64_t displaced = 0;      // flows that were over, forgotten early for a new one's sake
    std::uint64_t local_refused = 0;  // connections to port 53 that were too many
  };
  const Counters& counters() const { return counters_; }
  const Policy& policy() const { return policy_; }
  // For what begins from now on; what has begun goes on.
  void setPolicy(Policy policy) { policy_ = std::move(policy); }
  const NameService& names() const { return names_; }

  // How full the tables are.
  struct Tables {
    std::size_t tcp = 0;
    std::size_t tcp_local = 0;  // of tcp
    std::size_t tcp_over = 0;   // of tcp: they linger
    std::size_t udp = 0;
    std::size_t ports = 0;
    std::size_t ports_resting = 0;
    std::size_t pings = 0;
  };
  Tables tables() const;

  // Each flow, the oldest first.
  std::vector<const TcpFlow*> tcpFlows() const;
  std::vector<const UdpFlow*> udpFlows() const;

 private:
  void toProgram(ByteView packet) override;
  void toInner(ByteView packet) override;
  void unreachable(ByteView about, std::uint8_t code) override;
  bool programGone(const net::FlowKey& key) override;
  void over(TcpFlow& flow, async::Duration linger) override;

  void onTcp(net::Packet& packet);
  void onUdp(const net::Packet& packet);
  void onIcmp(const net::Packet& packet);
  void newTcpFlow(const net::Packet& syn);
  bool forGateway(const net::Packet& packet) const {
    return packet.destination().address == options_.gateway;
  }
  bool routable(std::uint32_t address) const;
  bool isMartian(std::uint32_t source) const;
  bool mayServe(const net::Packet& syn);
  Result<std::uint16_t> portFor(const net::FlowKey& key);
  bool offlineTooLong() const;
  void watchOffline();
  void onNameQuestion(const net::Packet& packet);
  void forget(const net::FlowKey& key, std::uint64_t id);
  void forgetUdp(const net::FlowKey& key, std::uint64_t id);
  UdpFlow::Exits udpExits();

  async::Loop& loop_;
  Multiplexer& multiplexer_;
  Policy policy_;
  GatewayOptions options_;
  Exits exits_;
  net::NatTable nat_;
  std::unordered_map<net::FlowKey, std::unique_ptr<TcpFlow>> tcp_;
  std::unordered_map<net::FlowKey, std::unique_ptr<UdpFlow>> udp_;
  // Those that linger, by the time when they are forgotten.
  std::unordered_map<std::uint64_t, std::unique_ptr<async::Timer>> lingering_;
  // Of those, who may give way, the one that is over for longest first. Some may be forgotten already.
  struct Old {
    net::FlowKey key;
    std::uint64_t id;
  };
  std::deque<Old> old_;
  std::size_t local_ = 0;  // flows of tcp_ that the gateway serves itself
  std::uint64_t next_id_ = 1;
  bool online_ = false;
  async::TimePoint offline_since_;
  async::Timer offline_timer_;
  std::size_t pings_ = 0;
  Counters counters_;
  NameService names_;
  std::shared_ptr<bool> alive_;
};

}  // namespace qimux::bridge
