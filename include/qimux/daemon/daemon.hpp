// The whole: builds the rooms from a configuration, owns them, and ends them.
#pragma once

#include "qimux/async/uv_loop.hpp"
#include "qimux/base/error.hpp"
#include "qimux/daemon/config.hpp"

#include <functional>
#include <memory>
#include <optional>

namespace qimux::capture {
class Tap;
}

namespace qimux::daemon {

class Daemon {
 public:
  // Makes the interface, the private namespace and the control socket; everything that needs a right is done
  // when it returns. The error names what to do. `on_stopped` is called from the loop after stop(), or when
  // the interface was deleted, or when the device is missing and serial.on_missing is "exit".
  enum class End { Stopped, InterfaceGone, DeviceMissing };
  // `tap`, where there is one, sees what passes the edges of the cores, and outlives the daemon.
  static Result<std::unique_ptr<Daemon>> create(async::UvLoop& loop, const Config& config,
                                                std::function<void(End)> on_stopped,
                                                capture::Tap* tap = nullptr);
  virtual ~Daemon() = default;

  // Takes the port; the link comes up from then on.
  virtual void start() = 0;
  // Drains, closes the module's sockets and context within shutdown.drain. Called again: at once.
  virtual void stop() = 0;
  // Reads the configuration again by `read`, which says itself what is wrong with it and gives nothing then,
  // and takes what can be taken while it runs (reload.hpp). Not while something is captured: a capture is of
  // one configuration.
  virtual void reload(const std::function<std::optional<Config>()>& read) = 0;
};

}  // namespace qimux::daemon
