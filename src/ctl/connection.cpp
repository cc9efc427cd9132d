#include "qimux/ctl/connection.hpp"

#include "qimux/base/bytes.hpp"

#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace qimux::ctl {
namespace {

using Clock = std::chrono::steady_clock;

// No response of a sane daemon comes near it.
constexpr std::size_t kMaxLine = 16 << 20;
// For the connect and for a request: both are a matter of microseconds unless the daemon hangs.
constexpr timeval kSendTimeout{5, 0};

std::unexpected<Error> failure(ErrorKind kind, const std::string& path, std::string advice) {
  return std::unexpected(Error{kind, path, std::move(advice)});
}

std::unexpected<Error> connectFailure(const std::string& path, int error_number) {
  switch (error_number) {
    case ENOENT:
      return failure(
          ErrorKind::Closed, path,
          "no such socket: is qimuxd running, and is this the [control] socket of its configuration?");
    case ECONNREFUSED:
      return failure(ErrorKind::Closed, path, "nobody answers at this socket: is qimuxd running?");
    case EACCES:
    case EPERM:
      return failure(
          ErrorKind::Refused, path,
          "no permission: this needs root, or a user in the group that the [control] section of the "
          "configuration names (qimux)");
    case EAGAIN:
      return failure(ErrorKind::Timeout, path, "qimuxd does not take the connection: it is busy or hangs");
    default:
      return std::unexpected(systemError(path, error_number));
  }
}

int remaining(std::optional<Clock::time_point> deadline) {
  if (!deadline) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now());
  constexpr long kHour = 3'600'000;
  return static_cast<int>(std::clamp<long>(static_cast<long>(left.count()), 0, kHour));
}

}  // namespace

Result<Connection> Connection::open(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return failure(ErrorKind::Closed, path, "a socket's path has 1 to 107 bytes");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return std::unexpected(systemError("socket", errno));
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &kSendTimeout, sizeof kSendTimeout);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return connectFailure(path, errno);
  }
  return Connection(std::move(fd), path);
}

Result<void> Connection::send(std::string_view line) {
  const std::string text = std::string(line) + "\n";
  const ssize_t sent = ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
  // A daemon that sent this client away has said why: the next line() has it.
  if (sent < 0 && errno == EPIPE) return {};
  if (sent == static_cast<ssize_t>(text.size())) return {};
  return failure(ErrorKind::Timeout, path_, "qimuxd does not read: it is busy or hangs");
}

Result<std::string> Connection::line(std::optional<std::chrono::milliseconds> wait, int wake) {
  std::optional<Clock::time_point> deadline;
  if (wait) deadline = Clock::now() + *wait;
  while (true) {
    const std::size_t end = input_.find('\n');
    if (end != std::string::npos) {
      std::string found = input_.substr(0, end);
      input_.erase(0, end + 1);
      return found;
    }
    if (input_.size() > kMaxLine)
      return failure(ErrorKind::Garbled, path_, "a line without end: this is no qimuxd");
    std::array<pollfd, 2> waited{{{fd_.get(), POLLIN, 0}, {wake, POLLIN, 0}}};
    const int ready = ::poll(waited.data(), waited.size(), remaining(deadline));
    if (ready < 0 && errno != EINTR) return std::unexpected(systemError("poll", errno));
    if (ready > 0 && waited[1].revents != 0) return failure(ErrorKind::Cancelled, path_, "stopped");
    if (ready > 0) {
      if (auto got = receive(); !got) return std::unexpected(std::move(got.error()));
    } else if (deadline && Clock::now() >= *deadline) {
      return failure(ErrorKind::Timeout, path_, "qimuxd did not answer in time");
    }
  }
}

Result<void> Connection::receive() {
  std::array<char, 65536> chunk;
  const ssize_t got = ::recv(fd_.get(), chunk.data(), chunk.size(), 0);
  if (got == 0 || (got < 0 && errno == ECONNRESET)) {
    return failure(ErrorKind::Closed, path_, "qimuxd has closed the connection: has it been stopped?");
  }
  if (got < 0 && errno != EINTR) return std::unexpected(systemError(path_, errno));
  if (got > 0) input_.append(chunk.data(), static_cast<std::size_t>(got));
  return {};
}

Result<Answer> readAnswer(std::string_view line) {
  const auto garbled = [line](std::string_view why) {
    constexpr std::size_t kShown = 60;
    return std::unexpected(
        Error{ErrorKind::Garbled, "\"" + printable(line.substr(0, kShown)) + "\"", std::string(why)});
  };
  // Views go through values by recursion.
  constexpr int kMostDepth = 32;
  bool deep = false;
  const auto watch = [&deep](int depth, Json::parse_event_t, const Json&) {
    deep = deep || depth > kMostDepth;
    return !deep;
  };
  const Json json = Json::parse(line, watch, false);
  const Json* ok = find(json, "ok");
  if (deep || ok == nullptr || !ok->is_boolean()) return garbled("no answer of a qimuxd");
  Answer answer;
  answer.ok = ok->get<bool>();
  if (answer.ok) {
    const Json* result = find(json, "result");
    if (result == nullptr) return garbled("an answer without a result");
    answer.result = std::make_shared<const Json>(*result);
  } else {
    answer.message = render(find(json, "error.message"), Format::Text);
    if (answer.message == "-") answer.message = "qimuxd said no, and not why";
  }
  return answer;
}

Result<Answer> ask(const std::string& socket, std::string_view request, std::chrono::milliseconds wait) {
  auto connection = Connection::open(socket);
  if (!connection) return std::unexpected(std::move(connection.error()));
  if (auto sent = connection->send(request); !sent) return std::unexpected(std::move(sent.error()));
  const auto line = connection->line(wait);
  if (!line) return std::unexpected(line.error());
  return readAnswer(*line);
}

std::string makeRequest(std::string_view verb, std::string_view key, std::string_view argument) {
  Json request = Json::object();
  request["verb"] = verb;
  if (!key.empty()) request[std::string(key)] = argument;
  return request.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace qimux::ctl
