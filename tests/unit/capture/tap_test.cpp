#include "qimux/capture/tap.hpp"

#include "qimux/async/virtual_loop.hpp"
#include "support/catch.hpp"
#include "support/fake_port.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

using namespace qimux;
using namespace qimux::capture;
using namespace std::chrono_literals;

namespace {

// A stream whose kernel says what the test wants, and counts how often it is asked.
class AskedStream final : public bridge::AppStream {
 public:
  std::size_t readable() override { return ++asked, waiting.size(); }
  std::size_t read(ByteSpan out) override {
    const std::size_t count = std::min(out.size(), waiting.size());
    std::copy_n(waiting.begin(), count, out.begin());
    waiting.erase(0, count);
    return count;
  }
  Input input() override { return state; }
  std::size_t write(ByteView bytes) override { return std::min(bytes.size(), room); }
  bool writable() override { return room > 0; }
  bool drained() override { return arrived; }
  void endOutput() override {}
  void reset() override {}
  using AppStream::changed;

  std::string waiting;
  Input state = Input::Open;
  std::size_t room = 100;
  bool arrived = false;
  int asked = 0;
};

struct Tapped {
  Tapped() {
    char name[] = "/tmp/qimux-tap-XXXXXX";
    directory = ::mkdtemp(name);
    Head head;
    head.clock = 1;
    auto writer = Writer::create(directory + "/a", 1 << 20, head);
    tap.emplace(loop, std::move(*writer), Mask::none(Surroundings{}));
  }
  Tapped(const Tapped&) = delete;
  Tapped& operator=(const Tapped&) = delete;
  ~Tapped() { std::filesystem::remove_all(directory); }

  // What was captured, without the times.
  std::vector<std::string> lines() const {
    std::vector<std::string> out;
    const auto capture = readCapture(directory + "/a");
    for (const auto& record : capture->records) {
      const auto line = print(record);
      out.push_back(line.substr(line.find(' ') + 1));
    }
    return out;
  }

  std::string directory;
  async::VirtualLoop loop;
  std::optional<Tap> tap;
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("the loop's own turns are moments") {
  Tapped tapped;
  async::Timer timer(tapped.loop);
  timer.start(5ms, [&] { tapped.loop.post([] {}); });
  tapped.loop.runFor(1s);
  CHECK(tapped.lines() == Lines{"timer", "ready"});
}

TEST_CASE("what passes the port is captured, in the order in which it passes") {
  Tapped tapped;
  auto made = std::make_unique<test::FakePort>(tapped.loop);
  auto* module = made.get();
  module->awaits("AT").ok();
  auto port = tapped.tap->opened(std::unique_ptr<serial::Port>(std::move(made)));
  REQUIRE(port);
  std::string heard;
  std::string lost;
  (*port)->onData([&](ByteView bytes) { heard += textOf(bytes); });
  (*port)->onLost([&](const Error& error) { lost = error.text(); });
  CHECK((*port)->write(bytesOf("AT\r")));
  tapped.loop.runFor(1s);
  CHECK((*port)->setRate(9600));
  CHECK((*port)->setLine(serial::ModemLine::Rts, true));
  module->refuseWrites(true);
  CHECK_FALSE((*port)->write(bytesOf("AT\r")));
  module->unplug();
  tapped.loop.runFor(1s);
  port->reset();
  CHECK(heard == "\r\nOK\r\n");
  CHECK(lost.find("gone") != std::string::npos);
  CHECK(tapped.lines() == Lines{"port-opened", R"(port> "AT\r")", "timer", R"(port< 6 "\r\nOK\r\n")",
                                "port-rate 9600", "port-line 3", R"(port> "AT\r")",
                                R"(port-refused 3 "write" "refused by the test")", "ready",
                                R"(port-lost 7 "poll" "gone")", "port-closed"});
}

TEST_CASE("a port that cannot be opened is captured with the reason") {
  Tapped tapped;
  const Error error{ErrorKind::System, "/dev/gsm0", "No such file or directory"};
  CHECK_FALSE(tapped.tap->opened(std::unexpected(error)));
  CHECK(tapped.lines() == Lines{R"(port-missing 7 "/dev/gsm0" "No such file or directory")"});
}

TEST_CASE("a stream is asked once a moment, and what is new is captured") {
  Tapped tapped;
  auto made = std::make_unique<AskedStream>();
  auto* kernel = made.get();
  auto stream = tapped.tap->accepted(1024, std::move(made));
  kernel->waiting = "abc";
  CHECK(stream->readable() == 3);
  kernel->waiting = "abcdef";
  CHECK(stream->readable() == 3);  // no replay could know when in the moment that was
  CHECK(kernel->asked == 1);
  std::array<Byte, 16> buffer{};
  CHECK(stream->read(buffer) == 3);
  CHECK(stream->read(buffer) == 0);
  int changes = 0;
  stream->onChange([&] { ++changes; });
  kernel->state = bridge::AppStream::Input::Ended;
  kernel->changed();
  CHECK(changes == 1);
  CHECK(stream->readable() == 3);
  CHECK(stream->input() == bridge::AppStream::Input::Ended);
  CHECK(tapped.lines() == Lines{"accept 1 1024", "stream-readable 1 3", R"(stream< 1 "abc")",
                                "stream-changed 1", "stream-readable 1 3", "stream-input 1 1"});
}

TEST_CASE("what a stream takes, and when it has arrived, is captured") {
  Tapped tapped;
  auto made = std::make_unique<AskedStream>();
  auto* kernel = made.get();
  auto stream = tapped.tap->accepted(1024, std::move(made));
  CHECK(stream->drained());
  kernel->room = 2;
  CHECK(stream->write(bytesOf("abc")) == 2);
  CHECK_FALSE(stream->writable());
  CHECK_FALSE(stream->drained());
  tapped.tap->askRadio();
  CHECK(stream->writable());
  kernel->arrived = true;
  CHECK(stream->drained());
  stream->endOutput();
  CHECK_FALSE(stream->drained());  // the end has to arrive as well
  stream->reset();
  stream.reset();
  CHECK(tapped.lines() == Lines{"accept 1 1024", R"(stream> 1 3 "ab")", "ask-radio", "stream-writable 1 1",
                                "stream-drained 1 1", "stream-end 1", "stream-reset 1", "stream-closed 1"});
}

TEST_CASE("the seed, a PIN that was refused, and the reset line's answer are inputs too") {
  Tapped tapped;
  bridge::LinkOptions options;
  options.seed = 77;
  options.module.pin_memory->refused = true;
  options.reset_line = [](serial::Port&) -> async::Task<Result<void>> {
    co_return std::unexpected(Error{ErrorKind::System, "module.reset", "exit code 1"});
  };
  tapped.tap->wire(options);
  test::FakePort port(tapped.loop);
  async::Scope scope(tapped.loop);
  auto pulse = [](bridge::LinkOptions& with, serial::Port& at) -> async::Task<void> {
    static_cast<void>(co_await with.reset_line(at));
  };
  scope.spawn(pulse(options, port));
  tapped.loop.runFor(1ms);
  const auto lines = tapped.lines();
  REQUIRE(lines.size() == 5);
  CHECK(lines[0] == "seed 77");
  CHECK(lines[1] == "pin-refused");
  CHECK(lines[3] == "reset");
  CHECK(lines[4] == R"(reset-done 8 "module.reset" "exit code 1")");
}

TEST_CASE("the end of the daemon is the end of the capture") {
  Tapped tapped;
  tapped.tap->start();
  tapped.tap->link("online");
  tapped.tap->stop(5s);
  tapped.tap->stopped();
  tapped.tap->askRadio();
  CHECK(tapped.lines() == Lines{"start", R"(link "online")", "stop 5000000", R"(end "stopped")"});
}
