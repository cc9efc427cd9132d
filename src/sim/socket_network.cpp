#include "qimux/sim/socket_network.hpp"

#include "icmp_echo.hpp"
#include "lookup.hpp"
#include "real_socket.hpp"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <ranges>
#include <utility>

namespace qimux::sim {
namespace {

// Never answers and swallows everything.
class HoleSocket final : public Socket {
 public:
  std::size_t send(ByteView bytes) override { return bytes.size(); }
  Taken receive(ByteSpan) override { return {Take::Nothing}; }
  std::size_t unacknowledged() override { return 0; }
  async::Duration silence() override { return {}; }
  void keepAlive(async::Duration, async::Duration, int) override {}
  void wantReadable(bool) override {}
  void wantWritable(bool) override {}
  void abortOnClose() override {}
};

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// No way in: operators translate addresses.
class DeafListener final : public Listener {
 public:
  std::unique_ptr<Socket> accept(SocketEvents&) override { return std::make_unique<HoleSocket>(); }
  void refuse() override {}
  bool deaf() const override { return true; }
};

}  // namespace

SocketNetwork::SocketNetwork(async::UvLoop& loop, Config config)
    : loop_(loop),
      config_(std::move(config)),
      alive_(std::make_shared<int>(0)),
      lookups_(std::make_unique<Lookups>(loop)),
      later_(loop) {}

SocketNetwork::~SocketNetwork() = default;

bool SocketNetwork::isBlackHole(Ipv4 address) const {
  return std::ranges::any_of(config_.black_holes,
                             [address](const Cidr& hole) { return hole.contains(address); });
}

Endpoint SocketNetwork::mapped(Endpoint remote) const {
  for (const auto& mapping : config_.mappings) {
    if (mapping.range.contains(remote.address)) return Endpoint{mapping.to, remote.port};
  }
  return remote;
}

std::unique_ptr<Socket> SocketNetwork::open(Protocol protocol, Endpoint remote, SocketEvents& events) {
  // UDP opens towards anything; its datagrams are lost in a hole.
  if (isBlackHole(remote.address) && protocol == Protocol::Tcp) return std::make_unique<HoleSocket>();
  if (isBlackHole(remote.address)) {
    // Port 9 of the loopback network's last address: nobody is there.
    remote = Endpoint{Ipv4{0x7ffffffe}, 9};
  } else {
    remote = mapped(remote);
  }
  return std::make_unique<RealSocket>(loop_, protocol, remote, events, config_.kernel_receive_buffer);
}

std::unique_ptr<Listener> SocketNetwork::listen(Protocol protocol, std::uint16_t port,
                                                ListenerEvents& events) {
  if (!config_.inbound) return std::make_unique<DeafListener>();
  const Endpoint here{*config_.inbound, port};
  if (protocol == Protocol::Tcp) return listenTcp(loop_, here, events, config_.kernel_receive_buffer);
  std::erase_if(hubs_, [](const auto& entry) { return entry.second.expired(); });
  return listenUdp(loop_, here, events, hubs_[port]);
}

void SocketNetwork::resolve(const std::string& host, Resolved done) {
  std::vector<Ipv4> addresses;
  const auto it = config_.hosts.find(lower(host));
  if (it != config_.hosts.end()) {
    addresses = it->second;
  } else if (config_.use_resolver) {
    lookups_->ask(host, std::move(done));
    return;
  }
  loop_.post(
      [alive = std::weak_ptr(alive_), done = std::move(done), addresses = std::move(addresses)]() mutable {
        if (!alive.expired()) done(std::move(addresses));
      });
}

bool SocketNetwork::isSaidToBeThere(Ipv4 address) const {
  const bool is_mapped = std::ranges::any_of(
      config_.mappings, [address](const auto& mapping) { return mapping.range.contains(address); });
  const bool is_named = std::ranges::any_of(config_.hosts, [address](const auto& entry) {
    return std::ranges::find(entry.second, address) != entry.second.end();
  });
  return is_mapped || is_named;
}

void SocketNetwork::ping(Ipv4 address, async::Duration limit, Echoed done) {
  const bool hole = isBlackHole(address);
  if (hole || isSaidToBeThere(address)) {
    later_.in(hole ? limit : async::Duration{0}, [hole, done = std::move(done)]() mutable {
      done(hole ? std::nullopt : std::optional<async::Duration>(0));
    });
    return;
  }
  auto& echo = echoes_.emplace_back();
  echo = std::make_unique<IcmpEcho>(loop_, address, limit,
                                    [this, place = std::prev(echoes_.end()),
                                     done = std::move(done)](std::optional<async::Duration> time) mutable {
                                      // It is still calling.
                                      const std::shared_ptr<IcmpEcho> over = std::move(*place);
                                      echoes_.erase(place);
                                      loop_.post([over] {});
                                      done(time);
                                    });
}

}  // namespace qimux::sim
