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

// What only the daemon answers comes at once. What the module is asked for waits for its turn on the AT
// channel, behind a context that may take 150 s to come up.
constexpr auto kDaemon = 10s;
constexpr auto kModule = 240s;

constexpr auto kEntries = std::to_array<Entry>({
    {"status", "", kDaemon, renderStatus},
    {"sockets", "", kDaemon, renderSockets},
    {"flows", "", kDaemon, renderFlows},
    {"stats", "", kDaemon, narrow<renderStats>},
    {"at", "command", kModule, narrow<renderAt>},
    {"dns", "name", kModule, narrow<renderDns>},
    {"ping", "address", kModule, narrow<renderPing>},
    {"log-level", "level", kDaemon, narrow<renderLogLevel>},
    {"version", "", kDaemon, narrow<renderVersion>},
});

Result<Answer> ask(const Command& command, const Entry& entry) {
  auto connection = Connection::open(command.socket);
  if (!connection) return std::unexpected(std::move(connection.error()));
  const std::string_view key = command.argument.empty() ? std::string_view{} : entry.key;
  if (auto sent = connection->send(makeRequest(entry.verb, key, command.argument)); !sent) {
    return std::unexpected(std::move(sent.error()));
  }
  const auto line = connection->line(entry.wait);
  if (!line) return std::unexpected(line.error());
  return readAnswer(*line);
}

}  // namespace

ExitCode fail(const Error& error, Console& console) {
  console.err("qimuxctl: " + printable(error.what) + ": " + printable(error.reply) + "\n");
  return kUnreachable;
}

ExitCode run(const Command& command, Console& console) {
  if (command.verb == "monitor") return monitor(command, console);
  if (command.verb == "wait-online") return waitOnline(command, console);
  const auto* entry = std::ranges::find(kEntries, command.verb, &Entry::verb);
  if (entry == kEntries.end()) {
    console.err("qimuxctl: unknown verb " + printable(command.verb) + "\n");
    return kUsage;
  }
  const auto answer = ask(command, *entry);
  if (!answer) return fail(answer.error(), console);
  if (!answer->ok) {
    console.err("qimuxctl: " + answer->message + "\n");
    return kNo;
  }
  console.out(command.json ? answer->result->dump(-1, ' ', true) + "\n"
                           : entry->view(*answer->result, console.width()));
  return saysNo(command.verb, *answer->result) ? kNo : kOk;
}

}  // namespace qimux::ctl
