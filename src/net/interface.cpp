#include "qimux/net/interface.hpp"

#include "qimux/net/sysctl.hpp"

#include <algorithm>

namespace qimux::net {
namespace {

Result<void> configure(Netlink& netlink, unsigned index, const OuterInterface::Options& options) {
  if (auto done = netlink.setReversePathFilter(index, 2); !done) return done;
  if (auto done = netlink.setNoIpv6Address(index); !done) return done;
  // Also against addresses that others would add. Without it the line above still holds, so a sandbox that
  // makes /proc/sys read-only is no error.
  trySysctl("net/ipv6/conf/" + options.name + "/disable_ipv6", "1");
  if (auto done = netlink.setMtu(index, options.mtu); !done) return done;
  return OuterInterface::mend(netlink, index, options,
                              {.up = true, .address = true, .routes = options.routes});
}

}  // namespace

Result<OuterInterface> OuterInterface::create(const Options& options) {
  auto tun = Tun::open(options.name);
  if (!tun) return std::unexpected(tun.error());
  auto netlink = Netlink::open();
  if (!netlink) return std::unexpected(netlink.error());
  const auto index = netlink->indexOf(options.name);
  if (!index) return std::unexpected(index.error());
  if (const auto done = configure(*netlink, *index, options); !done) {
    Error error = done.error();
    error.what = options.name + ": " + error.what;
    return std::unexpected(error);
  }
  return OuterInterface(std::move(*tun), *index);
}

Result<Missing> OuterInterface::missing(Netlink& netlink, unsigned index, const Options& options) {
  const auto link = netlink.link(index);
  if (!link) return std::unexpected(link.error());
  const auto addresses = netlink.addresses(index);
  if (!addresses) return std::unexpected(addresses.error());
  const auto routes = netlink.routes(index);
  if (!routes) return std::unexpected(routes.error());
  Missing missing{.up = !link->up,
                  .address = std::ranges::find(*addresses, options.address) == addresses->end(),
                  .routes = {}};
  for (const Cidr& destination : options.routes) {
    const Route wanted{destination, index, options.metric};
    if (std::ranges::find(*routes, wanted) == routes->end()) missing.routes.push_back(destination);
  }
  return missing;
}

Result<void> OuterInterface::mend(Netlink& netlink, unsigned index, const Options& options,
                                  const Missing& missing) {
  if (missing.address) {
    if (auto done = netlink.addAddress(index, options.address); !done) return done;
  }
  if (missing.up) {
    if (auto done = netlink.setUp(index); !done) return done;
  }
  for (const Cidr& destination : missing.routes) {
    if (auto done = netlink.addRoute({destination, index, options.metric}); !done) return done;
  }
  return {};
}

}  // namespace qimux::net
