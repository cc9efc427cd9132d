// What the kernel knows of a local program's TCP socket, by its addresses: is anybody still holding it?
//
// A program that sends no more (shutdown) and one that is gone (close) send the same FIN. The kernel knows
// the difference: a socket that nobody holds has no inode. For programs on other machines it knows nothing.
#pragma once

#include "qimux/base/error.hpp"
#include "qimux/base/fd.hpp"
#include "qimux/net/address.hpp"

#include <cstdint>
#include <optional>

namespace qimux::net {

class SockDiag {
 public:
  // Needs no privilege. Looks into the network namespace of the caller.
  static Result<SockDiag> open();

  enum class Holder {
    Program,  // somebody has the socket open
    Nobody,   // closed; the kernel finishes its connection alone
    Unknown,  // no such socket here: a program on another machine, or all over
  };
  // Of the TCP socket whose local end is flow.source. One question to the kernel and its answer:
  // microseconds.
  Holder holder(const FlowKey& flow);

  // Who has the socket of that flow open here; nothing where nobody has, or the kernel does not tell.
  struct Owner {
    std::uint32_t user = 0;
    std::uint32_t inode = 0;
  };
  // `protocol`: kTcp or kUdp of net/packet.hpp.
  std::optional<Owner> owner(const FlowKey& flow, std::uint8_t protocol);

 private:
  explicit SockDiag(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace qimux::net
