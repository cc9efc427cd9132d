// The gate between two small models of TCP: a program's kernel and the inner kernel, driven at random.
#include "qimux/net/ack_gate.hpp"
#include "support/catch.hpp"
#include "unit/net/segments.hpp"

#include <algorithm>
#include <random>

namespace qimux::net {
namespace {

using test::Segment;

constexpr Endpoint kApp{0x0a404001, 40000};
constexpr Endpoint kRemote{0xc6336407, 80};

class World {
 public:
  explicit World(unsigned seed) : random_(seed) {
    // Half of the runs wrap within their first segments.
    isn_ = random_() % 2 ? 0xffffffff - static_cast<std::uint32_t>(random_() % 3000)
                         : static_cast<std::uint32_t>(random_());
    inner_next_ = static_cast<std::uint32_t>(random_());
    scale_ = static_cast<std::uint8_t>(random_() % 5);
    handshake();
  }

  void step() {
    switch (random_() % 10) {
      case 0:
      case 1:
      case 2:
        return appSends();
      case 3:
        return appSendsAgain();
      case 4:
        return innerReads();
      case 5:
        return innerSpeaks(1 + random_() % 100, tcp::kAck);
      case 6:
      case 7:
        return remoteAcknowledges();
      case 8:
        return innerSpeaks(0, tcp::kAck);  // no reason at all
      default:
        return appCloses();
    }
  }

  // Everything arrives and is confirmed: then nothing may be withheld.
  void settle() {
    while (read_ < taken_) innerReads();
    acknowledged_ = bytesTaken();
    deliver(gate_.advance(static_cast<std::uint64_t>(acknowledged_)));
    REQUIRE(app_una_ == taken_);
    REQUIRE(gate_.unconfirmed() == 0);
    REQUIRE(app_edge_ <= inner_edge_);
    REQUIRE(app_edge_ >= lowestEdge(app_una_));
  }

 private:
  std::uint32_t seqOf(std::int64_t offset) const { return isn_ + 1 + static_cast<std::uint32_t>(offset); }
  std::int64_t bytesTaken() const { return fin_at_ >= 0 ? std::min(taken_, fin_at_) : taken_; }

  // Where the right edge may stand: rounded down, or as far as 16 bits reach.
  std::int64_t lowestEdge(std::int64_t ack) const {
    return std::min(inner_edge_ + 1 - (std::int64_t{1} << scale_), ack + (std::int64_t{0xffff} << scale_));
  }

  void handshake() {
    Segment syn;
    syn.from = kApp;
    syn.to = kRemote;
    syn.seq = isn_;
    syn.flags = tcp::kSyn;
    syn.options = {3, 3, 7};
    Bytes bytes = test::makeSegment(syn);
    gate_ = AckGate(*Packet::parse(bytes));
    Segment answer;
    answer.from = kRemote;
    answer.to = kApp;
    answer.seq = inner_next_ - 1;
    answer.ack = isn_ + 1;
    answer.flags = tcp::kSyn | tcp::kAck;
    answer.window = 4000;
    answer.options = {3, 3, scale_};
    bytes = test::makeSegment(answer);
    auto packet = *Packet::parse(bytes);
    REQUIRE(gate_.filter(packet) == AckGate::Verdict::Pass);
    app_edge_ = inner_edge_ = 4000;
  }

  // A segment of the program, which the inner kernel takes at once and answers.
  void toInner(std::int64_t begin, std::int64_t length, std::uint8_t flags) {
    Segment segment;
    segment.from = kApp;
    segment.to = kRemote;
    segment.seq = seqOf(begin);
    segment.flags = flags;
    segment.payload.resize(static_cast<std::size_t>(length));
    Bytes bytes = test::makeSegment(segment);
    gate_.observe(*Packet::parse(bytes));
    const std::int64_t end = begin + length + ((flags & tcp::kFin) != 0 ? 1 : 0);
    const bool asks = begin < app_next_;
    app_next_ = std::max(app_next_, end);
    taken_ = std::max(taken_, end);
    const int answers = answers_;
    // Delayed acknowledgements: not every new segment is answered.
    if (asks || random_() % 3 != 0) innerSpeaks(0, tcp::kAck);
    if (asks) REQUIRE(answers_ == answers + 1);
  }

  void appSends() {
    const std::int64_t room = std::min<std::int64_t>(app_edge_ - app_next_, 1448);
    if (fin_at_ >= 0 || room <= 0) return;
    toInner(app_next_, 1 + static_cast<std::int64_t>(random_() % static_cast<unsigned>(room)), tcp::kAck);
  }

  // A retransmission or a keepalive.
  void appSendsAgain() {
    if (app_una_ == app_next_) return toInner(app_next_ - 1, 0, tcp::kAck);
    const std::int64_t data_end = fin_at_ >= 0 ? fin_at_ : app_next_;
    const std::int64_t length = std::min<std::int64_t>(data_end - app_una_, 1448);
    const bool whole = app_una_ + length == fin_at_;
    toInner(app_una_, length, whole ? tcp::kAck | tcp::kFin : tcp::kAck);
  }

  void appCloses() {
    if (fin_at_ >= 0 || random_() % 50 != 0) return;
    fin_at_ = app_next_;
    toInner(app_next_, 0, tcp::kAck | tcp::kFin);
  }

  void innerReads() {
    const std::int64_t bytes = bytesTaken() - read_;
    read_ = random_() % 2 || fin_at_ >= 0 ? read_ + bytes : read_ + bytes / 2;
    if (read_ == bytesTaken()) read_ = taken_;
    innerSpeaks(0, tcp::kAck);
  }

  void innerSpeaks(std::size_t length, std::uint8_t flags) {
    Segment segment;
    segment.from = kRemote;
    segment.to = kApp;
    segment.seq = inner_next_;
    segment.ack = seqOf(taken_);
    segment.flags = flags;
    // The edge never moves back, and the field holds whole units, as kernels have it.
    const std::int64_t wanted = std::max(inner_edge_, std::max(read_, bytesTaken() - 4000) + 4000);
    const auto field = static_cast<std::uint16_t>((wanted - taken_ + (1 << scale_) - 1) >> scale_);
    inner_edge_ = taken_ + (std::int64_t{field} << scale_);
    segment.window = field;
    segment.payload.resize(length);
    inner_next_ += static_cast<std::uint32_t>(length);
    Bytes bytes = test::makeSegment(segment);
    auto packet = *Packet::parse(bytes);
    if (gate_.filter(packet) == AckGate::Verdict::Pass) {
      atApp(packet);
    } else {
      REQUIRE(length == 0);
      // Swallowed: the program must know all of it but what it may not know.
      REQUIRE(app_una_ < taken_);
      REQUIRE(app_edge_ >= lowestEdge(app_una_));
    }
  }

  void remoteAcknowledges() {
    const std::int64_t most = std::min(read_, bytesTaken());
    if (most > acknowledged_)
      acknowledged_ += static_cast<std::int64_t>(random_() % static_cast<unsigned>(most - acknowledged_ + 1));
    deliver(gate_.advance(static_cast<std::uint64_t>(acknowledged_)));
    REQUIRE(gate_.unconfirmed() <= static_cast<std::uint64_t>(bytesTaken() - acknowledged_));
  }

  void deliver(std::optional<Bytes> fresh) {
    if (!fresh) return;
    const auto packet = Packet::parse(*fresh);
    REQUIRE(packet);
    const std::int64_t before = app_una_;
    atApp(*packet);
    REQUIRE(app_una_ > before);  // or it was not worth sending
  }

  void atApp(const Packet& packet) {
    ++answers_;
    REQUIRE(packet.transportChecksumValid());
    const auto view = *packet.tcp();
    REQUIRE(view.seq() + view.payloadLength() == inner_next_);
    const std::int64_t ack = app_una_ + static_cast<std::int32_t>(view.ack() - seqOf(app_una_));
    const std::int64_t edge = ack + (std::int64_t{view.window()} << scale_);
    // The truth: not beyond the far end, nor the inner kernel; the FIN only when all else is confirmed.
    REQUIRE(ack <= taken_);
    REQUIRE(ack <= acknowledged_ + (acknowledged_ == fin_at_ ? 1 : 0));
    REQUIRE(ack >= app_una_);
    // The window: where the inner kernel put it, but for rounding and for what the field holds.
    REQUIRE(edge <= inner_edge_);
    REQUIRE(edge >= lowestEdge(ack));
    app_una_ = ack;
    app_edge_ = edge;
  }

  std::mt19937 random_;
  AckGate gate_;
  std::uint32_t isn_ = 0;
  std::uint32_t inner_next_ = 0;
  std::uint8_t scale_ = 0;
  std::int64_t app_next_ = 0;
  std::int64_t app_una_ = 0;
  std::int64_t app_edge_ = 0;
  std::int64_t fin_at_ = -1;
  std::int64_t taken_ = 0;  // by the inner kernel, with the FIN
  std::int64_t read_ = 0;
  std::int64_t inner_edge_ = 0;
  std::int64_t acknowledged_ = 0;
  int answers_ = 0;
};

}  // namespace

TEST_CASE(
    "whatever the order of things, no acknowledgement lies, no window moves, no probe stays unanswered") {
  for (unsigned seed = 0; seed < 400; ++seed) {
    INFO("seed " << seed);
    World world(seed);
    for (int i = 0; i < 300; ++i) world.step();
    world.settle();
  }
}

}  // namespace qimux::net
