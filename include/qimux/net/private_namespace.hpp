// A network namespace of our own, in which the kernel's TCP stack works for us and nobody else.
//
// Behind a second TUN in it sits a listening socket. What is written to that TUN meets no firewall, no
// conntrack, no rp_filter and no port of the host, and nothing on the host can connect to the listener. The
// namespace only ever sees one peer address, kInnerPeer, whose ports are the NAT's: so its addresses cannot
// clash with any destination of a program. 192.0.0.0/29 is set aside for translators inside one machine
// (RFC 7335).
//
// A short-lived child makes it all and hands over the descriptors, then exits; the namespace lives as long as
// one of them is open. First with a user namespace of its own, which needs no privilege; where the kernel or
// a security module forbids that, without, which needs CAP_SYS_ADMIN.
#pragma once

#include "qimux/base/error.hpp"
#include "qimux/base/fd.hpp"
#include "qimux/net/address.hpp"
#include "qimux/net/tun.hpp"

#include <cstddef>
#include <vector>

namespace qimux::net {

inline constexpr std::uint32_t kInnerAddress = 0xc0000001;  // 192.0.0.1
inline constexpr std::uint32_t kInnerPeer = 0xc0000002;     // 192.0.0.2
inline constexpr Endpoint kInnerListener{kInnerAddress, 1024};

class PrivateNamespace {
 public:
  struct Options {
    unsigned mtu = 1488;  // of the outer TUN: what fits there must fit here
    // SO_RCVBUF of each accepted connection. Bounds what the kernel acknowledges and nobody has taken yet:
    // 4096 lets at most 4,344 bytes in, 2048 one segment.
    int receive_buffer = 4096;
    // Most bytes of the far end that wait in the kernel for a slow program, per connection; above it the
    // socket is not writable.
    int send_buffer = 16384;
    int backlog = 128;
    std::size_t spares = 0;  // at most 64
  };

  // Blocks for some milliseconds, at most 10 s. Call it before threads are started. The error names the step
  // that failed, and both ways where both were tried.
  static Result<PrivateNamespace> create(const Options& options);

  Tun& tun() { return tun_; }
  // Listens on kInnerListener; non-blocking. Its connections inherit buffers and TCP_NODELAY.
  int listener() const { return listener_.get(); }
  // Unconnected sockets bound to kInnerAddress and a port each, for active opens into the TUN: to kInnerPeer
  // and a NAT port. Non-blocking. The caller takes them out; none can be made later, so a used one is
  // given back with recycle().
  std::vector<Fd>& spares() { return spares_; }

 private:
  PrivateNamespace(Tun tun, Fd listener, std::vector<Fd> spares)
      : tun_(std::move(tun)), listener_(std::move(listener)), spares_(std::move(spares)) {}
  Tun tun_;
  Fd listener_;
  std::vector<Fd> spares_;
};

// Disconnects a spare so that it can connect anew, from the port it is bound to. A connection that still
// stands is reset.
Result<void> recycle(int spare);

}  // namespace qimux::net
