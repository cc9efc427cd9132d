#include "qimux/capture/channel.hpp"

#include "qimux/net/build.hpp"
#include "support/catch.hpp"
#include "support/packets.hpp"

#include <deque>
#include <string>

using namespace qimux;
using namespace qimux::capture;
using namespace std::chrono_literals;

namespace {

struct Way {
  explicit Way(async::Duration slack = 1s) : channel("port>", slack) {}
  Way& expects(Kind kind, async::Duration at, std::string_view data, std::uint64_t number = 0) {
    Record record;
    record.kind = kind;
    record.at = at;
    record.number = number;
    record.line = static_cast<unsigned>(records.size() + 10);
    const auto view = bytesOf(data);
    record.data.assign(view.begin(), view.end());
    records.push_back(record);
    channel.expect(records.back());
    return *this;
  }
  std::deque<Record> records;
  Channel channel;
};

}  // namespace

TEST_CASE("bytes are compared in whatever pieces they come") {
  Way way;
  way.expects(Kind::PortOut, 1s, "AT\r").expects(Kind::PortOut, 1s, "ATE0\r");
  CHECK_FALSE(way.channel.bytes(1s, bytesOf("A")).divergence);
  CHECK_FALSE(way.channel.bytes(1s, bytesOf("T\rATE")).divergence);
  CHECK(way.channel.matched() == 1);
  CHECK_FALSE(way.channel.bytes(1s, bytesOf("0\r")).divergence);
  CHECK(way.channel.matched() == 2);
  CHECK(way.channel.bytesMatched() == 8);
}

TEST_CASE("the first byte that differs is a divergence, and says what stood there") {
  Way way;
  way.expects(Kind::PortOut, 1s, "AT+QISACK=0\r");
  const auto outcome = way.channel.bytes(1s, bytesOf("AT+QISACK=1\r"));
  REQUIRE(outcome.divergence);
  CHECK(outcome.divergence->line == 10);
  CHECK(outcome.divergence->channel == "port>");
  CHECK(outcome.divergence->expected == R"("AT+QISACK=0\r")");
  CHECK(outcome.divergence->got == R"("AT+QISACK=1\r")");
}

TEST_CASE("more than the capture has is a divergence") {
  Way way;
  const auto outcome = way.channel.bytes(1s, bytesOf("AT\r"));
  REQUIRE(outcome.divergence);
  CHECK(outcome.divergence->expected.empty());
}

TEST_CASE("the same is another thing when it comes too early") {
  Way way;
  way.expects(Kind::PortOut, 10s, "AT\r");
  CHECK(way.channel.bytes(8999ms, bytesOf("AT\r")).divergence);
  Way within;
  within.expects(Kind::PortOut, 10s, "AT\r");
  CHECK_FALSE(within.channel.bytes(9s, bytesOf("AT\r")).divergence);
}

TEST_CASE("what does not come is missed after the slack, or at once by who waits for it") {
  Way way;
  way.expects(Kind::PortOut, 10s, "AT\r");
  CHECK_FALSE(way.channel.overdue(11s));
  REQUIRE(way.channel.overdue(11001ms));
  CHECK(way.channel.overdue(11001ms)->got.empty());
  CHECK_FALSE(way.channel.missingBefore(10));
  CHECK(way.channel.missingBefore(11));
}

TEST_CASE("what the edge had refused is refused again") {
  Way way;
  way.expects(Kind::PortOut, 1s, "AT\r").expects(Kind::PortOut, 2s, "AT\r");
  Record refused;
  refused.kind = Kind::PortRefused;
  way.channel.refused(refused);
  CHECK(way.channel.bytes(1s, bytesOf("AT\r")).refused == nullptr);
  CHECK(way.channel.bytes(2s, bytesOf("AT\r")).refused == &refused);
}

TEST_CASE("a write to a stream takes what it took") {
  Way way;
  way.expects(Kind::StreamOut, 1s, "abc", 5)
      .expects(Kind::StreamOut, 2s, "", 2)
      .expects(Kind::StreamOut, 3s, "de", 2);
  std::size_t taken = 0;
  CHECK_FALSE(way.channel.write(1s, bytesOf("abcde"), taken).divergence);
  CHECK(taken == 3);
  CHECK_FALSE(way.channel.write(2s, bytesOf("de"), taken).divergence);
  CHECK(taken == 0);
  CHECK_FALSE(way.channel.write(3s, bytesOf("de"), taken).divergence);
  CHECK(taken == 2);
  CHECK(way.channel.write(3s, bytesOf("f"), taken).divergence);
}

TEST_CASE("events are compared by what they say") {
  Way way;
  way.expects(Kind::PortRate, 1s, "", 9600);
  Record record;
  record.kind = Kind::PortRate;
  record.number = 115200;
  CHECK(way.channel.event(1s, record).divergence);
  record.number = 9600;
  CHECK_FALSE(way.channel.event(1s, record).divergence);
}

TEST_CASE("packets may differ in identification, and in checksums that are right") {
  const net::Endpoint from{0x0a404002, 53};
  const net::Endpoint to{0x0a404001, 4000};
  const Bytes first = net::udp(from, to, bytesOf("answer"));
  const Bytes second = net::udp(from, to, bytesOf("answer"));
  REQUIRE(first != second);
  CHECK(comparable(first) == comparable(second));
  CHECK(comparable(first) != comparable(net::udp(from, to, bytesOf("answen"))));
  CHECK(comparable(first) != comparable(net::udp(from, {to.address, 4001}, bytesOf("answer"))));
  Bytes damaged = second;
  damaged[26] ^= 1;
  CHECK(comparable(first) != comparable(damaged));
}
