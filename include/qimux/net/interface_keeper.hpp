// Watches the kernel's word about the outer interface, and has Upkeep put back what others take away.
#pragma once

#include "qimux/async/uv_loop.hpp"
#include "qimux/base/error.hpp"
#include "qimux/net/interface.hpp"
#include "qimux/net/netlink.hpp"
#include "qimux/net/route_monitor.hpp"
#include "qimux/net/upkeep.hpp"

#include <functional>
#include <memory>

namespace qimux::net {

class InterfaceKeeper {
 public:
  // From now on, in the network namespace of the caller. Needs CAP_NET_ADMIN when there is something to mend.
  // `default_routes_changed` (may be empty) is called when the machine's way out may be another one now;
  // often, and sometimes for nothing.
  static Result<std::unique_ptr<InterfaceKeeper>> start(async::UvLoop& loop, unsigned index,
                                                        const OuterInterface::Options& options,
                                                        std::function<void()> default_routes_changed = {});

  const Upkeep& upkeep() const { return upkeep_; }

 private:
  InterfaceKeeper(async::UvLoop& loop, unsigned index, const OuterInterface::Options& options,
                  Netlink netlink, RouteMonitor monitor, std::function<void()> default_routes_changed);
  void read();

  unsigned index_;
  OuterInterface::Options options_;
  Netlink netlink_;
  RouteMonitor monitor_;
  std::function<void()> default_routes_changed_;
  Upkeep upkeep_;
  std::unique_ptr<async::UvLoop::FdWatch> watch_;
};

}  // namespace qimux::net
