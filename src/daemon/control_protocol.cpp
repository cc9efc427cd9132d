#include "qimux/daemon/control_protocol.hpp"

#include "qimux/base/log.hpp"
#include "qimux/daemon/control_at.hpp"
#include "qimux/daemon/usage.hpp"

#include <arpa/inet.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

namespace qimux::daemon {
namespace {

using Json = nlohmann::ordered_json;

struct VerbEntry {
  Verb verb;
  std::string_view name;
  std::string_view argument;  // the key, where the verb takes one
  bool needed;
};

constexpr auto kVerbs = std::to_array<VerbEntry>({
    {Verb::Status, "status", "", false},
    {Verb::Sockets, "sockets", "", false},
    {Verb::Flows, "flows", "", false},
    {Verb::Stats, "stats", "", false},
    {Verb::Recoveries, "recoveries", "", false},
    {Verb::At, "at", "command", true},
    {Verb::Dns, "dns", "name", true},
    {Verb::Ping, "ping", "address", true},
    {Verb::LogLevel, "log-level", "level", false},
    {Verb::Reset, "reset", "by", false},
    {Verb::Usage, "usage", "last", false},
    {Verb::Watch, "watch", "", false},
    {Verb::Version, "version", "", false},
});

std::unexpected<Error> invalid(std::string_view what, std::string why) {
  return std::unexpected(Error{ErrorKind::Invalid, std::string(what), std::move(why)});
}

std::string verbList() {
  std::string list;
  for (const VerbEntry& entry : kVerbs) {
    if (!list.empty()) list += ", ";
    list += entry.name;
  }
  return list;
}

// An object of the first level without a key twice; nothing where `line` is anything else. A key that comes
// twice means different things to different readers, so it means nothing here.
std::optional<Json> parseObject(std::string_view line) {
  // The JSON reader takes a NUL for the end, and would not look at what comes after it.
  if (line.contains('\0')) return std::nullopt;
  std::set<std::string> keys;
  bool doubled = false;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth == 1 && event == Json::parse_event_t::key) {
      doubled = !keys.insert(parsed.get<std::string>()).second || doubled;
    }
    return true;
  };
  Json object = Json::parse(line, watch, false);
  if (!object.is_object() || doubled) return std::nullopt;
  return object;
}

// Letters, digits, hyphen and underscore in labels of 1 to 63, 253 in all: nothing that could end a quoted
// string on the command line.
Result<void> checkName(std::string_view text) {
  constexpr std::size_t kMaxName = 253;
  constexpr std::size_t kMaxLabel = 63;
  const auto bad = [] {
    return invalid("dns", "a host name is letters, digits, hyphens and dots, 253 at most");
  };
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty() || text.size() > kMaxName) return bad();
  std::size_t label = 0;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (c == '.') {
      if (label == 0) return bad();
      label = 0;
    } else if (!(letter || c == '-' || c == '_') || ++label > kMaxLabel) {
      return bad();
    }
  }
  if (label == 0) return bad();
  return {};
}

Result<void> checkArgument(Verb verb, const std::string& text) {
  in_addr address{};
  switch (verb) {
    case Verb::At:
      return checkAtCommand(text);
    case Verb::Dns:
      return checkName(text);
    case Verb::Ping:
      // c_str() ends at an embedded NUL, so the length is compared too.
      if (text.find('\0') == std::string::npos && ::inet_pton(AF_INET, text.c_str(), &address) == 1)
        return {};
      return invalid("ping", "it takes an IPv4 address, as 192.0.2.1; \"dns\" finds that of a name");
    case Verb::LogLevel:
      if (log::parseLevel(text)) return {};
      return invalid("log-level", "one of error, warning, notice, info, debug");
    case Verb::Reset:
      if (text == "restart" || text == "line") return {};
      return invalid("reset", "\"by\" is \"restart\" or \"line\"");
    case Verb::Usage:
      if (auto span = parseUsageSpan(text); !span) return std::unexpected(std::move(span.error()));
      return {};
    case Verb::Status:
    case Verb::Sockets:
    case Verb::Flows:
    case Verb::Stats:
    case Verb::Recoveries:
    case Verb::Watch:
    case Verb::Version:
      break;
  }
  return {};
}

std::string capitals(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return text;
}

Result<Request> readArgument(const VerbEntry& entry, const Json& object) {
  Request request;
  request.verb = entry.verb;
  for (const auto& [key, value] : object.items()) {
    if (key == "verb") continue;
    if (entry.argument.empty() || key != entry.argument) {
      return invalid(entry.name, entry.argument.empty()
                                     ? "it takes nothing beside \"verb\""
                                     : "it takes only \"" + std::string(entry.argument) + "\"");
    }
    if (!value.is_string()) return invalid(entry.name, "\"" + key + "\" is a text");
    request.argument = value.get<std::string>();
    if (entry.verb == Verb::At) request.argument = capitals(std::move(request.argument));
    if (auto checked = checkArgument(entry.verb, request.argument); !checked) {
      return std::unexpected(std::move(checked.error()));
    }
    return request;
  }
  if (entry.needed) return invalid(entry.name, "it needs \"" + std::string(entry.argument) + "\"");
  return request;
}

// Bytes that are not UTF-8 (an operator's name in another code) become U+FFFD instead of an exception.
std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string_view name(Verb verb) {
  return std::ranges::find(kVerbs, verb, &VerbEntry::verb)->name;
}

Result<Request> parseRequest(std::string_view line) {
  if (line.size() > kMaxRequestLine) return invalid("request", "a line has at most 4096 bytes");
  const auto object = parseObject(line);
  if (!object) return invalid("request", "not a JSON object with each key once, as {\"verb\":\"status\"}");
  const auto verb = object->find("verb");
  if (verb == object->end() || !verb->is_string()) {
    return invalid("request", "\"verb\" is to be one of " + verbList());
  }
  const auto* entry = std::ranges::find(kVerbs, verb->get_ref<const std::string&>(), &VerbEntry::name);
  if (entry == kVerbs.end()) return invalid("request", "unknown verb; there are " + verbList());
  // Another key first, so that a second argument is not overlooked behind a good one.
  constexpr std::size_t kMostKeys = 2;
  if (object->size() > kMostKeys) return invalid(entry->name, "more keys than it takes");
  return readArgument(*entry, *object);
}

Response Response::ok(const nlohmann::ordered_json& result) {
  Json line = Json::object();
  line["ok"] = true;
  line["result"] = result;
  return Response(true, dump(line));
}

Response Response::failed(const Error& error) {
  Json line = Json::object();
  line["ok"] = false;
  line["error"]["kind"] = name(error.kind);
  line["error"]["message"] =
      error.what + ": " + (error.reply.empty() ? std::string(name(error.kind)) : error.reply);
  return Response(false, dump(line));
}

}  // namespace qimux::daemon
