#include "qimux/net/private_namespace.hpp"

#include "qimux/net/build.hpp"
#include "qimux/net/netlink.hpp"
#include "qimux/net/packet.hpp"
#include "support/catch.hpp"
#include "unit/net/kernel_rooms.hpp"
#include "unit/net/segments.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace qimux::net {
namespace {

using test::Segment;

bool readable(int fd) {
  pollfd ready{fd, POLLIN, 0};
  return ::poll(&ready, 1, 5000) == 1;
}

// The next packet that comes out of the TUN and is TCP.
std::optional<Segment> nextSegment(Tun& tun, Bytes& buffer) {
  while (readable(tun.fd())) {
    buffer.resize(2048);
    const auto length = tun.read(buffer);
    if (!length || *length == 0) return std::nullopt;
    buffer.resize(*length);
    const auto packet = Packet::parse(buffer);
    if (!packet || !packet->tcp()) continue;
    return test::readSegment(*packet);
  }
  return std::nullopt;
}

Endpoint nameOf(const sockaddr_in& address) {
  return {ntohl(address.sin_addr.s_addr), ntohs(address.sin_port)};
}

int acceptOne(int listener, Endpoint& peer) {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  const int fd = ::accept4(listener, reinterpret_cast<sockaddr*>(&address), &length, SOCK_CLOEXEC);
  peer = nameOf(address);
  return fd;
}

// A program's SYN, rewritten for the inner side as the bridge does it.
Bytes rewrittenSyn(std::uint16_t nat_port) {
  Segment syn;
  syn.from = {0x0a404001, 40000};
  syn.to = {0xc6336407, 80};
  syn.seq = 1000;
  syn.flags = tcp::kSyn;
  syn.window = 64000;
  syn.options = {2, 4, 5, 0xa0};
  Bytes packet = test::makeSegment(syn);
  auto view = Packet::parse(packet);
  view->setSource({kInnerPeer, nat_port});
  view->setDestination(kInnerListener);
  return packet;
}

std::string handshakeAndData() {
  auto made = PrivateNamespace::create({});
  QIMUX_NEED_OK(made);
  Bytes buffer;
  QIMUX_NEED(made->tun().write(rewrittenSyn(4242)));
  const auto syn_ack = nextSegment(made->tun(), buffer);
  QIMUX_NEED(syn_ack);
  QIMUX_NEED(syn_ack->flags == (tcp::kSyn | tcp::kAck));
  QIMUX_NEED(syn_ack->from == kInnerListener);
  QIMUX_NEED((syn_ack->to == Endpoint{kInnerPeer, 4242}));
  QIMUX_NEED(syn_ack->ack == 1001);

  Segment answer;
  answer.from = syn_ack->to;
  answer.to = syn_ack->from;
  answer.seq = 1001;
  answer.ack = syn_ack->seq + 1;
  answer.flags = tcp::kAck | tcp::kPsh;
  answer.window = 64000;
  answer.payload = {'h', 'e', 'l', 'l', 'o'};
  QIMUX_NEED(made->tun().write(test::makeSegment(answer)));

  QIMUX_NEED(readable(made->listener()));
  Endpoint peer;
  const Fd connection(acceptOne(made->listener(), peer));
  QIMUX_NEED(connection.valid());
  QIMUX_NEED((peer == Endpoint{kInnerPeer, 4242}));
  std::array<char, 16> data{};
  QIMUX_NEED(::recv(connection.get(), data.data(), data.size(), 0) == 5);
  QIMUX_NEED(std::string_view(data.data(), 5) == "hello");
  QIMUX_NEED(::send(connection.get(), "world", 5, 0) == 5);
  for (int tries = 0; tries < 4; ++tries) {
    const auto segment = nextSegment(made->tun(), buffer);
    QIMUX_NEED(segment);
    QIMUX_NEED(segment->ack == 1006);
    if (!segment->payload.empty()) {
      QIMUX_NEED(textOf(segment->payload) == "world");
      return {};
    }
  }
  return "no data came back";
}

}  // namespace

TEST_CASE("a rewritten SYN reaches the inner listener, which sees the NAT port, and data flows both ways") {
  CHECK(test::inOwnNamespace(handshakeAndData) == "");
}

}  // namespace qimux::net
