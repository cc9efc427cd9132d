#include "qimux/sim/connection.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

namespace qimux::sim {
namespace {

// What travels as one packet; longer ones are split.
constexpr std::size_t kPacket = 1460;
constexpr std::size_t kLargestDatagram = 65536;
constexpr auto kLongestLeave = std::chrono::seconds(30);

}  // namespace

std::string_view name(Protocol protocol) {
  return protocol == Protocol::Tcp ? "TCP" : "UDP";
}

Connection::Connection(async::Loop& loop, const Options& options, Air& air, ConnectionEvents& events,
                       Protocol protocol, Endpoint remote)
    : loop_(loop),
      options_(options),
      air_(air),
      events_(events),
      protocol_(protocol),
      remote_(remote),
      up_timer_(loop),
      down_timer_(loop),
      answer_timer_(loop),
      idle_timer_(loop),
      active_(loop.now()),
      result_timer_(loop) {}

Connection::Connection(async::Loop& loop, const Options& options, Network& network, Air& air,
                       ConnectionEvents& events, Protocol protocol, Endpoint remote)
    : Connection(loop, options, air, events, protocol, remote) {
  socket_ = network.open(protocol, remote, *this);
}

Connection::Connection(async::Loop& loop, const Options& options, Air& air, ConnectionEvents& events,
                       Protocol protocol, Endpoint remote, Listener& listener)
    : Connection(loop, options, air, events, protocol, remote) {
  socket_ = listener.accept(*this);
  open_ = true;
}

void Connection::opened() {
  // UDP asks nobody; the handshake of TCP goes there and back.
  async::Duration delay{0};
  if (protocol_ == Protocol::Tcp) delay = air_.rtt() + air_.retransmissions() + air_.retransmissions();
  result_timer_.start(delay, [this] {
    open_ = true;
    events_.connected(*this);
  });
}

void Connection::start() {
  started_ = true;
  active_ = loop_.now();
  if (!socket_) return;
  socket_->wantReadable(true);
  watchIdle();
}

void Connection::refused() {
  result_timer_.start(air_.rtt(), [this] { events_.failed(*this); });
}

bool Connection::send(ByteView bytes) {
  assert(open_);
  if (protocol_ == Protocol::Tcp) {
    const Counters now = counters();
    if (now.sent - now.acknowledged + bytes.size() > options_.send_buffer) return false;
  }
  sent_ += bytes.size();
  written_here_ = 0;
  active_ = loop_.now();
  expectAnswer();
  if (dead_) return true;
  async::TimePoint due = air_.up(bytes.size());
  if (protocol_ == Protocol::Udp) {
    if (air_.loses()) return true;
  } else {
    due = up_clear_ = std::max(up_clear_, due + air_.retransmissions());
  }
  if (up_.empty() && due <= loop_.now() && write(bytes)) return true;
  if (up_.empty()) up_offset_ = written_here_;
  up_.push_back(Parcel{due, Bytes(bytes.begin(), bytes.end()), Take::Data});
  uplink();
  return true;
}

bool Connection::write(ByteView bytes) {
  written_here_ = socket_ ? socket_->send(bytes) : bytes.size();
  written_ += written_here_;
  if (protocol_ == Protocol::Tcp && written_here_ > 0) {
    // An acknowledgement needs the way back, too; and the lag counts from when the block left.
    async::TimePoint when = loop_.now() + std::max(air_.oneWay(), air_.ackLag() - air_.oneWay());
    if (!marks_.empty()) when = std::max(when, marks_.back().when);
    marks_.push_back(Mark{when, written_});
  }
  return written_here_ == bytes.size();
}

void Connection::uplink() {
  while (!up_.empty() && up_.front().due <= loop_.now()) {
    if (!write(ByteView(up_.front().bytes).subspan(up_offset_))) {
      up_offset_ += written_here_;
      socket_->wantWritable(true);
      return;
    }
    up_offset_ = 0;
    up_.pop_front();
  }
  if (!up_.empty()) {
    up_timer_.startAt(up_.front().due, [this] { uplink(); });
  } else if (leaving_ || ended_) {
    finishLeaving();
  }
}

void Connection::writable() {
  socket_->wantWritable(false);
  uplink();
}

Connection::Counters Connection::counters() {
  if (protocol_ == Protocol::Udp) return {sent_, 0};
  while (!marks_.empty() && marks_.front().when <= loop_.now()) {
    reported_ = marks_.front().written;
    marks_.pop_front();
  }
  if (socket_ && open_) {
    const std::uint64_t seen = written_ - std::min<std::uint64_t>(written_, socket_->unacknowledged());
    acknowledged_ = std::max(acknowledged_, std::min(seen, reported_));
  }
  return {sent_, acknowledged_};
}

std::size_t Connection::room() const {
  const std::size_t used = kept_.size() + down_bytes_;
  return options_.receive_buffer - std::min(options_.receive_buffer, used);
}

void Connection::readable() {
  // As much as there is room for; then the far end's window closes.
  while (socket_ && started_ && !ended_ && !dead_ && receiveOne()) {
  }
}

bool Connection::receiveOne() {
  static thread_local std::array<Byte, kLargestDatagram> buffer;
  std::size_t most = buffer.size();
  if (protocol_ == Protocol::Tcp) {
    most = std::min(kPacket, room());
    if (most == 0) socket_->wantReadable(false);
  }
  // Without room only a reset is heard.
  const Taken taken = socket_->receive(ByteSpan(buffer).first(most));
  if (taken.what == Take::Nothing) return false;
  ByteView bytes = ByteView(buffer).first(taken.size);
  async::TimePoint due = air_.down(taken.size);
  if (protocol_ == Protocol::Udp) {
    if (air_.loses()) return true;
  } else {
    due = down_clear_ = std::max(down_clear_, due + air_.retransmissions());
  }
  if (taken.what != Take::Data) socket_->wantReadable(false);
  if (down_.empty() && due <= loop_.now()) {
    deliver(bytes, taken.what);
  } else {
    down_bytes_ += bytes.size();
    down_.push_back(Parcel{due, Bytes(bytes.begin(), bytes.end()), taken.what});
    downlink();
  }
  return taken.what == Take::Data;
}

void Connection::downlink() {
  while (!down_.empty() && down_.front().due <= loop_.now()) {
    const Parcel parcel = std::move(down_.front());
    down_.pop_front();
    down_bytes_ -= parcel.bytes.size();
    deliver(parcel.bytes, parcel.what);
  }
  if (!down_.empty()) down_timer_.startAt(down_.front().due, [this] { downlink(); });
}

void Connection::deliver(ByteView bytes, Take what) {
  if (what != Take::Data) {
    if (leaving_) return;
    ended_ = true;
    if (what == Take::Broken) {
      up_.clear();
      up_timer_.stop();
    }
    if (up_.empty()) finishLeaving();
    events_.ended(*this, what == Take::Broken);
    return;
  }
  if (leaving_) return;
  active_ = loop_.now();
  // Only UDP can be too much here: TCP was read for the room that there is. A datagram is kept whole or not.
  if (kept_.size() + bytes.size() > options_.receive_buffer) return;
  while (!bytes.empty()) {
    const ByteView packet = bytes.first(std::min(kPacket, bytes.size()));
    bytes = bytes.subspan(packet.size());
    kept_.append(packet);
    packets_.push_back(packet.size());
    events_.arrived(*this, packet.size());
  }
}

ByteView Connection::peek(std::size_t most) const {
  if (protocol_ == Protocol::Udp && !options_.quirks.has(Quirk::UdpConcatenates) && !packets_.empty()) {
    most = std::min(most, packets_.front());
  }
  return kept_.view().first(std::min(most, kept_.size()));
}

void Connection::take(std::size_t count) {
  kept_.drop(count);
  while (count > 0 && !packets_.empty()) {
    const std::size_t part = std::min(count, packets_.front());
    packets_.front() -= part;
    count -= part;
    if (packets_.front() == 0) packets_.pop_front();
  }
  // Not for every few bytes: a window that opens by a byte at a time makes silly segments.
  if (socket_ && open_ && !ended_ && !dead_ && room() >= std::min(kPacket, options_.receive_buffer / 2)) {
    socket_->wantReadable(true);
  }
}

void Connection::forgetKept() {
  kept_.clear();
  packets_.clear();
}

void Connection::leave() {
  leaving_ = true;
  answer_timer_.stop();
  idle_timer_.stop();
  result_timer_.stop();
  down_timer_.stop();
  down_.clear();
  if (socket_ && open_) socket_->wantReadable(false);
  if (up_.empty() || !open_) {
    finishLeaving();
  } else {
    result_timer_.start(kLongestLeave, [this] { finishLeaving(); });
  }
}

void Connection::finishLeaving() {
  // The end of the data goes out with what was sent before it.
  socket_.reset();
  up_.clear();
  if (!leaving_) return;
  // From the loop: whoever called leave() may still be looking at this.
  result_timer_.start(async::Duration{0}, [this] { events_.left(*this); });
}

void Connection::die() {
  dead_ = true;
  up_.clear();
  up_timer_.stop();
  down_.clear();
  down_bytes_ = 0;
  down_timer_.stop();
  if (socket_) socket_->wantReadable(false);
}

void Connection::end(bool reset) {
  if (reset) abort();
  down_timer_.stop();
  down_.clear();
  down_bytes_ = 0;
  deliver({}, reset ? Take::Broken : Take::Ended);
}

void Connection::abort() {
  if (socket_) socket_->abortOnClose();
}

}  // namespace qimux::sim
