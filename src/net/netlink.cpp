#include "qimux/net/netlink.hpp"

#include "qimux/net/wire.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace qimux::net {
namespace {

// One request. libmnl writes into it without asking for its size: ours are all below 200 bytes.
class Message {
 public:
  Message(std::uint16_t type, int flags) {
    mnl_nlmsg_put_header(buffer_.data());
    header()->nlmsg_type = type;
    header()->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  }
  template <typename T>
  T* body() {
    return static_cast<T*>(mnl_nlmsg_put_extra_header(header(), sizeof(T)));
  }
  nlmsghdr* header() { return reinterpret_cast<nlmsghdr*>(buffer_.data()); }

 private:
  alignas(nlmsghdr) std::array<char, 512> buffer_{};
};

// Calls back with each attribute behind the first `offset` bytes of the payload.
template <typename Call>
void forEachAttribute(const nlmsghdr* message, std::size_t offset, Call call) {
  const auto pass_on = [](const nlattr* attribute, void* context) {
    (*static_cast<Call*>(context))(attribute, mnl_attr_get_type(attribute));
    return MNL_CB_OK;
  };
  (void)mnl_attr_parse(message, static_cast<unsigned>(offset), pass_on, &call);
}

Message linkMessage(unsigned interface) {
  Message message(RTM_NEWLINK, NLM_F_ACK);
  auto* link = message.body<ifinfomsg>();
  link->ifi_family = AF_UNSPEC;
  link->ifi_index = static_cast<int>(interface);
  return message;
}

// Network order: the bytes as they stand in the attribute.
void putAddress(nlmsghdr* header, std::uint16_t type, std::uint32_t address) {
  mnl_attr_put_u32(header, type, htonl(address));
}

Message routeMessage(std::uint16_t type, int flags, const Route& route) {
  Message message(type, NLM_F_ACK | flags);
  auto* body = message.body<rtmsg>();
  body->rtm_family = AF_INET;
  body->rtm_dst_len = route.destination.prefix;
  body->rtm_table = RT_TABLE_MAIN;
  body->rtm_protocol = RTPROT_STATIC;
  body->rtm_scope = RT_SCOPE_LINK;
  body->rtm_type = RTN_UNICAST;
  if (route.destination.prefix > 0) putAddress(message.header(), RTA_DST, route.destination.network());
  mnl_attr_put_u32(message.header(), RTA_OIF, route.interface);
  if (route.metric != 0) mnl_attr_put_u32(message.header(), RTA_PRIORITY, route.metric);
  return message;
}

// The text of an extended acknowledgement (NLMSGERR_ATTR_MSG), or nothing.
std::string kernelWord(const nlmsghdr* answer) {
  if ((answer->nlmsg_flags & NLM_F_ACK_TLVS) == 0) return {};
  const auto* fault = static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(answer));
  std::size_t offset = sizeof(nlmsgerr);
  if ((answer->nlmsg_flags & NLM_F_CAPPED) == 0) offset += fault->msg.nlmsg_len - sizeof(nlmsghdr);
  std::string word;
  forEachAttribute(answer, offset, [&](const nlattr* attribute, unsigned type) {
    if (type == NLMSGERR_ATTR_MSG) word = mnl_attr_get_str(attribute);
  });
  return word;
}

Result<void> outcome(std::string_view what, const nlmsghdr* answer) {
  const auto* fault = static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(answer));
  if (fault->error == 0) return {};
  Error error = systemError(what, -fault->error);
  const std::string word = kernelWord(answer);
  if (!word.empty()) error.reply += "; " + word;
  return std::unexpected(error);
}

struct LinkSought {
  unsigned interface;
  LinkState state;
};
int onLink(const nlmsghdr* answer, void* context) {
  auto& sought = *static_cast<LinkSought*>(context);
  const auto* body = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(answer));
  if (answer->nlmsg_type != RTM_NEWLINK || body->ifi_index != static_cast<int>(sought.interface))
    return MNL_CB_OK;
  sought.state.up = (body->ifi_flags & IFF_UP) != 0;
  forEachAttribute(answer, sizeof(*body), [&](const nlattr* attribute, unsigned type) {
    if (type == IFLA_MTU) sought.state.mtu = mnl_attr_get_u32(attribute);
  });
  return MNL_CB_OK;
}

struct AddressesSought {
  unsigned interface;
  std::vector<Cidr> found;
};
int onAddress(const nlmsghdr* answer, void* context) {
  auto& sought = *static_cast<AddressesSought*>(context);
  const auto* body = static_cast<const ifaddrmsg*>(mnl_nlmsg_get_payload(answer));
  if (answer->nlmsg_type != RTM_NEWADDR || body->ifa_index != sought.interface) return MNL_CB_OK;
  forEachAttribute(answer, sizeof(*body), [&](const nlattr* attribute, unsigned type) {
    if (type != IFA_LOCAL) return;
    sought.found.push_back(Cidr{ntohl(mnl_attr_get_u32(attribute)), body->ifa_prefixlen});
  });
  return MNL_CB_OK;
}

struct RoutesSought {
  unsigned interface;
  std::vector<Route> found;
};
int onRoute(const nlmsghdr* answer, void* context) {
  auto& sought = *static_cast<RoutesSought*>(context);
  const auto* body = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(answer));
  if (answer->nlmsg_type != RTM_NEWROUTE || body->rtm_protocol != RTPROT_STATIC) return MNL_CB_OK;
  Route route;
  route.destination.prefix = body->rtm_dst_len;
  forEachAttribute(answer, sizeof(*body), [&](const nlattr* attribute, unsigned type) {
    if (type == RTA_DST) route.destination.address = ntohl(mnl_attr_get_u32(attribute));
    if (type == RTA_OIF) route.interface = mnl_attr_get_u32(attribute);
    if (type == RTA_PRIORITY) route.metric = mnl_attr_get_u32(attribute);
  });
  if (route.interface == sought.interface && body->rtm_table == RT_TABLE_MAIN) sought.found.push_back(route);
  return MNL_CB_OK;
}

// Whoever made them.
int onDefaultRoute(const nlmsghdr* answer, void* context) {
  auto& found = *static_cast<std::vector<Route>*>(context);
  const auto* body = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(answer));
  if (answer->nlmsg_type != RTM_NEWROUTE || body->rtm_dst_len != 0 || body->rtm_table != RT_TABLE_MAIN ||
      body->rtm_type != RTN_UNICAST || (body->rtm_flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN)) != 0)
    return MNL_CB_OK;
  Route route;
  forEachAttribute(answer, sizeof(*body), [&](const nlattr* attribute, unsigned type) {
    if (type == RTA_OIF) route.interface = mnl_attr_get_u32(attribute);
    if (type == RTA_PRIORITY) route.metric = mnl_attr_get_u32(attribute);
  });
  found.push_back(route);
  return MNL_CB_OK;
}

}  // namespace

void Netlink::Close::operator()(mnl_socket* socket) const {
  mnl_socket_close(socket);
}

Result<Netlink> Netlink::open() {
  mnl_socket* socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
  if (socket == nullptr) return std::unexpected(systemError("netlink socket", errno));
  Netlink netlink(socket);
  if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) {
    return std::unexpected(systemError("netlink bind", errno));
  }
  int on = 1;
  // Only words: an older kernel without it still gives the number.
  (void)mnl_socket_setsockopt(socket, NETLINK_EXT_ACK, &on, sizeof on);
  return netlink;
}

Result<void> Netlink::exchange(std::string_view what, nlmsghdr* request, OnMessage on_message,
                               void* context) {
  request->nlmsg_seq = ++sequence_;
  if (mnl_socket_sendto(socket_.get(), request, request->nlmsg_len) < 0) {
    return std::unexpected(systemError(what, errno));
  }
  const unsigned port = mnl_socket_get_portid(socket_.get());
  alignas(nlmsghdr) std::array<char, 32768> buffer;
  while (true) {
    const ssize_t length = mnl_socket_recvfrom(socket_.get(), buffer.data(), buffer.size());
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return std::unexpected(systemError(what, errno));
    const auto* first = reinterpret_cast<const nlmsghdr*>(buffer.data());
    const bool ours = mnl_nlmsg_ok(first, static_cast<int>(length)) && first->nlmsg_seq == sequence_;
    if (!ours) continue;
    if (first->nlmsg_type == NLMSG_ERROR) return outcome(what, first);
    const int verdict =
        mnl_cb_run(buffer.data(), static_cast<std::size_t>(length), sequence_, port, on_message, context);
    if (verdict < 0) return std::unexpected(systemError(what, errno));
    if (verdict == MNL_CB_STOP) return {};
  }
}

Result<unsigned> Netlink::indexOf(std::string_view name) const {
  const std::string terminated(name);
  const unsigned index = if_nametoindex(terminated.c_str());
  if (index == 0) return std::unexpected(systemError(name, errno));
  return index;
}

Result<void> Netlink::setMtu(unsigned interface, unsigned mtu) {
  Message message = linkMessage(interface);
  mnl_attr_put_u32(message.header(), IFLA_MTU, mtu);
  return exchange(fmt::format("set MTU {}", mtu), message.header());
}

Result<void> Netlink::setUp(unsigned interface) {
  Message message = linkMessage(interface);
  auto* link = static_cast<ifinfomsg*>(mnl_nlmsg_get_payload(message.header()));
  link->ifi_flags = IFF_UP;
  link->ifi_change = IFF_UP;
  return exchange("set link up", message.header());
}

Result<void> Netlink::setDown(unsigned interface) {
  Message message = linkMessage(interface);
  static_cast<ifinfomsg*>(mnl_nlmsg_get_payload(message.header()))->ifi_change = IFF_UP;
  return exchange("set link down", message.header());
}

Result<void> Netlink::setReversePathFilter(unsigned interface, std::uint32_t value) {
  Message message = linkMessage(interface);
  nlattr* families = mnl_attr_nest_start(message.header(), IFLA_AF_SPEC);
  nlattr* inet = mnl_attr_nest_start(message.header(), AF_INET);
  nlattr* conf = mnl_attr_nest_start(message.header(), IFLA_INET_CONF);
  mnl_attr_put_u32(message.header(), IPV4_DEVCONF_RP_FILTER, value);
  mnl_attr_nest_end(message.header(), conf);
  mnl_attr_nest_end(message.header(), inet);
  mnl_attr_nest_end(message.header(), families);
  return exchange("set rp_filter", message.header());
}

Result<void> Netlink::setNoIpv6Address(unsigned interface) {
  Message message = linkMessage(interface);
  nlattr* families = mnl_attr_nest_start(message.header(), IFLA_AF_SPEC);
  nlattr* inet6 = mnl_attr_nest_start(message.header(), AF_INET6);
  mnl_attr_put_u8(message.header(), IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
  mnl_attr_nest_end(message.header(), inet6);
  mnl_attr_nest_end(message.header(), families);
  const auto done = exchange("set no IPv6 address", message.header());
  if (!done && done.error().reply.starts_with(std::strerror(EAFNOSUPPORT))) return {};
  return done;
}

Result<void> Netlink::addAddress(unsigned interface, const Cidr& address) {
  Message message(RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
  auto* body = message.body<ifaddrmsg>();
  body->ifa_family = AF_INET;
  body->ifa_prefixlen = address.prefix;
  body->ifa_scope = RT_SCOPE_UNIVERSE;
  body->ifa_index = interface;
  putAddress(message.header(), IFA_LOCAL, address.address);
  putAddress(message.header(), IFA_ADDRESS, address.address);
  return exchange("add address " + text(address), message.header());
}

Result<void> Netlink::addRoute(const Route& route) {
  // Behind another interface's route of the same metric, never instead of it: with NLM_F_EXCL alone the
  // kernel refuses, and a second daemon could not start. The same route twice it refuses all the same.
  Message message = routeMessage(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND, route);
  return exchange("add route " + text(route.destination), message.header());
}

Result<void> Netlink::addForgetfulRoute(const Route& route) {
  constexpr std::uint32_t kLocked =
      1U << RTAX_RTT | 1U << RTAX_RTTVAR | 1U << RTAX_SSTHRESH | 1U << RTAX_REORDERING;
  Message message = routeMessage(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND, route);
  nlattr* metrics = mnl_attr_nest_start(message.header(), RTA_METRICS);
  mnl_attr_put_u32(message.header(), RTAX_LOCK, kLocked);
  mnl_attr_nest_end(message.header(), metrics);
  return exchange("add route " + text(route.destination), message.header());
}

Result<void> Netlink::deleteRoute(const Route& route) {
  Message message = routeMessage(RTM_DELROUTE, 0, route);
  return exchange("delete route " + text(route.destination), message.header());
}

Result<LinkState> Netlink::link(unsigned interface) {
  Message message(RTM_GETLINK, NLM_F_ACK);
  message.body<ifinfomsg>()->ifi_index = static_cast<int>(interface);
  LinkSought sought{interface, {}};
  const auto done = exchange("read link", message.header(), onLink, &sought);
  if (!done) return std::unexpected(done.error());
  return sought.state;
}

Result<std::vector<Cidr>> Netlink::addresses(unsigned interface) {
  Message message(RTM_GETADDR, NLM_F_DUMP);
  message.body<ifaddrmsg>()->ifa_family = AF_INET;
  AddressesSought sought{interface, {}};
  const auto done = exchange("read addresses", message.header(), onAddress, &sought);
  if (!done) return std::unexpected(done.error());
  return std::move(sought.found);
}

Result<std::vector<Route>> Netlink::routes(unsigned interface) {
  Message message(RTM_GETROUTE, NLM_F_DUMP);
  message.body<rtmsg>()->rtm_family = AF_INET;
  RoutesSought sought{interface, {}};
  const auto done = exchange("read routes", message.header(), onRoute, &sought);
  if (!done) return std::unexpected(done.error());
  return std::move(sought.found);
}

Result<std::vector<Route>> Netlink::defaultRoutes() {
  Message message(RTM_GETROUTE, NLM_F_DUMP);
  message.body<rtmsg>()->rtm_family = AF_INET;
  std::vector<Route> found;
  const auto done = exchange("read routes", message.header(), onDefaultRoute, &found);
  if (!done) return std::unexpected(done.error());
  return found;
}

}  // namespace qimux::net
