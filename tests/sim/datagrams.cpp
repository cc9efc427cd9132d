#include "sim/datagrams.hpp"

#include "sim/peer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace qimux::simtest {
namespace {

// Behind the last datagram, for what is still on its way.
constexpr auto kPatience = 60s;
// The number of a datagram stands in its first four bytes.
constexpr std::size_t kHead = 4;
constexpr std::uint64_t kSpan = 4096;

}  // namespace

class Datagrams::Far final : public sim::VirtualPeer {
 public:
  explicit Far(Datagrams& owner) : owner_(owner), later_(owner.world_.loop()) {}

  void received(ByteView bytes) override {
    if (owner_.plan_.spoilable && isKnocking(bytes)) return;
    owner_.check(owner_.up_, bytes, "far end");
    const DatagramPlan& plan = owner_.plan_;
    auto& dice = owner_.dice_;
    const auto replies = static_cast<std::uint64_t>(plan.replies);
    const auto count = plan.always ? replies : dice.between(0, replies);
    const auto delay = dice.span(async::Duration{0}, plan.delay);
    later_.in(delay, [this, count] {
      for (std::uint64_t i = 0; i < count; ++i) {
        const auto size = static_cast<std::size_t>(owner_.dice_.size(8, owner_.plan_.reply_most));
        const Bytes bytes_out = owner_.make(owner_.down_, size);
        send(bytes_out);
      }
    });
  }

 private:
  Datagrams& owner_;
  sim::Timeline later_;
};

Datagrams::Datagrams(World& world, int id, const DatagramPlan& plan, std::uint64_t seed)
    : world_(world), id_(id), plan_(plan), dice_(seed), timer_(world.loop()) {
  up_.stream = static_cast<StreamId>(id) * 2 + 1'000'000;
  down_.stream = up_.stream + 1;
  world.network().serveUdp(simEndpoint(endpointOf(id)), [this] { return std::make_unique<Far>(*this); });
}

void Datagrams::wrong(const std::string& what) {
  world_.violation(fmt::format("udp {}: {}; sent {}, delivered {}, replied {}, delivered {}, dropped {}", id_,
                               what, up_.sizes.size(), up_.delivered, down_.sizes.size(), down_.delivered,
                               dropped_));
}

Bytes Datagrams::make(Way& way, std::size_t size) {
  const std::size_t number = way.sizes.size();
  way.sizes.push_back(size);
  Bytes bytes = pattern(way.stream, number * kSpan, size);
  for (std::size_t i = 0; i < kHead; ++i) bytes[i] = static_cast<Byte>(number >> (8 * i));
  return bytes;
}

void Datagrams::check(Way& way, ByteView bytes, const char* who) {
  if (bytes.size() < kHead) return wrong(fmt::format("the {} got a piece of {} bytes", who, bytes.size()));
  std::size_t number = 0;
  for (std::size_t i = 0; i < kHead; ++i) number |= static_cast<std::size_t>(bytes[i]) << (8 * i);
  if (number >= way.sizes.size()) return wrong(fmt::format("the {} got a datagram that nobody sent", who));
  if (bytes.size() != way.sizes[number]) {
    return wrong(fmt::format("the {} got {} bytes as number {}, which has {}", who, bytes.size(), number,
                             way.sizes[number]));
  }
  if (mismatch(way.stream, number * kSpan + kHead, bytes.subspan(kHead))) {
    return wrong(fmt::format("the {} got number {} with wrong bytes", who, number));
  }
  if (number < way.next) return wrong(fmt::format("the {} got number {} again, or late", who, number));
  way.next = number + 1;
  ++way.delivered;
}

void Datagrams::start() {
  sendOne();
}

void Datagrams::sendOne() {
  if (session_ == nullptr) {
    auto session = world_.multiplexer().associate(endpointOf(id_), *this);
    if (session) session_ = *session;
  }
  const auto size = static_cast<std::size_t>(dice_.size(plan_.least, plan_.most));
  Bytes bytes = make(up_, size);
  if (session_ != nullptr) {
    session_->send(std::move(bytes));
    dropped_ = std::max(dropped_, session_->dropped());
  }
  if (up_.sizes.size() < static_cast<std::size_t>(plan_.count)) {
    timer_.start(dice_.span(plan_.gap / 8, plan_.gap), [this] { sendOne(); });
  } else {
    timer_.start(kPatience, [this] { finish(); });
  }
}

void Datagrams::finish() {
  over_ = true;
  if (session_ == nullptr) return;
  dropped_ = std::max(dropped_, session_->dropped());
  session_->abandon();
  if (session_ != nullptr) wrong("abandoned, and not told the end");
}

void Datagrams::failed(bridge::Failure failure) {
  failed_ = true;
  world_.note(fmt::format("udp {}: failed: {}", id_, name(failure)));
}

void Datagrams::ended() {
  world_.note(fmt::format("udp {}: ended", id_));
  if (session_ == nullptr) return wrong("the last call came twice");
  session_ = nullptr;
  if (!over_) gave_way_ = true;
}

std::size_t Datagrams::replyBytes() const {
  return std::accumulate(down_.sizes.begin(), down_.sizes.end(), std::size_t{0});
}

void Datagrams::judge(bool lossless) {
  if (!lossless || dropped_ > 0 || gave_way_) return;
  if (failed_) return wrong("no association");
  if (up_.delivered != up_.sizes.size()) wrong("the far end has not got all");
  if (down_.delivered != down_.sizes.size()) wrong("the program has not got all");
}

}  // namespace qimux::simtest
