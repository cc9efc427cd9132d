#include "qimux/bridge/gateway.hpp"

#include "qimux/net/build.hpp"
#include "qimux/net/private_namespace.hpp"

#include <algorithm>
#include <utility>

namespace qimux::bridge {
namespace {

constexpr std::uint16_t kNamePort = 53;
// One echo at a time goes out; more than these at once are somebody's flood.
constexpr std::size_t kMaxPings = 8;

}  // namespace

Gateway::Gateway(async::Loop& loop, Multiplexer& multiplexer, Policy policy, const GatewayOptions& options,
                 Exits exits)
    : loop_(loop),
      multiplexer_(multiplexer),
      policy_(std::move(policy)),
      options_(options),
      exits_(std::move(exits)),
      nat_(net::NatTable::Options{.bound = options.tcp_flows}),
      offline_since_(loop.now()),
      offline_timer_(loop),
      names_(loop, multiplexer, options.dns, options.dns_upstream),
      alive_(std::make_shared<bool>(true)) {
  watchOffline();
}

Gateway::~Gateway() {
  *alive_ = false;
}

void Gateway::toProgram(ByteView packet) {
  if (packet.empty()) return;
  ++counters_.packets_to_program;
  exits_.to_program(packet);
}

void Gateway::toInner(ByteView packet) {
  ++counters_.packets_to_inner;
  exits_.to_inner(packet);
}

void Gateway::unreachable(ByteView about, std::uint8_t code) {
  Bytes copy(about.begin(), about.end());
  const auto packet = net::Packet::parse(copy);
  if (packet) toProgram(net::icmpUnreachable(*packet, code, options_.gateway));
}

bool Gateway::programGone(const net::FlowKey& key) {
  return exits_.program_gone(key);
}

// Addresses that a radio network can route to.
bool Gateway::routable(std::uint32_t address) const {
  const bool group = address >> 28 >= 0xe;  // 224.0.0.0/4, 240.0.0.0/4 and the broadcast
  const bool local = address >> 24 == 127 || address >> 24 == 0;
  return !group && !local && !options_.network.contains(address);
}

// A source that no host has, or that is our own: an answer to it would come back to us as a question.
bool Gateway::isMartian(std::uint32_t source) const {
  const std::uint32_t first = source >> 24;
  return first == 0 || first == 127 || first >= 224 || source == options_.gateway;
}

void Gateway::fromProgram(ByteSpan bytes) {
  ++counters_.packets_from_program;
  auto packet = net::Packet::parse(bytes);
  if (!packet || !packet->headerChecksumValid()) {
    ++counters_.malformed;
    return;
  }
  if (isMartian(packet->source().address)) {
    ++counters_.martians;
    return;
  }
  if (packet->isFragment()) {
    // What does not fit one AT+QISEND is not sent in pieces: its program learns the size that fits
    // (EMSGSIZE).
    ++counters_.fragments;
    return toProgram(
        net::icmpUnreachable(*packet, net::icmp::kFragmentationNeeded, options_.gateway, options_.mtu));
  }
  // The far end would never see that this is not what was sent: the module makes checksums of its own.
  if (!packet->transportChecksumValid()) {
    ++counters_.malformed;
    return;
  }
  if (!forGateway(*packet) && !routable(packet->destination().address)) {
    ++counters_.not_routable;
    // Nothing for groups and broadcasts: icmpUnreachable knows.
    return toProgram(net::icmpUnreachable(*packet, net::icmp::kHostUnreachable, options_.gateway));
  }
  switch (packet->protocol()) {
    case net::kTcp:
      return onTcp(*packet);
    case net::kUdp:
      return onUdp(*packet);
    case net::kIcmp:
      return onIcmp(*packet);
    default:
      break;
  }
  ++counters_.not_routable;
  constexpr std::uint8_t kProtocolUnreachable = 2;
  toProgram(net::icmpUnreachable(*packet, kProtocolUnreachable, options_.gateway));
}

void Gateway::onTcp(net::Packet& packet) {
  const auto tcp = *packet.tcp();
  const auto found = tcp_.find(packet.flow());
  const bool opens = tcp.has(net::tcp::kSyn) && !tcp.has(net::tcp::kAck);
  if (found != tcp_.end()) {
    TcpFlow& flow = *found->second;
    if (!opens || flow.isSynOf(packet)) return flow.fromProgram(packet);
    // The program uses its port again: what was there before is history.
    const auto id = flow.id();
    flow.supersede();
    forget(packet.flow(), id);
  }
  if (opens) return newTcpFlow(packet);
  if (tcp.has(net::tcp::kRst)) return;
  // Only a SYN makes a flow: this one's was lost with a former life of ours.
  ++counters_.strays;
  toProgram(net::tcpReset(packet));
}

// A connection to the gateway itself. They cost nothing but places in the tables, so somebody may make very
// many.
bool Gateway::mayServe(const net::Packet& syn) {
  if (syn.destination().port != kNamePort) return false;
  const bool room = local_ < options_.local_flows && local_ + nat_.quarantined() < options_.resting_ports;
  if (!room) ++counters_.local_refused;
  return room;
}

// At the bound, the flow that has been over for longest gives way: its two kernels have long finished.
Result<std::uint16_t> Gateway::portFor(const net::FlowKey& key) {
  while (nat_.size() >= options_.tcp_flows && !old_.empty()) {
    const Old oldest = old_.front();
    old_.pop_front();
    if (!lingering_.contains(oldest.id)) continue;
    ++counters_.displaced;
    forget(oldest.key, oldest.id);
  }
  return nat_.allocate(key, loop_.now());
}

void Gateway::newTcpFlow(const net::Packet& syn) {
  const bool local = forGateway(syn);
  if (local && !mayServe(syn)) return toProgram(net::tcpReset(syn));
  if (!local && policy_.decide(PolicyProtocol::Tcp, syn.destination()) == PolicyAction::Deny) {
    return toProgram(net::icmpUnreachable(syn, net::icmp::kProhibited, options_.gateway));
  }
  if (!local && offlineTooLong()) {
    return toProgram(net::icmpUnreachable(syn, net::icmp::kNetUnreachable, options_.gateway));
  }
  if (!local && !multiplexer_.hasRoom(module::Protocol::Tcp)) {
    return toProgram(net::icmpUnreachable(syn, net::icmp::kProhibited, options_.gateway));
  }
  const auto port = portFor(syn.flow());
  if (!port) {
    ++counters_.table_full;
    return toProgram(net::icmpUnreachable(syn, net::icmp::kProhibited, options_.gateway));
  }
  ++counters_.flows;
  FlowHost& host = *this;
  auto flow = std::make_unique<TcpFlow>(loop_, host, next_id_++, syn, *port, options_.acknowledge);
  TcpFlow& made = *tcp_.emplace(syn.flow(), std::move(flow)).first->second;
  if (local) {
    ++local_;
    return made.beginLocally();
  }
  static_cast<void>(made.begin(multiplexer_));  // a full queue was told the program
}

void Gateway::over(TcpFlow& flow, async::Duration linger) {
  const auto id = flow.id();
  auto timer = std::make_unique<async::Timer>(loop_);
  timer->start(linger, [this, key = flow.key(), id] { forget(key, id); });
  lingering_.insert_or_assign(id, std::move(timer));
  if (linger > async::Duration{0} && !flow.local()) old_.push_back({flow.key(), id});
}

void Gateway::forget(const net::FlowKey& key, std::uint64_t id) {
  const auto timer = lingering_.extract(id);
  while (!old_.empty() && !lingering_.contains(old_.front().id)) old_.pop_front();
  const auto found = tcp_.find(key);
  if (found == tcp_.end() || found->second->id() != id) return;
  if (found->second->passedOn()) {
    nat_.release(key, loop_.now());
  } else {
    nat_.discard(key);
  }
  if (found->second->local()) --local_;
  tcp_.erase(found);
}

void Gateway::fromInner(ByteSpan bytes) {
  ++counters_.packets_from_inner;
  auto packet = net::Packet::parse(bytes);
  if (!packet || !packet->tcp() || packet->destination().address != net::kInnerPeer) return;
  const auto key = nat_.flowOf(packet->destination().port);
  if (!key) return;
  const auto found = tcp_.find(*key);
  if (found != tcp_.end()) found->second->fromInner(*packet);
}

void Gateway::accepted(std::uint16_t port, std::unique_ptr<AppStream> stream) {
  const auto key = nat_.flowOf(port);
  const auto found = key ? tcp_.find(*key) : tcp_.end();
  if (found == tcp_.end()) return stream->reset();
  auto ours = found->second->attach(std::move(stream));
  if (ours == nullptr) return;
  const auto id = found->second->id();
  names_.serve(std::move(ours), [this, flow_key = *key, id] {
    const auto flow = tcp_.find(flow_key);
    if (flow != tcp_.end() && flow->second->id() == id) flow->second->endLocally();
  });
}

UdpFlow::Exits Gateway::udpExits() {
  UdpFlow::Exits exits;
  exits.to_program = [this](ByteView packet) { toProgram(packet); };
  exits.refuse = [this](ByteView about, Failure why) {
    unreachable(about, why == Failure::Offline  ? net::icmp::kNetUnreachable
                       : why == Failure::NoSlot ? net::icmp::kProhibited
                                                : net::icmp::kHostUnreachable);
  };
  exits.over = [this](UdpFlow& flow) {
    loop_.post([this, alive = alive_, key = flow.key(), id = flow.id()] {
      if (*alive) forgetUdp(key, id);
    });
  };
  return exits;
}

void Gateway::forgetUdp(const net::FlowKey& key, std::uint64_t id) {
  const auto found = udp_.find(key);
  if (found != udp_.end() && found->second->id() == id) udp_.erase(found);
}

void Gateway::onUdp(const net::Packet& packet) {
  if (forGateway(packet)) {
    if (packet.destination().port == kNamePort) return onNameQuestion(packet);
    return toProgram(net::icmpUnreachable(packet, net::icmp::kPortUnreachable, options_.gateway));
  }
  const auto size = packet.udp()->payload().size();
  if (size == 0 || size > module::kMaxSend) {
    ++counters_.not_routable;
    return;
  }
  auto found = udp_.find(packet.flow());
  if (found != udp_.end() && found->second->session() == nullptr) {
    udp_.erase(found);
    found = udp_.end();
  }
  if (found == udp_.end()) {
    if (policy_.decide(PolicyProtocol::Udp, packet.destination()) == PolicyAction::Deny) {
      return toProgram(net::icmpUnreachable(packet, net::icmp::kProhibited, options_.gateway));
    }
    if (offlineTooLong()) {
      return toProgram(net::icmpUnreachable(packet, net::icmp::kNetUnreachable, options_.gateway));
    }
    const bool full = udp_.size() >= options_.udp_flows;
    if (full) ++counters_.table_full;
    if (full || !multiplexer_.hasRoom(module::Protocol::Udp)) {
      return toProgram(net::icmpUnreachable(packet, net::icmp::kProhibited, options_.gateway));
    }
    auto flow = std::make_unique<UdpFlow>(next_id_++, packet.flow(), udpExits());
    static_cast<void>(flow->begin(multiplexer_));  // there is room
    ++counters_.associations;
    found = udp_.emplace(packet.flow(), std::move(flow)).first;
  }
  found->second->fromProgram(packet);
}

void Gateway::onNameQuestion(const net::Packet& packet) {
  const auto flow = packet.flow();
  names_.ask(packet.udp()->payload(), DnsTransport::Udp, [this, alive = alive_, flow](const Bytes& answer) {
    if (*alive) toProgram(net::udp(flow.destination, flow.source, answer));
  });
}

void Gateway::onIcmp(const net::Packet& packet) {
  if (packet.icmp()->type() != net::icmp::kEchoRequest) return;
  if (forGateway(packet)) return toProgram(net::icmpEchoReply(packet));
  if (policy_.decide(PolicyProtocol::Icmp, packet.destination()) == PolicyAction::Deny ||
      pings_ >= kMaxPings) {
    ++counters_.pings_refused;
    return toProgram(net::icmpUnreachable(packet, net::icmp::kProhibited, options_.gateway));
  }
  ++pings_;
  Bytes request(packet.bytes().begin(), packet.bytes().end());
  multiplexer_.ping(packet.destination().address, [this, alive = alive_, request = std::move(request)](
                                                      const Result<async::Duration>& answer) mutable {
    if (!*alive) return;
    --pings_;
    const auto asked = net::Packet::parse(request);
    if (answer) return toProgram(net::icmpEchoReply(*asked));
    const bool down = answer.error().kind == ErrorKind::Closed;
    unreachable(request, down ? net::icmp::kNetUnreachable : net::icmp::kHostUnreachable);
  });
}

bool Gateway::offlineTooLong() const {
  return !online_ && loop_.now() >= offline_since_ + options_.hold_offline;
}

// Any number of times: the link tells each of its states, and only the first without a link counts.
void Gateway::online(bool up) {
  names_.online(up);
  if (up == online_) return;
  online_ = up;
  if (up) return offline_timer_.stop();
  offline_since_ = loop_.now();
  watchOffline();
}

void Gateway::watchOffline() {
  offline_timer_.start(options_.hold_offline, [this] {
    // Telling a program may end its flow and so change the tables: by copies.
    for (const auto* flow : tcpFlows()) tcp_.at(flow->key())->offline();
    for (const auto* flow : udpFlows()) udp_.at(flow->key())->offline();
  });
}

Gateway::Tables Gateway::tables() const {
  return Tables{.tcp = tcp_.size(),
                .tcp_local = local_,
                .tcp_over = lingering_.size(),
                .udp = udp_.size(),
                .ports = nat_.size(),
                .ports_resting = nat_.quarantined(),
                .pings = pings_};
}

std::vector<const TcpFlow*> Gateway::tcpFlows() const {
  std::vector<const TcpFlow*> flows;
  flows.reserve(tcp_.size());
  for (const auto& [key, flow] : tcp_) flows.push_back(flow.get());
  std::ranges::sort(flows, {}, &TcpFlow::id);
  return flows;
}

std::vector<const UdpFlow*> Gateway::udpFlows() const {
  std::vector<const UdpFlow*> flows;
  flows.reserve(udp_.size());
  for (const auto& [key, flow] : udp_) flows.push_back(flow.get());
  std::ranges::sort(flows, {}, &UdpFlow::id);
  return flows;
}

}  // namespace qimux::bridge
