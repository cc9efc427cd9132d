#include "qimux/bridge/udp_session.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace qimux::bridge {
namespace {

using namespace std::chrono_literals;

constexpr async::Duration kOneShotIdle = 30s;
// An association that was used this short a time ago is in use.
constexpr async::Duration kYieldAfter = 2s;
constexpr async::Duration kFullPause = 200ms;
// What somebody sent this long ago is not waited for any more, and its place in the queue is wanted.
constexpr async::Duration kQueuePatience = 30s;
// Looks for arrivals whose edge was lost: soon after the last exchange, then ever more rarely.
constexpr async::Duration kFirstPoll = 1s;
constexpr async::Duration kLongestPoll = 60s;
// A URC that a command has held back comes right behind that command's end.
constexpr async::Duration kHeldBack = 250ms;
constexpr std::size_t kMaxArrivals = 256;
constexpr std::size_t kSmall = 256;

}  // namespace

UdpSession::UdpSession(async::Loop& loop, const SessionRules& rules, SessionId id, net::Endpoint remote,
                       UdpObserver& observer, std::function<void()> wake)
    : Session(loop, rules, id, module::Protocol::Udp, remote),
      observer_(&observer),
      wake_(std::move(wake)),
      patience_(loop) {
  watchPatience();
}

// Who waits for a socket, and there is none.
void UdpSession::watchPatience() {
  patience_.start(kQueuePatience, [this] {
    if (state_ == SessionState::Waiting) failed(Failure::NoSlot);
  });
}

void UdpSession::send(Bytes datagram) {
  assert(!datagram.empty() && datagram.size() <= module::kMaxSend);
  if (queue_.size() >= kMaxQueued) {
    queue_.pop_front();
    ++dropped_;
  }
  queue_.push_back(std::move(datagram));
  touch();
  wake_();
}

void UdpSession::abandon() {
  queue_.clear();
  if (auto* observer = std::exchange(observer_, nullptr)) observer->ended();
  if (state_ == SessionState::Waiting) return end();
  if (state_ == SessionState::Opening || state_ == SessionState::Connected) enterClosing();
}

void UdpSession::giveUp(Failure failure) {
  failed(failure);
}

async::TimePoint UdpSession::idleUntil() const {
  const bool one_shot = sent_datagrams_ <= 1 && received_datagrams_ <= 1;
  return lastActive() + (one_shot ? std::min(kOneShotIdle, rules_.udp_idle) : rules_.udp_idle);
}

async::TimePoint UdpSession::yieldsAt() const {
  const bool idle = state_ == SessionState::Connected && nothingToSend() && !data_waits_;
  return idle ? lastActive() + kYieldAfter : async::TimePoint::max();
}

Want UdpSession::want(async::TimePoint now) {
  Want want;
  switch (state_) {
    case SessionState::Opening:
      want.open = !open_sent_;
      want.next = open_deadline_;
      if (open_sent_ && now >= open_deadline_) {
        failed(Failure::Unreachable);
        return this->want(now);
      }
      break;
    case SessionState::Connected:
      if (!nothingToSend()) {
        if (now >= blocked_until_) {
          want.send = sending_.empty() ? queue_.front().size() : sending_.size();
        } else {
          want.next = blocked_until_;
        }
      }
      if (data_waits_) want.read = readSize(module::kMaxRead);
      if (nothingToSend() && !data_waits_) {
        if (now >= idleUntil()) {
          enterClosing();
          return this->want(now);
        }
        want.poll = now >= poll_at_;
        want.next = std::min(idleUntil(), poll_at_);
      }
      break;
    case SessionState::Closing:
      want.close = true;
      break;
    case SessionState::Finishing:
    case SessionState::Waiting:
    case SessionState::Ended:
      break;
  }
  return want;
}

void UdpSession::pollSoon() {
  if (sizes_known_) return;
  poll_step_ = kFirstPoll;
  poll_at_ = loop_.now() + poll_step_;
}

void UdpSession::enterClosing() {
  if (state_ == SessionState::Opening && !open_sent_) return end();
  enter(SessionState::Closing);
  wake_();
}

void UdpSession::end() {
  enter(SessionState::Ended);
  if (auto* observer = std::exchange(observer_, nullptr)) observer->ended();
  wake_();
}

ByteView UdpSession::payload(std::size_t) {
  if (sending_.empty() && !queue_.empty()) {
    sending_ = std::move(queue_.front());
    queue_.pop_front();
  }
  return sending_;
}

void UdpSession::sendDone(std::size_t) {
  sent_ += sending_.size();
  if (sending_.size() <= kSmall) last_small_ = loop_.now();
  ++sent_datagrams_;
  last_read_ = 0;  // a command has come between: nothing of that read is held back any more
  sending_.clear();
  touch();
  pollSoon();
}

void UdpSession::unsendable() {
  sending_.clear();
  ++dropped_;
}

void UdpSession::sendFull() {
  blocked_until_ = loop_.now() + kFullPause;
}

std::size_t UdpSession::readSize(std::size_t) const {
  // A datagram is read whole whatever a fair turn is: its boundaries come first.
  if (arrivals_.empty()) return module::kMaxRead;
  return std::clamp<std::size_t>(arrivals_.front().size - partial_.size(), 1, module::kMaxRead);
}

void UdpSession::readDone(Bytes data) {
  if (data.empty()) {
    data_waits_ = false;
    arrivals_.clear();
    partial_.clear();
    poll_step_ = std::min(poll_step_ * 2, kLongestPoll);
    if (poll_at_ != async::TimePoint::max()) poll_at_ = loop_.now() + poll_step_;
    return;
  }
  const std::size_t asked = readSize(module::kMaxRead);
  received_ += data.size();
  last_read_ = data.size();
  read_at_ = loop_.now();
  touch();
  pollSoon();
  if (data.size() <= kSmall) last_small_ = loop_.now();
  if (arrivals_.empty()) {
    // Without sizes one read is one datagram, and only an empty one tells that there is none.
    ++received_datagrams_;
    data_waits_ = !sizes_known_;
    if (observer_ != nullptr) observer_->datagram(data);
    return;
  }
  Arrival& arrival = arrivals_.front();
  if (!arrival.whole) {
    arrival.size -= std::min(arrival.size, data.size());
    if (arrival.size > 0) return;
    ++dropped_;
    arrivals_.pop_front();
    data_waits_ = !arrivals_.empty();
    return;
  }
  if (arrival.doubtful && partial_.empty() && data.size() < asked) {
    // A module that does not merge datagrams ends a read with the datagram: this is one whose arrival nobody
    // heard of, and the one that was announced is behind it.
    ++received_datagrams_;
    if (observer_ != nullptr) observer_->datagram(data);
    return;
  }
  partial_.insert(partial_.end(), data.begin(), data.end());
  if (partial_.size() < arrival.size) return;
  arrivals_.pop_front();
  data_waits_ = !arrivals_.empty();
  const Bytes datagram = std::exchange(partial_, {});
  ++received_datagrams_;
  if (observer_ != nullptr) observer_->datagram(datagram);
}

void UdpSession::readRefused() {
  checked(false);
}

void UdpSession::arrived(std::optional<std::size_t> newest, std::optional<std::size_t> total) {
  data_waits_ = true;
  if (!newest || !total || arrivals_.size() >= kMaxArrivals) return;
  sizes_known_ = true;
  poll_at_ = async::TimePoint::max();
  std::size_t known = *newest;
  for (const auto& arrival : arrivals_) known += arrival.size;
  known -= std::min(known, partial_.size());
  // A URC that was held back while AT+QIRD ran still counts what that has read (application note 5.3.2).
  const bool held_back = loop_.now() - read_at_ < kHeldBack && *total == known + last_read_;
  if (*total > known && !held_back) {
    // URCs of earlier packets were lost; so are the boundaries between them.
    arrivals_.push_back(Arrival{*total - known, false, false});
  } else if (*total < known) {
    // The module holds less than we were told: it has dropped some. What is left is the newest at least.
    arrivals_.clear();
    partial_.clear();
    if (*total > *newest) arrivals_.push_back(Arrival{*total - *newest, false, false});
  }
  arrivals_.push_back(Arrival{*newest, *newest <= module::kMaxRead, held_back && last_read_ > 0});
}

void UdpSession::remoteClosed() {
  checked(false);
}

void UdpSession::checked(bool connected) {
  if (!connected && state_ == SessionState::Connected) {
    again_ = true;
    enterClosing();
  }
}

void UdpSession::connected() {
  if (state_ != SessionState::Opening) return;
  open_deadline_ = async::TimePoint::max();
  patience_.stop();
  enter(SessionState::Connected);
  sizes_known_ = rules_.packet_sizes;
}

void UdpSession::failed(Failure failure) {
  if (state_ != SessionState::Waiting && state_ != SessionState::Opening) return;
  queue_.clear();
  if (observer_ != nullptr) observer_->failed(failure);
  if (state_ == SessionState::Waiting) return end();
  enterClosing();
}

void UdpSession::lost() {
  arrivals_.clear();
  partial_.clear();
  data_waits_ = false;
  // Sent or not: nobody will ever know.
  sending_.clear();
  // UDP starts again by itself, with what was not yet sent.
  if (state_ == SessionState::Opening || state_ == SessionState::Connected ||
      state_ == SessionState::Closing) {
    if (observer_ == nullptr || queue_.empty()) return end();
    enter(SessionState::Waiting);
    watchPatience();
  }
  wake_();
}

void UdpSession::closed() {
  if (std::exchange(again_, false)) return lost();
  end();
}

}  // namespace qimux::bridge
