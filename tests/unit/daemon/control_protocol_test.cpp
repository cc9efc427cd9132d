#include "qimux/daemon/control_protocol.hpp"

#include "support/catch.hpp"

#include <nlohmann/json.hpp>

#include <string>

using namespace qimux;
using namespace qimux::daemon;

namespace {

// "kind: what: why"; empty where the line is a request.
std::string complaint(std::string_view line) {
  const auto request = parseRequest(line);
  if (request) return {};
  return std::string(name(request.error().kind)) + ": " + request.error().what + ": " + request.error().reply;
}

bool complains(std::string_view line, std::string_view words) {
  const std::string said = complaint(line);
  INFO(said);
  return said.starts_with("invalid: ") && said.find(words) != std::string::npos;
}

constexpr std::string_view kVerbList =
    "status, sockets, flows, stats, recoveries, at, dns, ping, log-level, reset, usage, watch, version";

}  // namespace

TEST_CASE("every verb has a name, and is understood by it") {
  for (const Verb verb :
       {Verb::Status, Verb::Sockets, Verb::Flows, Verb::Stats, Verb::LogLevel, Verb::Watch, Verb::Version}) {
    const auto request = parseRequest("{\"verb\":\"" + std::string(name(verb)) + "\"}");
    REQUIRE(request);
    CHECK(request->verb == verb);
    CHECK(request->argument.empty());
  }
}

TEST_CASE("arguments arrive under their own keys") {
  const auto at = parseRequest(R"({"verb":"at","command":"AT+CSQ"})");
  REQUIRE(at);
  CHECK(at->verb == Verb::At);
  CHECK(at->argument == "AT+CSQ");
  const auto dns = parseRequest(R"( {"name":"mqtt.example.org.","verb":"dns"} )"
                                "\r");
  REQUIRE(dns);
  CHECK(dns->verb == Verb::Dns);
  CHECK(dns->argument == "mqtt.example.org.");
  const auto ping = parseRequest(R"({"verb":"ping","address":"192.0.2.1"})");
  REQUIRE(ping);
  CHECK(ping->argument == "192.0.2.1");
  const auto level = parseRequest(R"({"verb":"log-level","level":"debug"})");
  REQUIRE(level);
  CHECK(level->argument == "debug");
}

TEST_CASE("an AT command is taken in capitals") {
  const auto at = parseRequest(R"({"verb":"at","command":"at+csq"})");
  REQUIRE(at);
  CHECK(at->argument == "AT+CSQ");
}

TEST_CASE("what is no object of distinct keys is no request") {
  for (const std::string_view line :
       {"", " ", "status", "\"status\"", "[]", "null", "1", "{", "{\"verb\":\"status\"",
        "{\"verb\":\"status\"}{}", "{\"verb\":\"status\"} x", "{'verb':'status'}", "{\"verb\":\"status\",}",
        "{\"verb\":\"\xff\"}", "{\"verb\":\"at\",\"verb\":\"status\"}",
        "{\"verb\":\"status\",\"verb\":\"status\"}"}) {
    INFO(line);
    CHECK(complains(line, "not a JSON object"));
  }
  CHECK(complains(std::string_view("{\"verb\":\"status\"}\0", 18), "not a JSON object"));
}

TEST_CASE("an unknown verb is answered with those that there are") {
  CHECK(complains(R"({"verb":"reboot"})", kVerbList));
  CHECK(complains(R"({"verb":"Status"})", kVerbList));
  CHECK(complains(R"({"verb":""})", kVerbList));
  CHECK(complains(R"({"verb":1})", kVerbList));
  CHECK(complains(R"({"verb":null})", kVerbList));
  CHECK(complains(R"({})", kVerbList));
}

TEST_CASE("keys that a verb does not take are refused") {
  CHECK(complains(R"({"verb":"status","name":"x"})", "takes nothing beside"));
  CHECK(complains(R"({"verb":"dns","command":"AT"})", "it takes only \"name\""));
  CHECK(complains(R"({"verb":"dns","name":"a","":"b"})", "more keys"));
  CHECK(complains(R"({"verb":"at","command":"AT","x":{"command":"ATZ"}})", "more keys"));
}

TEST_CASE("arguments are texts, and there where they are needed") {
  CHECK(complains(R"({"verb":"at"})", "needs \"command\""));
  CHECK(complains(R"({"verb":"dns"})", "needs \"name\""));
  CHECK(complains(R"({"verb":"ping"})", "needs \"address\""));
  CHECK(complains(R"({"verb":"at","command":["AT"]})", "\"command\" is a text"));
  CHECK(complains(R"({"verb":"log-level","level":7})", "\"level\" is a text"));
  CHECK(complains(R"({"verb":"log-level","level":null})", "\"level\" is a text"));
}

TEST_CASE("arguments are safe to put on a command line") {
  CHECK(complains(R"({"verb":"at","command":"AT+QICLOSE=0"})", "AT+QICLOSE=0: the daemon gives out"));
  CHECK(complains(R"({"verb":"at","command":"AT\r\nATZ"})", "printable ASCII"));
  CHECK(complains(R"({"verb":"at","command":"AT\u0000"})", "printable ASCII"));
  for (const std::string_view bad : {"", ".", "a..b", ".a", "a b", "a\\\"b", "a,b", "a\\r", "\\u001a",
                                     "b\\u00fccher.de", "a;b", "a/b", "a:b", "a\\u0000"}) {
    INFO(bad);
    CHECK(complains("{\"verb\":\"dns\",\"name\":\"" + std::string(bad) + "\"}", "a host name is"));
  }
  for (const std::string_view bad :
       {"", "example.org", "1.2.3", "1.2.3.256", "1.2.3.4\\u0000", " 1.2.3.4", "1.2.3.4\\r", "::1"}) {
    INFO(bad);
    CHECK(complains("{\"verb\":\"ping\",\"address\":\"" + std::string(bad) + "\"}", "IPv4 address"));
  }
  for (const std::string_view bad : {"", "loud", "DEBUG"}) {
    CHECK(complains("{\"verb\":\"log-level\",\"level\":\"" + std::string(bad) + "\"}", "error, warning"));
  }
}

TEST_CASE("names are as long as DNS lets them be") {
  const std::string label(63, 'a');
  const auto ask = [](const std::string& host) { return R"({"verb":"dns","name":")" + host + "\"}"; };
  CHECK(complaint(ask(label + "." + label + "." + label + "." + std::string(61, 'b'))).empty());
  CHECK(complains(ask(label + "." + label + "." + label + "." + std::string(62, 'b')), "253"));
  CHECK(complains(ask(label + "a.org"), "a host name is"));
  CHECK(complaint(ask("_mqtt._tcp.Example-1.org")).empty());
}

TEST_CASE("a line has at most 4096 bytes") {
  const std::string request = R"({"verb":"status"})";
  CHECK(complaint(request + std::string(kMaxRequestLine - request.size(), ' ')).empty());
  CHECK(complains(request + std::string(kMaxRequestLine - request.size() + 1, ' '), "4096"));
}

TEST_CASE("deep nesting ends in a complaint and not in a full stack") {
  CHECK(complains(std::string(4096, '['), "not a JSON object"));
  const std::string deep = R"({"verb":)" + std::string(2000, '[') + std::string(2000, ']') + "}";
  CHECK(complains(deep, kVerbList));
}

TEST_CASE("a result goes out with its keys in the order they were given") {
  nlohmann::ordered_json result;
  result["link"] = "online";
  result["address"] = nullptr;
  const Response response = Response::ok(result);
  CHECK(response.isOk());
  CHECK(response.line() == R"({"ok":true,"result":{"link":"online","address":null}})");
}

TEST_CASE("an error goes out with its kind and its words") {
  const Response said = Response::failed(Error{ErrorKind::Refused, "AT+CSQ", "+CME ERROR: 13"});
  CHECK_FALSE(said.isOk());
  CHECK(said.line() == R"({"ok":false,"error":{"kind":"refused","message":"AT+CSQ: +CME ERROR: 13"}})");
  const Response silent = Response::failed(Error{ErrorKind::Timeout, "AT+CSQ", ""});
  CHECK(silent.line() == R"({"ok":false,"error":{"kind":"timeout","message":"AT+CSQ: timeout"}})");
}

TEST_CASE("bytes of any code and line ends stay within one line of UTF-8") {
  nlohmann::ordered_json result;
  result["operator"] = "Telef\xf3nica\r\n\x1b[31m";
  const std::string line = Response::ok(result).line();
  CHECK(line.find('\n') == std::string::npos);
  const auto back = nlohmann::json::parse(line);
  CHECK(back["result"]["operator"] == "Telef\xef\xbf\xbdnica\r\n\x1b[31m");
  const Response failed = Response::failed(Error{ErrorKind::Garbled, "AT\xff", "\n"});
  CHECK(nlohmann::json::parse(failed.line())["error"]["message"] == "AT\xef\xbf\xbd: \n");
}
