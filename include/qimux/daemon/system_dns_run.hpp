// Finds out who is in charge of the machine's names, decides (system_dns.hpp), and has it done by that one's
// tools.
#pragma once

#include "qimux/async/task.hpp"
#include "qimux/async/uv_loop.hpp"
#include "qimux/daemon/config.hpp"
#include "qimux/daemon/system_dns.hpp"

#include <functional>
#include <string>

namespace qimux::daemon {

// Apply, or revert; the one is as harmless to repeat as the other. Needs root. Nothing that goes wrong is an
// error here: it is in the log, and names are no reason not to serve. Each tool is killed after `tool_time`:
// shell scripts, which take seconds on a board that boots.
inline constexpr async::Duration kToolTime = std::chrono::seconds(20);
async::Task<void> systemDns(async::UvLoop& loop, Config config, bool apply,
                            async::Duration tool_time = kToolTime);

// The same as a program of its own: `qimuxd --system-dns apply|revert`. A service calls it outside of its
// sandbox, and would be ended with it where it is out of the service's own time (60 s at the start, 45 s at
// the end): so all tools together have `limit`, after which what is left is left out.
inline constexpr async::Duration kAllTools = std::chrono::seconds(40);
void runSystemDns(const Config& config, bool apply, async::Duration limit = kAllTools,
                  async::Duration tool_time = kToolTime);

// The daemon's part. As root it applies at the start, again when the machine's best way out is another one,
// and reverts at the end. A service's daemon is not root: it writes its FILE.way-out beside the control
// socket FILE.sock when that happens, and a path unit has root apply again.
class SystemDnsAgent {
 public:
  SystemDnsAgent(async::UvLoop& loop, const Config& config, unsigned interface);

  void start();
  // The default routes may have changed: looked at after kSettle, and acted upon no more often than each
  // kRest.
  void routesChanged();
  // `done` is called from the loop, after at most `limit`. Called again meanwhile: nothing.
  void stop(async::Duration limit, std::move_only_function<void()> done);

  static constexpr async::Duration kSettle = std::chrono::seconds(1);
  static constexpr async::Duration kRest = std::chrono::seconds(10);

 private:
  void look();
  async::Task<void> applyAll();
  async::Task<void> revert();
  void finish();

  async::UvLoop& loop_;
  Config config_;
  unsigned interface_;
  bool root_;
  bool best_ = false;   // as it was last told
  bool told_ = false;   // there is a FILE.way-out of ours
  bool busy_ = false;   // applying
  bool again_ = false;  // something changed meanwhile
  async::TimePoint last_{};
  async::Timer timer_;
  async::Timer limit_;
  std::move_only_function<void()> done_;
  async::Scope scope_;
};

// "/run/qimuxd/gsm1.sock" gives "/run/qimuxd/gsm1.way-out".
std::string wayOutFile(const std::string& control_socket);

}  // namespace qimux::daemon
