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
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <iterator>

namespace qimux::net {
namespace {

using test::Segment;

// The next packet that comes out of the TUN and is TCP.
std::optional<Segment> nextSegment(Tun& tun, Bytes& buffer) {
  while (test::readable(tun.fd())) {
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

  QIMUX_NEED(test::readable(made->listener()));
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

// What a stalled reader lets the kernel acknowledge: the window that it ever offers.
std::string smallWindow() {
  for (const int size : {2048, 4096}) {
    PrivateNamespace::Options options;
    options.receive_buffer = size;
    auto made = PrivateNamespace::create(options);
    QIMUX_NEED_OK(made);
    Bytes buffer;
    QIMUX_NEED(made->tun().write(rewrittenSyn(4242)));
    const auto syn_ack = nextSegment(made->tun(), buffer);
    QIMUX_NEED(syn_ack);
    QIMUX_NEED(syn_ack->window > 0);
    QIMUX_NEED(syn_ack->window <= 2 * size);
    Segment data;
    data.from = syn_ack->to;
    data.to = syn_ack->from;
    data.seq = 1001;
    data.ack = syn_ack->seq + 1;
    data.flags = tcp::kAck;
    data.window = 64000;
    QIMUX_NEED(made->tun().write(test::makeSegment(data)));
    std::uint32_t acknowledged = 1001;
    // Far more than fits, as fast as it is taken.
    for (int i = 0; i < 20; ++i) {
      data.seq = acknowledged;
      data.payload.assign(1448, 'x');
      QIMUX_NEED(made->tun().write(test::makeSegment(data)));
      const auto answer = nextSegment(made->tun(), buffer);
      QIMUX_NEED(answer);
      acknowledged = answer->ack;
      if (answer->window < 1448) break;
    }
    QIMUX_NEED(acknowledged - 1001 >= 1448);
    QIMUX_NEED(acknowledged - 1001 <= static_cast<std::uint32_t>(size) + 1448);
  }
  return {};
}

// SYN out of the inner TUN, SYN-ACK in: the spare is connected.
std::string connectSpare(PrivateNamespace& made, int spare, std::uint16_t nat_port,
                         std::uint16_t& local_port) {
  sockaddr_in peer{};
  peer.sin_family = AF_INET;
  peer.sin_addr.s_addr = htonl(kInnerPeer);
  peer.sin_port = htons(nat_port);
  QIMUX_NEED(::connect(spare, reinterpret_cast<const sockaddr*>(&peer), sizeof peer) < 0);
  QIMUX_NEED(errno == EINPROGRESS);
  Bytes buffer;
  auto syn = nextSegment(made.tun(), buffer);
  while (syn && (syn->flags & tcp::kSyn) == 0) syn = nextSegment(made.tun(), buffer);
  QIMUX_NEED(syn);
  QIMUX_NEED((syn->to == Endpoint{kInnerPeer, nat_port}));
  QIMUX_NEED(syn->from.address == kInnerAddress);
  local_port = syn->from.port;
  Segment answer;
  answer.from = syn->to;
  answer.to = syn->from;
  answer.seq = 7000;
  answer.ack = syn->seq + 1;
  answer.flags = tcp::kSyn | tcp::kAck;
  answer.window = 8000;
  QIMUX_NEED(made.tun().write(test::makeSegment(answer)));
  QIMUX_NEED(::send(spare, "hi", 2, MSG_NOSIGNAL) == 2);
  return {};
}

std::string spares() {
  PrivateNamespace::Options options;
  options.spares = 6;
  auto made = PrivateNamespace::create(options);
  QIMUX_NEED_OK(made);
  QIMUX_NEED(made->spares().size() == 6);
  const int spare = made->spares().front().get();
  std::uint16_t first = 0;
  std::uint16_t second = 0;
  if (auto said = connectSpare(*made, spare, 3000, first); !said.empty()) return said;
  QIMUX_NEED_OK(recycle(spare));
  if (auto said = connectSpare(*made, spare, 3001, second); !said.empty()) return said;
  QIMUX_NEED(first == second);
  QIMUX_NEED(first != 0);
  QIMUX_NEED(!recycle(-1));
  return {};
}

std::string withoutPrivilege() {
  QIMUX_NEED(test::dropCapabilities());
  return handshakeAndData();
}

bool limit(const char* path) {
  const Fd fd(::open(path, O_WRONLY | O_CLOEXEC));
  return ::write(fd.get(), "0", 1) == 1;
}

std::string withoutUserNamespaces() {
  QIMUX_NEED(::unshare(CLONE_NEWUSER) == 0);
  QIMUX_NEED(limit("/proc/sys/user/max_user_namespaces"));
  return handshakeAndData();
}

std::string withNeither() {
  QIMUX_NEED(::unshare(CLONE_NEWUSER) == 0);
  QIMUX_NEED(limit("/proc/sys/user/max_user_namespaces"));
  QIMUX_NEED(limit("/proc/sys/user/max_net_namespaces"));
  const auto made = PrivateNamespace::create({});
  QIMUX_NEED(!made);
  const std::string text = made.error().text();
  QIMUX_NEED(text.find("with a user namespace: unshare user and network: ") != std::string::npos);
  QIMUX_NEED(text.find("without: unshare network: ") != std::string::npos);
  return {};
}

std::string failingStep() {
  PrivateNamespace::Options options;
  options.mtu = 1000000;
  const auto made = PrivateNamespace::create(options);
  QIMUX_NEED(!made);
  QIMUX_NEED(made.error().text().find("second TUN: set MTU 1000000: ") != std::string::npos);
  return {};
}

std::string contentOf(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string nothingHere() {
  const std::string sockets = contentOf("/proc/self/net/tcp");
  const std::string devices = contentOf("/proc/self/net/dev");
  const auto made = PrivateNamespace::create({});
  QIMUX_NEED_OK(made);
  QIMUX_NEED(contentOf("/proc/self/net/tcp") == sockets);
  QIMUX_NEED(contentOf("/proc/self/net/dev") == devices);
  QIMUX_NEED(::waitpid(-1, nullptr, WNOHANG) < 0);  // its maker was waited for
  QIMUX_NEED(errno == ECHILD);
  return {};
}

}  // namespace

TEST_CASE("a rewritten SYN reaches the inner listener, which sees the NAT port, and data flows both ways") {
  CHECK(test::inOwnNamespace(handshakeAndData) == "");
}

TEST_CASE("a stalled reader lets the kernel acknowledge no more than the small buffer and one segment") {
  CHECK(test::inOwnNamespace(smallWindow) == "");
}
TEST_CASE("a spare socket connects into the TUN, and again after it was recycled, from the same port") {
  CHECK(test::inOwnNamespace(spares) == "");
}
TEST_CASE("it needs no capability where user namespaces are allowed", "[native]") {
  CHECK(test::inOwnNamespace(withoutPrivilege) == "");
}
TEST_CASE("it needs no user namespace where there is CAP_SYS_ADMIN", "[native]") {
  CHECK(test::inOwnNamespace(withoutUserNamespaces) == "");
}
TEST_CASE("with neither, the error tells of both", "[native]") {
  CHECK(test::inOwnNamespace(withNeither) == "");
}
TEST_CASE("the error names the step that failed") {
  CHECK(test::inOwnNamespace(failingStep) == "");
}
TEST_CASE("nothing of it is seen in the namespace of its maker") {
  CHECK(test::inOwnNamespace(nothingHere) == "");
}

}  // namespace qimux::net
