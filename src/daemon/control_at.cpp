#include "qimux/daemon/control_at.hpp"

#include "qimux/base/bytes.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace qimux::daemon {
namespace {

// The forms of a command, in the words of V.25ter.
constexpr unsigned kRun = 1;                  // AT+X
constexpr unsigned kRead = 2;                 // AT+X?
constexpr unsigned kTest = 4;                 // AT+X=?
constexpr unsigned kSocket = 8;               // AT+X=n, n the index of a socket
constexpr unsigned kSetting = kRead | kTest;  // asking for a value and for its range
constexpr unsigned kIdentity = kRun | kTest;  // commands that are run to ask

struct Allowed {
  std::string_view name;
  unsigned forms;
};

// AT+COPS=? is missing on purpose: it searches all bands for minutes, and nothing else gets through
// meanwhile. AT+QIREGAPP? is missing because it shows the APN's password.
constexpr auto kAllowed = std::to_array<Allowed>({
    // Who the module and its card are.
    {"AT", kRun},
    {"ATI", kRun},
    {"AT&V", kRun},
    {"AT+GMI", kIdentity},
    {"AT+GMM", kIdentity},
    {"AT+GMR", kIdentity},
    {"AT+GSN", kIdentity},
    {"AT+CGMI", kIdentity},
    {"AT+CGMM", kIdentity},
    {"AT+CGMR", kIdentity},
    {"AT+CGSN", kIdentity},
    {"AT+CIMI", kIdentity},
    {"AT+CCID", kIdentity},
    {"AT+QCCID", kIdentity},
    {"AT+CNUM", kIdentity},
    // Radio, supply, clock.
    {"AT+CSQ", kIdentity},
    {"AT+CBC", kIdentity},
    {"AT+CPAS", kIdentity},
    {"AT+CEER", kIdentity},
    {"AT+QNSTATUS", kIdentity},
    {"AT+QINISTAT", kIdentity},
    {"AT+QLTS", kIdentity},
    {"AT+COPS", kRead},
    {"AT+CREG", kSetting},
    {"AT+CGREG", kSetting},
    {"AT+CGATT", kSetting},
    {"AT+CGACT", kSetting},
    {"AT+CGDCONT", kSetting},
    {"AT+CPIN", kSetting},
    {"AT+CFUN", kSetting},
    {"AT+CCLK", kSetting},
    {"AT+QENG", kSetting},
    {"AT+QSPN", kSetting},
    {"AT+QBAND", kSetting},
    {"AT+QADC", kSetting},
    // How the module speaks.
    {"AT+CMEE", kSetting},
    {"AT+IPR", kSetting},
    {"AT+IFC", kSetting},
    {"AT+ICF", kSetting},
    {"AT+CMUX", kSetting},
    {"AT+QSCLK", kSetting},
    {"AT+QIURC", kSetting},
    // The TCP/IP stack, application note 4 and 5.
    {"AT+QISTATE", kIdentity},
    {"AT+QISTAT", kIdentity},
    {"AT+QISSTAT", kIdentity},
    {"AT+QISACK", kSocket | kTest},
    {"AT+QILOCIP", kIdentity},
    {"AT+QIDNSCFG", kSetting},
    {"AT+QIFGCNT", kSetting},
    {"AT+QICSGP", kSetting},
    {"AT+QIMUX", kSetting},
    {"AT+QIMODE", kSetting},
    {"AT+QIDNSIP", kSetting},
    {"AT+QINDI", kSetting},
    {"AT+QISDE", kSetting},
    {"AT+QISRVC", kSetting},
    {"AT+QIPROMPT", kSetting},
    {"AT+QIHEAD", kSetting},
    {"AT+QISHOWRA", kSetting},
    {"AT+QISHOWLA", kSetting},
    {"AT+QISHOWPT", kSetting},
    {"AT+QISERVER", kSetting},
    {"AT+QILPORT", kSetting},
    {"AT+QIKALIVE", kSetting},
});

struct Refusal {
  std::string_view prefix;
  std::string_view why;
};

constexpr std::string_view kSockets =
    "the daemon gives out the module's sockets; connect through the interface, and see \"sockets\" and "
    "\"flows\"";
constexpr std::string_view kData =
    "the bytes of a socket belong to the program that it was opened for; see \"flows\"";
constexpr std::string_view kContext =
    "the daemon brings the context up and down; set it in [module] of the configuration, and see \"status\"";
constexpr std::string_view kStack =
    "the daemon relies on the value that it set; ask for it with a question mark";
constexpr std::string_view kServer =
    "the daemon listens where [[listen]] in the configuration says so; see \"sockets\"";
constexpr std::string_view kDialect =
    "it changes how the module answers, and the daemon would not understand it any more; see \"status\"";
constexpr std::string_view kLine = "it takes the line away from the daemon; see \"status\"";
constexpr std::string_view kPower =
    "it would stop the module under the daemon; see \"status\" for its recoveries";
constexpr std::string_view kNetwork =
    "the daemon registers and attaches; set PIN and APN in [module] of the configuration, and see \"status\"";

// Only for the words of the refusal: what is not in the list above is refused whether or not it is here.
constexpr auto kRefusals = std::to_array<Refusal>({
    {"AT+QIOPEN", kSockets},
    {"AT+QICLOSE", kSockets},
    {"AT+QISEND", kData},
    {"AT+QIRD", kData},
    {"AT+QISACK", "it takes the index of a socket, AT+QISACK=0 to AT+QISACK=5; see \"sockets\""},
    {"AT+QIACT", kContext},
    {"AT+QIDEACT", kContext},
    {"AT+QIREGAPP", kContext},
    {"AT+QICSGP", kContext},
    {"AT+QIFGCNT", kContext},
    {"AT+QISERVER", kServer},
    {"AT+QILPORT", kServer},
    {"AT+QIDNSGIP", "its answer comes late and would be taken for another; use \"dns NAME\""},
    {"AT+QPING", "its answer comes late and would be taken for another; use \"ping ADDRESS\""},
    {"AT+QNTP", "its answer comes late and would be taken for another; ask for the clock with AT+CCLK?"},
    {"AT+COPS=?",
     "it searches for minutes and holds up everything else; ask with AT+COPS?, or see \"status\""},
    {"AT+QI", kStack},
    {"ATE", kDialect},
    {"ATV", kDialect},
    {"ATQ", kDialect},
    {"ATZ", kDialect},
    {"ATS", kDialect},
    {"AT&", kDialect},
    {"AT+CMEE", kDialect},
    {"AT+IPR", kDialect},
    {"AT+IFC", kDialect},
    {"AT+ICF", kDialect},
    {"AT+QSCLK", kDialect},
    {"ATD", kLine},
    {"ATA", kLine},
    {"ATO", kLine},
    {"ATH", kLine},
    {"AT+CMUX", kLine},
    {"AT+CGDATA", kLine},
    {"AT+CFUN", kPower},
    {"AT+QPOWD", kPower},
    {"AT+CPIN", kNetwork},
    {"AT+CGATT", kNetwork},
    {"AT+CGACT", kNetwork},
    {"AT+COPS", kNetwork},
    {"A/", "it repeats a command that the daemon sent; send the one that is meant, as AT+CSQ"},
    {"+++", kLine},
});

constexpr std::string_view kUnknown =
    "only commands that ask and change nothing are let through, as AT+CSQ, AT+CREG? or AT+QISTATE; see "
    "\"status\", "
    "\"sockets\", \"dns\" and \"ping\" for the rest";

// The command without what makes its form, and the form; 0 for none of the four.
struct Parts {
  std::string_view name;
  unsigned form;
};

Parts split(std::string_view command) {
  const std::size_t end = command.find_first_of("?=");
  if (end == std::string_view::npos) return {command, kRun};
  const std::string_view tail = command.substr(end);
  const std::string_view head = command.substr(0, end);
  if (tail == "?") return {head, kRead};
  if (tail == "=?") return {head, kTest};
  if (tail.size() == 2 && tail[0] == '=' && tail[1] >= '0' && tail[1] <= '5') return {head, kSocket};
  return {head, 0};
}

std::string_view reasonAgainst(std::string_view command) {
  const auto* refusal = std::ranges::find_if(
      kRefusals, [command](const Refusal& entry) { return command.starts_with(entry.prefix); });
  return refusal == kRefusals.end() ? kUnknown : refusal->why;
}

Error refused(std::string_view command, std::string_view why) {
  constexpr std::size_t kShown = 40;
  std::string shown = printable(command.substr(0, kShown));
  if (command.size() > kShown) shown += "...";
  return Error{ErrorKind::Invalid, shown, std::string(why)};
}

}  // namespace

Result<void> checkAtCommand(std::string_view command) {
  const auto refuse = [command](std::string_view why) { return std::unexpected(refused(command, why)); };
  if (command.empty()) return refuse("no command; one to ask the module with is AT+CSQ");
  if (command.size() > kMaxAtCommand) return refuse("a command has at most 200 characters");
  const auto unprintable = [](char c) { return c < 0x20 || c > 0x7e; };
  if (std::ranges::any_of(command, unprintable)) return refuse("a command is of printable ASCII only");
  if (command.contains(';')) return refuse("one command at a time: send what the semicolons join one by one");

  const Parts parts = split(command);
  const auto* allowed = std::ranges::find(kAllowed, parts.name, &Allowed::name);
  if (allowed != kAllowed.end() && (allowed->forms & parts.form) != 0) return {};
  if (!command.starts_with("AT") && !command.starts_with("A/") && !command.starts_with("+++")) {
    return refuse("a command begins with AT, in capitals");
  }
  return refuse(reasonAgainst(command));
}

}  // namespace qimux::daemon
