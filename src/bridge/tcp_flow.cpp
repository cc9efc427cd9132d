#include "qimux/bridge/tcp_flow.hpp"

#include "qimux/base/log.hpp"
#include "qimux/net/build.hpp"
#include "qimux/net/private_namespace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace qimux::bridge {
namespace {

using namespace std::chrono_literals;

// The host's conntrack forgets an unanswered SYN after 120 s; then no answer of ours would reach the program.
constexpr async::Duration kLongestHold = 115s;
// The inner kernel and the program's need milliseconds; a lost SYN-ACK is sent again after 1 s.
constexpr async::Duration kHandshake = 15s;
// Which SYN is passed on decides what the program's kernel takes for the round trip: after a short hold the
// first (it then waits as long for acknowledgements as they will take), after a long one the latest, or its
// retransmission time-out would be 15 s and more.
constexpr async::Duration kShortHold = 3s;

Bytes copyOf(const net::Packet& packet) {
  return Bytes(packet.bytes().begin(), packet.bytes().end());
}

}  // namespace

std::string_view name(FlowState state) {
  switch (state) {
    case FlowState::Held:
      return "held";
    case FlowState::Answering:
      return "answering";
    case FlowState::Established:
      return "established";
    case FlowState::Over:
      return "over";
  }
  return "unknown";
}

TcpFlow::TcpFlow(async::Loop& loop, FlowHost& host, std::uint64_t id, const net::Packet& syn,
                 std::uint16_t port, Acknowledge acknowledge)
    : loop_(loop),
      host_(host),
      id_(id),
      key_(syn.flow()),
      port_(port),
      acknowledge_(acknowledge),
      first_syn_(copyOf(syn)),
      latest_syn_(first_syn_),
      isn_(syn.tcp()->seq()),
      syn_watch_(loop.now()),
      timer_(loop) {}

TcpFlow::~TcpFlow() {
  dropSession();
}

void TcpFlow::enter(FlowState next) {
  assert(next > state_);
  state_ = next;
}

Result<void> TcpFlow::begin(Multiplexer& multiplexer) {
  auto session = multiplexer.connect(key_.destination, *this);
  if (!session) {
    refuse(Failure::NoSlot);
    return std::unexpected(session.error());
  }
  session_ = *session;
  watchPatience();
  return {};
}

void TcpFlow::beginLocally() {
  local_ = true;
  connected();
}

bool TcpFlow::isSynOf(const net::Packet& segment) const {
  return segment.tcp()->seq() == isn_;
}

void TcpFlow::watchPatience() {
  const auto at = std::min(syn_watch_.abandonedAt(), syn_watch_.first() + kLongestHold);
  timer_.startAt(at, [this] { onPatienceOver(); });
}

void TcpFlow::onPatienceOver() {
  if (state_ != FlowState::Held) return;
  dropSession();
  // Either nobody waits any more, or it is the end of what we may make somebody wait.
  if (loop_.now() < syn_watch_.abandonedAt()) return refuse(Failure::NoSlot);
  finish(0s);
}

void TcpFlow::offline() {
  if (state_ != FlowState::Held) return;
  dropSession();
  refuse(Failure::Offline);
}

void TcpFlow::supersede() {
  dropSession();
  finish(0s);
}

void TcpFlow::dropSession() {
  if (auto* session = std::exchange(session_, nullptr)) session->abandon();
}

void TcpFlow::finish(async::Duration linger) {
  if (state_ == FlowState::Over) return;
  timer_.stop();
  enter(FlowState::Over);
  host_.over(*this, linger);
}

// What costs an attempt of the module is an event; what is refused without one may be a flood.
void TcpFlow::tellRefused(Failure failure) const {
  const bool tried = failure == Failure::Refused || failure == Failure::Unreachable;
  const auto level = tried ? log::Level::Info : log::Level::Debug;
  if (!log::enabled(level)) return;
  const std::string flow = net::text(key_);
  log::write(level, fmt::format("flow {}: {}", flow, name(failure)), {{"FLOW", flow}});
}

void TcpFlow::refuse(Failure failure) {
  tellRefused(failure);
  const auto syn = net::Packet::parse(latest_syn_);
  switch (failure) {
    case Failure::Refused:
      host_.toProgram(net::tcpReset(*syn));
      break;
    case Failure::Unreachable:
      host_.unreachable(latest_syn_, net::icmp::kHostUnreachable);
      break;
    case Failure::Offline:
      host_.unreachable(latest_syn_, net::icmp::kNetUnreachable);
      break;
    case Failure::NoSlot:
      host_.unreachable(latest_syn_, net::icmp::kProhibited);
      break;
  }
  finish(0s);
}

void TcpFlow::tellOpen() const {
  if (session_ == nullptr || !log::enabled(log::Level::Debug)) return;
  const std::string flow = net::text(key_);
  const std::string slot = std::to_string(session_->slot());
  log::write(log::Level::Debug, fmt::format("flow {}: open on socket {}", flow, slot),
             {{"FLOW", flow}, {"SOCKET", slot}});
}

void TcpFlow::connected() {
  assert(state_ == FlowState::Held);
  tellOpen();
  const bool short_hold = syn_watch_.last() - syn_watch_.first() < kShortHold;
  Bytes& chosen = short_hold ? first_syn_ : latest_syn_;
  enter(FlowState::Answering);
  timer_.start(kHandshake, [this] {
    dropSession();
    finish(0s);
  });
  auto syn = net::Packet::parse(chosen);
  if (acknowledge_ == Acknowledge::Local || local_) showProgram(gate_.release());
  passOn(*syn);
  first_syn_ = latest_syn_ = Bytes();  // never needed again
}

void TcpFlow::passOn(net::Packet& segment) {
  passed_on_ = true;
  gate_.observe(segment);
  segment.setSource(net::Endpoint{net::kInnerPeer, port_});
  segment.setDestination(net::kInnerListener);
  host_.toInner(segment.bytes());
}

void TcpFlow::fromProgram(net::Packet& segment) {
  const auto tcp = *segment.tcp();
  if (state_ == FlowState::Held) {
    // The SYN again: somebody still waits. Anything else means that the program is done with it.
    if (tcp.has(net::tcp::kSyn)) {
      syn_watch_.again(loop_.now());
      latest_syn_ = copyOf(segment);
      return watchPatience();
    }
    dropSession();
    return finish(0s);
  }
  if (session_ != nullptr && state_ == FlowState::Established && gate_.isKeepalive(segment)) {
    keepalive_ = copyOf(segment);
    if (session_->inquire()) return;
  }
  const bool gives_up = tcp.has(net::tcp::kRst) && state_ == FlowState::Answering;
  passOn(segment);
  if (!gives_up) return;
  dropSession();
  // The inner kernel has forgotten it with that reset: nothing of it is on its way, and its port need not
  // rest.
  passed_on_ = false;
  finish(0s);
}

void TcpFlow::fromInner(net::Packet& segment) {
  segment.setSource(key_.destination);
  segment.setDestination(key_.source);
  if (gate_.filter(segment) == net::AckGate::Verdict::Pass) host_.toProgram(segment.bytes());
}

std::unique_ptr<AppStream> TcpFlow::attach(std::unique_ptr<AppStream> stream) {
  const bool awaited = state_ == FlowState::Answering && (local_ || session_ != nullptr);
  if (!awaited) {
    stream->reset();
    return nullptr;
  }
  timer_.stop();
  enter(FlowState::Established);
  if (local_) return stream;
  session_->attach(std::move(stream));
  return nullptr;
}

void TcpFlow::showProgram(const std::optional<Bytes>& acknowledgement) {
  if (acknowledgement) host_.toProgram(*acknowledgement);
}

void TcpFlow::failed(Failure failure) {
  session_ = nullptr;
  if (state_ == FlowState::Held) return refuse(failure);
  finish(0s);
}

void TcpFlow::taken(std::uint64_t bytes) {
  if (acknowledge_ == Acknowledge::Module) showProgram(gate_.advance(bytes));
}

void TcpFlow::acknowledged(std::uint64_t bytes) {
  showProgram(gate_.advance(bytes));
}

void TcpFlow::vouched() {
  Bytes held = std::exchange(keepalive_, {});
  auto segment = net::Packet::parse(held);
  if (segment) passOn(*segment);
}

bool TcpFlow::programGone() {
  return host_.programGone(key_);
}

void TcpFlow::released() {
  showProgram(gate_.release());
}

void TcpFlow::ended() {
  session_ = nullptr;
  finish(kClosingLinger);
}

}  // namespace qimux::bridge
