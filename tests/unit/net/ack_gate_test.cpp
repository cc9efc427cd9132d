#include "qimux/net/ack_gate.hpp"

#include "support/catch.hpp"
#include "unit/net/segments.hpp"

namespace qimux::net {
namespace {

using test::Segment;
using Verdict = AckGate::Verdict;

constexpr Endpoint kApp{0x0a404001, 40000};
constexpr Endpoint kRemote{0xc6336407, 80};
constexpr std::uint32_t kIsn = 0xffffff00;  // the stream wraps after 255 bytes
constexpr std::uint32_t kInnerIsn = 0xfffffff0;

// One flow, both of whose kernels this test plays. Offsets count from the first byte.
struct Flow {
  AckGate gate;
  Segment last;  // what the last pass() let through

  explicit Flow(std::uint8_t scale = 0) {
    Segment syn = fromApp();
    syn.seq = kIsn;
    syn.flags = tcp::kSyn;
    syn.options = {3, 3, 7};
    observe(syn);
    Segment answer = fromInner();
    answer.seq = kInnerIsn;
    answer.ack = kIsn + 1;
    answer.flags = tcp::kSyn | tcp::kAck;
    answer.window = 4000;
    answer.options = {3, 3, scale};
    pass(answer);
  }

  static Segment fromApp() {
    Segment segment;
    segment.from = kApp;
    segment.to = kRemote;
    return segment;
  }
  static Segment fromInner() {
    Segment segment;
    segment.from = kRemote;
    segment.to = kApp;
    return segment;
  }
  static std::uint32_t seqOf(int offset) { return kIsn + 1 + static_cast<std::uint32_t>(offset); }

  void observe(const Segment& segment) {
    Bytes bytes = test::makeSegment(segment);
    gate.observe(*Packet::parse(bytes));
  }
  void sends(int offset, std::size_t length, std::uint8_t flags = tcp::kAck) {
    Segment segment = fromApp();
    segment.seq = seqOf(offset);
    segment.flags = flags;
    segment.payload.resize(length);
    observe(segment);
  }
  bool pass(const Segment& segment) {
    Bytes bytes = test::makeSegment(segment);
    auto packet = *Packet::parse(bytes);
    const Verdict verdict = gate.filter(packet);
    CHECK(packet.transportChecksumValid());
    CHECK(packet.headerChecksumValid());
    last = test::readSegment(packet);
    return verdict == Verdict::Pass;
  }
  // The inner kernel acknowledges up to `offset`, and offers `window` beyond.
  bool acks(int offset, std::uint16_t window, Bytes payload = {}, std::uint8_t flags = tcp::kAck,
            Bytes options = {}) {
    Segment segment = fromInner();
    segment.seq = kInnerIsn + 1;
    segment.ack = seqOf(offset);
    segment.window = window;
    segment.flags = flags;
    segment.payload = std::move(payload);
    segment.options = std::move(options);
    return pass(segment);
  }
};

Segment read(std::optional<Bytes> bytes) {
  REQUIRE(bytes);
  const auto packet = Packet::parse(*bytes);
  REQUIRE(packet);
  REQUIRE(packet->transportChecksumValid());
  return test::readSegment(*packet);
}

}  // namespace

TEST_CASE("what only the inner kernel has is not acknowledged, until the far end has it") {
  Flow flow;
  flow.sends(0, 1000);
  CHECK_FALSE(flow.acks(1000, 3000));
  CHECK(flow.gate.taken() == 1000);
  CHECK(flow.gate.unconfirmed() == 1000);
  const Segment fresh = read(flow.gate.advance(400));
  CHECK((fresh.from == kRemote));
  CHECK((fresh.to == kApp));
  CHECK(fresh.flags == tcp::kAck);
  CHECK(fresh.seq == kInnerIsn + 1);
  CHECK(fresh.ack == Flow::seqOf(400));
  CHECK(fresh.window == 3600);
  CHECK(flow.gate.unconfirmed() == 600);
  CHECK_FALSE(flow.gate.advance(400));
  CHECK_FALSE(flow.gate.advance(100));
  CHECK(read(flow.gate.advance(1000)).window == 3000);
  CHECK(flow.gate.unconfirmed() == 0);
}

TEST_CASE("the right edge of the window moves on although the acknowledgement does not") {
  Flow flow;
  flow.sends(0, 1000);
  CHECK_FALSE(flow.acks(1000, 3000));
  CHECK(flow.acks(1000, 4000));
  CHECK(flow.last.ack == Flow::seqOf(0));
  CHECK(flow.last.window == 5000);
  CHECK_FALSE(flow.acks(1000, 4000));
}

TEST_CASE("a window that the kernel takes back is told too") {
  Flow flow;
  flow.sends(0, 1000);
  CHECK(flow.acks(1000, 2000));
  CHECK(flow.last.window == 3000);
}

TEST_CASE("data to the program passes with a clamped acknowledgement, and so does a FIN") {
  Flow flow;
  flow.sends(0, 1000);
  CHECK(flow.acks(1000, 3000, {'h', 'i'}));
  CHECK(flow.last.ack == Flow::seqOf(0));
  CHECK(textOf(flow.last.payload) == "hi");
  CHECK(flow.acks(1000, 3000, {}, tcp::kAck | tcp::kFin));
  CHECK(flow.last.ack == Flow::seqOf(0));
  CHECK(flow.acks(1000, 3000, {}, tcp::kAck | tcp::kEce));
}

TEST_CASE("a fresh acknowledgement stands behind the data and the FIN that were sent") {
  Flow flow;
  flow.sends(0, 10);
  CHECK(flow.acks(10, 3990, {'h', 'i'}));
  CHECK(read(flow.gate.advance(5)).seq == kInnerIsn + 3);
  CHECK(flow.acks(10, 3990, {'h'}));  // sent again: the newest stays the newest
  CHECK(read(flow.gate.advance(6)).seq == kInnerIsn + 3);
  CHECK(flow.acks(10, 3990, {'h', 'i'}, tcp::kAck | tcp::kFin));
  CHECK(read(flow.gate.advance(10)).seq == kInnerIsn + 4);
}

TEST_CASE("an acknowledgement that is true passes untouched, repeated or not") {
  Flow flow;
  flow.sends(0, 100);
  CHECK_FALSE(flow.gate.advance(100));
  const Bytes sack{1, 1, 5, 10, 0, 0, 1, 0, 0, 0, 2, 0};
  for (int i = 0; i < 3; ++i) {
    CHECK(flow.acks(100, 3900, {}, tcp::kAck, sack));
    CHECK(flow.last.ack == Flow::seqOf(100));
    CHECK(flow.last.window == 3900);
    CHECK(flow.last.options == sack);
  }
}

TEST_CASE("a clamped segment's SACK blocks are blanked, its timestamps are not") {
  Flow flow;
  flow.sends(0, 100);
  const Bytes options{1, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 8, 1, 1, 5, 10, 0, 0, 1, 0, 0, 0, 2, 0};
  CHECK(flow.acks(100, 3900, {1}, tcp::kAck, options));
  const Bytes blanked{1, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 8, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  CHECK(flow.last.options == blanked);
}

TEST_CASE("a fresh acknowledgement bears the newest timestamps") {
  Flow flow;
  flow.sends(0, 100);
  CHECK_FALSE(flow.acks(100, 3900, {}, tcp::kAck, {1, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 8}));
  const Segment fresh = read(flow.gate.advance(100));
  CHECK((scanOptions(fresh.options).timestamps == TcpTimestamps{9, 8}));
}

TEST_CASE("the window is scaled as the inner kernel said, and its field saturates") {
  Flow flow(4);
  flow.sends(0, 32);
  CHECK(flow.acks(32, 0xffff, {1}));
  CHECK(flow.last.window == 0xffff);
  const std::uint16_t window = 100;
  CHECK(flow.acks(32, window, {1}));
  CHECK(flow.last.window == window + 2);
  CHECK(read(flow.gate.advance(7)).window == window + 1);  // 25 bytes more, rounded down to units of 16
}

TEST_CASE("a scale that only one side offers does not count, and above 14 means 14") {
  AckGate one_sided;
  Segment syn = Flow::fromApp();
  syn.seq = kIsn;
  syn.flags = tcp::kSyn;
  Bytes bytes = test::makeSegment(syn);
  one_sided.observe(*Packet::parse(bytes));
  Flow flow(9);
  flow.gate = one_sided;
  Segment answer = Flow::fromInner();
  answer.ack = kIsn + 1;
  answer.flags = tcp::kSyn | tcp::kAck;
  answer.options = {3, 3, 9};
  CHECK(flow.pass(answer));
  CHECK(flow.acks(32, 100, {1}));
  CHECK(flow.last.window == 132);

  Flow wide(200);
  wide.sends(0, 16384);
  CHECK(wide.acks(16384, 1, {1}));
  CHECK(wide.last.window == 2);
}

TEST_CASE("a FIN of the program is acknowledged when everything before it is") {
  Flow flow;
  flow.sends(0, 100);
  CHECK_FALSE(flow.acks(100, 3900));
  flow.sends(100, 0, tcp::kAck | tcp::kFin);
  CHECK_FALSE(flow.acks(101, 3899));
  CHECK(flow.gate.taken() == 100);
  CHECK(flow.gate.unconfirmed() == 100);
  CHECK(read(flow.gate.advance(99)).ack == Flow::seqOf(99));
  CHECK(read(flow.gate.advance(100)).ack == Flow::seqOf(101));
  CHECK(flow.gate.unconfirmed() == 0);
}

TEST_CASE("a FIN after everything is confirmed is acknowledged by the kernel itself") {
  Flow flow;
  flow.sends(0, 100);
  CHECK_FALSE(flow.gate.advance(100));
  CHECK(flow.acks(100, 3900));
  flow.sends(100, 0, tcp::kAck | tcp::kFin);
  CHECK(flow.acks(101, 3899));
  CHECK(flow.last.ack == Flow::seqOf(101));
}

TEST_CASE("the first FIN counts: a program cannot have a later end than it said") {
  Flow flow;
  flow.sends(0, 100, tcp::kAck | tcp::kFin);
  flow.sends(0, 200, tcp::kAck | tcp::kFin);
  CHECK(flow.acks(101, 3899));
  CHECK(read(flow.gate.advance(100)).ack == Flow::seqOf(101));
}

TEST_CASE("a FIN that brings data waits for the data, also when it is sent again") {
  Flow flow;
  flow.sends(0, 50, tcp::kAck | tcp::kFin);
  CHECK_FALSE(flow.acks(51, 3949));
  flow.sends(0, 50, tcp::kAck | tcp::kFin);
  CHECK(flow.acks(51, 3949));
  CHECK(flow.last.ack == Flow::seqOf(0));
  CHECK(read(flow.gate.advance(50)).ack == Flow::seqOf(51));
}

TEST_CASE("a keepalive, a zero-window probe and a retransmission get one answer each, with clamped numbers") {
  Flow flow;
  flow.sends(0, 1000);
  CHECK_FALSE(flow.acks(1000, 3000));
  SECTION("keepalive: an old number, no data") {
    flow.sends(-1, 0);
  }
  SECTION("keepalive with the byte before") {
    flow.sends(-1, 1);
  }
  SECTION("retransmission") {
    flow.sends(0, 1000);
  }
  SECTION("retransmission that brings more") {
    flow.sends(500, 600);
  }
  SECTION("a byte beyond the window") {
    flow.sends(4000, 1);
  }
  CHECK(flow.acks(1000, 3000));
  CHECK(flow.last.ack == Flow::seqOf(0));
  CHECK(flow.last.window == 4000);
  CHECK_FALSE(flow.acks(1000, 3000));
}

TEST_CASE("what is a keepalive, and what only looks like one") {
  Flow flow;
  const auto is_keepalive = [&](int offset, std::size_t length, std::uint8_t flags = tcp::kAck) {
    Segment segment = Flow::fromApp();
    segment.seq = Flow::seqOf(offset);
    segment.flags = flags;
    segment.payload.resize(length);
    Bytes bytes = test::makeSegment(segment);
    return flow.gate.isKeepalive(*Packet::parse(bytes));
  };
  CHECK(is_keepalive(-1, 0));
  flow.sends(0, 1000);
  // Something is unacknowledged: the kernel does not ask, it sends again.
  CHECK_FALSE(is_keepalive(999, 0));
  CHECK_FALSE(flow.acks(1000, 3000));
  CHECK_FALSE(is_keepalive(999, 0));
  CHECK(flow.gate.advance(1000));
  CHECK(is_keepalive(999, 0));
  CHECK(is_keepalive(999, 1));
  CHECK_FALSE(is_keepalive(999, 2));
  CHECK_FALSE(is_keepalive(998, 0));
  CHECK_FALSE(is_keepalive(1000, 0));
  CHECK_FALSE(is_keepalive(999, 0, tcp::kAck | tcp::kFin));
  CHECK_FALSE(is_keepalive(999, 0, tcp::kRst));
  // A closed window: it asks for room, and that the inner kernel knows.
  CHECK(flow.acks(1000, 0));
  CHECK_FALSE(is_keepalive(999, 0));
  CHECK(flow.acks(1000, 100));
  CHECK(is_keepalive(999, 0));
}

TEST_CASE("the program's own acknowledgements and its new data ask for no answer") {
  Flow flow;
  flow.sends(0, 500);
  flow.sends(500, 500);
  for (int i = 0; i < 3; ++i) flow.sends(1000, 0);
  CHECK_FALSE(flow.acks(500, 3500));
  CHECK_FALSE(flow.acks(1000, 3000));
}

TEST_CASE("no more than sixteen answers are owed, and any answer pays one") {
  Flow flow;
  flow.sends(0, 1000);
  for (int i = 0; i < 100; ++i) flow.sends(0, 1000);
  CHECK(flow.acks(1000, 3000, {1}));
  CHECK(flow.gate.advance(1));
  int answers = 0;
  while (flow.acks(1000, 3000)) ++answers;
  CHECK(answers == 14);
}

TEST_CASE("a report that is ahead of the inner kernel's own acknowledgement waits for it") {
  Flow flow;
  flow.sends(0, 100);
  CHECK_FALSE(flow.gate.advance(100));
  CHECK(flow.gate.unconfirmed() == 0);
  CHECK(flow.acks(60, 3940));
  CHECK(flow.last.ack == Flow::seqOf(60));
  CHECK(flow.acks(100, 3900));
  CHECK(flow.last.ack == Flow::seqOf(100));
}

TEST_CASE("release() tells what was withheld, and then the kernel speaks for itself") {
  Flow flow;
  flow.sends(0, 100);
  CHECK_FALSE(flow.acks(100, 3900));
  const Segment fresh = read(flow.gate.release());
  CHECK(fresh.ack == Flow::seqOf(100));
  CHECK(fresh.window == 3900);
  CHECK(flow.gate.released());
  CHECK_FALSE(flow.gate.release());
  flow.sends(100, 100);
  CHECK(flow.acks(200, 3800));
  CHECK(flow.last.ack == Flow::seqOf(200));
  CHECK(flow.gate.unconfirmed() == 200);
  CHECK_FALSE(flow.gate.advance(150));
  CHECK(flow.gate.unconfirmed() == 50);
}

TEST_CASE("nothing is sent where nothing was withheld, nor after a reset") {
  Flow flow;
  CHECK_FALSE(flow.gate.advance(0));
  CHECK_FALSE(Flow().gate.release());
  flow.sends(0, 100);
  CHECK_FALSE(flow.acks(100, 3900));
  CHECK(flow.acks(100, 0, {}, tcp::kRst | tcp::kAck));
  CHECK(flow.last.ack == Flow::seqOf(100));
  CHECK_FALSE(flow.gate.advance(100));
  CHECK_FALSE(flow.gate.release());
}

TEST_CASE("SYN-ACK passes as it is, repeated too, and later SYNs of the program change nothing") {
  Flow flow;
  CHECK(flow.last.ack == kIsn + 1);
  CHECK(flow.last.window == 4000);
  Segment stray = Flow::fromApp();
  stray.seq = 77;
  stray.flags = tcp::kSyn;
  flow.observe(stray);
  Segment again = Flow::fromInner();
  again.seq = kInnerIsn;
  again.ack = kIsn + 1;
  again.flags = tcp::kSyn | tcp::kAck;
  again.options = {3, 3, 0};
  CHECK(flow.pass(again));
  flow.sends(0, 100);
  CHECK_FALSE(flow.acks(100, 3900));
}

TEST_CASE("a program that is connected to: the inner side's SYN comes first") {
  AckGate gate;
  Segment inner_syn = Flow::fromInner();
  inner_syn.seq = kInnerIsn;
  inner_syn.flags = tcp::kSyn;
  inner_syn.options = {3, 3, 2};
  Bytes bytes = test::makeSegment(inner_syn);
  auto packet = *Packet::parse(bytes);
  CHECK(gate.filter(packet) == Verdict::Pass);
  Segment answer = Flow::fromApp();
  answer.seq = kIsn;
  answer.flags = tcp::kSyn | tcp::kAck;
  answer.options = {3, 3, 7};
  bytes = test::makeSegment(answer);
  gate.observe(*Packet::parse(bytes));

  Flow flow;
  flow.gate = gate;
  CHECK(flow.acks(0, 1000));
  flow.sends(0, 400);
  CHECK_FALSE(flow.acks(400, 900));
  const Segment fresh = read(flow.gate.advance(200));
  CHECK(fresh.ack == Flow::seqOf(200));
  CHECK(fresh.window == 950);
}

TEST_CASE("a gate that knows no SYN, a packet that is no TCP, and a segment without ACK pass") {
  AckGate gate;
  Bytes bytes = test::makeAck(kRemote, kApp, 1, 2, 3);
  const Bytes before = bytes;
  auto packet = *Packet::parse(bytes);
  CHECK(gate.filter(packet) == Verdict::Pass);
  CHECK(bytes == before);
  Bytes ping{0x45, 0, 0, 28, 0, 1, 0, 0, 64, 1, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 0, 0, 0, 0, 0, 0, 0};
  Flow flow;
  auto other = *Packet::parse(ping);
  flow.gate.observe(other);
  CHECK(flow.gate.filter(other) == Verdict::Pass);
  flow.sends(0, 100);
  CHECK(flow.acks(100, 0, {}, tcp::kPsh));
  CHECK(flow.last.ack == Flow::seqOf(100));
  flow.sends(500, 0, tcp::kRst);  // and a reset by the program is no probe
  CHECK_FALSE(flow.acks(100, 3900));
}

TEST_CASE("an absurd report is no more than everything") {
  Flow flow;
  flow.sends(0, 100);
  CHECK_FALSE(flow.gate.advance(~std::uint64_t{0}));
  CHECK(flow.acks(100, 3900));
  CHECK(flow.gate.unconfirmed() == 0);
}

TEST_CASE("an acknowledgement of the time before the newest is passed on as it is") {
  Flow flow;
  flow.sends(0, 1000);
  CHECK_FALSE(flow.gate.advance(1000));
  CHECK(flow.acks(1000, 3000));
  CHECK(flow.acks(500, 3500));
  CHECK(flow.last.ack == Flow::seqOf(500));
  CHECK(flow.gate.taken() == 1000);
}

}  // namespace qimux::net
