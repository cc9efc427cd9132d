#include "qimux/ctl/command.hpp"

#include "qimux/base/bytes.hpp"
#include "qimux/ctl/connection.hpp"
#include "qimux/ctl/views.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace qimux::ctl {
namespace {

using namespace std::chrono_literals;
using View = std::string (*)(const Json&, std::size_t);

// A view that has no use for the width.
template <std::string (*render)(const Json&)>
std::string narrow(const Json& json, std::size_t) {
  return render(json);
}

struct Entry {
  std::string_view verb;
  std::string_view key;  // of the argument
  std::chrono::milliseconds wait;
  View view;
};

// What the module is asked for waits for its turn on the AT channel, behind a context that may take 150 s to
// come up.
constexpr auto kModuleWait = 240s;

constexpr auto kEntries = std::to_array<Entry>({
    {"status", "", kDaemonWait, renderStatus},
    {"sockets", "", kDaemonWait, renderSockets},
    {"flows", "", kDaemonWait, renderFlows},
    {"stats", "", kDaemonWait, narrow<renderStats>},
    {"recoveries", "", kDaemonWait, renderRecoveries},
    {"usage", "last", kDaemonWait, renderUsage},
    {"at", "command", kModuleWait, narrow<renderAt>},
    {"dns", "name", kModuleWait, narrow<renderDns>},
    {"ping", "address", kModuleWait, narrow<renderPing>},
    {"log-level", "level", kDaemonWait, narrow<renderLogLevel>},
    {"version", "", kDaemonWait, narrow<renderVersion>},
});

struct Program {
  std::string_view verb;
  ExitCode (*run)(const Command&, Console&);
};

constexpr auto kPrograms = std::to_array<Program>({
    {"monitor", monitor},
    {"wait-online", waitOnline},
    {"metrics", metrics},
    {"reset", reset},
    {"probe", probe},
    {"bugreport", bugreport},
    {"doctor", doctor},
});

}  // namespace

ExitCode complain(const Command& command, Console& console, ExitCode code, std::string_view message) {
  const std::string text = printable(message);
  if (command.json) {
    Json json;
    json["error"]["message"] = text;
    json["error"]["exit_code"] = static_cast<int>(code);
    console.out(json.dump(-1, ' ', true) + "\n");
  } else {
    console.err("qimuxctl: " + text + "\n");
  }
  return code;
}

ExitCode fail(const Error& error, const Command& command, Console& console) {
  return complain(command, console, kUnreachable, error.what + ": " + error.reply);
}

ExitCode run(const Command& command, Console& console) {
  const auto* program = std::ranges::find(kPrograms, command.verb, &Program::verb);
  if (program != kPrograms.end()) return program->run(command, console);
  const auto* entry = std::ranges::find(kEntries, command.verb, &Entry::verb);
  if (entry == kEntries.end()) return complain(command, console, kUsage, "unknown verb " + command.verb);
  const std::string_view key = command.argument.empty() ? std::string_view{} : entry->key;
  const auto answer = ask(command.socket, makeRequest(entry->verb, key, command.argument), entry->wait);
  if (!answer) return fail(answer.error(), command, console);
  if (!answer->ok) return complain(command, console, kNo, answer->message);
  console.out(command.json ? answer->result->dump(-1, ' ', true) + "\n"
                           : entry->view(*answer->result, console.width()));
  return saysNo(command.verb, *answer->result) ? kNo : kOk;
}

}  // namespace qimux::ctl
