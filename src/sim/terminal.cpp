#include "qimux/sim/terminal.hpp"

#include "qimux/sim/command.hpp"

#include <fmt/format.h>

#include <array>
#include <cassert>
#include <utility>

namespace qimux::sim {
namespace {

constexpr std::size_t kLineLimit = 256;
// What the module says by itself while a command runs; more is lost.
constexpr std::size_t kHeldLimit = 256;
// With so many bytes still to be said nothing is heard, and looked again after a while; with so many more
// what the module says by itself is lost.
constexpr std::size_t kUnheardLimit = 8192;
constexpr auto kUnheardBeat = std::chrono::milliseconds(5);
constexpr std::size_t kUnsaidLimit = 65536;

// Result codes of V.250.
constexpr int kOk = 0;
constexpr int kConnect = 1;
constexpr int kError = 4;

constexpr char kCr = '\r';
constexpr char kBackspace = '\b';

// The texts of AT+CMEE=2, for the codes that this simulator gives.
std::string_view cmeText(int code) {
  struct Text {
    int code;
    std::string_view text;
  };
  static constexpr std::array kTexts{
      Text{3, "operation not allowed"},
      Text{4, "operation not supported"},
      Text{10, "SIM not inserted"},
      Text{11, "SIM PIN required"},
      Text{12, "SIM PUK required"},
      Text{13, "SIM failure"},
      Text{14, "SIM busy"},
      Text{16, "incorrect password"},
      Text{21, "invalid index"},
      Text{30, "no network service"},
  };
  for (const auto& entry : kTexts) {
    if (entry.code == code) return entry.text;
  }
  return "unknown error";
}

// Where the command begins behind AT or at; npos where there is none. Anything before it is ignored.
std::size_t behindPrefix(std::string_view line) {
  for (std::size_t i = 0; i + 1 < line.size(); ++i) {
    if ((line[i] == 'A' || line[i] == 'a') && (line[i + 1] == 'T' || line[i + 1] == 't')) return i + 2;
  }
  return std::string_view::npos;
}

}  // namespace

Terminal::Terminal(async::Loop& loop, const Options& options, Timing& timing, Transcript& transcript,
                   Wire& wire, Executor& executor, Hold hold)
    : options_(options),
      timing_(timing),
      transcript_(transcript),
      wire_(wire),
      executor_(executor),
      hold_(std::move(hold)),
      delay_(loop),
      hang_timer_(loop),
      behind_timer_(loop) {}

bool Terminal::blocked() {
  return hung_ || phase_ == Phase::Waiting || phase_ == Phase::Running || behind();
}

// Looked after again by itself: nobody tells when the line has said something.
bool Terminal::behind() {
  if (!unheard || unheard() <= kUnheardLimit) return false;
  if (!behind_timer_.armed()) behind_timer_.start(kUnheardBeat, [this] { drain(); });
  return true;
}

void Terminal::input(ByteView bytes) {
  if (!fifo_.empty() || consuming_) {
    keep(bytes);
    drain();
    return;
  }
  keep(bytes.subspan(consume(bytes)));
}

std::size_t Terminal::consume(ByteView bytes) {
  std::size_t used = 0;
  consuming_ = true;
  while (used < bytes.size() && !blocked()) {
    const ByteView rest = bytes.subspan(used);
    const std::size_t taken = sink_ != nullptr ? sink_->feed(rest) : collect(rest);
    if (taken == 0) break;
    used += taken;
  }
  consuming_ = false;
  return used;
}

void Terminal::keep(ByteView bytes) {
  if (bytes.empty()) return;
  if (options_.quirks.has(Quirk::TypeaheadLost) && !hung_ && sink_ == nullptr) {
    transcript_.note(fmt::format("{} bytes typed into a running command are lost", bytes.size()));
    return;
  }
  const std::size_t room = options_.input_fifo - std::min(options_.input_fifo, fifo_.size());
  const std::size_t kept = std::min(room, bytes.size());
  fifo_.append(bytes.first(kept));
  if (transcript_.on() && blocked() && !hung_ && bytes.front() != '\n') {
    transcript_.note(fmt::format("{} bytes typed into a running command", bytes.size()));
  }
  controlFlow();
  if (kept == bytes.size()) return;
  lost_ += bytes.size() - kept;
  transcript_.note(fmt::format("input FIFO full: {} bytes lost, {} in all", bytes.size() - kept, lost_));
}

void Terminal::drain() {
  if (consuming_) return;
  while (!fifo_.empty() && !blocked()) {
    const std::size_t used = consume(fifo_.view());
    if (used == 0) return;
    fifo_.drop(used);
    controlFlow();
  }
}

// What is on its way when the host is told still finds room.
void Terminal::controlFlow() {
  const std::size_t size = fifo_.size();
  const bool held = host_held_ ? size > options_.input_fifo / 4 : size > options_.input_fifo / 2;
  if (settings_.flow != FlowControl::None) holdHost(held);
}

void Terminal::setFlow(FlowControl flow) {
  if (flow != settings_.flow) holdHost(false);
  settings_.flow = flow;
  controlFlow();
}

void Terminal::holdHost(bool held) {
  if (std::exchange(host_held_, held) == held) return;
  transcript_.note(held ? "FIFO fills up: the host is stopped" : "the host may go on");
  if (settings_.flow == FlowControl::RtsCts) {
    if (hold_) hold_(held);
  } else {
    wire_.print(std::string_view(held ? "\x13" : "\x11"));
  }
}

std::size_t Terminal::collect(ByteView bytes) {
  std::size_t used = 0;
  bool complete = false;
  while (used < bytes.size() && !complete) {
    const char c = static_cast<char>(bytes[used++]);
    if (c == kCr) {
      complete = true;
    } else if (c == kBackspace) {
      if (!line_.empty()) line_.pop_back();
    } else if (static_cast<unsigned char>(c) >= 0x20) {
      if (line_.size() < kLineLimit) {
        line_ += c;
      } else {
        overflow_ = true;
      }
    }
  }
  ByteView shown = bytes.first(used);
  // The LF behind the last command's CR is not part of this one.
  if (!shown.empty() && shown.front() == '\n') shown = shown.subspan(1);
  if (settings_.echo && !shown.empty()) wire_.print(shown);
  if (complete) lineComplete();
  return used;
}

void Terminal::lineComplete() {
  assert(phase_ == Phase::Collecting);
  const std::string line = std::exchange(line_, {});
  const bool overflow = std::exchange(overflow_, false);
  const std::size_t begin = behindPrefix(line);
  if (begin == std::string_view::npos) {
    if (!line.empty()) transcript_.note("no command: " + line);
    return;
  }
  if (hits(mishaps_.unanswered)) {
    transcript_.note("swallowed by a fault: " + line);
    return;
  }
  running_line_ = line.substr(begin);
  transcript_.command("AT" + running_line_);
  parts_ = splitLine(running_line_);
  next_part_ = 0;
  first_answer_ = true;
  phase_ = Phase::Waiting;
  if (overflow) {
    parts_.clear();
    transcript_.note("longer than 256 characters");
    complete(Reply::error(), timing_.of({}));
    return;
  }
  const async::Duration latency = timing_.ofLine(parts_);
  if (latency.count() == 0) {
    runNext();
  } else {
    delay_.start(latency, [this] { runNext(); });
  }
}

void Terminal::runNext() {
  phase_ = Phase::Running;
  if (next_part_ >= parts_.size()) {
    settle(Reply::ok());
    return;
  }
  const Reply reply = executor_.execute(parts_[next_part_++]);
  if (reply.kind != Reply::Kind::Later) settle(reply);
}

void Terminal::complete(Reply reply, async::Duration delay) {
  assert(phase_ == Phase::Running || phase_ == Phase::Waiting);
  phase_ = Phase::Running;
  if (delay.count() == 0) {
    settle(reply);
  } else {
    delay_.start(delay, [this, reply] { settle(reply); });
  }
}

void Terminal::settle(Reply reply) {
  const bool good = reply.kind == Reply::Kind::Ok || reply.kind == Reply::Kind::Done;
  // One OK for the whole line, and none after the first that failed.
  if (good && next_part_ < parts_.size()) {
    runNext();
    return;
  }
  printResult(reply);
  finish();
}

void Terminal::finish() {
  phase_ = Phase::Collecting;
  sayHeld();
  if (going_) beginOnline();
  drain();
  if (!busy()) executor_.idle();
}

void Terminal::sayHeld() {
  while (!held_.empty()) {
    const std::string line = std::move(held_.front());
    held_.pop_front();
    printUrc(line);
  }
}

void Terminal::goOnline(DataSink& sink, std::string line, std::move_only_function<void()> begun) {
  going_ = Going{&sink, std::move(line), std::move(begun)};
  if (!busy()) beginOnline();
}

void Terminal::beginOnline() {
  assert(phase_ == Phase::Collecting);
  Going going = std::move(*going_);
  going_.reset();
  result(kConnect, going.line);
  // What was typed of a command is forgotten.
  line_.clear();
  overflow_ = false;
  sink_ = going.sink;
  phase_ = Phase::Online;
  going.begun();
}

void Terminal::goOffline() {
  going_.reset();
  if (phase_ != Phase::Online) return;
  sink_ = nullptr;
  phase_ = Phase::Collecting;
  sayHeld();
  if (consuming_) return;
  drain();
  if (!busy()) executor_.idle();
}

void Terminal::result(int code, std::string_view word) {
  if (settings_.quiet) return;
  if (settings_.verbose) return info(word);
  transcript_.answer(word);
  wire_.print(fmt::format("{}\r", code));
}

void Terminal::info(std::string_view line) {
  transcript_.answer(line);
  if (lost_results_ > 0 && line.find("SEND ") != std::string_view::npos) {
    --lost_results_;
    transcript_.note("lost by a fault");
    return;
  }
  std::string text;
  if (std::exchange(first_answer_, false) && settings_.echo && options_.quirks.has(Quirk::CrCrLf))
    text = "\r";
  if (settings_.verbose) text += "\r\n";
  const std::size_t start = text.size();
  text += line;
  if (hits(mishaps_.garbled)) {
    transcript_.note("garbled by a fault");
    for (std::size_t i = start; i < text.size(); ++i) text[i] = static_cast<char>(text[i] | 0x80);
  }
  text += "\r\n";
  wire_.print(text);
}

void Terminal::printResult(Reply reply) {
  const bool ok = reply.kind == Reply::Kind::Ok;
  if (reply.kind == Reply::Kind::Done || settings_.quiet) return;
  if (reply.kind == Reply::Kind::Cms) {
    info(fmt::format("+CMS ERROR: {}", reply.code));
  } else if (reply.kind == Reply::Kind::Cme && settings_.cmee == 1) {
    info(fmt::format("+CME ERROR: {}", reply.code));
  } else if (reply.kind == Reply::Kind::Cme && settings_.cmee == 2) {
    info(fmt::format("+CME ERROR: {}", cmeText(reply.code)));
  } else {
    result(ok ? kOk : kError, ok ? "OK" : "ERROR");
  }
}

void Terminal::urc(std::string line) {
  if (muted_) return;
  if (lost_urcs_ > 0) {
    --lost_urcs_;
    transcript_.note("lost by a fault: " + line);
    return;
  }
  const bool running = phase_ == Phase::Waiting || phase_ == Phase::Running;
  const bool passes = (phase_ == Phase::Data && options_.quirks.has(Quirk::UrcInSend)) ||
                      (running && options_.quirks.has(Quirk::UrcWhileRunning));
  const bool held = busy() && !passes;
  if (!held) {
    // In the order in which they arose.
    sayHeld();
    printUrc(line);
  } else if (held_.size() < kHeldLimit) {
    held_.push_back(std::move(line));
    if (phase_ == Phase::Online && held_online_) held_online_();
  } else {
    transcript_.note("too many held back, lost: " + line);
  }
}

void Terminal::printUrc(std::string_view line) {
  if (unheard && unheard() > kUnsaidLimit) {
    transcript_.note(fmt::format("the line is stuck, lost: {}", line));
    return;
  }
  transcript_.answer(line);
  wire_.print(std::string_view("\r\n"));
  wire_.print(line);
  wire_.print(std::string_view("\r\n"));
}

void Terminal::beginData(DataSink& sink) {
  assert(phase_ == Phase::Running);
  sink_ = &sink;
  phase_ = Phase::Data;
}

void Terminal::endData() {
  assert(phase_ == Phase::Data);
  sink_ = nullptr;
  phase_ = Phase::Running;
}

void Terminal::hang(async::Duration span) {
  hung_ = true;
  wire_.hold(Wire::Hold::Hang, true);
  hang_timer_.start(span, [this] {
    hung_ = false;
    wire_.hold(Wire::Hold::Hang, false);
    drain();
  });
}

void Terminal::forgetFaults() {
  lost_results_ = 0;
  lost_urcs_ = 0;
  mishaps_ = {};
}

void Terminal::reset(Settings settings) {
  settings_ = settings;
  phase_ = Phase::Collecting;
  sink_ = nullptr;
  going_.reset();
  fifo_.clear();
  if (std::exchange(host_held_, false) && hold_) hold_(false);
  line_.clear();
  overflow_ = false;
  parts_.clear();
  next_part_ = 0;
  held_.clear();
  hung_ = false;
  forgetFaults();
  delay_.stop();
  hang_timer_.stop();
  behind_timer_.stop();
  wire_.hold(Wire::Hold::Hang, false);
  wire_.hold(Wire::Hold::Xoff, false);
}

}  // namespace qimux::sim
