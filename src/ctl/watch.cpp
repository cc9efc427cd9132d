// monitor and wait-online: the two that listen to a watch.
#include "qimux/ctl/command.hpp"
#include "qimux/ctl/connection.hpp"
#include "qimux/ctl/monitor.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <thread>

namespace qimux::ctl {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

// The daemon pushes every second; this much silence is a daemon that hangs.
constexpr Milliseconds kSilence = 10s;
constexpr Milliseconds kRetry = 200ms;
// A daemon that is there gets this long to answer, however short the user's patience.
constexpr Milliseconds kOneLook = 1s;

Result<Connection> openWatch(const std::string& path) {
  auto connection = Connection::open(path);
  if (!connection) return connection;
  if (auto sent = connection->send(makeRequest("watch")); !sent)
    return std::unexpected(std::move(sent.error()));
  return connection;
}

double secondsNow() {
  return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}

// Gives the terminal back on every way out.
class Screen {
 public:
  Screen(Console& console, bool wanted) : console_(console), wanted_(wanted) {
    if (wanted_) console_.enterScreen();
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  ~Screen() {
    if (wanted_) console_.leaveScreen();
  }

 private:
  Console& console_;
  bool wanted_;
};

enum class Sight { Shown, Stopped };

// Waits for one status and shows it.
Result<Sight> show(Connection& connection, Monitor& view, const Command& command, Console& console) {
  const auto line = connection.line(kSilence, console.wakeFd());
  if (!line && line.error().kind == ErrorKind::Cancelled) {
    if (console.stopAsked()) return Sight::Stopped;
    if (const std::string frame = view.frame(console.width(), console.colour()); !frame.empty())
      console.draw(frame);
    return Sight::Shown;
  }
  if (!line) return std::unexpected(line.error());
  const auto answer = readAnswer(*line);
  if (!answer) return std::unexpected(answer.error());
  if (!answer->ok) return std::unexpected(Error{ErrorKind::Refused, "qimuxd", answer->message});
  if (command.json) {
    console.out(answer->result->dump(-1, ' ', true) + "\n");
    return Sight::Shown;
  }
  view.take(*answer->result, secondsNow());
  if (console.canRedraw()) {
    console.draw(view.frame(console.width(), console.colour()));
  } else {
    console.out(view.line());
  }
  return Sight::Shown;
}

// Watches one connection. Success when the link is online, else why it ended.
Result<void> onlineOn(Connection& connection, const Command& command, Clock::time_point deadline,
                      std::string& link) {
  Milliseconds least = kOneLook;
  while (true) {
    std::optional<Milliseconds> wait;
    if (command.timeout) {
      wait = std::max(least, std::chrono::ceil<Milliseconds>(deadline - Clock::now()));
      least = 0ms;
    }
    const auto line = connection.line(wait);
    if (!line) return std::unexpected(line.error());
    const auto answer = readAnswer(*line);
    if (!answer) return std::unexpected(answer.error());
    // Too many clients, a daemon on its way down: another try may find it otherwise.
    if (!answer->ok) return std::unexpected(Error{ErrorKind::Closed, "qimuxd", answer->message});
    link = render(find(*answer->result, "link"), Format::Text);
    if (link == "online") return {};
  }
}

}  // namespace

ExitCode monitor(const Command& command, Console& console) {
  auto connection = openWatch(command.socket);
  if (!connection) return fail(connection.error(), command, console);
  Monitor view;
  Result<Sight> sight = Sight::Shown;
  {
    const Screen screen(console, console.canRedraw() && !command.json);
    while (sight && *sight == Sight::Shown) sight = show(*connection, view, command, console);
  }
  if (sight) return kOk;
  const Error& error = sight.error();
  if (error.kind == ErrorKind::Refused)
    return complain(command, console, kNo, error.what + ": " + error.reply);
  return fail(error, command, console);
}

ExitCode waitOnline(const Command& command, Console& console) {
  const auto deadline = Clock::now() + command.timeout.value_or(0ms);
  std::string link;
  while (true) {
    auto connection = openWatch(command.socket);
    if (!connection) link = "unknown: " + connection.error().reply;
    Result<void> online = connection ? onlineOn(*connection, command, deadline, link)
                                     : Result<void>(std::unexpected(connection.error()));
    if (online) {
      if (command.json) console.out("{\"link\":\"online\"}\n");
      return kOk;
    }
    const ErrorKind kind = online.error().kind;
    const bool over = command.timeout && Clock::now() >= deadline;
    if (kind != ErrorKind::Closed && kind != ErrorKind::Timeout)
      return fail(online.error(), command, console);
    if (over) break;
    auto pause = kRetry;
    if (command.timeout) pause = std::min(pause, std::chrono::ceil<Milliseconds>(deadline - Clock::now()));
    std::this_thread::sleep_for(pause);
  }
  return complain(command, console, kNo, "not online in time; the link is " + link);
}

}  // namespace qimux::ctl
