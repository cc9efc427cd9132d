// Where the host is: a pseudo terminal, or a client of a listening socket. One at a time; it may go and come
// again while the module lives on.
#pragma once

#include "qimux/async/uv_loop.hpp"
#include "qimux/base/bytes.hpp"
#include "qimux/base/error.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace qimux::sim {

class Port {
 public:
  using Received = std::move_only_function<void(ByteView)>;

  virtual ~Port() = default;
  // Bytes to the host. What it does not read waits, within a bound; what nobody is there for is lost.
  virtual void write(ByteView bytes) = 0;
  // While paused, what the host writes stays in the kernel, and in the end holds it up.
  virtual void pause(bool paused) = 0;
  // Bytes of write() that the host's side has not taken yet.
  virtual std::size_t waiting() const = 0;
  // The rate that the host has set; 0 where there is no such thing.
  virtual unsigned hostBaud() const { return 0; }
  // Called when the first host has come and when the last one has gone: what DTR is on a port that has none.
  virtual void onHost(std::move_only_function<void(bool here)> call) = 0;
  // The most bytes taken from the kernel at once.
  virtual void setReadSize(std::size_t bytes) = 0;
};

// A pseudo terminal in raw mode with a symbolic link `link` to it, which replaces another symbolic link but
// no other file, and no link to a pseudo terminal that is in use. It is removed at the end, if it is ours
// still. onHost() may miss a host that comes in the very microsecond of another's coming or going, until its
// first byte.
Result<std::unique_ptr<Port>> openPty(async::UvLoop& loop, const std::string& link, Port::Received received);

// "unix:PATH" or "tcp:HOST:PORT" (HOST an IPv4 address). A second client waits until the first one has gone;
// one that ends its side while it waits is forgotten with all that it has written. PATH may be that of a
// socket that nobody listens on any more, else nothing must be there.
Result<std::unique_ptr<Port>> openListener(async::UvLoop& loop, std::string_view where,
                                           Port::Received received);

}  // namespace qimux::sim
