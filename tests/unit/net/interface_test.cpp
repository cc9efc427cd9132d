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

// Whatever is taken away is seen, and put back, and a stranger's route stays where it is.
std::string mends() {
  auto netlink = Netlink::open();
  QIMUX_NEED_OK(netlink);
  auto made = OuterInterface::create(options());
  QIMUX_NEED_OK(made);
  const unsigned index = made->index();
  const auto missing = [&] { return OuterInterface::missing(*netlink, index, options()).value(); };
  QIMUX_NEED(missing() == Missing{});
  auto stranger = Tun::open("other0");
  QIMUX_NEED_OK(stranger);
  const unsigned other = netlink->indexOf("other0").value();
  QIMUX_NEED_OK(netlink->setUp(other));
  const Route strangers{{0, 0}, other, 5};
  QIMUX_NEED_OK(netlink->addRoute(strangers));
  QIMUX_NEED_OK(netlink->deleteRoute({{0, 0}, index, 700}));
  const Missing route{.up = false, .address = false, .routes = {{0, 0}}};
  QIMUX_NEED(missing() == route);
  QIMUX_NEED_OK(OuterInterface::mend(*netlink, index, options(), route));
  QIMUX_NEED(missing() == Missing{});
  QIMUX_NEED(netlink->routes(other).value() == std::vector<Route>{strangers});
  QIMUX_NEED_OK(netlink->setDown(index));
  const Missing down{.up = true, .address = false, .routes = options().routes};
  QIMUX_NEED(missing() == down);
  QIMUX_NEED_OK(OuterInterface::mend(*netlink, index, options(), down));
  QIMUX_NEED(missing() == Missing{});
  return {};
}

std::string besideAnotherOfItsMetric() {
  auto netlink = Netlink::open();
  QIMUX_NEED_OK(netlink);
  auto first = OuterInterface::create(options());
  QIMUX_NEED_OK(first);
  auto more = options();
  more.name = "gsm1";
  more.address = {0x0a404101, 30};
  auto second = OuterInterface::create(more);
  QIMUX_NEED_OK(second);
  const std::vector<Route> expected{{{0, 0}, first->index(), 700}, {{0, 0}, second->index(), 700}};
  QIMUX_NEED(netlink->defaultRoutes().value() == expected);
  return {};
}

}  // namespace

TEST_CASE("what the interface has lost is known and put back, and nothing else is touched") {
  CHECK(test::inOwnNamespace(mends) == "");
}
TEST_CASE("two interfaces may have the same route at the same metric, and the first comes first") {
  CHECK(test::inOwnNamespace(besideAnotherOfItsMetric) == "");
}
TEST_CASE("the interface comes up whole, and nothing of it stays behind") {
  CHECK(test::inOwnNamespace(wholeAndGone) == "");
}
TEST_CASE("where one step fails, the error names it and nothing stays behind") {
  CHECK(test::inOwnNamespace(failsWhole) == "");
}

}  // namespace qimux::net
