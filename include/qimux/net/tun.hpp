// A TUN device: whole IP packets in and out of the kernel, one a call.
//
// Opened without packet information and without a virtio header, so packets come complete, checksummed and no
// longer than the MTU. Never persistent: the device, its addresses and its routes vanish with the descriptor,
// however the process ends.
#pragma once

#include "qimux/base/bytes.hpp"
#include "qimux/base/error.hpp"
#include "qimux/base/fd.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace qimux::net {

class Tun {
 public:
  // Makes the device in the network namespace of the caller, who needs CAP_NET_ADMIN there. A persistent TUN
  // of that name that nobody holds is removed first, with what was configured on it. Errors say what to do:
  // Invalid for a name that no interface can have, or that one of another kind has; Full where another
  // process holds the device; System for no permission, no driver, no room.
  static Result<Tun> open(std::string_view name);
  // A descriptor made elsewhere, such as in another namespace.
  static Tun adopt(Fd fd, std::string name) { return Tun(std::move(fd), std::move(name)); }

  // Non-blocking; for a loop's watch. Readable where a packet waits.
  int fd() const { return fd_.get(); }
  const std::string& name() const { return name_; }

  // The length of the packet that is now at the start of `buffer`, or 0 where none waits. A buffer shorter
  // than the packet loses its end: give it at least the MTU. Closed where the device was deleted.
  Result<std::size_t> read(ByteSpan buffer);
  // Hands one packet to the kernel. Full where it has no room now (drop and count), Closed where the device
  // was deleted, System with the kernel's word else (such as while the link is down).
  Result<void> write(ByteView packet);

 private:
  Tun(Fd fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}
  Fd fd_;
  std::string name_;
};

// 1 to 15 bytes, none of them a slash, a blank, a control byte, a colon or a percent sign; not "." or "..".
bool isInterfaceName(std::string_view name);

}  // namespace qimux::net
