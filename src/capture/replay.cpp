#include "qimux/capture/replay.hpp"

#include "qimux/at/text.hpp"

#include <algorithm>
#include <deque>
#include <limits>
#include <map>
#include <set>
#include <utility>

namespace qimux::capture {
namespace {

using namespace std::chrono_literals;

// The loop looks at its timers and its queue in each of its turns; a turn does not last longer than that.
constexpr async::Duration kTurn = 10ms;
// A timer may have been as late as that, on a machine that was busy.
constexpr async::Duration kLateTimer = 1s;
// Whoever does so much that the capture knows nothing of does something else altogether.
constexpr std::size_t kMostTurns = 1'000'000;
// More rules than that speak of no address.
constexpr std::size_t kMaxRules = 1024;
// As async::UvLoop: rounds of ready work in a turn.
constexpr int kRounds = 32;

class ReplayLoop final : public async::Loop {
 public:
  explicit ReplayLoop(async::TimePoint start) : now_(start) {}
  async::TimePoint now() const override { return now_; }
  void go(async::TimePoint to) { now_ = std::max(now_, to); }
  using Loop::earliest;
  using Loop::fireTimers;
  using Loop::hasReady;
  using Loop::runReady;

 private:
  async::TimePoint now_;
};

Error errorOf(const Record& record) {
  constexpr auto kLast = static_cast<std::uint64_t>(ErrorKind::System);
  return Error{static_cast<ErrorKind>(std::min(record.number, kLast)), record.text,
               std::string(textOf(record.data))};
}

// From the front; what the capture does not have is filler.
Bytes take(std::deque<Byte>& content, std::size_t count) {
  const auto end = content.begin() + static_cast<std::ptrdiff_t>(std::min(count, content.size()));
  Bytes taken(content.begin(), end);
  content.erase(content.begin(), end);
  taken.resize(count, kFiller);
  return taken;
}

// What a stream of the capture says of itself, and all that was ever read from it.
struct StreamState {
  std::size_t readable = 0;
  bridge::AppStream::Input input = bridge::AppStream::Input::Open;
  bool writable = true;
  bool drained = true;
  std::deque<Byte> content;
  bridge::AppStream* stream = nullptr;  // while the cores hold it

  void apply(const Record& record) {
    if (record.kind == Kind::StreamReadable) readable = static_cast<std::size_t>(record.number);
    if (record.kind == Kind::StreamInput) {
      input = static_cast<bridge::AppStream::Input>(std::min<std::uint64_t>(record.number, 2));
    }
    if (record.kind == Kind::StreamWritable) writable = record.number != 0;
    if (record.kind == Kind::StreamDrained) drained = record.number != 0;
  }
};

class ReplayImpl;

class ReplayPort final : public serial::Port {
 public:
  explicit ReplayPort(ReplayImpl& replay) : replay_(replay) {}
  ReplayPort(const ReplayPort&) = delete;
  ReplayPort& operator=(const ReplayPort&) = delete;
  ~ReplayPort() override;
  Result<void> write(ByteView bytes) override;
  // Only the reset line pulls them, and is not replayed.
  Result<void> setLine(serial::ModemLine, bool) override { return {}; }
  Result<void> setRate(int baud) override;
  using Port::deliver;
  using Port::reportLost;

 private:
  ReplayImpl& replay_;
};

class ReplayStream final : public bridge::AppStream {
 public:
  ReplayStream(ReplayImpl& replay, std::uint64_t id, StreamState& state)
      : replay_(replay), id_(id), state_(state) {
    state_.stream = this;
  }
  ReplayStream(const ReplayStream&) = delete;
  ReplayStream& operator=(const ReplayStream&) = delete;
  ~ReplayStream() override;

  std::size_t readable() override { return state_.readable; }
  std::size_t read(ByteSpan out) override;
  Input input() override { return state_.input; }
  std::size_t write(ByteView bytes) override;
  bool writable() override { return state_.writable; }
  bool drained() override { return state_.drained; }
  void endOutput() override;
  void reset() override;
  using AppStream::changed;

 private:
  void tell(Kind kind);
  ReplayImpl& replay_;
  std::uint64_t id_;
  StreamState& state_;
};

class ReplayImpl final : public Replay {
 public:
  ReplayImpl(const Capture& capture, const ReplayOptions& options);
  ~ReplayImpl() override { over_ = true; }

  std::optional<Divergence> run() override;
  const Figures& figures() const override { return figures_; }
  async::Duration now() const override { return loop_.now() - start_; }

  Channel& port() { return channel("port>"); }
  Channel& stream(std::uint64_t id) { return channel("stream> " + std::to_string(id)); }
  // Whether the edge refused it then.
  Result<void> came(Channel::Outcome outcome);
  void portGone(ReplayPort* port) {
    if (port_ == port) port_ = nullptr;
    event("port", Kind::PortClosed, 0);
  }
  Result<void> event(const std::string& name, Kind kind, std::uint64_t number, std::string text = {});
  // The cores are being destroyed: nobody compares that.
  bool over() const { return over_ || divergence_.has_value(); }

 private:
  using Iterator = std::vector<Record>::const_iterator;

  Channel& channel(const std::string& name) {
    return channels_.try_emplace(name, name, options_.slack).first->second;
  }
  void load();
  void expect(const Record& record, const Record* next);
  bridge::LinkOptions linkOptions();
  async::Task<Result<void>> pulse();
  bridge::Gateway::Exits exits();
  Result<std::unique_ptr<serial::Port>> openPort();
  void catchUp(const Record& moment);
  void turn();
  void awaitOutputs(const Record& moment);
  std::optional<Divergence> missingBefore(unsigned line) const;
  void perform(const Record& moment);
  void portIn(const Record& moment);
  void answers(Iterator moment);
  void overdue();
  Iterator end() const;
  void finish();

  const Capture& capture_;
  ReplayOptions options_;
  const async::TimePoint start_;
  ReplayLoop loop_;
  std::map<std::string, Channel> channels_;
  std::map<std::uint64_t, StreamState> streams_;
  std::deque<const Record*> opens_;
  std::deque<const Record*> gone_;
  ReplayPort* port_ = nullptr;
  // All that came, for each time that the port was open.
  std::deque<std::deque<Byte>> port_contents_;
  std::deque<Byte> port_content_;
  async::Event reset_over_;
  std::optional<Error> reset_failed_;
  std::optional<Divergence> divergence_;
  unsigned line_ = 0;  // of the moment that runs
  bool over_ = false;
  Figures figures_;
  bridge::Multiplexer multiplexer_;
  bridge::Gateway gateway_;
  bridge::Link link_;
};

ReplayPort::~ReplayPort() {
  replay_.portGone(this);
}

Result<void> ReplayPort::write(ByteView bytes) {
  return replay_.came(replay_.port().bytes(replay_.now(), bytes));
}

Result<void> ReplayPort::setRate(int baud) {
  return replay_.event("port", Kind::PortRate, static_cast<std::uint64_t>(baud));
}

ReplayStream::~ReplayStream() {
  state_.stream = nullptr;
  tell(Kind::StreamClosed);
}

void ReplayStream::tell(Kind kind) {
  if (replay_.over()) return;
  Record record;
  record.kind = kind;
  static_cast<void>(replay_.came(replay_.stream(id_).event(replay_.now(), record)));
}

std::size_t ReplayStream::read(ByteSpan out) {
  const std::size_t count = std::min(out.size(), state_.readable);
  std::ranges::copy(take(state_.content, count), out.begin());
  state_.readable -= count;
  return count;
}

std::size_t ReplayStream::write(ByteView bytes) {
  std::size_t taken = bytes.size();
  if (replay_.over()) return taken;
  static_cast<void>(replay_.came(replay_.stream(id_).write(replay_.now(), bytes, taken)));
  state_.writable = taken == bytes.size();
  state_.drained = state_.drained && taken == 0;
  return taken;
}

void ReplayStream::endOutput() {
  tell(Kind::StreamEnd);
  state_.drained = false;
}

void ReplayStream::reset() {
  tell(Kind::StreamReset);
}

ReplayImpl::ReplayImpl(const Capture& capture, const ReplayOptions& options)
    : capture_(capture),
      options_(options),
      start_(async::Duration(static_cast<std::int64_t>(capture.head.clock))),
      loop_(start_),
      reset_over_(loop_),
      multiplexer_(loop_, options.multiplexer),
      gateway_(loop_, multiplexer_, bridge::Policy(replayPolicy(capture, options.policy)), options.gateway,
               exits()),
      link_(loop_, multiplexer_, linkOptions(), [this] { return openPort(); }) {
  link_.onChange([this](bridge::LinkState state) {
    gateway_.online(state == bridge::LinkState::Online);
    static_cast<void>(event("link", Kind::Link, 0, std::string(name(state))));
  });
  load();
}

void ReplayImpl::load() {
  const auto& records = capture_.records;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const Record& record = records[i];
    if (record.kind == Kind::PortOpened || record.kind == Kind::PortMissing) opens_.push_back(&record);
    if (record.kind == Kind::PortOpened) port_contents_.emplace_back();
    if (record.kind == Kind::PortIn && !port_contents_.empty()) {
      auto& content = port_contents_.back();
      content.insert(content.end(), record.data.begin(), record.data.end());
    }
    if (record.kind == Kind::Gone) gone_.push_back(&record);
    if (record.kind == Kind::StreamIn) {
      auto& content = streams_[record.stream].content;
      content.insert(content.end(), record.data.begin(), record.data.end());
    }
    const bool refused = i + 1 < records.size() && records[i + 1].kind == Kind::PortRefused;
    if (isOutput(record.kind)) expect(record, refused ? &records[i + 1] : nullptr);
  }
}

void ReplayImpl::expect(const Record& record, const Record* refused) {
  std::string where(name(record.kind));
  if (record.kind == Kind::PortLine) return;
  if (record.kind == Kind::PortRate || record.kind == Kind::PortClosed) where = "port";
  if (record.kind == Kind::Reset) where = "link";
  if (record.kind >= Kind::StreamOut && record.kind <= Kind::StreamClosed) {
    where = "stream> " + std::to_string(record.stream);
  }
  Channel& way = channel(where);
  way.expect(record);
  if (refused != nullptr) way.refused(*refused);
}

bridge::LinkOptions ReplayImpl::linkOptions() {
  bridge::LinkOptions options = options_.link;
  for (const auto& record : capture_.records) {
    if (record.kind == Kind::Seed) options.seed = static_cast<std::uint32_t>(record.number);
    if (record.kind == Kind::PinRefused) options.module.pin_memory->refused = true;
  }
  if (options_.has_reset_line) options.reset_line = [this](serial::Port&) { return pulse(); };
  return options;
}

async::Task<Result<void>> ReplayImpl::pulse() {
  static_cast<void>(event("link", Kind::Reset, 0));
  reset_over_.reset();
  co_await reset_over_.wait();
  if (reset_failed_) co_return std::unexpected(*reset_failed_);
  co_return Result<void>();
}

bridge::Gateway::Exits ReplayImpl::exits() {
  bridge::Gateway::Exits exits;
  exits.to_program = [this](ByteView packet) {
    static_cast<void>(came(channel("outer>").packet(now(), packet)));
  };
  exits.to_inner = [this](ByteView packet) {
    static_cast<void>(came(channel("inner>").packet(now(), packet)));
  };
  exits.program_gone = [this](const net::FlowKey&) {
    if (gone_.empty()) return false;
    const bool gone = gone_.front()->number != 0;
    gone_.pop_front();
    return gone;
  };
  return exits;
}

Result<std::unique_ptr<serial::Port>> ReplayImpl::openPort() {
  if (opens_.empty())
    return std::unexpected(Error{ErrorKind::System, "port", "the capture does not open it again"});
  const Record& answer = *opens_.front();
  opens_.pop_front();
  if (answer.kind == Kind::PortMissing) return std::unexpected(errorOf(answer));
  port_content_ = std::move(port_contents_.front());
  port_contents_.pop_front();
  auto port = std::make_unique<ReplayPort>(*this);
  port_ = port.get();
  return port;
}

Result<void> ReplayImpl::came(Channel::Outcome outcome) {
  if (over()) return {};
  ++figures_.outputs;
  if (outcome.divergence) {
    divergence_ = std::move(outcome.divergence);
    if (divergence_->line == 0) divergence_->line = line_;
  }
  if (outcome.refused != nullptr) return std::unexpected(errorOf(*outcome.refused));
  return {};
}

Result<void> ReplayImpl::event(const std::string& where, Kind kind, std::uint64_t number, std::string text) {
  if (over()) return {};
  Record record;
  record.kind = kind;
  record.number = number;
  record.text = std::move(text);
  return came(channel(where).event(now(), record));
}

// A turn of the loop that the capture does not have: the next timer, and what it makes ready.
void ReplayImpl::turn() {
  if (++figures_.unrecorded > kMostTurns) {
    divergence_ = Divergence{line_, now(), "loop", "", "more and more turns of its own"};
    return;
  }
  if (!loop_.hasReady()) {
    loop_.go(loop_.earliest());
    loop_.fireTimers();
  }
  loop_.runReady(kRounds);
}

void ReplayImpl::catchUp(const Record& moment) {
  const auto at = start_ + moment.at;
  const auto late = moment.kind == Kind::Timer ? kLateTimer : kTurn;
  while (!over()) {
    const bool ready = loop_.hasReady() && moment.kind != Kind::Ready && at - loop_.now() > kTurn;
    const auto next = loop_.earliest();
    const bool timer = next != async::TimePoint::max() && next < at - late;
    if (!ready && !timer) return;
    turn();
  }
}

// The world answered to what had been put out.
void ReplayImpl::awaitOutputs(const Record& moment) {
  const auto end = start_ + moment.at + options_.slack;
  while (!over()) {
    auto missing = missingBefore(moment.line);
    if (!missing) return;
    if (!loop_.hasReady() && loop_.earliest() > end) {
      divergence_ = std::move(missing);
      return;
    }
    turn();
  }
}

// The first in the file that has not come.
std::optional<Divergence> ReplayImpl::missingBefore(unsigned line) const {
  std::optional<Divergence> first;
  for (const auto& [name, channel] : channels_) {
    auto missing = channel.missingBefore(line);
    if (missing && (!first || missing->line < first->line)) first = std::move(missing);
  }
  return first;
}

// What the cores will be answered in this moment.
void ReplayImpl::answers(Iterator moment) {
  for (auto next = moment + 1; next != capture_.records.end() && !isMoment(next->kind); ++next) {
    if (next->kind >= Kind::StreamReadable && next->kind <= Kind::StreamDrained)
      streams_[next->stream].apply(*next);
    if (next->kind != Kind::ResetDone) continue;
    Record failure = *next;
    reset_failed_.reset();
    if (failure.number-- > 0) reset_failed_ = errorOf(failure);
    reset_over_.set();
  }
}

void ReplayImpl::portIn(const Record& moment) {
  const Bytes came =
      take(port_content_, static_cast<std::size_t>(std::min<std::uint64_t>(moment.number, kMaxData)));
  if (port_ != nullptr) return port_->deliver(came);
  divergence_ = Divergence{moment.line, now(), "port", "an open port, from which this came", "none"};
}

void ReplayImpl::perform(const Record& moment) {
  const bool own = moment.kind == Kind::Ready || moment.kind == Kind::Timer;
  if (!own) awaitOutputs(moment);
  if (over()) return;
  loop_.go(start_ + moment.at);
  Bytes packet = moment.data;
  switch (moment.kind) {
    case Kind::PortIn:
      return portIn(moment);
    case Kind::Start:
      return link_.start();
    case Kind::Stop:
      return link_.stop(async::Duration(static_cast<std::int64_t>(moment.number)), [] {});
    case Kind::Ready:
      static_cast<void>(loop_.runReady(kRounds));
      return;
    case Kind::Timer:
      return loop_.fireTimers();
    case Kind::PortLost:
      if (port_ != nullptr) port_->reportLost(errorOf(moment));
      return;
    case Kind::OuterIn:
      return gateway_.fromProgram(packet);
    case Kind::InnerIn:
      return gateway_.fromInner(packet);
    case Kind::Accept:
      return gateway_.accepted(static_cast<std::uint16_t>(moment.number),
                               std::make_unique<ReplayStream>(*this, moment.stream, streams_[moment.stream]));
    case Kind::StreamChanged:
      if (auto* stream = streams_[moment.stream].stream) static_cast<ReplayStream*>(stream)->changed();
      return;
    case Kind::AskRadio:
      return multiplexer_.refreshRadio([] {});
    case Kind::AskAt:
      return multiplexer_.execute(moment.text, [](const auto&) {});
    case Kind::AskName:
      return multiplexer_.resolve(moment.text, [](const auto&) {});
    case Kind::AskPing:
      return multiplexer_.ping(static_cast<std::uint32_t>(moment.number), [](const auto&) {});
    case Kind::AskReset:
      static_cast<void>(
          link_.reset(moment.number == 0 ? bridge::RecoveryStep::Restart : bridge::RecoveryStep::ResetLine));
      return;
    default:
      return;
  }
}

void ReplayImpl::overdue() {
  for (const auto& [name, channel] : channels_) {
    if (over()) return;
    if (auto late = channel.overdue(now())) divergence_ = std::move(late);
  }
}

// Of a capture that was cut off, by a crash or at its limit, nobody knows all that its last moment put out:
// it ends before that.
ReplayImpl::Iterator ReplayImpl::end() const {
  const auto& records = capture_.records;
  if (capture_.ended && records.back().text == kStopped) return records.end();
  const auto last =
      std::find_if(records.rbegin(), records.rend(), [](const auto& one) { return isMoment(one.kind); });
  return last == records.rend() ? records.begin() : last.base() - 1;
}

// What never came.
void ReplayImpl::finish() {
  const auto last = end();
  const bool whole = last == capture_.records.end();
  for (const auto& [name, channel] : channels_) figures_.bytes += channel.bytesMatched();
  auto missing = missingBefore(whole ? std::numeric_limits<unsigned>::max() : last->line);
  if (missing && missing->at > options_.until - options_.slack) missing.reset();
  if (!over()) divergence_ = std::move(missing);
}

std::optional<Divergence> ReplayImpl::run() {
  const auto last = end();
  for (auto record = capture_.records.begin(); record != last && !over(); ++record) {
    if (record->at > options_.until) break;
    if (options_.on_record) options_.on_record(*record);
    if (record->kind == Kind::End) awaitOutputs(*record);
    if (!isMoment(record->kind)) continue;
    line_ = record->line;
    catchUp(*record);
    answers(record);
    if (!over()) perform(*record);
    if (!over()) overdue();
    ++figures_.moments;
  }
  figures_.length = now();
  finish();
  return divergence_;
}

}  // namespace

std::unique_ptr<Replay> Replay::create(const Capture& capture, const ReplayOptions& options) {
  return std::make_unique<ReplayImpl>(capture, options);
}

std::vector<bridge::PolicyRule> replayPolicy(const Capture& capture,
                                             const std::vector<bridge::PolicyRule>& rules) {
  if (capture.head.everything) return rules;
  std::vector<std::vector<std::uint32_t>> meant(rules.size());
  for (const auto& record : capture.records) {
    if (record.kind != Kind::Rules) continue;
    for (const auto field : at::fields(record.text, kMaxRules)) {
      const auto rule = at::number<std::size_t>(field);
      if (rule && *rule > 0 && *rule <= rules.size())
        meant[*rule - 1].push_back(static_cast<std::uint32_t>(record.number));
    }
  }
  std::vector<bridge::PolicyRule> made;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (!rules[i].to) made.push_back(rules[i]);
    if (!rules[i].to) continue;
    for (const auto address : meant[i]) {
      made.push_back(rules[i]);
      made.back().to = net::Cidr{address, 32};
    }
  }
  return made;
}

}  // namespace qimux::capture
