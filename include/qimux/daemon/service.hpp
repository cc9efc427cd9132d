// The service manager's side of the daemon: readiness, state, reload, watchdog (sd_notify(3)).
//
// Without a manager nothing is said to anybody, and everything works the same.
#pragma once

#include "qimux/async/loop.hpp"
#include "qimux/daemon/pulse.hpp"

#include <functional>
#include <string>

namespace qimux::daemon {

class Service {
 public:
  // Who is told.
  struct Manager {
    std::function<void(const std::string&)> tell{};  // lines of "NAME=value"
    async::Duration watchdog{};                      // it wants a sign of life within this; 0: it does not
  };
  // That of this process, by its environment: $NOTIFY_SOCKET and $WATCHDOG_USEC, which no child inherits
  // then.
  static Manager manager();

  // `engine` is asked at each beat of the watchdog, and `status` for the sentence that goes with it.
  Service(async::Loop& loop, Manager manager, std::function<Engine()> engine,
          std::function<std::string()> status);

  // The interface is there and the port is owned, or waited for. Once; the watchdog is fed from then on.
  void ready();
  // The state has changed: it is said where it is another than before.
  void refresh();
  // The configuration is being read again, until reloaded().
  void reloading();
  void reloaded();
  // It may take `patience` until the process has ended.
  void stopping(async::Duration patience);

 private:
  void beat();
  void tell(const std::string& what);

  async::Loop& loop_;
  Manager manager_;
  std::function<Engine()> engine_;
  std::function<std::string()> status_;
  async::Timer timer_;
  Pulse pulse_;
  std::string said_;
  bool ready_ = false;
  bool stuck_ = false;
};

}  // namespace qimux::daemon
