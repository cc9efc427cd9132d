#include "qimux/ctl/connection.hpp"

#include "fake_daemon.hpp"
#include "support/catch.hpp"

#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

using namespace qimux;
using namespace qimux::ctl;
using namespace qimux::ctl::test;
using namespace std::chrono_literals;

namespace {

// "kind: what is said", of a failed result.
template <typename T>
std::string said(const Result<T>& result) {
  return result ? "" : std::string(name(result.error().kind)) + ": " + result.error().reply;
}

Result<Connection> opened(const FakeDaemon& daemon, std::string_view request = "hello") {
  auto connection = Connection::open(daemon.path);
  REQUIRE(connection);
  REQUIRE(connection->send(request));
  return connection;
}

}  // namespace

TEST_CASE("a line there, lines back") {
  const FakeDaemon daemon(
      [](const std::string& request) { return "you said " + request + "\nand more\nhal"; });
  auto connection = opened(daemon);
  CHECK(connection->line(10s).value_or("") == "you said hello");
  CHECK(connection->line(10s).value_or("") == "and more");
  CHECK(said(connection->line(0ms)) == "timeout: qimuxd did not answer in time");
}

TEST_CASE("a daemon that goes is noticed, after what it said") {
  const FakeDaemon daemon([](const std::string&) { return "bye\n"; }, true);
  auto connection = opened(daemon);
  CHECK(connection->line(10s).value_or("") == "bye");
  CHECK(said(connection->line(10s)).starts_with("closed: qimuxd has closed the connection"));
}

TEST_CASE("a daemon that sent this client away is still heard") {
  const FakeDaemon daemon([](const std::string&) { return "full\n"; }, true);
  auto connection = opened(daemon);
  REQUIRE(connection->line(10s));
  CHECK(said(connection->line(10s)).starts_with("closed: "));
  CHECK(connection->send("again"));
  CHECK(said(connection->line(10s)).starts_with("closed: "));
}

TEST_CASE("a wait ends when it is woken") {
  const FakeDaemon daemon([](const std::string&) { return ""; });
  auto connection = opened(daemon);
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  REQUIRE(::write(ends[1], "x", 1) == 1);
  CHECK(said(connection->line(std::nullopt, ends[0])) == "cancelled: stopped");
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("a line without end is not kept for ever") {
  const FakeDaemon daemon([](const std::string&) { return std::string(17 << 20, 'x'); });
  auto connection = opened(daemon);
  CHECK(said(connection->line(60s)).starts_with("garbled: "));
}

TEST_CASE("who cannot be reached is said with what to do about it") {
  CHECK(said(Connection::open("/tmp/no-such-directory/control.sock")).starts_with("closed: no such socket"));
  CHECK(said(Connection::open("")).starts_with("closed: a socket's path"));
  CHECK(said(Connection::open(std::string(108, 'x'))).starts_with("closed: a socket's path"));
  CHECK(said(Connection::open("/dev/null/x")).starts_with("system: "));
  std::string stale;
  {
    const FakeDaemon daemon([](const std::string&) { return ""; });
    stale = daemon.path + ".stale";
    REQUIRE(::link(daemon.path.c_str(), stale.c_str()) == 0);
  }
  CHECK(said(Connection::open(stale)).starts_with("closed: nobody answers"));
  ::unlink(stale.c_str());
}

TEST_CASE("no permission names the group") {
  const FakeDaemon daemon([](const std::string&) { return ""; });
  REQUIRE(::chmod(daemon.path.c_str(), 0) == 0);
  // Root may connect all the same: this user then is nobody for the while.
  const uid_t before = ::geteuid();
  if (before == 0) REQUIRE(::seteuid(65534) == 0);
  const std::string answer = said(Connection::open(daemon.path));
  if (before == 0) REQUIRE(::seteuid(before) == 0);
  CHECK(answer.starts_with("refused: no permission"));
  CHECK(answer.find("qimux)") != std::string::npos);
}

TEST_CASE("an answer is taken apart") {
  const auto good = readAnswer(R"({"ok":true,"result":{"b":1,"a":2}})");
  REQUIRE(good);
  CHECK(good->ok);
  CHECK(good->result->dump() == R"({"b":1,"a":2})");
  const auto bad = readAnswer(R"({"ok":false,"error":{"kind":"refused","message":"AT+X: \u001b[2JERROR"}})");
  REQUIRE(bad);
  CHECK_FALSE(bad->ok);
  CHECK(bad->message == "AT+X: \\x1b[2JERROR");
  const auto mute = readAnswer(R"({"ok":false})");
  REQUIRE(mute);
  CHECK(mute->message == "qimuxd said no, and not why");
}

TEST_CASE("what is no answer is garbled") {
  for (const char* line : {"", "HTTP/1.1 400 Bad Request", "[]", "{}", R"({"ok":1})", R"({"ok":true})",
                           "{\"ok\":true,\"result\":\"\xff\"}"}) {
    INFO(line);
    CHECK(said(readAnswer(line)).starts_with("garbled: "));
  }
  const auto nested = [](int depth) {
    return R"({"ok":true,"result":)" + std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']') + "}";
  };
  CHECK(readAnswer(nested(30)));
  CHECK(said(readAnswer(nested(34))).starts_with("garbled: "));
  CHECK(said(readAnswer(nested(1'000'000))).starts_with("garbled: "));
  CHECK(readAnswer("\x1b").error().what == "\"\\x1b\"");
}

TEST_CASE("a request is one line of JSON, whatever is in it") {
  CHECK(makeRequest("status") == R"({"verb":"status"})");
  CHECK(makeRequest("at", "command", "AT+CSQ") == R"({"verb":"at","command":"AT+CSQ"})");
  CHECK(makeRequest("dns", "name", "\"\n") == R"({"verb":"dns","name":"\"\n"})");
  CHECK(makeRequest("dns", "name", "\xff") == "{\"verb\":\"dns\",\"name\":\"\xef\xbf\xbd\"}");
}
