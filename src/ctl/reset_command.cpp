// reset: the module is started anew, and waited for where that is wanted.
#include "qimux/ctl/command.hpp"
#include "qimux/ctl/connection.hpp"

#include <nlohmann/json.hpp>

namespace qimux::ctl {

ExitCode reset(const Command& command, Console& console) {
  const std::string_view key = command.argument.empty() ? "" : "by";
  const auto answer = ask(command.socket, makeRequest("reset", key, command.argument), kDaemonWait);
  if (!answer) return fail(answer.error(), command, console);
  if (!answer->ok) return complain(command, console, kNo, answer->message);
  // The link is no longer online when the daemon has answered, so what is waited for is the next time.
  if (command.wait) return waitOnline(command, console);
  const bool by_line = render(find(*answer->result, "step"), Format::Text) == "reset_line";
  console.out(command.json ? answer->result->dump(-1, ' ', true) + "\n"
              : by_line    ? "the reset line is pulled\n"
                           : "the module is restarted\n");
  return kOk;
}

}  // namespace qimux::ctl
