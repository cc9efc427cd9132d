// Echo requests to real addresses, where this machine lets us (ping_group_range, or a raw socket).
#pragma once

#include "qimux/async/uv_loop.hpp"
#include "qimux/base/fd.hpp"
#include "qimux/sim/network.hpp"

#include <cstdint>
#include <memory>

namespace qimux::sim {

class IcmpEcho {
 public:
  // `done` is called once, from the loop, unless this is destroyed before; it may destroy this. Without the
  // right to ask there is no answer.
  IcmpEcho(async::UvLoop& loop, Ipv4 address, async::Duration limit, Network::Echoed done);

 private:
  bool ask(Ipv4 address);
  void look();
  void finish(std::optional<async::Duration> time);

  async::UvLoop& loop_;
  Network::Echoed done_;
  bool raw_ = false;
  std::uint16_t sequence_;
  Fd fd_;
  std::unique_ptr<async::UvLoop::FdWatch> watch_;
  async::TimePoint begin_;
  async::Timer limit_;
};

}  // namespace qimux::sim
