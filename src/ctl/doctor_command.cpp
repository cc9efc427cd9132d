// doctor: looks, and says what to do.
#include "qimux/ctl/command.hpp"
#include "qimux/ctl/doctor.hpp"

#include <nlohmann/json.hpp>

namespace qimux::ctl {

ExitCode doctor(const Command& command, Console& console) {
  const auto findings = diagnose(gatherFacts({command.socket, command.config, command.instance}));
  console.out(command.json ? findingsJson(findings).dump(-1, ' ', true) + "\n"
                           : renderFindings(findings, console.width(), console.colour()));
  return isFine(findings) ? kOk : kNo;
}

}  // namespace qimux::ctl
