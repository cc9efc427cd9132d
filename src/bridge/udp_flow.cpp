#include "qimux/bridge/udp_flow.hpp"

#include "qimux/net/build.hpp"

#include <utility>

namespace qimux::bridge {

UdpFlow::~UdpFlow() {
  if (session_ == nullptr) return;
  exits_.over = [](UdpFlow&) {};
  session_->abandon();
}

Result<void> UdpFlow::begin(Multiplexer& multiplexer) {
  auto session = multiplexer.associate(key_.destination, *this);
  if (!session) return std::unexpected(session.error());
  session_ = *session;
  return {};
}

void UdpFlow::fromProgram(const net::Packet& packet) {
  last_.assign(packet.bytes().begin(), packet.bytes().end());
  const ByteView payload = packet.udp()->payload();
  if (session_ != nullptr) session_->send(Bytes(payload.begin(), payload.end()));
}

void UdpFlow::offline() {
  if (session_ != nullptr && session_->state() == SessionState::Waiting) session_->giveUp(Failure::Offline);
}

void UdpFlow::datagram(ByteView payload) {
  exits_.to_program(net::udp(key_.destination, key_.source, payload));
}

void UdpFlow::failed(Failure failure) {
  exits_.refuse(last_, failure);
}

void UdpFlow::ended() {
  session_ = nullptr;
  exits_.over(*this);
}

}  // namespace qimux::bridge
