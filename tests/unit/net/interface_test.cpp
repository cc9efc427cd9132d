#include "qimux/net/interface.hpp"

#include "qimux/net/netlink.hpp"
#include "qimux/net/sysctl.hpp"
#include "support/catch.hpp"
#include "unit/net/kernel_rooms.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <fstream>
#include <iterator>

namespace qimux::net {
namespace {

OuterInterface::Options options() {
  OuterInterface::Options options;
  options.address = {0x0a404001, 30};
  options.routes = {{0, 0}, {0xc6336400, 24}};
  return options;
}

std::string contentOf(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// errno of a connect to a global IPv6 address.
int connectIpv6() {
  const Fd fd(::socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return ENETUNREACH;
  sockaddr_in6 name{};
  name.sin6_family = AF_INET6;
  name.sin6_port = htons(80);
  name.sin6_addr.s6_addr[0] = 0x20;
  name.sin6_addr.s6_addr[1] = 0x01;
  return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0 ? 0 : errno;
}

std::string wholeAndGone() {
  auto netlink = Netlink::open();
  QIMUX_NEED_OK(netlink);
  QIMUX_NEED_OK(netlink->setUp(netlink->indexOf("lo").value()));  // without it no IPv6 has any route at all
  unsigned index = 0;
  {
    auto made = OuterInterface::create(options());
    QIMUX_NEED_OK(made);
    index = made->index();
    QIMUX_NEED(netlink->indexOf("gsm0").value() == index);
    QIMUX_NEED(netlink->link(index)->up);
    QIMUX_NEED(netlink->link(index)->mtu == 1488);
    QIMUX_NEED((netlink->addresses(index).value() == std::vector<Cidr>{{0x0a404001, 30}}));
    const std::vector<Route> expected{{{0, 0}, index, 700}, {{0xc6336400, 24}, index, 700}};
    QIMUX_NEED(netlink->routes(index).value() == expected);
    QIMUX_NEED(readSysctl("net/ipv4/conf/gsm0/rp_filter").value() == "2");
    QIMUX_NEED(contentOf("/proc/self/net/if_inet6").find("gsm0") == std::string::npos);
    QIMUX_NEED(connectIpv6() == ENETUNREACH);
    OuterInterface moved = std::move(*made);
    QIMUX_NEED(moved.tun().name() == "gsm0");
    QIMUX_NEED(netlink->link(index)->up);
  }
  QIMUX_NEED(!netlink->indexOf("gsm0"));
  QIMUX_NEED(netlink->routes(index).value().empty());
  return {};
}

std::string failsWhole() {
  auto netlink = Netlink::open();
  auto wrong = options();
  wrong.routes.push_back({0xc6336400, 24});  // twice
  const auto made = OuterInterface::create(wrong);
  QIMUX_NEED(!made);
  QIMUX_NEED(made.error().what == "gsm0: add route 198.51.100.0/24");
  QIMUX_NEED(!netlink->indexOf("gsm0"));
  wrong = options();
  wrong.mtu = 1000000;
  QIMUX_NEED(!OuterInterface::create(wrong));
  wrong = options();
  wrong.name = "not/a/name";
  QIMUX_NEED(OuterInterface::create(wrong).error().kind == ErrorKind::Invalid);
  return {};
}

}  // namespace

TEST_CASE("the interface comes up whole, and nothing of it stays behind") {
  CHECK(test::inOwnNamespace(wholeAndGone) == "");
}
TEST_CASE("where one step fails, the error names it and nothing stays behind") {
  CHECK(test::inOwnNamespace(failsWhole) == "");
}

}  // namespace qimux::net
