// Links, addresses and routes by rtnetlink, in the network namespace in which it was opened.
//
// Each call is one exchange with the kernel, which answers at once. An Error carries the kernel's own words
// (its extended acknowledgement) where it gave some.
#pragma once

#include "qimux/base/error.hpp"
#include "qimux/net/address.hpp"

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

struct mnl_socket;
struct nlmsghdr;

namespace qimux::net {

// Everything for `destination` goes out through an interface, without a gateway.
struct Route {
  Cidr destination;
  unsigned interface = 0;    // index
  std::uint32_t metric = 0;  // the lower wins
  friend bool operator==(const Route&, const Route&) = default;
};

struct LinkState {
  unsigned mtu = 0;
  bool up = false;
};

class Netlink {
 public:
  static Result<Netlink> open();

  Result<unsigned> indexOf(std::string_view name) const;

  Result<void> setMtu(unsigned interface, unsigned mtu);
  Result<void> setUp(unsigned interface);
  Result<void> setDown(unsigned interface);
  // rp_filter of this one interface. The kernel takes the larger of this and of conf/all, so only 2 (loose)
  // has its effect whatever conf/all says. By netlink, because /proc/sys is read-only in many a sandbox.
  Result<void> setReversePathFilter(unsigned interface, std::uint32_t value);
  // The interface makes itself no IPv6 address. Before it is up. No error where the kernel has no IPv6.
  Result<void> setNoIpv6Address(unsigned interface);

  Result<void> addAddress(unsigned interface, const Cidr& address);
  // Protocol static, main table. Replaces nothing: where another interface has a route of the same
  // destination and metric, that one still comes first.
  Result<void> addRoute(const Route& route);
  // The same, but what one connection learns of the path (round trip, threshold, reordering) is not what the
  // next one begins with.
  Result<void> addForgetfulRoute(const Route& route);
  Result<void> deleteRoute(const Route& route);

  Result<LinkState> link(unsigned interface);
  Result<std::vector<Cidr>> addresses(unsigned interface);
  // Those of protocol static that addRoute() makes.
  Result<std::vector<Route>> routes(unsigned interface);
  // Every 0.0.0.0/0 of the main table, whoever made it, but for those whose interface has no carrier.
  // Interface 0: a route over several.
  Result<std::vector<Route>> defaultRoutes();

 private:
  struct Close {
    void operator()(mnl_socket* socket) const;
  };
  explicit Netlink(mnl_socket* socket) : socket_(socket) {}
  using OnMessage = int (*)(const nlmsghdr*, void*);
  // Sends, and reads answers until the acknowledgement or the end of the dump.
  Result<void> exchange(std::string_view what, nlmsghdr* request, OnMessage on_message = nullptr,
                        void* context = nullptr);

  std::unique_ptr<mnl_socket, Close> socket_;
  std::uint32_t sequence_ = 0;
};

}  // namespace qimux::net
