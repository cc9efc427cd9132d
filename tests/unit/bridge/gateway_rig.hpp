// A gateway over a scripted module: a program's packets in, and what comes out, in words.
#pragma once

#include "qimux/bridge/gateway.hpp"
#include "qimux/net/private_namespace.hpp"
#include "rig.hpp"
#include "support/packets.hpp"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace qimux::bridge::test {

using qimux::test::icmpPacket;
using qimux::test::TcpFields;
using qimux::test::tcpPacket;
using qimux::test::udpPacket;
using qimux::test::words;

inline constexpr std::uint32_t kHost = 0x0a404001;     // 10.64.64.1: the machine itself
inline constexpr std::uint32_t kGateway = 0x0a404002;  // 10.64.64.2
inline constexpr net::Endpoint kApp{kHost, 40000};
inline constexpr net::Endpoint kRemote{kServer, 80};
inline constexpr std::uint32_t kIsn = 1000;       // of the program
inline constexpr std::uint32_t kInnerIsn = 5000;  // of the inner kernel

inline GatewayOptions gatewayOptions() {
  GatewayOptions options;
  options.network = net::Cidr{kHost, 30};
  options.gateway = kGateway;
  return options;
}

struct GatewayRig : MuxRig {
  explicit GatewayRig(const GatewayOptions& options = gatewayOptions(),
                      const std::vector<PolicyRule>& rules = {}, const MultiplexerOptions& mux_options = {})
      : MuxRig(mux_options), gateway(loop, mux, Policy(rules), options, exits()) {}

  void up() {
    serve();
    loop.runFor(1ms);
    gateway.online(true);
  }
  void down() {
    gateway.online(false);
    serving.reset();
    mux.linkLost();
    loop.runFor(1ms);
  }

  void in(Bytes packet) { gateway.fromProgram(packet); }
  void syn(net::Endpoint from = kApp, net::Endpoint to = kRemote, std::uint32_t isn = kIsn) {
    in(tcpPacket(TcpFields{.from = from, .to = to, .flags = net::tcp::kSyn, .seq = isn}));
  }
  // From the program, of the connection that `syn` began; `at` counts from its first byte.
  void say(std::uint8_t flags, std::uint32_t at = 0, const std::string& payload = {}, std::uint32_t ack = 1) {
    in(tcpPacket(TcpFields{.from = kApp,
                           .to = kRemote,
                           .flags = flags,
                           .seq = kIsn + 1 + at,
                           .ack = kInnerIsn + ack,
                           .payload = payload}));
  }
  // From the inner kernel.
  void answer(std::uint8_t flags, std::uint32_t at = 0, std::uint32_t acked = 0,
              const std::string& payload = {}) {
    const std::uint32_t seq = (flags & net::tcp::kSyn) != 0 ? kInnerIsn : kInnerIsn + 1 + at;
    Bytes packet = tcpPacket(TcpFields{.from = net::kInnerListener,
                                       .to = {net::kInnerPeer, nat_port},
                                       .flags = flags,
                                       .seq = seq,
                                       .ack = kIsn + 1 + acked,
                                       .payload = payload,
                                       // Nobody has taken the bytes yet: the right edge stays.
                                       .window = static_cast<std::uint16_t>(65535 - acked)});
    gateway.fromInner(packet);
  }

  // The SYN again, as the kernel sends it, until `until` seconds after the first.
  void wait(int until) {
    const auto begin = loop.now();
    for (const int at : {1, 2, 3, 4, 5, 7, 11, 19, 36, 69}) {
      if (at >= until) break;
      loop.runFor(begin + std::chrono::seconds(at) - loop.now());
      syn();
    }
    loop.runFor(begin + std::chrono::seconds(until) - loop.now());
  }

  // The module connects, and the two kernels shake hands.
  int establish() {
    syn();
    loop.runFor(10ms);
    const int slot = gateway.tcpFlows().front()->session()->slot();
    port.sayLines({std::to_string(slot) + ", CONNECT OK"});
    loop.runFor(10ms);
    nat_port = gateway.tcpFlows().front()->port();
    answer(net::tcp::kSyn | net::tcp::kAck);
    say(net::tcp::kAck);
    gateway.accepted(nat_port, std::make_unique<FakeStream>(program));
    return slot;
  }

  // What came out since the last call.
  std::vector<std::string> out() { return std::exchange(to_program, {}); }
  std::vector<std::string> inner() { return std::exchange(to_inner, {}); }

  Gateway::Exits exits() {
    return Gateway::Exits{
        .to_program = [this](ByteView bytes) { to_program.push_back(words({bytes.begin(), bytes.end()})); },
        .to_inner = [this](ByteView bytes) { to_inner.push_back(words({bytes.begin(), bytes.end()})); },
        .program_gone = [this](const net::FlowKey&) { return gone; }};
  }

  std::vector<std::string> to_program;
  std::vector<std::string> to_inner;
  bool gone = false;
  std::uint16_t nat_port = 0;
  std::shared_ptr<Program> program = std::make_shared<Program>();
  Gateway gateway;
};

}  // namespace qimux::bridge::test
