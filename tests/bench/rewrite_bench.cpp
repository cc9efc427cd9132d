// How many packets a second the rewriting path carries on one core.
//
//   rewrite_bench [--tun] [--packets N]
//
// In memory: parse, NAT look-up, both endpoints rewritten, gate, for the segments of 64 flows in both
// directions. With --tun each packet is besides read from one TUN and written to another, in a network
// namespace of its own (needs root and /dev/net/tun). Prints packets_per_second=N. A sample of the output is
// summed up anew and looked up again: a bench that rewrites wrongly or not at all ends with an error.
#include "qimux/net/ack_gate.hpp"
#include "qimux/net/address.hpp"
#include "qimux/net/checksum.hpp"
#include "qimux/net/interface.hpp"
#include "qimux/net/nat_table.hpp"
#include "qimux/net/netlink.hpp"
#include "qimux/net/packet.hpp"
#include "qimux/net/private_namespace.hpp"
#include "qimux/net/tun.hpp"
#include "qimux/net/wire.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

namespace {

using namespace qimux;
using namespace qimux::net;

constexpr std::size_t kFlows = 64;
constexpr std::uint32_t kPayload = 1400;

[[noreturn]] void fail(std::string_view why) {
  fmt::print(stderr, "rewrite_bench: {}\n", why);
  std::exit(1);
}

struct Fields {
  Endpoint from;
  Endpoint to;
  std::uint32_t seq;
  std::uint32_t ack;
  std::uint8_t flags;
  std::size_t payload;
};

Bytes segment(const Fields& fields) {
  Bytes packet(40 + fields.payload, 0x5a);
  std::fill(packet.begin(), packet.begin() + 40, Byte{0});
  packet[0] = 0x45;
  store16(packet, 2, static_cast<std::uint16_t>(packet.size()));
  packet[8] = 64;
  packet[9] = kTcp;
  store32(packet, 12, fields.from.address);
  store32(packet, 16, fields.to.address);
  store16(packet, 20, fields.from.port);
  store16(packet, 22, fields.to.port);
  store32(packet, 24, fields.seq);
  store32(packet, 28, fields.ack);
  packet[32] = 0x50;
  packet[33] = fields.flags;
  store16(packet, 34, 4000);
  store16(packet, 10, checksumOf(sumOf(ByteView(packet).first(20))));
  const auto length = static_cast<std::uint16_t>(packet.size() - 20);
  const std::uint32_t pseudo = pseudoHeaderSum(fields.from.address, fields.to.address, kTcp, length);
  store16(packet, 36, checksumOf(pseudo + sumOf(ByteView(packet).subspan(20))));
  return packet;
}

struct Flow {
  FlowKey key;
  std::uint16_t port = 0;
  AckGate gate;
  std::uint32_t sent = 0;  // bytes of the program
};

class Rewriter {
 public:
  Rewriter() : nat_({}), flows_(kFlows) {
    for (std::size_t i = 0; i < kFlows; ++i) {
      const auto number = static_cast<std::uint32_t>(i);
      Flow& flow = flows_[i];
      flow.key = {{0x0a404001, static_cast<std::uint16_t>(40000 + i)}, {0xc6336400 + number, 80}};
      flow.port = nat_.allocate(flow.key, {}).value();
      Bytes syn = segment({flow.key.source, flow.key.destination, 0, 0, tcp::kSyn, 0});
      flow.gate.observe(*Packet::parse(syn));
      Bytes answer = segment({flow.key.destination, flow.key.source, 0, 1, tcp::kSyn | tcp::kAck, 0});
      auto packet = *Packet::parse(answer);
      if (flow.gate.filter(packet) != AckGate::Verdict::Pass) fail("the gate swallowed a SYN-ACK");
    }
  }

  std::vector<Flow>& flows() { return flows_; }

  // A packet of a program: now one of kInnerPeer for the inner listener.
  bool inward(Packet& packet) {
    const auto port = nat_.portOf(packet.flow());
    if (!port) return false;
    flowAt(*port).gate.observe(packet);
    return packet.setSource({kInnerPeer, *port}) && packet.setDestination(kInnerListener);
  }

  // A packet of the inner kernel: now one of the far end for the program.
  bool outward(Packet& packet) {
    const auto key = nat_.flowOf(packet.destination().port);
    if (!key || !packet.setSource(key->destination)) return false;
    if (!packet.setDestination(key->source)) return false;
    return flowAt(*nat_.portOf(*key)).gate.filter(packet) == AckGate::Verdict::Pass;
  }

 private:
  Flow& flowAt(std::uint16_t port) { return flows_[static_cast<std::size_t>(port - 1024)]; }
  NatTable nat_;
  std::vector<Flow> flows_;
};

void verify(Bytes& bytes, const FlowKey& expected) {
  const auto packet = Packet::parse(bytes);
  if (!packet || !packet->headerChecksumValid() || !packet->transportChecksumValid())
    fail("a checksum is wrong");
  if (packet->flow() != expected) fail("an endpoint is wrong");
}

// The n-th packet of the work: every second one from the program, the others to it, claiming what the far end
// has not confirmed.
Bytes make(Flow& flow, bool inward) {
  if (inward) {
    const std::uint32_t begin = 1 + flow.sent;
    flow.sent += kPayload;
    return segment({flow.key.source, flow.key.destination, begin, 1, tcp::kAck, kPayload});
  }
  return segment({kInnerListener, {kInnerPeer, flow.port}, 1, 1 + flow.sent, tcp::kAck, kPayload});
}

double inMemory(std::size_t packets) {
  Rewriter rewriter;
  std::vector<Bytes> work;
  for (Flow& flow : rewriter.flows()) {
    work.push_back(make(flow, true));
    work.push_back(make(flow, false));
  }
  std::vector<Bytes> buffers = work;
  std::chrono::steady_clock::duration busy{};
  std::size_t done = 0;
  for (std::size_t round = 0; done < packets; ++round) {
    buffers = work;  // not measured: a kernel would have delivered them
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < buffers.size(); ++i) {
      auto packet = Packet::parse(buffers[i]);
      if (!packet || !(i % 2 == 0 ? rewriter.inward(*packet) : rewriter.outward(*packet)))
        fail("a packet got lost");
    }
    busy += std::chrono::steady_clock::now() - start;
    done += buffers.size();
    if (round % 64 != 0) continue;
    for (std::size_t i = 0; i < buffers.size(); ++i) {
      const Flow& flow = rewriter.flows()[i / 2];
      verify(buffers[i], i % 2 == 0 ? FlowKey{{kInnerPeer, flow.port}, kInnerListener} : flow.key.reversed());
      if (i % 2 == 1 && Packet::parse(buffers[i])->tcp()->ack() != 1)
        fail("the gate let a false acknowledgement pass");
    }
  }
  return static_cast<double>(done) / std::chrono::duration<double>(busy).count();
}

// UDP from a program into TUN A, read there, rewritten, written to TUN B: two system calls a packet and the
// kernel's work on both sides of them. The program's own sendto() is in the time as well.
double throughTuns(std::size_t packets) {
  if (::unshare(CLONE_NEWNET) < 0) fail(systemError("unshare", errno).text());
  OuterInterface::Options options;
  options.address = {0x0a404001, 30};
  options.routes = {{0, 0}};
  auto outer = OuterInterface::create(options);
  if (!outer) fail(outer.error().text());
  auto inner = PrivateNamespace::create({});
  if (!inner) fail(inner.error().text());
  const Fd program(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(9);
  name.sin_addr.s_addr = htonl(0xc6336407);
  const Bytes payload(kPayload, 0x5a);
  Bytes buffer(2048);
  NatTable nat({});
  std::size_t done = 0;
  const auto start = std::chrono::steady_clock::now();
  while (done < packets) {
    for (int burst = 0; burst < 32; ++burst) {
      (void)::sendto(program.get(), payload.data(), payload.size(), 0,
                     reinterpret_cast<const sockaddr*>(&name), sizeof name);
    }
    while (true) {
      const auto length = outer->tun().read(buffer);
      if (!length) fail(length.error().text());
      if (*length == 0) break;
      auto packet = Packet::parse(ByteSpan(buffer).first(*length));
      if (!packet || !packet->udp()) continue;
      const auto port = nat.allocate(packet->flow(), {});
      if (!port || !packet->setSource({kInnerPeer, *port}) || !packet->setDestination(kInnerListener)) {
        fail("a packet got lost");
      }
      if (done % 1024 == 0 && !(packet->headerChecksumValid() && packet->transportChecksumValid())) {
        fail("a checksum is wrong");
      }
      if (const auto written = inner->tun().write(packet->bytes()); !written) fail(written.error().text());
      ++done;
    }
  }
  return static_cast<double>(done) /
         std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int main(int argc, char** argv) {
  bool tun = false;
  std::size_t packets = 2'000'000;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--tun") {
      tun = true;
    } else if (argument == "--packets" && i + 1 < argc) {
      packets = std::strtoull(argv[++i], nullptr, 10);
    } else {
      fail("usage: rewrite_bench [--tun] [--packets N]");
    }
  }
  const double rate = tun ? throughTuns(packets) : inMemory(packets);
  fmt::print("mode={} packets={} bytes={}\npackets_per_second={:.0f}\n", tun ? "tun" : "memory", packets,
             40 + kPayload, rate);
  return 0;
}
