// Clients of a listening socket, taken one by one.
#pragma once

#include "qimux/async/uv_loop.hpp"
#include "qimux/base/fd.hpp"

#include <sys/socket.h>

#include <functional>
#include <memory>

namespace qimux::sim {

// Watches from the start. Where the process has no descriptor left the client keeps waiting, and the socket
// is looked at again a little later: it would be reported as readable for ever.
class Acceptor {
 public:
  // `knocked` is called while somebody waits and want() says so.
  Acceptor(async::UvLoop& loop, Fd listener, std::move_only_function<void()> knocked);

  void want(bool wanted);
  // The next that waits, without blocking; invalid where there is none, or none can be taken now.
  Fd accept(sockaddr* remote = nullptr, socklen_t* size = nullptr);

 private:
  void apply();

  Fd listener_;
  bool wanted_ = true;
  std::unique_ptr<async::UvLoop::FdWatch> watch_;
  async::Timer retry_;
};

}  // namespace qimux::sim
