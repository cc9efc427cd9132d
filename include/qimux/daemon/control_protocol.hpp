// The language of the control socket: one JSON object a line, both ways, a request and its response.
//
//   {"verb":"status"}                       {"ok":true,"result":{...}}
//   {"verb":"at","command":"AT+CSQ"}        {"ok":false,"error":{"kind":"refused","message":"AT+CSQ: ERROR"}}
//
// A request is read strictly: it has its verb and that verb's one argument, each once, and nothing else. So a
// program that asks for more than this daemon can do is told so instead of half obeyed.
#pragma once

#include "qimux/base/error.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace qimux::daemon {

enum class Verb {
  Status,      // the whole state
  Sockets,     // the module's six sockets
  Flows,       // the connections of the machine's programs
  Stats,       // counters
  Recoveries,  // the latest steps of recovery
  At,          // "command": one that asks (control_at.hpp), put to the module between two others
  Dns,         // "name": looked up by the module
  Ping,        // "address": IPv4, asked for an echo by the module
  LogLevel,    // "level": optional; the level that holds from now on
  Reset,       // "by": optional, "restart" (AT+CFUN=1,1) or "line" (module.reset): the module is started anew
  Usage,       // "last": optional, as "7d" or "3m"; else today and this month
  Watch,       // Status at once and every second, a response each, until the client goes
  Version,
};

// As in a request: "log-level".
std::string_view name(Verb verb);

struct Request {
  Verb verb = Verb::Status;
  // At, Dns, Ping: never empty, and checked: safe to put on a command line. LogLevel, Reset, Usage: one of
  // their words, or empty where there was none.
  std::string argument;
};

// In bytes, without the line end.
inline constexpr std::size_t kMaxRequestLine = 4096;

// `line` without its end. Invalid says what is wrong with it, and which verbs there are. The command of an
// `at` is taken in capitals, whatever it was written in.
Result<Request> parseRequest(std::string_view line);

// What goes back, made up already: the text is one line of valid UTF-8, whatever a module or a network put in
// it.
class Response {
 public:
  // `result` is any JSON value; keys keep their order.
  static Response ok(const nlohmann::ordered_json& result);
  static Response failed(const Error& error);

  bool isOk() const { return ok_; }
  // Without the line end.
  const std::string& line() const { return line_; }

 private:
  Response(bool ok, std::string line) : ok_(ok), line_(std::move(line)) {}
  bool ok_;
  std::string line_;
};

}  // namespace qimux::daemon
