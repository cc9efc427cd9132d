#include "qimux/at/trace.hpp"

#include "qimux/at/channel.hpp"
#include "qimux/base/log.hpp"
#include "support/catch.hpp"
#include "support/fake_port.hpp"
#include "support/run.hpp"

#include <cstdlib>
#include <new>
#include <string>
#include <vector>

using namespace qimux;
using namespace qimux::at;
using namespace qimux::test;
using namespace std::chrono_literals;
using Ending = Command::Ending;
using Lines = std::vector<std::string>;

namespace {

std::size_t allocations = 0;

// A channel whose log is kept.
struct Rig {
  explicit Rig(log::Level level = log::Level::Debug) : port(loop), channel(loop, port) {
    log::setLevel(level);
    log::setSink([this](log::Level at, std::string_view message, log::Fields) {
      CHECK(at == log::Level::Debug);
      said.emplace_back(message);
      return true;
    });
  }
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;
  ~Rig() {
    log::setSink({});
    log::setLevel(log::Level::Info);
  }
  void execute(std::string text, Ending ending = Ending::Ok, std::string prefix = {}) {
    Command command(std::move(text), 2s, ending, std::move(prefix));
    static_cast<void>(run(loop, channel.execute(std::move(command))));
  }
  void send(std::string text, std::string_view payload) {
    Command command(std::move(text), 2s, Ending::Send);
    command.payload = bytesOf(payload);
    static_cast<void>(run(loop, channel.execute(std::move(command))));
  }
  bool contains(std::string_view text) const {
    for (const auto& line : said) {
      if (line.contains(text)) return true;
    }
    return false;
  }

  async::VirtualLoop loop;
  FakePort port;
  Channel channel;
  Lines said;
};

}  // namespace

// Counts, for all of this program. (Both forms: AddressSanitizer brings one of its own for what is not here,
// and they are freed alike.)
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size);
}
void* operator new(std::size_t size) {
  if (void* place = operator new(size, std::nothrow)) return place;
  throw std::bad_alloc();
}
void operator delete(void* place) noexcept {
  std::free(place);
}
void operator delete(void* place, std::size_t) noexcept {
  std::free(place);
}

TEST_CASE("at debug each command, its answer and each URC is a line of the log") {
  Rig rig;
  rig.port.awaits("AT+CSQ").lines({"+CSQ: 20,0", "+QIRDI: 0,1,0", "OK"});
  rig.execute("AT+CSQ", Ending::Ok, "+CSQ:");
  rig.port.awaits("AT+QIACT").lines({"+CME ERROR: 148"});
  rig.execute("AT+QIACT");
  rig.execute("AT+SILENCE");
  CHECK(rig.said == Lines{"at: > AT+CSQ", "at: URC +QIRDI: 0,1,0", "at: < +CSQ: 20,0 | OK (0 ms)",
                          "at: > AT+QIACT", "at: < +CME ERROR: 148 (0 ms)", "at: > AT+SILENCE",
                          "at: < timeout (2000 ms)"});
}

TEST_CASE("of payload the log has the length") {
  Rig rig;
  rig.port.awaits("AT+QISEND=0,6").says("\r\n> ").payload("s3cret").lines({"s3cret", "SEND OK"}, 84ms);
  rig.send("AT+QISEND=0,6", "s3cret");
  rig.port.awaits("AT+QIRD=0,1,0,1500").says("\r\n+QIRD: 10.0.0.1:80,TCP,6\r\ns3cret\r\nOK\r\n");
  rig.execute("AT+QIRD=0,1,0,1500", Ending::Read);
  CHECK(rig.contains("at: > AT+QISEND=0,6 (6 bytes)"));
  CHECK(rig.contains("at: URC (6 bytes)"));
  CHECK(rig.contains("at: < SEND OK (84 ms)"));
  CHECK(rig.contains("at: < +QIRD: 10.0.0.1:80,TCP,6 | (6 bytes) | OK (0 ms)"));
  // A header that is not what it should be may have payload in it.
  rig.port.awaits("AT+QIRD=0,1,0,1500").says("\r\n+QIRD: 10.0.0.1:80,TCP,6s3cret\r\nOK\r\n");
  rig.execute("AT+QIRD=0,1,0,1500", Ending::Read);
  CHECK(rig.said.back() == "at: < (30 bytes) | garbled (0 ms)");
  CHECK_FALSE(rig.contains("s3cret"));
}

TEST_CASE("no PIN, user or password is in the log") {
  Rig rig;
  rig.port.awaits("AT+CPIN=4711").lines({"AT+CPIN=4711", "+CPIN: READY", "OK"});
  rig.execute("AT+CPIN=4711");
  rig.port.awaits(R"(AT+QICSGP=1,"corp","me","pa55")").lines({"OK"});
  rig.execute(R"(AT+QICSGP=1,"corp","me","pa55")");
  rig.port.awaits("AT+QICSGP?").lines({R"(+QICSGP: 1,"corp","me","pa55")", "OK"});
  rig.execute("AT+QICSGP?", Ending::Ok, "+QICSGP:");
  rig.port.sayLines({"+CPIN=4711"});  // what is left of an echo
  rig.loop.runFor(1ms);
  for (const char* secret : {"4711", "corp", "\"me\"", "pa55"}) {
    INFO(secret);
    CHECK_FALSE(rig.contains(secret));
  }
  CHECK(rig.said == Lines{"at: > AT+CPIN=***", "at: URC +CPIN: READY", "at: < AT+CPIN=*** | OK (0 ms)",
                          "at: > AT+QICSGP=***", "at: < OK (0 ms)", "at: > AT+QICSGP?",
                          "at: < +QICSGP:*** | OK (0 ms)", "at: URC +CPIN=***"});
  CHECK(shown("AT+CPIN?") == "AT+CPIN?");
  CHECK(shown("AT+QICSGP=?") == "AT+QICSGP=?");
}

TEST_CASE("what is shown is bounded, and no control byte reaches the log") {
  Rig rig;
  rig.port.sayLines({"RING\x1b[31m"});
  rig.loop.runFor(1ms);
  CHECK(rig.said == Lines{"at: URC RING\\x1b[31m"});
  CHECK(shown(std::string(500, 'x')) == std::string(kMostShown, 'x') + "...");
  CHECK(shown(std::string(kMostShown, 'x')) == std::string(kMostShown, 'x'));
  CHECK_FALSE(shown(std::string(500, 'x') + "+CPIN=4711").contains("4711"));
  const Lines many(60, "+COPS: " + std::string(100, 'y'));
  std::string answer;
  for (const auto& line : many) answer += "\r\n" + line + "\r\n";
  rig.port.awaits("AT+COPS=?").says(answer + "\r\nOK\r\n");
  rig.execute("AT+COPS=?", Ending::Ok, "+COPS:");
  CHECK(rig.said.back().size() < 800);
}

TEST_CASE("at any other level nothing is made of a command, its answer and a URC") {
  const std::string answer = "+COPS: 0,0,\"An operator with a long name\"";
  Command command("AT+COPS?", 2s, Ending::Ok, "+COPS:");
  const Result<Reply> result = Reply();
  const auto made = [&](log::Level level) {
    const Rig rig(level);
    const std::size_t before = allocations;
    Trace trace;
    trace.command(command, {});
    trace.answer(Token{Token::Kind::Line, bytesOf(answer)}, false);
    trace.ended(result, {});
    Trace::urc(answer, false);
    return std::pair(allocations - before, rig.said.size());
  };
  CHECK(made(log::Level::Info) == std::pair(std::size_t{0}, std::size_t{0}));
  CHECK(made(log::Level::Debug).first > 0);
  CHECK(made(log::Level::Debug).second == 3);
}

TEST_CASE("a level that changes while a command runs shows no half of it") {
  Rig rig(log::Level::Info);
  Trace trace;
  Command command("AT", 2s);
  trace.command(command, {});
  log::setLevel(log::Level::Debug);
  trace.answer(Token{Token::Kind::Line, bytesOf("OK")}, false);
  trace.ended(Reply(), {});
  CHECK(rig.said.empty());
}
