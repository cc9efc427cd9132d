#include "qimux/ctl/bugreport.hpp"

#include "qimux/ctl/command.hpp"
#include "qimux/ctl/connection.hpp"
#include "qimux/ctl/doctor.hpp"
#include "qimux/ctl/machine.hpp"
#include "qimux/ctl/run.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/utsname.h>

#include <algorithm>
#include <array>

namespace qimux::ctl {
namespace {

constexpr auto kSecrets = std::to_array<std::string_view>({"user", "password", "pin", "payload_hex"});
// Commands, of which the program is shown: an argument may be a token.
constexpr auto kCommands = std::to_array<std::string_view>({"on_up", "on_down", "reset"});

template <typename Call>
void eachLine(std::string_view text, Call call) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    call(text.substr(0, end));
    text.remove_prefix(std::min(text.size(), end + 1));
  }
}

// One line of a configuration.
std::string withoutSecret(std::string_view line) {
  constexpr std::string_view kBegin = " = \"";
  const std::size_t equals = std::min(line.find(kBegin), line.size());
  const std::string_view key = line.substr(0, equals);
  const std::string_view value = line.substr(std::min(equals + kBegin.size(), line.size()));
  std::string shown(line.substr(0, line.size() - value.size()));
  if (std::ranges::find(kSecrets, key) != kSecrets.end() && value != "\"") return shown + "***\"";
  // It has no quotes of its own: words are parted by blanks only.
  const std::size_t word = value.find_first_of(" \t");
  if (std::ranges::find(kCommands, key) != kCommands.end() && word != std::string_view::npos)
    return shown.append(value.substr(0, word)) + " ***\"";
  return shown.append(value);
}

// Its result, or {"error": …}.
Json asked(const Command& command, std::string_view verb) {
  const auto answer = ask(command.socket, makeRequest(verb), kDaemonWait);
  Json error;
  if (!answer) {
    error["error"] = answer.error().what + ": " + answer.error().reply;
  } else if (!answer->ok) {
    error["error"] = answer->message;
  } else {
    return *answer->result;
  }
  return error;
}

std::string said(const std::vector<std::string>& words, std::string_view otherwise) {
  const auto ran = runProgram(words);
  return ran ? ran->output : std::string(otherwise);
}

std::string firstLineOf(std::string text) {
  return text.substr(0, text.find('\n'));
}

Json versions() {
  Json json;
  utsname kernel{};
  ::uname(&kernel);
  json["qimuxctl"] = QIMUX_VERSION;
  json["qimuxd"] = firstLineOf(said({daemonProgram(), "--version"}, "not installed"));
  json["kernel"] = fmt::format("{} {} {}", kernel.sysname, kernel.release, kernel.machine);
  std::string system = "unknown";
  eachLine(said({"cat", "/etc/os-release"}, ""), [&system](std::string_view line) {
    constexpr std::string_view kKey = "PRETTY_NAME=";
    if (line.starts_with(kKey)) system = line.substr(kKey.size());
  });
  json["system"] = system;
  return json;
}

std::string unitOf(const Command& command) {
  return command.instance == "gsm0" ? "qimuxd.service" : "qimuxd@" + command.instance + ".service";
}

Json doctorReport(const Command& command) {
  return findingsJson(diagnose(gatherFacts({command.socket, command.config, command.instance})));
}

Json everything(const Command& command) {
  Json report;
  report["versions"] = versions();
  report["configuration"] = withoutSecrets(
      said({daemonProgram(), "--check-config", "--config", command.config}, "qimuxd is not installed\n"));
  for (const char* verb : {"status", "flows", "stats", "recoveries", "usage"})
    report[verb] = asked(command, verb);
  report["doctor"] = doctorReport(command);
  report["journal"] = said({"journalctl", "--unit", unitOf(command), "--lines", "400", "--output",
                            "short-iso", "--no-hostname", "--no-pager", "--quiet"},
                           "there is no journal here\n");
  return report;
}

}  // namespace

std::string withoutSecrets(std::string_view configuration) {
  std::string out;
  eachLine(configuration, [&out](std::string_view line) { out += withoutSecret(line) + '\n'; });
  return out;
}

std::string renderReport(const Json& report) {
  std::string out;
  constexpr int kIndent = 2;
  for (const auto& [section, content] : report.items()) {
    const std::string text =
        content.is_string() ? content.get<std::string>() : content.dump(kIndent, ' ', true) + "\n";
    out += fmt::format("{}== {}\n{}", out.empty() ? "" : "\n", section, text);
    if (!out.ends_with('\n')) out += '\n';
  }
  return out;
}

ExitCode bugreport(const Command& command, Console& console) {
  Redactor redactor(!command.personal_data);
  const Json report = redactor.json(everything(command));
  console.out(command.json ? report.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n"
                           : renderReport(report));
  return kOk;
}

}  // namespace qimux::ctl
