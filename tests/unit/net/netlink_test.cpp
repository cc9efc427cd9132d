#include "qimux/net/netlink.hpp"

#include "qimux/net/sysctl.hpp"
#include "qimux/net/tun.hpp"
#include "support/catch.hpp"
#include "unit/net/kernel_rooms.hpp"

#include <cstdio>
#include <string>

namespace qimux::net {
namespace {

constexpr Cidr kAddress{0x0a404001, 30};

std::string setAndReadBack() {
  const auto tun = Tun::open("t0");
  QIMUX_NEED_OK(tun);
  auto netlink = Netlink::open();
  QIMUX_NEED_OK(netlink);
  const auto index = netlink->indexOf("t0");
  QIMUX_NEED_OK(index);
  QIMUX_NEED(!netlink->link(*index)->up);
  QIMUX_NEED_OK(netlink->setMtu(*index, 1488));
  QIMUX_NEED_OK(netlink->addAddress(*index, kAddress));
  QIMUX_NEED_OK(netlink->setUp(*index));
  const auto link = netlink->link(*index);
  QIMUX_NEED_OK(link);
  QIMUX_NEED(link->up);
  QIMUX_NEED(link->mtu == 1488);
  QIMUX_NEED((netlink->addresses(*index).value() == std::vector<Cidr>{kAddress}));

  const Route everything{{0, 0}, *index, 700};
  const Route some{{0xc6336400, 24}, *index, 0};
  QIMUX_NEED_OK(netlink->addRoute(everything));
  QIMUX_NEED_OK(netlink->addRoute({{0xc6336407, 24}, *index, 0}));  // host bits do not matter
  QIMUX_NEED((netlink->routes(*index).value() == std::vector<Route>{everything, some}));
  QIMUX_NEED(netlink->routes(*index + 1).value().empty());
  QIMUX_NEED_OK(netlink->deleteRoute(everything));
  QIMUX_NEED((netlink->routes(*index).value() == std::vector<Route>{some}));
  return {};
}

// As another program sees it.
std::string outputOf(const char* command) {
  std::string output;
  FILE* pipe = ::popen(command, "r");
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) output += static_cast<char>(c);
  ::pclose(pipe);
  return output;
}

std::string forgetful() {
  const auto tun = Tun::open("t0");
  QIMUX_NEED_OK(tun);
  auto netlink = Netlink::open();
  QIMUX_NEED_OK(netlink);
  const auto index = netlink->indexOf("t0");
  QIMUX_NEED_OK(netlink->setUp(*index));
  QIMUX_NEED_OK(netlink->addForgetfulRoute({{0, 0}, *index, 0}));
  const auto shown = outputOf("ip route show dev t0");
  for (const char* metric : {"rtt lock 0", "rttvar lock 0", "ssthresh lock 0", "reordering lock 0"})
    QIMUX_NEED(shown.find(metric) != std::string::npos);
  return {};
}

std::string manyRoutes() {
  const auto tun = Tun::open("t0");
  QIMUX_NEED_OK(tun);
  auto netlink = Netlink::open();
  QIMUX_NEED_OK(netlink);
  const auto index = netlink->indexOf("t0");
  QIMUX_NEED_OK(netlink->setUp(*index));
  for (std::uint32_t i = 0; i < 1000; ++i)
    QIMUX_NEED_OK(netlink->addRoute({{0x0b000000 + i, 32}, *index, 5}));
  QIMUX_NEED(netlink->routes(*index)->size() == 1000);
  return {};
}

std::string refusals() {
  const auto tun = Tun::open("t0");
  QIMUX_NEED_OK(tun);
  auto netlink = Netlink::open();
  QIMUX_NEED_OK(netlink);
  const auto index = netlink->indexOf("t0");
  const auto down = netlink->addRoute({{0, 0}, *index, 0});
  QIMUX_NEED(!down);
  // The number's text, and behind it what the kernel had to add.
  QIMUX_NEED(down.error().text().find("add route 0.0.0.0/0: Network is down") == 0);
  QIMUX_NEED(down.error().reply.find("; ") != std::string::npos);
  QIMUX_NEED(!netlink->deleteRoute({{0, 0}, *index, 0}));
  QIMUX_NEED_OK(netlink->addAddress(*index, kAddress));
  const auto twice = netlink->addAddress(*index, kAddress);
  QIMUX_NEED(!twice);
  QIMUX_NEED(twice.error().kind == ErrorKind::System);
  QIMUX_NEED(!netlink->setMtu(*index, 1000000));
  QIMUX_NEED(!netlink->setUp(99));
  QIMUX_NEED(!netlink->link(99));
  const auto nobody = netlink->indexOf("nobody");
  QIMUX_NEED(!nobody);
  QIMUX_NEED(nobody.error().what == "nobody");
  return {};
}

std::string settings() {
  const auto tun = Tun::open("t0");
  QIMUX_NEED_OK(tun);
  auto netlink = Netlink::open();
  QIMUX_NEED_OK(netlink);
  const auto index = netlink->indexOf("t0");
  const auto all = readSysctl("net/ipv4/conf/all/rp_filter");
  QIMUX_NEED_OK(netlink->setReversePathFilter(*index, 2));
  QIMUX_NEED(readSysctl("net/ipv4/conf/t0/rp_filter").value() == "2");
  QIMUX_NEED(readSysctl("net/ipv4/conf/all/rp_filter").value() == all.value());
  QIMUX_NEED_OK(netlink->setReversePathFilter(*index, 1));
  QIMUX_NEED(readSysctl("net/ipv4/conf/t0/rp_filter").value() == "1");
  QIMUX_NEED_OK(netlink->setNoIpv6Address(*index));
  if (const auto mode = readSysctl("net/ipv6/conf/t0/addr_gen_mode")) QIMUX_NEED(*mode == "1");
  return {};
}

std::string sysctls() {
  QIMUX_NEED_OK(writeSysctl("net/ipv4/tcp_ecn", "0"));
  QIMUX_NEED(readSysctl("net/ipv4/tcp_ecn").value() == "0");
  QIMUX_NEED_OK(writeSysctl("net/ipv4/tcp_ecn", "1"));
  QIMUX_NEED(readSysctl("net/ipv4/tcp_ecn").value() == "1");
  trySysctl("net/ipv4/tcp_ecn", "2");
  QIMUX_NEED(readSysctl("net/ipv4/tcp_ecn").value() == "2");
  trySysctl("net/ipv4/no_such_setting", "1");
  const auto absent = writeSysctl("net/ipv4/no_such_setting", "1");
  QIMUX_NEED(!absent);
  QIMUX_NEED(absent.error().what == "net/ipv4/no_such_setting");
  QIMUX_NEED(!readSysctl("net/ipv4/no_such_setting"));
  QIMUX_NEED(!readSysctl("net/ipv4"));
  QIMUX_NEED(!writeSysctl("net/ipv4/tcp_ecn", "many"));
  return {};
}

}  // namespace

TEST_CASE("MTU, state, address and routes are set, and read back as set") {
  CHECK(test::inOwnNamespace(setAndReadBack) == "");
}
TEST_CASE("a forgetful route has its metrics locked at nothing") {
  CHECK(test::inOwnNamespace(forgetful) == "");
}
TEST_CASE("an answer in many messages is read to its end") {
  CHECK(test::inOwnNamespace(manyRoutes) == "");
}
TEST_CASE("what the kernel refuses is an error with its words") {
  CHECK(test::inOwnNamespace(refusals) == "");
}
TEST_CASE("rp_filter and IPv6 addresses are settings of one interface") {
  CHECK(test::inOwnNamespace(settings) == "");
}
TEST_CASE("settings under /proc/sys are written and read back, and errors name them") {
  CHECK(test::inOwnNamespace(sysctls) == "");
}

}  // namespace qimux::net
