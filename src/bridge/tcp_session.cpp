#include "qimux/bridge/tcp_session.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace qimux::bridge {
namespace {

using namespace std::chrono_literals;

// What counts as an exchange of a person or a protocol rather than of bulk data.
constexpr std::size_t kSmall = 256;
// A module that has no room gets time to send something off.
constexpr async::Duration kFullPause = 200ms;
// The first guess of how late acknowledgements are, and the limits of it. The guess follows what AT+QISACK
// finds: a question that came late shortens it, one that came too early lengthens it.
constexpr async::Duration kFirstLag = 200ms;
constexpr async::Duration kShortestLag = 20ms;
constexpr async::Duration kLongestLag = 2s;
// A flow that has more to send is asked about for the sake of room, from here on, or of its program's
// retransmission timer, which must hear something now and then.
constexpr std::size_t kNearlyFull = module::kSendBuffer * 3 / 4;
constexpr async::Duration kBulkBeat = 1s;
// A flow that cannot go on before something is acknowledged is asked about this often, while that happens.
constexpr async::Duration kRoomBeat = 100ms;
constexpr async::Duration kRoomPatience = 3s;
// A firmware without AT+QISACK refuses it each time; one whose line is disturbed does not.
constexpr int kRefusals = 3;
constexpr async::Duration kRefusalPause = 200ms;
// AT+QISTATE, which is long, goes beside the questions of a program's keepalives this often.
constexpr async::Duration kLookAgain = 30s;
// Looks for arrivals whose URC was lost: soon after the last activity, then ever more rarely.
constexpr async::Duration kFirstPoll = 4s;
constexpr async::Duration kLongestPoll = 5min;
// After the far end's close the module may still learn, for about so long, what that had acknowledged before.
constexpr async::Duration kLastWord = 3s;
// A program that is gone waits no longer than this for acknowledgements that do not come.
constexpr async::Duration kDrainPatience = 90s;
// A program that does not take the rest of its data keeps it this long.
constexpr async::Duration kFinishPatience = 10min;
constexpr async::Duration kFirstFinishBeat = 5ms;
constexpr async::Duration kLongestFinishBeat = 1s;

}  // namespace

TcpSession::TcpSession(async::Loop& loop, const SessionRules& rules, SessionId id, net::Endpoint remote,
                       TcpObserver& observer, std::function<void()> wake)
    : Session(loop, rules, id, module::Protocol::Tcp, remote),
      observer_(&observer),
      wake_(std::move(wake)),
      liveness_(rules.liveness, loop.now()),
      lag_(kFirstLag),
      poll_step_(kFirstPoll),
      finish_beat_(kFirstFinishBeat),
      finish_timer_(loop) {}

void TcpSession::attach(std::unique_ptr<AppStream> stream) {
  assert(stream_ == nullptr);
  stream_ = std::move(stream);
  stream_->onChange([this] { onStreamChange(); });
  wake_();
}

void TcpSession::abandon() {
  observer_ = nullptr;
  program_reset_ = true;
  if (state_ == SessionState::Waiting || state_ == SessionState::Finishing) return end();
  if (state_ == SessionState::Opening || state_ == SessionState::Connected) enterClosing();
}

void TcpSession::giveUp(Failure failure) {
  failed(failure);
}

void TcpSession::onStreamChange() {
  if (state_ == SessionState::Finishing) return finish();
  wake_();
}

std::uint64_t TcpSession::unconfirmed() const {
  return inFlight() + outbox_.size();
}

bool TcpSession::roomInModule(std::size_t size) const {
  return inFlight() + size <= module::kSendBuffer;
}

bool TcpSession::allOut() {
  return outbox_.empty() && (stream_ == nullptr || stream_->readable() == 0);
}

Want TcpSession::want(async::TimePoint now) {
  Want want;
  switch (state_) {
    case SessionState::Waiting:
    case SessionState::Finishing:
    case SessionState::Ended:
      break;
    case SessionState::Opening:
      want.open = !open_sent_;
      want.next = open_deadline_;
      if (open_sent_ && now >= open_deadline_) {
        failed(Failure::Unreachable);
        return this->want(now);
      }
      break;
    case SessionState::Connected:
      observeProgram(now);
      wantSend(now, want);
      wantRead(now, want);
      wantCounters(now, want);
      want.check = suspicious_ || look_;
      wantLife(now, want);
      considerEnd(now, want);
      if (state_ == SessionState::Closing) {
        want = Want{};
        want.close = true;
      }
      break;
    case SessionState::Closing:
      want.close = true;
      break;
  }
  return want;
}

void TcpSession::observeProgram(async::TimePoint now) {
  if (stream_ == nullptr) return;
  flushInbox();
  if (stream_->readable() > 0) return;
  const auto input = stream_->input();
  if (input == AppStream::Input::Reset) program_reset_ = true;
  if (input != AppStream::Input::Open && !program_ended_) {
    program_ended_ = true;
    progress_at_ = now;
  }
}

void TcpSession::wantSend(async::TimePoint now, Want& want) {
  if (remote_closed_ || program_reset_ || stream_ == nullptr) return;
  const std::size_t size = std::min(outbox_.size() + stream_->readable(), module::kMaxSend);
  if (size == 0 || !roomInModule(size)) return;
  if (now < blocked_until_) {
    want.next = std::min(want.next, blocked_until_);
    return;
  }
  want.send = size;
}

void TcpSession::wantRead(async::TimePoint now, Want& want) {
  if (stream_ == nullptr || !inbox_.empty() || !stream_->writable() || program_reset_) return;
  // Once empty after a close, what AT+QISTATE says comes first.
  if (data_waits_ || (remote_closed_ && !module_empty_ && !suspicious_)) {
    want.read = std::min(backlog_.value_or(module::kMaxRead), module::kMaxRead);
    if (want.read == 0) want.read = 1;
    return;
  }
  want.poll = now >= poll_at_;
  want.next = std::min(want.next, poll_at_);
}

void TcpSession::wantCounters(async::TimePoint now, Want& want) {
  if (inFlight() == 0 || !counters_known_ || counters_refused_) return;
  if (remote_closed_ && now >= last_word_until_) return;
  const bool needed =
      remote_closed_ || rules_.ask_acknowledged || program_ended_ || !roomInModule(module::kMaxSend);
  if (!needed) return;
  const bool bulk = want.send > 0 && inFlight() <= kNearlyFull;
  const bool stuck = want.send == 0 && !allOut() && now < progress_at_ + kRoomPatience;
  const auto due = bulk    ? std::max(counters_due_, counters_at_ + kBulkBeat)
                   : stuck ? std::min(counters_due_, counters_at_ + kRoomBeat)
                           : counters_due_;
  want.acknowledged = now >= due;
  want.next = std::min(want.next, due);
}

const Bytes* TcpSession::probe() const {
  const auto it = rules_.probes.find(remote().port);
  return it == rules_.probes.end() ? nullptr : &it->second;
}

void TcpSession::wantLife(async::TimePoint now, Want& want) {
  // Behind the far end's close there is nothing to find out, and without counters no way to.
  if (remote_closed_ || !counters_known_ || counters_refused_) return;
  auto wish = liveness_.want(now);
  if (wish.probe && probe() == nullptr) {
    // The configuration was read again, and has none for this port any more.
    liveness_.moved(now);
    wish = liveness_.want(now);
  }
  want.check |= wish.state;
  want.acknowledged |= wish.counters;
  if (wish.probe && want.send == 0 && now >= blocked_until_) want.send = probe()->size();
  want.next = std::min(want.next, wish.next);
}

// Whether the socket has served its purpose.
void TcpSession::considerEnd(async::TimePoint now, Want& want) {
  if (program_reset_) return enterClosing();
  if (foundDead()) {
    reset_program_ = true;
    return enterClosing();
  }
  if (remote_closed_) {
    const bool settled = inFlight() == 0 || !counters_known_ || now >= last_word_until_;
    if (module_empty_ && settled) return enterClosing();
    if (!settled) want.next = std::min(want.next, last_word_until_);
    return;
  }
  if (!program_ended_) return;
  if (!allOut() || inFlight() > 0) {
    const auto patience_ends = progress_at_ + kDrainPatience;
    if (now >= patience_ends) {
      reset_program_ = true;
      return enterClosing();
    }
    want.next = std::min(want.next, patience_ends);
    return;
  }
  if (observer_ != nullptr && observer_->programGone()) return enterClosing();
  if (data_waits_ || !inbox_.empty()) {
    // The far end still sends: the linger time counts from the last of it.
    linger_until_ = async::TimePoint::max();
    return;
  }
  if (linger_until_ == async::TimePoint::max()) linger_until_ = now + rules_.half_close_linger;
  if (now >= linger_until_) {
    // A last look: an arrival whose URC was lost is not to be closed away.
    if (emptied_at_ >= linger_until_) return enterClosing();
    want.poll = true;
    return;
  }
  want.next = std::min(want.next, linger_until_);
}

void TcpSession::enterClosing() {
  // A socket that was never asked for needs no closing.
  if (state_ == SessionState::Opening && !open_sent_) return end();
  enter(SessionState::Closing);
  wake_();
}

ByteView TcpSession::payload(std::size_t quantum) {
  if (state_ != SessionState::Connected || stream_ == nullptr) return {};
  if (outbox_.size() < module::kMaxSend) {
    const std::size_t old = outbox_.size();
    outbox_.resize(module::kMaxSend);
    const std::size_t added = stream_->read(ByteSpan(outbox_).subspan(old));
    outbox_.resize(old + added);
  }
  probing_ = outbox_.empty() && liveness_.state() == Liveness::State::SendProbe;
  if (probing_) return *probe();
  return ByteView(outbox_).first(std::min(outbox_.size(), quantum));
}

void TcpSession::sendDone(std::size_t size) {
  if (std::exchange(probing_, false)) {
    probed_ += size;
    liveness_.probeSent(loop_.now());
    return;
  }
  assert(size <= outbox_.size());
  liveness_.sent(loop_.now());
  if (inFlight() == 0) counters_due_ = loop_.now() + lag_;
  if (size <= kSmall) last_small_ = loop_.now();
  sent_ += size;
  answered_ = false;
  outbox_.erase(outbox_.begin(), outbox_.begin() + static_cast<std::ptrdiff_t>(size));
  // Before the module's buffer is full, so that it need not run empty.
  if (inFlight() > kNearlyFull) {
    counters_due_ = std::min(counters_due_, std::max(loop_.now(), counters_at_ + kShortestLag));
  }
  progress_at_ = loop_.now();
  poll_step_ = kFirstPoll;
  poll_at_ = loop_.now() + poll_step_;
  touch();
  if (observer_ != nullptr) observer_->taken(sent_);
  if (!counters_known_) confirm(sent_);
}

void TcpSession::sendFull() {
  blocked_until_ = loop_.now() + kFullPause;
  counters_due_ = std::min(counters_due_, loop_.now());
}

std::size_t TcpSession::readSize(std::size_t quantum) const {
  return std::min(quantum, module::kMaxRead);
}

void TcpSession::readDone(Bytes data) {
  if (data.empty()) {
    data_waits_ = announced_ = false;
    emptied_ = true;
    emptied_at_ = loop_.now();
    backlog_.reset();
    poll_step_ = std::min(poll_step_ * 8, kLongestPoll);
    poll_at_ = loop_.now() + poll_step_;
    // After a close, nothing left; unless the close was an old one's echo.
    if (remote_closed_) suspicious_ = true;
    return;
  }
  poll_step_ = kFirstPoll;
  poll_at_ = loop_.now() + poll_step_;
  emptied_ = announced_ = false;
  received_ += data.size();
  liveness_.moved(loop_.now());
  touch();
  if (data.size() <= kSmall) last_small_ = loop_.now();
  if (backlog_) {
    *backlog_ -= std::min(*backlog_, data.size());
    data_waits_ = *backlog_ > 0;
  } else {
    // An edge: only an empty read tells that all is read.
    data_waits_ = true;
  }
  // An answer nearly always carries the acknowledgement of what it answers.
  if (inFlight() > 0) counters_due_ = std::min(counters_due_, loop_.now());
  vouch();
  inbox_ = std::move(data);
  flushInbox();
}

void TcpSession::flushInbox() {
  if (inbox_.empty() || stream_ == nullptr) return;
  const std::size_t taken = stream_->write(inbox_);
  inbox_.erase(inbox_.begin(), inbox_.begin() + static_cast<std::ptrdiff_t>(taken));
}

void TcpSession::readRefused() {
  data_waits_ = false;
  if (remote_closed_) {
    // What was announced is gone, unread: this is no clean end.
    if (announced_ || backlog_.value_or(0) > 0) reset_program_ = true;
    module_empty_ = true;
    return;
  }
  // Its CLOSED was lost, or the whole context is gone: the program is told only when AT+QISTATE has said
  // which.
  suspicious_ = read_refused_ = true;
  poll_at_ = loop_.now() + poll_step_;
}

void TcpSession::confirm(std::uint64_t acknowledged) {
  if (acknowledged <= acknowledged_) return;
  acknowledged_ = acknowledged;
  progress_at_ = loop_.now();
  liveness_.moved(loop_.now());
  if (observer_ != nullptr) observer_->acknowledged(acknowledged_);
}

bool TcpSession::inquire() {
  if (state_ != SessionState::Connected || remote_closed_ || stream_ == nullptr) return false;
  inquired_ = true;
  if (counters_known_) {
    liveness_.inquire(probe() != nullptr);
    look_ = look_ || !looked_at_ || loop_.now() - *looked_at_ >= kLookAgain;
  } else {
    suspicious_ = true;
  }
  wake_();
  return true;
}

void TcpSession::vouch() {
  if (liveness_.state() != Liveness::State::Quiet || suspicious_) return;
  if (std::exchange(inquired_, false) && observer_ != nullptr) observer_->vouched();
}

void TcpSession::counters(const module::SendCounters& counters) {
  refusals_ = 0;
  // The difference is what matters: some firmware's totals may wrap.
  const std::uint64_t unacknowledged = std::min(counters.unacknowledged, sent_);
  const std::uint64_t acknowledged = std::max(acknowledged_, sent_ - unacknowledged);
  const bool moved = acknowledged > acknowledged_;
  confirm(acknowledged);
  if (moved && inFlight() > 0) liveness_.sent(loop_.now());
  liveness_.countersTold(loop_.now(), counters.unacknowledged);
  counters_at_ = loop_.now();
  vouch();
  if (inFlight() == 0) {
    lag_ = std::max(kShortestLag, lag_ * 3 / 4);
    counters_due_ = async::TimePoint::max();
    return;
  }
  if (!moved) lag_ = std::min(kLongestLag, lag_ * 5 / 4);
  counters_due_ = loop_.now() + std::max(kShortestLag, lag_ / 2);
}

void TcpSession::countersRefused(bool works) {
  if (remote_closed_) {
    last_word_until_ = loop_.now();
    return;
  }
  counters_refused_ = !works;
  if (works) counters_due_ = loop_.now() + kLongestLag;
  suspicious_ = true;
}

void TcpSession::arrived(std::optional<std::size_t>, std::optional<std::size_t> total) {
  data_waits_ = answered_ = announced_ = true;
  liveness_.moved(loop_.now());
  emptied_ = false;
  backlog_ = total;
  if (inFlight() > 0) counters_due_ = std::min(counters_due_, loop_.now() + kShortestLag);
}

void TcpSession::remoteClosed() {
  // Before the open's result it can only be the echo of this socket's last owner.
  if (state_ != SessionState::Connected) return;
  if (std::exchange(remote_closed_, true)) return;
  emptied_ = false;
  last_word_until_ = loop_.now() + kLastWord;
  counters_due_ = std::min(counters_due_, loop_.now());
  if (stream_ == nullptr && observer_ == nullptr) module_empty_ = true;
}

void TcpSession::checked(bool connected) {
  suspicious_ = look_ = false;
  looked_at_ = loop_.now();
  if (state_ != SessionState::Connected) return;
  if (connected && std::exchange(read_refused_, false)) {
    // No module refuses to read a socket that lives: what looked like it was payload without its header, or
    // another program's answer, and the block is lost.
    reset_program_ = true;
    return enterClosing();
  }
  if (connected) {
    liveness_.stateTold(loop_.now(), probe() != nullptr);
    // A late duplicate: this connection lives.
    remote_closed_ = false;
    if (std::exchange(counters_refused_, false)) {
      counters_due_ = loop_.now() + kRefusalPause;
      // Where it has counted once, it counts: to take sent for acknowledged would be a lie.
      if (acknowledged_ == 0 && ++refusals_ >= kRefusals) {
        counters_known_ = false;
        confirm(sent_);
      }
    }
    vouch();
    return;
  }
  counters_refused_ = false;
  // What the far end had sent before may still be there: only a read that finds nothing is the end.
  remoteClosed();
  module_empty_ = emptied_;
}

void TcpSession::connected() {
  if (state_ != SessionState::Opening) return;
  open_deadline_ = async::TimePoint::max();
  enter(SessionState::Connected);
  liveness_.moved(loop_.now());
  poll_at_ = loop_.now() + poll_step_;
  touch();
  if (observer_ != nullptr) observer_->connected();
}

void TcpSession::failed(Failure failure) {
  if (state_ != SessionState::Opening && state_ != SessionState::Waiting) return;
  if (auto* observer = std::exchange(observer_, nullptr)) observer->failed(failure);
  if (state_ == SessionState::Waiting) return end();
  enterClosing();
}

void TcpSession::lost() {
  if (state_ == SessionState::Opening && observer_ != nullptr) {
    enter(SessionState::Waiting);
    return;
  }
  if (state_ == SessionState::Opening || state_ == SessionState::Connected ||
      state_ == SessionState::Closing) {
    reset_program_ = true;
    closed();
  }
}

void TcpSession::closed() {
  // Bytes of the program that are lost, or must be taken for lost, forbid a clean end. "n, CLOSED" stands for
  // a FIN and for a reset, and takes the module's counters with it: but a far end that has answered since the
  // last send has had that. (It is still not shown as acknowledged.)
  const bool doubtful = counters_known_ && inFlight() > 0 && !answered_;
  if (!allOut() || doubtful) reset_program_ = true;
  enter(SessionState::Finishing);
  finish_by_ = loop_.now() + kFinishPatience;
  if (observer_ != nullptr && !reset_program_ && inFlight() == 0) observer_->released();
  finish();
}

void TcpSession::cutShort() {
  if (state_ != SessionState::Finishing) return;
  finish_by_ = loop_.now();
  finish();
}

// Runs by itself, without the link: at each change of the stream, and at a beat while the program still
// takes.
void TcpSession::finish() {
  if (stream_ == nullptr || program_reset_) return end();
  flushInbox();
  const bool over = loop_.now() >= finish_by_;
  if (inbox_.empty() && !output_ended_ && !reset_program_) {
    stream_->endOutput();
    output_ended_ = true;
  }
  const bool taken = inbox_.empty() && stream_->drained();
  if (!over && !taken && stream_->input() != AppStream::Input::Reset) {
    finish_timer_.start(finish_beat_, [this] { finish(); });
    finish_beat_ = std::min(finish_beat_ * 2, kLongestFinishBeat);
    return;
  }
  // What the program wrote after the far end's close goes nowhere: a reset says so.
  if (over || reset_program_ || stream_->readable() > 0) stream_->reset();
  end();
}

void TcpSession::end() {
  finish_timer_.stop();
  if (program_reset_ && stream_ != nullptr) stream_->reset();
  stream_.reset();
  enter(SessionState::Ended);
  if (auto* observer = std::exchange(observer_, nullptr)) observer->ended();
  wake_();
}

}  // namespace qimux::bridge
