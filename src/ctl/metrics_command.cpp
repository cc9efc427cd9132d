// metrics: two questions, one page, to the output or to a file that a collector reads.
#include "qimux/base/file.hpp"
#include "qimux/ctl/command.hpp"
#include "qimux/ctl/connection.hpp"
#include "qimux/ctl/metrics.hpp"

#include <nlohmann/json.hpp>

namespace qimux::ctl {
namespace {

// Whoever collects runs as another user.
constexpr mode_t kMode = 0644;

ExitCode put(const Command& command, Console& console, const std::string& text) {
  if (command.textfile.empty()) {
    console.out(text);
    return kOk;
  }
  const auto written = replaceFile(command.textfile, text, kMode);
  return written ? kOk : complain(command, console, kNo, written.error().what + ": " + written.error().reply);
}

}  // namespace

ExitCode metrics(const Command& command, Console& console) {
  const auto status = ask(command.socket, makeRequest("status"), kDaemonWait);
  const auto stats = status ? ask(command.socket, makeRequest("stats"), kDaemonWait) : status;
  const bool good = stats && status->ok && stats->ok;
  // A file of a daemon that was is a lie; on the output the exit code says it.
  if (!good && !command.textfile.empty()) put(command, console, renderDown(command.instance));
  if (!stats) return fail(stats.error(), command, console);
  if (!good) return complain(command, console, kNo, status->ok ? stats->message : status->message);
  if (command.json) {
    Json both;
    both["status"] = *status->result;
    both["stats"] = *stats->result;
    return put(command, console, both.dump(-1, ' ', true) + "\n");
  }
  return put(command, console, renderMetrics(*status->result, *stats->result, command.instance));
}

}  // namespace qimux::ctl
