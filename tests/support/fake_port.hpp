// A module that is a transcript: "this command comes, then these bytes go back".
//
// What arrives is compared with the script, line by line and in order. Lines that the script does not expect
// next are looked up among the standing answers; what is found in neither is trouble, and so is what never
// came. Nothing is answered from inside write(): all output comes from the loop, after its delay, in pieces
// of chunk().
#pragma once

#include "qimux/async/loop.hpp"
#include "qimux/serial/port.hpp"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace qimux::test {

class FakePort final : public serial::Port {
 public:
  explicit FakePort(async::Loop& loop) : loop_(loop) {}

  // The script. says(), after() and payload() belong to the last awaits(), in the order of the calls.
  FakePort& awaits(std::string line) {
    script_.push_back(Step{.line = std::move(line), .size = 0, .payload = {}, .output = {}});
    return *this;
  }
  // The next `bytes` exactly, whatever is in them, after the step before has said what it says.
  FakePort& payload(std::string bytes) {
    const std::size_t size = bytes.size();
    script_.push_back(Step{.line = {}, .size = size, .payload = std::move(bytes), .output = {}});
    return *this;
  }
  // So many bytes, whichever they are: a module that waits for payload and gets something else.
  FakePort& swallow(std::size_t size) {
    script_.push_back(Step{.line = {}, .size = size, .payload = {}, .output = {}});
    return *this;
  }
  // Raw output; `delay` counts from the command.
  FakePort& says(std::string bytes, async::Duration delay = {}) {
    script_.back().output.push_back(Output{std::move(bytes), delay});
    return *this;
  }
  // "\r\nOK\r\n" for "OK", and so on for each line.
  FakePort& lines(const std::vector<std::string>& list, async::Duration delay = {}) {
    return says(framed(list), delay);
  }
  FakePort& ok() { return lines({"OK"}); }

  // Every line that begins with `prefix`, as often as it comes; the longest prefix that fits answers. A later
  // one for the same prefix replaces it.
  void always(const std::string& prefix, std::string bytes, async::Duration delay = {}) {
    std::erase_if(standing_, [&](const Standing& one) { return one.prefix == prefix; });
    standing_.push_back(Standing{prefix, {Output{std::move(bytes), delay}}});
  }
  void alwaysOk(const std::string& prefix) { always(prefix, framed({"OK"})); }

  // Each line is written there too: it outlives this port.
  void record(std::vector<std::string>& lines) { record_ = &lines; }

  // Unasked, now or later.
  void say(std::string bytes, async::Duration delay = {}) { schedule({Output{std::move(bytes), delay}}); }
  void sayLines(const std::vector<std::string>& list) { say(framed(list)); }

  // Output comes in pieces of so many bytes; 0: as it was given.
  void chunk(std::size_t size) { chunk_ = size; }
  // The device goes: onLost() is called from the loop.
  void unplug() {
    loop_.post([this] { reportLost(Error{ErrorKind::System, "poll", "gone"}); });
  }
  // The module's line rate: at any other it hears nothing and is not heard, until AT+IPR sets it.
  void talksAt(int baud) { module_rate_ = baud; }
  int rate() const { return rate_; }
  // write() fails from now on.
  void refuseWrites(bool refuse) { refuse_ = refuse; }

  // Empty where everything came that was expected, and nothing else.
  std::string trouble() const {
    std::string text = trouble_;
    for (const auto& step : script_) text += "never came: " + describe(step) + "\n";
    return text;
  }
  // Each line that came, in order, without its CR; payload is not among them.
  const std::vector<std::string>& heard() const { return heard_; }
  std::size_t count(std::string_view prefix) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(heard_, [&](const auto& line) { return line.starts_with(prefix); }));
  }
  int escapes() const { return escapes_; }
  std::size_t emptyLines() const { return empty_lines_; }
  bool scriptDone() const { return script_.empty(); }

  static std::string framed(const std::vector<std::string>& list) {
    std::string text;
    for (const auto& line : list) text += "\r\n" + line + "\r\n";
    return text;
  }

  Result<void> write(ByteView bytes) override {
    if (refuse_) return std::unexpected(Error{ErrorKind::Full, "write", "refused by the test"});
    if (module_rate_ != 0 && rate_ != module_rate_) return {};
    input_ += textOf(bytes);
    consume();
    return {};
  }
  Result<void> setRate(int baud) override {
    rate_ = baud;
    return {};
  }
  Result<void> setLine(serial::ModemLine line, bool asserted) override {
    lines_set_.emplace_back(line, asserted);
    return {};
  }
  const std::vector<std::pair<serial::ModemLine, bool>>& linesSet() const { return lines_set_; }

 private:
  struct Output {
    std::string bytes;
    async::Duration delay{};
  };
  struct Step {
    std::string line;
    std::size_t size;  // of payload; 0: a line
    std::string payload;
    std::vector<Output> output;
  };
  struct Standing {
    std::string prefix;
    std::vector<Output> output;
  };

  static std::string describe(const Step& step) {
    return step.size == 0 ? step.line : std::to_string(step.size) + " bytes of payload";
  }

  void consume() {
    while (!input_.empty()) {
      if (!script_.empty() && script_.front().size > 0) {
        if (!consumePayload()) return;
      } else if (!consumeLine()) {
        return;
      }
    }
  }

  bool consumePayload() {
    Step& step = script_.front();
    if (input_.size() < step.size) return false;
    if (!step.payload.empty() && !input_.starts_with(step.payload)) {
      trouble_ += "payload was " + printable(input_.substr(0, step.size)) + " instead of " +
                  printable(step.payload) + "\n";
    }
    input_.erase(0, step.size);
    finish();
    return true;
  }

  bool consumeLine() {
    const auto end = input_.find('\r');
    if (end == std::string::npos) return false;
    std::string line = input_.substr(0, end);
    input_.erase(0, end + 1);
    escapes_ += static_cast<int>(std::erase(line, '\x1b'));
    if (line.empty()) {
      ++empty_lines_;
      return true;
    }
    heard_.push_back(line);
    if (record_ != nullptr) record_->push_back(line);
    if (!script_.empty() && script_.front().line == line) {
      finish();
      return true;
    }
    auto standing = standing_.end();
    for (auto it = standing_.begin(); it != standing_.end(); ++it) {
      if (!line.starts_with(it->prefix)) continue;
      if (standing == standing_.end() || it->prefix.size() > standing->prefix.size()) standing = it;
    }
    if (standing != standing_.end()) {
      schedule(standing->output);
      const bool taken = standing->output.front().bytes.find("OK") != std::string::npos;
      if (module_rate_ != 0 && taken && line.starts_with("AT+IPR=")) module_rate_ = std::stoi(line.substr(7));
    } else {
      trouble_ += "unexpected: " + printable(line) +
                  (script_.empty() ? "" : " instead of " + describe(script_.front())) + "\n";
    }
    return true;
  }

  void finish() {
    const Step step = std::move(script_.front());
    script_.pop_front();
    schedule(step.output);
  }

  void schedule(const std::vector<Output>& output) {
    for (const auto& one : output) {
      const std::size_t size = chunk_ == 0 ? std::max<std::size_t>(one.bytes.size(), 1) : chunk_;
      for (std::size_t at = 0; at < one.bytes.size(); at += size) {
        timers_.push_back(std::make_unique<async::Timer>(loop_));
        timers_.back()->start(one.delay,
                              [this, piece = one.bytes.substr(at, size)] { deliver(bytesOf(piece)); });
      }
    }
    std::erase_if(timers_, [](const auto& timer) { return !timer->armed(); });
  }

  async::Loop& loop_;
  std::deque<Step> script_;
  std::vector<Standing> standing_;
  std::list<std::unique_ptr<async::Timer>> timers_;
  std::string input_;
  std::string trouble_;
  std::vector<std::string> heard_;
  std::vector<std::pair<serial::ModemLine, bool>> lines_set_;
  std::vector<std::string>* record_ = nullptr;
  std::size_t chunk_ = 0;
  std::size_t empty_lines_ = 0;
  int escapes_ = 0;
  int rate_ = 115200;
  int module_rate_ = 0;  // 0: any
  bool refuse_ = false;
};

}  // namespace qimux::test
