#include "sim/peer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace qimux::simtest {

std::string_view name(PeerEnd end) {
  switch (end) {
    case PeerEnd::Never:
      return "never closes";
    case PeerEnd::AfterSending:
      return "closes after sending";
    case PeerEnd::AfterAll:
      return "closes after all";
    case PeerEnd::Reset:
      return "resets in the middle";
  }
  return "unknown";
}

bool isKnocking(ByteView bytes) {
  // The end of AT, an ESC, empty lines, or the next command: all that a host says.
  const bool text = std::ranges::all_of(
      bytes, [](Byte byte) { return byte == '\r' || byte == 0x1b || (byte >= 0x20 && byte < 0x7f); });
  return text && (bytes.empty() || std::string_view("AT\r\x1b").contains(static_cast<char>(bytes.front())));
}

Peer::Peer(async::Loop& loop, const PeerPlan& plan, std::uint64_t seed, PeerRecord& record,
           std::function<void(const std::string&)> fault)
    : plan_(plan),
      dice_(seed),
      record_(record),
      fault_(std::move(fault)),
      send_timer_(loop),
      window_timer_(loop) {
  // A connection before this one came to nothing: the link was lost while it was being opened.
  const int connections = record_.connections + 1;
  record_ = PeerRecord{};
  record_.connections = connections;
}

void Peer::connected() {
  if (plan_.window) openWindow();
  planSending();
  decide();
}

void Peer::openWindow() {
  window_left_ = *plan_.window;
  setRoom(window_left_);
}

void Peer::received(ByteView bytes) {
  if (record_.spoiled || record_.reset) return;
  const auto wrong = mismatch(plan_.up_stream, record_.received, bytes);
  if (wrong && plan_.spoilable && isKnocking(bytes.subspan(*wrong - record_.received))) {
    record_.spoiled = true;
    return;
  }
  if (wrong) fault_(fmt::format("the far end got a wrong byte at {}", *wrong));
  record_.received += bytes.size();
  if (record_.received > plan_.up_total) fault_("the far end got more than there is");
  if (plan_.window) {
    window_left_ -= std::min<std::uint64_t>(window_left_, bytes.size());
    if (window_left_ == 0 && !window_timer_.armed()) {
      window_timer_.start(plan_.window_gap, [this] { openWindow(); });
    }
  }
  planSending();
  decide();
}

void Peer::ended(bool reset) {
  record_.ended = true;
  record_.ended_reset = reset;
  send_timer_.stop();
  window_timer_.stop();
}

std::uint64_t Peer::maySend() const {
  if (record_.closed || record_.reset || record_.ended) return 0;
  std::uint64_t most = plan_.down_total;
  if (plan_.kind == PeerKind::Echo) most = std::min(most, record_.received);
  if (plan_.kind == PeerKind::Answer) {
    most = std::min(most, record_.received / plan_.request * plan_.response);
  }
  return most - std::min(most, record_.sent);
}

void Peer::planSending() {
  if (send_timer_.armed() || maySend() == 0) return;
  send_timer_.start(dice_.span(async::Duration{0}, plan_.delay), [this] { sendSome(); });
}

void Peer::sendSome() {
  const auto size = static_cast<std::size_t>(std::min(maySend(), dice_.size(1, plan_.burst)));
  const Bytes bytes = pattern(plan_.down_stream, record_.sent, size);
  record_.sent += size;
  send(bytes);
  decide();
  planSending();
}

void Peer::decide() {
  if (record_.closed || record_.reset || record_.ended) return;
  const bool sent_all = record_.sent >= plan_.down_total;
  const bool has_all = record_.received >= plan_.up_total;
  if (plan_.end == PeerEnd::Reset && record_.sent + record_.received >= plan_.reset_at) {
    record_.reset = true;
    reset();
  } else if (sent_all &&
             (plan_.end == PeerEnd::AfterSending || (plan_.end == PeerEnd::AfterAll && has_all))) {
    record_.closed = true;
    close();
  }
}

}  // namespace qimux::simtest
