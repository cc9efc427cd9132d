// The interface that programs see: the outer TUN with its address, MTU and routes.
#pragma once

#include "qimux/base/error.hpp"
#include "qimux/net/address.hpp"
#include "qimux/net/netlink.hpp"
#include "qimux/net/tun.hpp"
#include "qimux/net/upkeep.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace qimux::net {

class OuterInterface {
 public:
  struct Options {
    std::string name = "gsm0";
    Cidr address;  // of the machine, with the network it shares with the gateway
    unsigned mtu =
        1488;  // a UDP payload of 1460 bytes, the most that one send command takes, and 28 of headers
    std::vector<Cidr> routes;
    std::uint32_t metric = 700;
  };

  // Makes the TUN and configures it whole: rp_filter 2 and no IPv6 on it (IPv6 stays unreachable at once,
  // never a black hole), MTU, address, up, routes. In this order, so that nothing is half true while it is
  // up. On an error nothing is left behind. Needs CAP_NET_ADMIN.
  static Result<OuterInterface> create(const Options& options);

  // Which of the link's being up, the address and the routes of `options` the interface does not have now.
  static Result<Missing> missing(Netlink& netlink, unsigned index, const Options& options);
  // Puts that back, and touches nothing else.
  static Result<void> mend(Netlink& netlink, unsigned index, const Options& options, const Missing& missing);

  // Nothing stays behind: device, address and routes go with the descriptor.
  OuterInterface(OuterInterface&&) = default;
  OuterInterface& operator=(OuterInterface&&) = default;
  ~OuterInterface() = default;

  Tun& tun() { return tun_; }
  unsigned index() const { return index_; }

 private:
  OuterInterface(Tun tun, unsigned index) : tun_(std::move(tun)), index_(index) {}
  Tun tun_;
  unsigned index_;
};

}  // namespace qimux::net
