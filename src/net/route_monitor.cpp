#include "qimux/net/route_monitor.hpp"

#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace qimux::net {
namespace {

// Datagrams a turn: a program that changes thousands of routes must not keep the loop from its other work.
constexpr int kPerTurn = 16;
constexpr std::size_t kDatagram = 32768;

unsigned outInterface(const nlmsghdr* message) {
  unsigned interface = 0;
  const auto take = [](const nlattr* attribute, void* context) {
    if (mnl_attr_get_type(attribute) == RTA_OIF && mnl_attr_validate(attribute, MNL_TYPE_U32) >= 0)
      *static_cast<unsigned*>(context) = mnl_attr_get_u32(attribute);
    return MNL_CB_OK;
  };
  (void)mnl_attr_parse(message, sizeof(rtmsg), take, &interface);
  return interface;
}

template <typename Body>
const Body* bodyOf(const nlmsghdr* message) {
  if (mnl_nlmsg_get_payload_len(message) < sizeof(Body)) return nullptr;
  return static_cast<const Body*>(mnl_nlmsg_get_payload(message));
}

void take(const nlmsghdr* message, unsigned interface, RouteMonitor::News& news) {
  switch (message->nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
      if (const auto* link = bodyOf<ifinfomsg>(message)) {
        // A link that goes takes its routes with it without a word about each.
        news.default_routes = true;
        news.ours |= link->ifi_index == static_cast<int>(interface);
      }
      return;
    case RTM_NEWADDR:
    case RTM_DELADDR:
      if (const auto* address = bodyOf<ifaddrmsg>(message)) news.ours |= address->ifa_index == interface;
      return;
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
      if (const auto* route = bodyOf<rtmsg>(message)) {
        news.default_routes |= route->rtm_dst_len == 0;
        news.ours |= outInterface(message) == interface;
      }
      return;
    default:
      return;
  }
}

}  // namespace

Result<RouteMonitor> RouteMonitor::open() {
  Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  if (!fd.valid()) return std::unexpected(systemError("netlink socket", errno));
  sockaddr_nl name{};
  name.nl_family = AF_NETLINK;
  name.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE;
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) < 0)
    return std::unexpected(systemError("netlink groups", errno));
  return RouteMonitor(std::move(fd));
}

RouteMonitor::News RouteMonitor::read(unsigned interface) {
  News news;
  alignas(nlmsghdr) std::array<char, kDatagram> buffer;
  for (int i = 0; i < kPerTurn; ++i) {
    const ssize_t length = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (length < 0 && errno == ENOBUFS) {
      news.ours = news.default_routes = true;
      continue;
    }
    if (length <= 0) return news;
    int rest = static_cast<int>(length);
    const auto* message = reinterpret_cast<const nlmsghdr*>(buffer.data());
    for (; mnl_nlmsg_ok(message, rest); message = mnl_nlmsg_next(message, &rest))
      take(message, interface, news);
  }
  return news;
}

}  // namespace qimux::net
