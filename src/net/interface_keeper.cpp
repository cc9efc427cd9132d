#include "qimux/net/interface_keeper.hpp"

namespace qimux::net {

Result<std::unique_ptr<InterfaceKeeper>> InterfaceKeeper::start(
    async::UvLoop& loop, unsigned index, const OuterInterface::Options& options,
    std::function<void()> default_routes_changed) {
  auto netlink = Netlink::open();
  if (!netlink) return std::unexpected(netlink.error());
  auto monitor = RouteMonitor::open();
  if (!monitor) return std::unexpected(monitor.error());
  return std::unique_ptr<InterfaceKeeper>(new InterfaceKeeper(
      loop, index, options, std::move(*netlink), std::move(*monitor), std::move(default_routes_changed)));
}

InterfaceKeeper::InterfaceKeeper(async::UvLoop& loop, unsigned index, const OuterInterface::Options& options,
                                 Netlink netlink, RouteMonitor monitor,
                                 std::function<void()> default_routes_changed)
    : index_(index),
      options_(options),
      netlink_(std::move(netlink)),
      monitor_(std::move(monitor)),
      default_routes_changed_(std::move(default_routes_changed)),
      upkeep_(
          loop, options.name,
          {.look = [this] { return OuterInterface::missing(netlink_, index_, options_); },
           .mend =
               [this](const Missing& what) { return OuterInterface::mend(netlink_, index_, options_, what); },
           .say = [](log::Level level, std::string_view message) { log::write(level, message); }}) {
  watch_ = loop.watch(monitor_.fd(), async::Interest{.readable = true}, [this](async::Interest) { read(); });
  // What was taken away between its making and now.
  upkeep_.noticed();
}

void InterfaceKeeper::read() {
  const auto news = monitor_.read(index_);
  if (news.ours) upkeep_.noticed();
  if (news.default_routes && default_routes_changed_) default_routes_changed_();
}

}  // namespace qimux::net
