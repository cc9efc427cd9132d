#include "qimux/sim/socket_network.hpp"

#include "real_socket.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>
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

std::vector<Ipv4> askMachine(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &list) != 0) return {};
  std::vector<Ipv4> found;
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
    found.push_back(Ipv4{ntohl(reinterpret_cast<const sockaddr_in*>(one->ai_addr)->sin_addr.s_addr)});
  }
  ::freeaddrinfo(list);
  return found;
}

// No way in: operators translate addresses.
class DeafListener final : public Listener {
 public:
  std::unique_ptr<Socket> accept(SocketEvents&) override { return std::make_unique<HoleSocket>(); }
  void refuse() override {}
};

}  // namespace

SocketNetwork::SocketNetwork(async::UvLoop& loop, Config config)
    : loop_(loop), config_(std::move(config)), alive_(std::make_shared<int>(0)) {}

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
    addresses = askMachine(host);
  }
  loop_.post(
      [alive = std::weak_ptr(alive_), done = std::move(done), addresses = std::move(addresses)]() mutable {
        if (!alive.expired()) done(std::move(addresses));
      });
}

bool SocketNetwork::answersPing(Ipv4 address) {
  if (isBlackHole(address)) return false;
  const bool is_mapped = std::ranges::any_of(
      config_.mappings, [address](const auto& mapping) { return mapping.range.contains(address); });
  const bool is_named = std::ranges::any_of(config_.hosts, [address](const auto& entry) {
    return std::ranges::find(entry.second, address) != entry.second.end();
  });
  return is_mapped || is_named;
}

}  // namespace qimux::sim
