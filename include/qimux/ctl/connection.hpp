// The way to a running daemon: a line there, a line back.
#pragma once

#include "qimux/base/error.hpp"
#include "qimux/base/fd.hpp"
#include "qimux/ctl/value.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace qimux::ctl {

// Blocking; used by one program for one purpose. Errors are written for whoever sits at the terminal:
//   Closed     nobody answers there: no such socket, or none that a daemon listens on; also when the daemon
//   goes Refused    this user may not Timeout    no answer within the time given Cancelled  `wake` became
//   readable Garbled    no daemon of ours
class Connection {
 public:
  static Result<Connection> open(const std::string& path);

  // Without the line end.
  Result<void> send(std::string_view line);
  // The next line without its end. Waits without end where no time is given. `wake`: a descriptor that ends
  // the wait by becoming readable, or -1.
  Result<std::string> line(std::optional<std::chrono::milliseconds> wait, int wake = -1);

 private:
  Connection(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  Result<void> receive();

  Fd fd_;
  std::string path_;
  std::string input_;
};

// A daemon's response, taken apart.
struct Answer {
  bool ok = false;
  std::string message;                 // where it is not ok: printable
  std::shared_ptr<const Json> result;  // where it is
};

// Garbled where `line` is no response, or nested so deeply that no view is meant by it.
Result<Answer> readAnswer(std::string_view line);

// One question to the daemon at `socket`, and its answer within `wait`.
Result<Answer> ask(const std::string& socket, std::string_view request, std::chrono::milliseconds wait);
// How long what only the daemon answers may take.
inline constexpr std::chrono::milliseconds kDaemonWait{10'000};

// {"verb":verb} or {"verb":verb,key:argument}
std::string makeRequest(std::string_view verb, std::string_view key = {}, std::string_view argument = {});

}  // namespace qimux::ctl
