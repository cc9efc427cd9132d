// The control socket: who asks, in what order, and how much of it is kept.
//
// A client's requests are answered one after the other; the next one is not read before the answer to the
// last one is on its way. So what the server keeps for a client is one request line and one response, however
// fast the client asks and however slowly it reads.
#pragma once

#include "qimux/async/uv_loop.hpp"
#include "qimux/base/error.hpp"
#include "qimux/daemon/control_protocol.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace qimux::daemon {

// Answers requests. The server never hands it a Watch: that is one Status after the other.
class ControlHandler {
 public:
  // Called once, at once or later; more often does nothing. May be called when the client or even the server
  // are gone. Destroyed uncalled it answers Cancelled.
  using Respond = std::move_only_function<void(Response)>;

  virtual ~ControlHandler() = default;
  virtual void handle(const Request& request, Respond respond) = 0;
};

struct ControlLimits {
  // One more is told so, and sent away.
  std::size_t clients = 16;
  // A client that takes nothing of what waits for it for this long is dropped.
  async::Duration stall = std::chrono::seconds(10);
  // Between two pushes of a Watch. A client that has not read the last one misses the next.
  async::Duration watch = std::chrono::seconds(1);
  // A client that has asked nothing since it came, or since it took its last answer, is dropped after this:
  // its place may be needed. One that waits for an answer or watches has asked.
  async::Duration idle = std::chrono::seconds(30);
};

class ControlServer {
 public:
  // Listens on `path` for `group`, as ControlSocket does and with its errors. The loop and the handler
  // outlive the server. Its end closes every client, and is not to come from within handle().
  static Result<std::unique_ptr<ControlServer>> listen(async::UvLoop& loop, ControlHandler& handler,
                                                       const std::string& path, const std::string& group,
                                                       const ControlLimits& limits = {});
  virtual ~ControlServer() = default;

  // Connected now.
  virtual std::size_t clients() const = 0;
};

}  // namespace qimux::daemon
