#include "qimux/at/channel.hpp"

#include "qimux/at/text.hpp"
#include "qimux/base/log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace qimux::at {
namespace {

using namespace std::chrono_literals;

// For a last line that some firmware gives and some does not.
constexpr auto kLastLineWait = 500ms;
// The OK behind a block comes with it. Where a module has been found to say none, it is waited for hardly at
// all.
constexpr auto kBlockEnd = 4s;
constexpr auto kSilentEnd = 100ms;
// A module that is alive answers a bare AT at once.
constexpr auto kKnockDeadline = 400ms;
// One that hangs is not to find hundreds of them when it wakes.
constexpr auto kSlowKnock = 2s;
// When a module is filled up. Late where nothing of ours can have made it wait for payload: it costs seconds.
constexpr int kFillEarly = 3;
constexpr int kFillLate = 6;
// Silence after which no late answer is expected any more.
constexpr auto kQuiet = 150ms;
// The fill takes 1.5 s at 9600 baud and 3 s at 4800: what is asked behind it is answered as much later.
constexpr auto kQuietBehindFill = 3500ms;
constexpr auto kLongestSettle = 1s;
constexpr Byte kEscape = 0x1b;
// One more than a fixed-length AT+QISEND can still wait for (application note 5.2.1).
constexpr std::size_t kFillUp = 1461;

}  // namespace

// Marks the channel as taken for as long as the coroutine that executes a command exists; where that is
// destroyed under way, the command's answer is still to come.
class Channel::Running {
 public:
  Running(Channel& channel, Exchange& exchange, ByteView payload) : channel_(channel), exchange_(exchange) {
    assert(channel.exchange_ == nullptr);
    channel.exchange_ = &exchange;
    channel.payload_ = payload;
    channel.done_ = false;
    channel.progress_.reset();
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() {
    channel_.exchange_ = nullptr;
    channel_.payload_ = {};
    channel_.lexer_.expectPrompt(false);
    if (channel_.done_) return;
    channel_.in_doubt_ = true;
    channel_.payload_at_large_ |= exchange_.reads();
    channel_.sending_ |= exchange_.sends();
  }

 private:
  Channel& channel_;
  const Exchange& exchange_;
};

class Channel::UrcPump final : public async::Ready {
 public:
  explicit UrcPump(Channel& channel) : channel_(channel) {}
  void run() override {
    if (channel_.urcs_.empty()) return;
    const Urc urc = std::move(channel_.urcs_.front());
    channel_.urcs_.pop_front();
    if (!channel_.urcs_.empty()) channel_.loop_.enqueue(*this);
    if (channel_.urc_call_) channel_.urc_call_(urc);
  }

 private:
  Channel& channel_;
};

Channel::Channel(async::Loop& loop, serial::Port& port)
    : loop_(loop), port_(port), progress_(loop), heard_(loop), pump_(std::make_unique<UrcPump>(*this)) {
  port_.onData([this](ByteView bytes) { onBytes(bytes); });
}

Channel::~Channel() {
  port_.onData({});
}

Result<void> Channel::write(ByteView bytes) {
  counters_.bytes_out += bytes.size();
  return port_.write(bytes);
}

void Channel::onBytes(ByteView bytes) {
  counters_.bytes_in += bytes.size();
  last_heard_ = loop_.now();
  heard_.set();
  lexer_.feed(bytes);
  while (const auto token = lexer_.next()) onToken(*token);
  if (const auto missing = lexer_.missing(); missing > 0) port_.announce(missing);
}

void Channel::onToken(const Token& token) {
  if (token.kind == Token::Kind::Line && trim(token.text()) == "OK") ++oks_;
  if (exchange_ == nullptr || done_) return stray(token);
  const auto verdict = exchange_->onToken(token);
  if (verdict != Exchange::Verdict::Foreign) trace_.answer(token, exchange_->garbled());
  switch (verdict) {
    case Exchange::Verdict::Foreign:
      if (exchange_->blockTaken()) {
        behindBlock(token);
        break;
      }
      stray(token);
      // A module that has started anew has forgotten what it was asked.
      if (token.kind == Token::Kind::Line && !payload_at_large_ &&
          parseUrc(token.text(), false).kind == Urc::Kind::Ready) {
        breakOff(ErrorKind::Closed, token.text());
      }
      break;
    case Exchange::Verdict::Taken:
      echo_heard_ |= exchange_->echoSeen();
      if (exchange_->completeButForEnd() || exchange_->blockTaken()) progress_.set();
      break;
    case Exchange::Verdict::SendPayload:
      payload_written_ = true;
      // A port that takes nothing shows as a command without an end.
      static_cast<void>(write(payload_));
      break;
    case Exchange::Verdict::Block:
      lexer_.expectBlock(exchange_->blockSize());
      break;
    case Exchange::Verdict::Done:
      done_ = true;
      if (exchange_->garbled()) payload_at_large_ = true;
      if (exchange_->opensName()) dns_pending_ = true;
      progress_.set();
      break;
  }
}

void Channel::breakOff(ErrorKind kind, std::string_view why) {
  exchange_->breakOff(kind, why);
  if (exchange_->garbled()) payload_at_large_ = true;
  done_ = true;
  progress_.set();
}

// What belongs to no command.
void Channel::stray(const Token& token) {
  // A line that was cut says nothing that could be believed.
  if (token.kind != Token::Kind::Line || payload_at_large_) return;
  const std::string_view line = trim(token.text());
  if (!line.starts_with("+QIRD:")) return queueUrc(line);
  if (stray_blocks_.size() < kMaxStrayBlocks) stray_blocks_.emplace_back(line);
  payload_at_large_ = true;
  in_doubt_ = true;
}

// Between a block and its OK nothing comes. Where no OK is said at all, what comes is behind the read: a URC,
// or the block was longer than announced.
void Channel::behindBlock(const Token& token) {
  const bool known = token.kind == Token::Kind::Line && isHarmless(trim(token.text()));
  if (block_end_ == BlockEnd::Ok || !known) {
    return breakOff(ErrorKind::Garbled, "something else in the place of its OK");
  }
  if (block_end_ == BlockEnd::Nothing) endSilently();
  stray(token);
}

void Channel::endSilently() {
  exchange_->finish();
  done_ = true;
  progress_.set();
}

// A module that echoes its payload does so while it is sent, or later where that was given up.
bool Channel::mayBeEcho() const {
  return sending_ || (exchange_ != nullptr && exchange_->sends());
}

void Channel::queueUrc(std::string_view line) {
  const std::string_view text = splitIndex(line).text;
  if (text == "SEND OK" || text == "SEND FAIL") late_send_end_ = true;
  Urc urc = parseUrc(line, dns_pending_);
  trace_.urc(line, urc.kind == Urc::Kind::Unknown && mayBeEcho());
  if (urc.kind == Urc::Kind::Unknown) ++counters_.unexpected_lines;
  if (urcs_.size() >= kMaxUrcs) {
    ++counters_.urcs_dropped;
    return;
  }
  ++counters_.urcs;
  urcs_.push_back(std::move(urc));
  if (!pump_->linked()) loop_.enqueue(*pump_);
}

Result<Reply> Channel::traced(Result<Reply> result) {
  trace_.ended(result, loop_.now());
  return result;
}

async::Task<Result<Reply>> Channel::execute(Command command) {
  if (in_doubt_)
    co_return std::unexpected(Error{ErrorKind::Garbled, command.text, "the channel is out of step"});
  ++counters_.commands;
  trace_.command(command, loop_.now());
  Exchange exchange(command);
  const Running running(*this, exchange, command.payload);
  deadline_ = loop_.now() + command.deadline;
  const bool sends = command.ending == Command::Ending::Send;
  lexer_.expectPrompt(sends);
  if (sends) payload_written_ = false;
  const std::string line = command.text + '\r';
  if (auto written = write(bytesOf(line)); !written) {
    co_return traced(std::unexpected(written.error()));
  }
  while (!done_) {
    progress_.reset();
    auto until = exchange.completeButForEnd() ? loop_.now() + kLastLineWait : deadline_;
    if (exchange.blockTaken()) {
      until = loop_.now() + (block_end_ == BlockEnd::Nothing ? kSilentEnd : kBlockEnd);
    }
    const bool moved = co_await progress_.waitUntil(until);
    if (moved) continue;
    if (exchange.blockTaken()) {
      // A module that says it has lost it: with it, perhaps, some of the block. One that was not yet heard
      // may be one that says none.
      if (block_end_ == BlockEnd::Unknown) in_doubt_ = true;
      if (block_end_ == BlockEnd::Ok || (in_doubt_ && exchange.blockHoldsEnd())) {
        breakOff(ErrorKind::Garbled, "no OK behind it");
      } else {
        block_end_ = BlockEnd::Nothing;
        endSilently();
      }
      break;
    }
    if (exchange.completeButForEnd()) {
      exchange.finish();
      done_ = true;
      break;
    }
    ++counters_.timeouts;
    co_return traced(std::unexpected(Error{ErrorKind::Timeout, command.text, "no answer"}));
  }
  if (exchange.blockTaken() && exchange.okSeen()) block_end_ = BlockEnd::Ok;
  auto result = exchange.takeResult();
  if (!result && result.error().kind == ErrorKind::Refused) ++counters_.refused;
  if (!result && result.error().kind == ErrorKind::Garbled) in_doubt_ = true;
  co_return traced(std::move(result));
}

// One AT; true where OK came.
async::Task<bool> Channel::knock(async::Duration deadline) {
  in_doubt_ = false;
  lexer_.reset();
  ++knocks_;
  Command at("AT", deadline);
  const auto reply = co_await execute(std::move(at));
  co_return reply.has_value();
}

// Reads away what a command before still had to say.
async::Task<void> Channel::settle(async::Duration quiet) {
  // URCs may never leave it quiet; answers come to an end.
  const auto end = loop_.now() + std::max<async::Duration>(kLongestSettle, 2 * quiet);
  while (!allKnocksAnswered()) {
    heard_.reset();
    const bool heard = co_await heard_.waitUntil(std::min(loop_.now() + quiet, end));
    if (!heard) co_return;
  }
}

async::Task<Result<Channel::Resynced>> Channel::resync(int attempts, async::Duration patience) {
  late_send_end_ = false;
  knocks_ = oks_ = 0;
  const auto end = loop_.now() + patience;
  const bool likely = sending_ || patience == async::Duration{};
  const int fill_at = likely ? kFillEarly : kFillLate;
  async::Duration quiet = kQuiet;
  const auto begin = loop_.now();
  // One that says something, and not OK, does not hang: patience is for silence.
  int spoken = 0;
  for (int attempt = 0; spoken < attempts && (attempt < attempts || loop_.now() < end); ++attempt) {
    const bool speaks = last_heard_ > begin;
    spoken += speaks ? 1 : 0;
    // A bare ESC costs an idle module nothing: it is dropped with the line it stands in.
    if (attempt == 1) static_cast<void>(write(ByteView(&kEscape, 1)));
    if (attempt == fill_at) {
      // Empty lines: to a module that waits for payload they are payload, to any other nothing.
      const Bytes fill(kFillUp, Byte{'\r'});
      static_cast<void>(write(fill));
      co_await settle(kQuiet);
      quiet = kQuietBehindFill;
    }
    const bool answered = co_await knock(attempt < attempts || speaks ? kKnockDeadline : kSlowKnock);
    if (!answered) continue;
    co_await settle(quiet);
    // Was it this AT's OK, or the late one of an older command? A second AT has only its own.
    const bool again = co_await knock(kKnockDeadline);
    if (!again) continue;
    // Had the module been short of a single byte of payload, it would have swallowed the first AT.
    const bool merely_late = payload_written_ && allKnocksAnswered();
    payload_at_large_ = sending_ = false;
    co_return Resynced{late_send_end_ && !merely_late};
  }
  in_doubt_ = true;
  co_return std::unexpected(
      Error{ErrorKind::Timeout, "AT", fmt::format("no answer to {} attempts", attempts)});
}

}  // namespace qimux::at
