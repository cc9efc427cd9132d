#include "qimux/net/tun.hpp"

#include "qimux/net/build.hpp"
#include "qimux/net/netlink.hpp"
#include "qimux/net/packet.hpp"
#include "support/catch.hpp"
#include "unit/net/kernel_rooms.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

namespace qimux::net {
namespace {

constexpr Cidr kAddress{0x0a404001, 30};
constexpr Endpoint kHere{0x0a404001, 5000};
constexpr Endpoint kThere{0x0a404002, 53};

sockaddr_in kernelName(const Endpoint& endpoint) {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(endpoint.address);
  name.sin_port = htons(endpoint.port);
  return name;
}

Fd boundUdp(const Endpoint& endpoint) {
  Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const sockaddr_in name = kernelName(endpoint);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) < 0) fd.reset();
  return fd;
}

// Device "t0" with an address, up.
Result<Tun> upTun() {
  auto tun = Tun::open("t0");
  if (!tun) return tun;
  auto netlink = Netlink::open();
  const auto index = netlink->indexOf("t0");
  if (const auto done = netlink->addAddress(*index, kAddress); !done) return std::unexpected(done.error());
  if (const auto done = netlink->setUp(*index); !done) return std::unexpected(done.error());
  return tun;
}

// The next packet that is UDP; IPv6 chatter of the kernel is left out.
std::optional<Packet> nextDatagram(Tun& tun, Bytes& buffer) {
  while (test::readable(tun.fd())) {
    buffer.assign(2048, 0);
    const auto length = tun.read(buffer);
    if (!length) return std::nullopt;
    const auto packet = Packet::parse(ByteSpan(buffer).first(*length));
    if (packet && packet->udp()) return packet;
  }
  return std::nullopt;
}

std::string packetsBothWays() {
  auto tun = upTun();
  QIMUX_NEED_OK(tun);
  const Fd program = boundUdp(kHere);
  QIMUX_NEED(program.valid());
  const sockaddr_in there = kernelName(kThere);
  QIMUX_NEED(::sendto(program.get(), "ask", 3, 0, reinterpret_cast<const sockaddr*>(&there), sizeof there) ==
             3);
  Bytes buffer;
  const auto asked = nextDatagram(*tun, buffer);
  QIMUX_NEED(asked);
  QIMUX_NEED((asked->flow() == FlowKey{kHere, kThere}));
  QIMUX_NEED(textOf(asked->udp()->payload()) == "ask");
  QIMUX_NEED(asked->headerChecksumValid());
  QIMUX_NEED(asked->transportChecksumValid());

  QIMUX_NEED(tun->write(udp(kThere, kHere, bytesOf("answer"))));
  QIMUX_NEED(test::readable(program.get()));
  std::array<char, 16> text{};
  QIMUX_NEED(::recv(program.get(), text.data(), text.size(), 0) == 6);
  QIMUX_NEED(std::string_view(text.data()) == "answer");
  Bytes small(100);
  auto nothing = tun->read(small);
  while (nothing && *nothing > 0) nothing = tun->read(small);
  QIMUX_NEED(nothing);
  return {};
}

std::string namesThatCannotBe() {
  for (const char* name : {"", ".", "..", "a/b", "a b", "gsm%d", "a:1", "sixteen-letters-", "t\n", "t\x7f"}) {
    const auto tun = Tun::open(name);
    QIMUX_NEED(!tun);
    QIMUX_NEED(tun.error().kind == ErrorKind::Invalid);
  }
  return {};
}

std::string busy() {
  const auto first = Tun::open("t0");
  QIMUX_NEED_OK(first);
  const auto second = Tun::open("t0");
  QIMUX_NEED(!second);
  QIMUX_NEED(second.error().kind == ErrorKind::Full);
  QIMUX_NEED(second.error().text().find("another process") != std::string::npos);
  return {};
}

std::string otherKind() {
  const auto tun = Tun::open("lo");
  QIMUX_NEED(!tun);
  QIMUX_NEED(tun.error().kind == ErrorKind::Invalid);
  QIMUX_NEED(tun.error().text().find("another kind") != std::string::npos);
  return {};
}

std::string noPermission() {
  QIMUX_NEED(test::dropCapabilities());
  const auto tun = Tun::open("t0");
  QIMUX_NEED(!tun);
  // Where the driver's file is not open to all, that is what is said.
  const std::string text = tun.error().text();
  QIMUX_NEED(text.find("CAP_NET_ADMIN") != std::string::npos ||
             text.find("allow this user") != std::string::npos);
  return {};
}

std::string stalePersistent() {
  {
    auto stale = upTun();
    QIMUX_NEED_OK(stale);
    QIMUX_NEED(::ioctl(stale->fd(), TUNSETPERSIST, 1) == 0);
  }
  auto netlink = Netlink::open();
  QIMUX_NEED_OK(netlink);
  QIMUX_NEED(netlink->indexOf("t0"));
  {
    auto tun = Tun::open("t0");
    QIMUX_NEED_OK(tun);
    QIMUX_NEED(tun->name() == "t0");
    const auto index = netlink->indexOf("t0");
    QIMUX_NEED_OK(index);
    QIMUX_NEED(netlink->addresses(*index).value().empty());
  }
  QIMUX_NEED(!netlink->indexOf("t0"));
  return {};
}

bool deleteLink(unsigned index) {
  std::array<char, 256> buffer{};
  nlmsghdr* header = mnl_nlmsg_put_header(buffer.data());
  header->nlmsg_type = RTM_DELLINK;
  header->nlmsg_flags = NLM_F_REQUEST;
  auto* body = static_cast<ifinfomsg*>(mnl_nlmsg_put_extra_header(header, sizeof(ifinfomsg)));
  body->ifi_index = static_cast<int>(index);
  mnl_socket* socket = mnl_socket_open(NETLINK_ROUTE);
  const bool sent = mnl_socket_sendto(socket, header, header->nlmsg_len) > 0;
  mnl_socket_close(socket);
  return sent;
}

std::string deletedAndDown() {
  auto tun = Tun::open("t0");
  QIMUX_NEED_OK(tun);
  const Bytes packet = udp(kThere, kHere, bytesOf("x"));
  const auto down = tun->write(packet);
  QIMUX_NEED(!down);
  QIMUX_NEED(down.error().kind == ErrorKind::System);
  QIMUX_NEED(deleteLink(if_nametoindex("t0")));
  Bytes buffer(100);
  const auto read = tun->read(buffer);
  QIMUX_NEED(!read);
  QIMUX_NEED(read.error().kind == ErrorKind::Closed);
  const auto written = tun->write(packet);
  QIMUX_NEED(!written);
  QIMUX_NEED(written.error().kind == ErrorKind::Closed);
  return {};
}

std::string badPacket() {
  auto tun = upTun();
  QIMUX_NEED_OK(tun);
  const auto done = tun->write(Bytes{0x00, 1, 2});
  QIMUX_NEED(!done);
  QIMUX_NEED(done.error().kind == ErrorKind::System);
  return {};
}

}  // namespace

TEST_CASE("packets go through a TUN both ways, whole and with right checksums") {
  CHECK(test::inOwnNamespace(packetsBothWays) == "");
}
TEST_CASE("a name that no interface can have is refused before the kernel sees it") {
  CHECK(namesThatCannotBe() == "");
  CHECK(isInterfaceName("gsm0"));
  CHECK(isInterfaceName("fifteen-letters"));
}
TEST_CASE("a TUN that another descriptor holds is busy, and the error says so") {
  CHECK(test::inOwnNamespace(busy) == "");
}
TEST_CASE("an interface of another kind is not taken over") {
  CHECK(test::inOwnNamespace(otherKind) == "");
}
TEST_CASE("without permission the error names the permission") {
  CHECK(test::inOwnNamespace(noPermission) == "");
}
TEST_CASE("a stale persistent TUN is replaced by a clean one, which goes with its descriptor") {
  CHECK(test::inOwnNamespace(stalePersistent) == "");
}
TEST_CASE("a TUN that is down refuses packets, and one that was deleted is closed") {
  CHECK(test::inOwnNamespace(deletedAndDown) == "");
}
TEST_CASE("what is no IP packet is refused by the kernel") {
  CHECK(test::inOwnNamespace(badPacket) == "");
}

}  // namespace qimux::net
