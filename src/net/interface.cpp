#include "qimux/net/interface.hpp"

#include "qimux/net/netlink.hpp"
#include "qimux/net/sysctl.hpp"

namespace qimux::net {
namespace {

Result<void> configure(Netlink& netlink, unsigned index, const OuterInterface::Options& options) {
  if (auto done = netlink.setReversePathFilter(index, 2); !done) return done;
  if (auto done = netlink.setNoIpv6Address(index); !done) return done;
  // Also against addresses that others would add. Without it the line above still holds, so a sandbox that
  // makes /proc/sys read-only is no error.
  trySysctl("net/ipv6/conf/" + options.name + "/disable_ipv6", "1");
  if (auto done = netlink.setMtu(index, options.mtu); !done) return done;
  if (auto done = netlink.addAddress(index, options.address); !done) return done;
  if (auto done = netlink.setUp(index); !done) return done;
  for (const Cidr& destination : options.routes) {
    if (auto done = netlink.addRoute({destination, index, options.metric}); !done) return done;
  }
  return {};
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

}  // namespace qimux::net
