// Requests on the control socket, and the AT commands in them. Whatever comes in is refused in words or safe
// to use.
#include "qimux/daemon/control_at.hpp"
#include "qimux/daemon/control_protocol.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace qimux;
using namespace qimux::daemon;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

bool consistsOf(std::string_view text, std::string_view others) {
  return std::ranges::all_of(text, [others](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || others.find(c) != std::string_view::npos;
  });
}

void requireSafeCommand(std::string_view command) {
  require(command.starts_with("AT") && command.size() <= kMaxAtCommand);
  require(consistsOf(command, "+&?="));
}

void requireSaid(const Error& error) {
  require(error.kind == ErrorKind::Invalid && !error.reply.empty());
  const std::string line = Response::failed(error).line();
  require(line.find('\n') == std::string::npos);
  require(nlohmann::json::parse(line)["error"]["kind"] == "invalid");
}

void requireSafe(const Request& request) {
  const std::string& argument = request.argument;
  switch (request.verb) {
    case Verb::At:
      requireSafeCommand(argument);
      break;
    case Verb::Dns:
      require(!argument.empty() && argument.size() <= 254);
      require(consistsOf(argument, "abcdefghijklmnopqrstuvwxyz-_."));
      break;
    case Verb::Ping:
      require(argument.size() >= 7 && argument.size() <= 15 && consistsOf(argument, "."));
      break;
    case Verb::LogLevel:
      require(argument.size() <= 7);
      break;
    case Verb::Reset:
      require(argument.empty() || argument == "restart" || argument == "line");
      break;
    case Verb::Usage:
      require(argument.size() <= 20 && consistsOf(argument, "dm"));
      break;
    default:
      require(argument.empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto request = parseRequest(text);
  if (request) {
    requireSafe(*request);
  } else {
    requireSaid(request.error());
  }
  const auto command = checkAtCommand(text);
  if (command) {
    requireSafeCommand(text);
  } else {
    requireSaid(command.error());
  }
  return 0;
}
