// One UDP association of a program, on the kernel's side: datagrams in and out of the outer TUN.
#pragma once

#include "qimux/bridge/multiplexer.hpp"
#include "qimux/net/address.hpp"
#include "qimux/net/packet.hpp"

#include <cstdint>
#include <functional>

namespace qimux::bridge {

class UdpFlow final : public UdpObserver {
 public:
  struct Exits {
    std::function<void(ByteView packet)> to_program;
    std::function<void(ByteView about, Failure why)> refuse;
    std::function<void(UdpFlow&)> over;  // the last call; the flow is destroyed later
  };
  UdpFlow(std::uint64_t id, const net::FlowKey& key, Exits exits)
      : id_(id), key_(key), exits_(std::move(exits)) {}
  ~UdpFlow() override;

  Result<void> begin(Multiplexer& multiplexer);
  // A datagram of the program; its payload is 1 to module::kMaxSend bytes.
  void fromProgram(const net::Packet& packet);
  void offline();

  std::uint64_t id() const { return id_; }
  const net::FlowKey& key() const { return key_; }
  const UdpSession* session() const { return session_; }

 private:
  void datagram(ByteView payload) override;
  void failed(Failure failure) override;
  void ended() override;

  std::uint64_t id_;
  net::FlowKey key_;
  Exits exits_;
  UdpSession* session_ = nullptr;
  Bytes last_;  // the program's latest packet: what an ICMP error is about
};

}  // namespace qimux::bridge
