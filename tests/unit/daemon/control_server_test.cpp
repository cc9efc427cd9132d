#include "qimux/daemon/control_server.hpp"

#include "qimux/base/fd.hpp"
#include "support/catch.hpp"

#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <optional>
#include <string>
#include <vector>

using namespace qimux;
using namespace qimux::daemon;
using namespace std::chrono_literals;

namespace {

// Answers with what it was asked, or keeps the question.
class Handler final : public ControlHandler {
 public:
  void handle(const Request& request, Respond respond) override {
    asked.push_back(std::string(name(request.verb)) + " " + request.argument);
    if (keep) {
      kept.push_back(std::move(respond));
    } else {
      respond(answer());
    }
  }
  Response answer() const {
    return Response::ok({{"n", asked.size()}, {"filler", std::string(filler, 'x')}});
  }
  bool keep = false;
  std::size_t filler = 0;
  std::vector<std::string> asked;
  std::vector<Respond> kept;
};

// Everything in one thread: the server and its clients turn with the same loop.
struct Bench {
  explicit Bench(ControlLimits limits = {})
      : path("/tmp/qimux-server-" + std::to_string(::getpid()) + ".sock") {
    auto made = ControlServer::listen(loop, handler, path, "", limits);
    REQUIRE(made);
    server = std::move(*made);
  }
  // Turns the loop until `done`; a guard ends a test that would hang.
  template <typename Done>
  bool until(Done done) {
    if (done()) return true;
    async::Timer guard(loop);
    async::Timer look(loop);
    bool held = false;
    guard.start(20s, [&] { loop.stop(); });
    std::function<void()> poll = [&] {
      held = done();
      if (held) return loop.stop();
      look.start(1ms, [&] { poll(); });
    };
    look.start(0ms, [&] { poll(); });
    loop.run();
    return held;
  }
  async::UvLoop loop;
  Handler handler;
  std::string path;
  std::unique_ptr<ControlServer> server;
};

class Client {
 public:
  explicit Client(Bench& bench)
      : bench_(bench), fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, bench.path.data(), bench.path.size());
    REQUIRE(::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }
  void send(std::string_view text) {
    REQUIRE(::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
  }
  // The next line, or nothing at the end of the stream.
  std::optional<std::string> line() {
    std::size_t end = std::string::npos;
    const bool came = bench_.until([&] {
      receive();
      end = seen_.find('\n');
      return end != std::string::npos || ended_;
    });
    CHECK(came);
    if (end == std::string::npos) return std::nullopt;
    std::string found = seen_.substr(0, end);
    seen_.erase(0, end + 1);
    return found;
  }
  std::string ask(std::string_view request) {
    send(std::string(request) + "\n");
    return line().value_or("(end)");
  }
  void halfClose() { ::shutdown(fd_.get(), SHUT_WR); }
  void close() { fd_.reset(); }

 private:
  void receive() {
    std::array<char, 65536> chunk;
    const ssize_t got = ::recv(fd_.get(), chunk.data(), chunk.size(), 0);
    if (got > 0) seen_.append(chunk.data(), static_cast<std::size_t>(got));
    if (got == 0 || (got < 0 && errno != EAGAIN)) ended_ = true;
  }
  Bench& bench_;
  Fd fd_;
  std::string seen_;
  bool ended_ = false;
};

std::string kindOf(const std::string& line) {
  return nlohmann::json::parse(line)["error"]["kind"];
}

}  // namespace

TEST_CASE("a request is answered, and the next one on the same connection") {
  Bench bench;
  Client client(bench);
  CHECK(client.ask(R"({"verb":"status"})") == R"({"ok":true,"result":{"n":1,"filler":""}})");
  CHECK(client.ask(R"({"verb":"dns","name":"example.org"})") ==
        R"({"ok":true,"result":{"n":2,"filler":""}})");
  CHECK(bench.handler.asked == std::vector<std::string>{"status ", "dns example.org"});
}

TEST_CASE("requests in one write are answered in order, one at a time") {
  Bench bench;
  bench.handler.keep = true;
  Client client(bench);
  client.send("{\"verb\":\"stats\"}\n{\"verb\":\"flows\"}\n{\"verb\":\"sta");
  REQUIRE(bench.until([&] { return bench.handler.kept.size() == 1; }));
  bench.handler.kept.front()(Response::ok("first"));
  REQUIRE(bench.until([&] { return bench.handler.kept.size() == 2; }));
  CHECK(bench.handler.asked == std::vector<std::string>{"stats ", "flows "});
  bench.handler.kept.back()(Response::ok("second"));
  CHECK(client.line() == R"({"ok":true,"result":"first"})");
  CHECK(client.line() == R"({"ok":true,"result":"second"})");
  bench.handler.keep = false;
  client.send("tus\"}\n");
  CHECK(client.line() == R"({"ok":true,"result":{"n":3,"filler":""}})");
}

TEST_CASE("many short requests at once are all answered") {
  Bench bench;
  Client client(bench);
  std::string flood;
  for (int i = 0; i < 5000; ++i) flood += "{}\n";
  client.send(flood);
  for (int i = 0; i < 5000; ++i) REQUIRE(kindOf(client.line().value_or("{}")) == "invalid");
  CHECK(bench.handler.asked.empty());
}

TEST_CASE("a bad request is told what is wrong, and the connection goes on") {
  Bench bench;
  Client client(bench);
  CHECK(kindOf(client.ask("hello")) == "invalid");
  CHECK(kindOf(client.ask("")) == "invalid");
  CHECK(kindOf(client.ask(R"({"verb":"at","command":"AT+QIDEACT"})")) == "invalid");
  CHECK(client.ask(R"({"verb":"status"})") == R"({"ok":true,"result":{"n":1,"filler":""}})");
}

TEST_CASE("an oversized line is refused and ends the connection") {
  Bench bench;
  Client client(bench);
  client.send(std::string(kMaxRequestLine + 1, 'x'));
  CHECK(kindOf(client.line().value_or("{}")) == "invalid");
  CHECK_FALSE(client.line());
  CHECK(bench.until([&] { return bench.server->clients() == 0; }));
}

TEST_CASE("a line of exactly the bound is read") {
  Bench bench;
  Client client(bench);
  const std::string request = R"({"verb":"status"})";
  const std::string line = request + std::string(kMaxRequestLine - request.size(), ' ');
  CHECK(client.ask(line) == R"({"ok":true,"result":{"n":1,"filler":""}})");
}

TEST_CASE("a client that is gone before its answer harms nobody") {
  Bench bench;
  bench.handler.keep = true;
  Client client(bench);
  client.send("{\"verb\":\"at\",\"command\":\"AT+CSQ\"}\n");
  REQUIRE(bench.until([&] { return bench.handler.kept.size() == 1; }));
  client.close();
  REQUIRE(bench.until([&] { return bench.server->clients() == 0; }));
  bench.handler.kept.front()(Response::ok(1));
  bench.handler.kept.clear();
  bench.handler.keep = false;
  Client other(bench);
  CHECK(other.ask(R"({"verb":"status"})") == R"({"ok":true,"result":{"n":2,"filler":""}})");
}

TEST_CASE("a client that only stopped asking still gets its answer") {
  Bench bench;
  bench.handler.keep = true;
  Client client(bench);
  client.send("{\"verb\":\"stats\"}\n{\"verb\":\"unfinished");
  client.halfClose();
  REQUIRE(bench.until([&] { return bench.handler.kept.size() == 1; }));
  bench.handler.kept.front()(Response::ok("late"));
  CHECK(client.line() == R"({"ok":true,"result":"late"})");
  CHECK_FALSE(client.line());
  CHECK(bench.handler.asked.size() == 1);
}

TEST_CASE("a question that is dropped is answered as cancelled") {
  Bench bench;
  bench.handler.keep = true;
  Client client(bench);
  client.send("{\"verb\":\"ping\",\"address\":\"192.0.2.1\"}\n");
  REQUIRE(bench.until([&] { return bench.handler.kept.size() == 1; }));
  bench.handler.kept.clear();
  CHECK(client.line() ==
        R"({"ok":false,"error":{"kind":"cancelled","message":"ping: the daemon let go of it"}})");
}

TEST_CASE("a second answer to one question goes nowhere") {
  Bench bench;
  bench.handler.keep = true;
  Client client(bench);
  client.send("{\"verb\":\"stats\"}\n{\"verb\":\"flows\"}\n");
  REQUIRE(bench.until([&] { return bench.handler.kept.size() == 1; }));
  bench.handler.kept.front()(Response::ok("one"));
  bench.handler.kept.front()(Response::ok("two"));
  CHECK(client.line() == R"({"ok":true,"result":"one"})");
  REQUIRE(bench.until([&] { return bench.handler.kept.size() == 2; }));
  bench.handler.kept.back()(Response::ok("three"));
  CHECK(client.line() == R"({"ok":true,"result":"three"})");
}

TEST_CASE("an answer after the server's end goes nowhere") {
  Bench bench;
  bench.handler.keep = true;
  Client client(bench);
  client.send("{\"verb\":\"stats\"}\n");
  REQUIRE(bench.until([&] { return bench.handler.kept.size() == 1; }));
  bench.server.reset();
  bench.handler.kept.front()(Response::ok(1));
  bench.handler.kept.clear();
  CHECK_FALSE(client.line());
}

TEST_CASE("a watch pushes the status again and again until the client goes") {
  Bench bench({.watch = 2ms});
  Client client(bench);
  CHECK(client.ask(R"({"verb":"watch"})") == R"({"ok":true,"result":{"n":1,"filler":""}})");
  CHECK(client.line() == R"({"ok":true,"result":{"n":2,"filler":""}})");
  CHECK(client.line() == R"({"ok":true,"result":{"n":3,"filler":""}})");
  client.close();
  REQUIRE(bench.until([&] { return bench.server->clients() == 0; }));
  CHECK(bench.handler.asked.front() == "status ");
}

TEST_CASE("a watch goes on for a client that will ask nothing more, and ends when it is gone") {
  Bench bench({.watch = 2ms});
  Client client(bench);
  client.send("{\"verb\":\"watch\"}\n");
  client.halfClose();
  CHECK(client.line());
  CHECK(client.line());
  CHECK(client.line());
  client.close();
  CHECK(bench.until([&] { return bench.server->clients() == 0; }));
}

TEST_CASE("a watch asks the handler for no second answer while the first is due") {
  Bench bench({.watch = 1ms});
  bench.handler.keep = true;
  Client client(bench);
  client.send("{\"verb\":\"watch\"}\n");
  REQUIRE(bench.until([&] { return bench.handler.kept.size() == 1; }));
  async::Timer some_beats(bench.loop);
  bool over = false;
  some_beats.start(20ms, [&] { over = true; });
  REQUIRE(bench.until([&] { return over; }));
  CHECK(bench.handler.kept.size() == 1);
  bench.handler.kept.front()(Response::ok("first"));
  CHECK(client.line() == R"({"ok":true,"result":"first"})");
  CHECK(bench.until([&] { return bench.handler.kept.size() == 2; }));
}

TEST_CASE("a client that does not read is dropped, and nothing piles up for it meanwhile") {
  Bench bench({.stall = 50ms, .watch = 1ms});
  bench.handler.filler = 1 << 20;
  Client client(bench);
  client.send("{\"verb\":\"watch\"}\n");
  REQUIRE(bench.until([&] { return bench.server->clients() == 1; }));
  REQUIRE(bench.until([&] { return bench.server->clients() == 0; }));
  // A megabyte does not fit into the socket's buffer, so the second status was never asked for.
  CHECK(bench.handler.asked.size() == 1);
}

TEST_CASE("a client that reads a long answer slowly gets all of it") {
  Bench bench({.stall = 10s});
  bench.handler.filler = 3 << 20;
  Client client(bench);
  const std::string answer = client.ask(R"({"verb":"flows"})");
  CHECK(answer == bench.handler.answer().line());
}

TEST_CASE("a client that asks nothing, or nothing more, makes room for others") {
  Bench bench({.idle = 30ms});
  Client silent(bench);
  CHECK_FALSE(silent.line());
  Client once(bench);
  CHECK(once.ask(R"({"verb":"status"})").starts_with(R"({"ok":true)"));
  CHECK_FALSE(once.line());
  Client dribbling(bench);
  dribbling.send(R"({"verb":)");
  CHECK_FALSE(dribbling.line());
  CHECK(bench.server->clients() == 0);
}

TEST_CASE("a client that waits for its answer, or watches, has asked and stays") {
  Bench bench({.watch = 1ms, .idle = 20ms});
  Client watcher(bench);
  watcher.send("{\"verb\":\"watch\"}\n");
  for (int i = 0; i < 5; ++i) CHECK(watcher.line());
  bench.handler.keep = true;
  Client waiting(bench);
  waiting.send("{\"verb\":\"ping\",\"address\":\"192.0.2.1\"}\n");
  async::Timer long_enough(bench.loop);
  bool over = false;
  long_enough.start(100ms, [&] { over = true; });
  REQUIRE(bench.until([&] { return over; }));
  CHECK(bench.server->clients() == 2);
}

TEST_CASE("one client more than there may be is told so; a place that is free again is given away") {
  Bench bench({.clients = 2});
  std::optional<Client> first(std::in_place, bench);
  Client second(bench);
  first->ask(R"({"verb":"status"})");
  second.ask(R"({"verb":"status"})");
  Client third(bench);
  CHECK(kindOf(third.line().value_or("{}")) == "full");
  CHECK_FALSE(third.line());
  first.reset();
  REQUIRE(bench.until([&] { return bench.server->clients() == 1; }));
  Client fourth(bench);
  CHECK(fourth.ask(R"({"verb":"status"})") == R"({"ok":true,"result":{"n":3,"filler":""}})");
}

TEST_CASE("a process without a free descriptor makes a client wait, and does not spin meanwhile") {
  Bench bench;
  Client client(bench);
  client.send("{\"verb\":\"status\"}\n");
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const int lowest_free = ::dup(0);
  REQUIRE(lowest_free >= 0);
  ::close(lowest_free);
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(lowest_free);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  const std::clock_t used = std::clock();
  async::Timer relief(bench.loop);
  relief.start(500ms, [&] { ::setrlimit(RLIMIT_NOFILE, &before); });
  CHECK(client.line() == R"({"ok":true,"result":{"n":1,"filler":""}})");
  // A loop that spins for half a second burns half a second.
  CHECK(std::clock() - used < CLOCKS_PER_SEC / 4);
  CHECK(::setrlimit(RLIMIT_NOFILE, &before) == 0);
}

TEST_CASE("a server that cannot listen says why") {
  async::UvLoop loop;
  Handler handler;
  const auto server = ControlServer::listen(loop, handler, "/nonexistent/directory/control.sock", "");
  REQUIRE_FALSE(server);
  CHECK(server.error().kind == ErrorKind::System);
}
