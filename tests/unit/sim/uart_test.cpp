#include "qimux/sim/uart.hpp"

#include "qimux/async/virtual_loop.hpp"
#include "qimux/sim/module.hpp"
#include "qimux/sim/virtual_network.hpp"
#include "support/catch.hpp"

#include <string>
#include <vector>

using namespace qimux;
using namespace qimux::sim;
using namespace std::chrono_literals;

namespace {

struct Line {
  explicit Line(unsigned baud)
      : uart(
            loop, baud,
            [this](ByteView bytes) {
              module += textOf(bytes);
              last = loop.now() - async::TimePoint{};
              ++pieces;
            },
            [this](ByteView bytes) { host += textOf(bytes); }) {}
  void type(std::size_t count) { uart.fromHost(bytesOf(std::string(count, 'x'))); }

  async::VirtualLoop loop;
  std::string module;
  std::string host;
  async::Duration last{0};
  int pieces = 0;
  Uart uart;
};

}  // namespace

TEST_CASE("the end of a burst is exact, and no byte is early", "[point-22]") {
  Line line(115200);
  line.type(1460);
  line.loop.runFor(100ms);
  // 50 ms are 576 bytes at 11520 a second.
  line.type(0);
  CHECK(line.module.size() <= 1152);
  CHECK(line.module.size() >= 1152 - 6);
  line.loop.runFor(1s);
  CHECK(line.module.size() == 1460);
  CHECK(line.last == 126737us);  // 14600 bits
  CHECK(line.pieces < 300);
}

TEST_CASE("bytes typed while others are on the line go behind them") {
  Line line(9600);
  line.type(48);
  line.loop.runFor(25ms);
  line.type(48);
  line.loop.runFor(1s);
  CHECK(line.last == 100ms);
  line.type(96);
  line.loop.runFor(1s);
  CHECK(line.last == 1025ms + 100ms);
}

TEST_CASE("the two ways do not slow one another") {
  Line line(9600);
  line.type(96);
  line.uart.fromModule(bytesOf(std::string(96, 'y')));
  line.loop.runFor(100ms);
  CHECK(line.module.size() == 96);
  CHECK(line.host.size() == 96);
}

TEST_CASE("without a rate everything passes at once") {
  Line line(0);
  line.type(1'000'000);
  CHECK(line.module.size() == 1'000'000);
}

TEST_CASE("a new rate counts from the next byte") {
  Line line(9600);
  line.type(96);
  line.loop.runFor(50ms);
  line.uart.setBaud(96000);
  line.loop.runFor(1s);
  CHECK(line.module.size() == 96);
  CHECK(line.last == 55ms);
}

TEST_CASE("it tells how much is on the line, and when some of it has passed") {
  Line line(9600);
  std::vector<std::size_t> left;
  line.uart.onPassed([&] { left.push_back(line.uart.queuedFromHost()); });
  line.type(96);
  CHECK(line.uart.queuedFromHost() == 96);
  line.loop.runFor(100ms);
  REQUIRE(left.size() > 50);
  CHECK(left.front() == 96);
  CHECK(left.back() == 0);
}

TEST_CASE("the answer to AT+IPR is heard at the old rate, however slow that is") {
  async::VirtualLoop loop;
  VirtualNetwork network(loop);
  std::string heard;
  async::TimePoint ok_at{};
  async::TimePoint changed_at{};
  std::unique_ptr<Module> module;
  Uart uart(
      loop, 1200, [&](ByteView bytes) { module->fromHost(bytes); },
      [&](ByteView bytes) {
        heard += textOf(bytes);
        ok_at = loop.now();
      });
  Module::Host host;
  host.write = [&](ByteView bytes) { uart.fromModule(bytes); };
  host.baud = [&](unsigned) { changed_at = loop.now(); };
  host.backlog = [&] { return uart.queuedToHost(); };
  Options options;
  options.baud = 1200;
  module = std::make_unique<Module>(loop, options, network, std::move(host));
  changed_at = {};
  uart.fromHost(bytesOf("ATE0\r"));
  loop.runFor(1s);
  heard.clear();
  uart.fromHost(bytesOf("AT+IPR=9600\r"));
  loop.runFor(1s);
  CHECK(heard == "\r\nOK\r\n");
  CHECK(changed_at >= ok_at);
}

TEST_CASE("what the host writes while it is held waits, and goes on at the pace of the line") {
  for (const unsigned baud : {115200U, 0U}) {
    Line line(baud);
    line.uart.holdHost(true);
    line.type(1152);
    line.loop.runFor(1s);
    CHECK(line.module.empty());
    CHECK(line.uart.queuedFromHost() == 1152);
    line.uart.holdHost(false);
    line.loop.runFor(50ms);
    CHECK(line.module.size() == (baud == 0 ? 1152 : 576));
    line.loop.runFor(50ms);
    CHECK(line.module.size() == 1152);
  }
}
