#include "qimux/serial/reset_line.hpp"

#include "qimux/async/child.hpp"
#include "qimux/async/event.hpp"

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace qimux::serial {
namespace {

// Releases the line wherever the coroutine that holds it ends.
template <typename Release>
class Held {
 public:
  explicit Held(Release release) : release_(std::move(release)) {}
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held() { release_(); }

 private:
  Release release_;
};

class ModemResetLine final : public ResetLine {
 public:
  ModemResetLine(async::Loop& loop, ModemLine line) : loop_(loop), line_(line) {}

  async::Task<Result<void>> pulse(Port& port) override {
    const auto asserted = port.setLine(line_, true);
    if (!asserted) co_return asserted;
    const Held release([this, &port] { static_cast<void>(port.setLine(line_, false)); });
    co_await async::sleep(loop_, kPulse);
    co_return Result<void>();
  }

 private:
  async::Loop& loop_;
  ModemLine line_;
};

class GpioResetLine final : public ResetLine {
 public:
  GpioResetLine(async::Loop& loop, std::string chip, unsigned line)
      : loop_(loop), chip_(std::move(chip)), line_(line) {}

  async::Task<Result<void>> pulse(Port&) override {
    if (output_ == nullptr) {
      auto opened = GpioOutput::open(chip_, line_);
      if (!opened) co_return std::unexpected(opened.error());
      output_ = std::move(*opened);
    }
    const auto asserted = output_->set(true);
    if (!asserted) co_return asserted;
    const Held release([this] { static_cast<void>(output_->set(false)); });
    co_await async::sleep(loop_, kPulse);
    co_return Result<void>();
  }

  Result<void> check() const override {
    return output_ == nullptr ? GpioOutput::check(chip_, line_) : Result<void>();
  }

 private:
  async::Loop& loop_;
  std::string chip_;
  unsigned line_;
  std::unique_ptr<GpioOutput> output_;
};

class CommandResetLine final : public ResetLine {
 public:
  CommandResetLine(async::UvLoop& loop, std::vector<std::string> command)
      : loop_(loop), command_(std::move(command)) {}

  async::Task<Result<void>> pulse(Port&) override {
    async::Command command;
    command.words = command_;
    const auto ended = co_await async::runChild(loop_, std::move(command), kCommandTime);
    if (!ended) co_return std::unexpected(ended.error());
    if (ended->good() && !ended->killed) co_return Result<void>();
    const auto kind = ended->killed ? ErrorKind::Timeout : ErrorKind::System;
    std::string why = how(*ended);
    if (!ended->output.empty()) why += ": " + ended->output.substr(0, ended->output.find('\n'));
    co_return std::unexpected(Error{kind, command_.front(), why});
  }

  Result<void> check() const override {
    if (::access(command_.front().c_str(), X_OK) == 0) return {};
    return std::unexpected(systemError(command_.front(), errno));
  }

 private:
  async::UvLoop& loop_;
  std::vector<std::string> command_;
};

}  // namespace

std::unique_ptr<ResetLine> ResetLine::make(async::UvLoop& loop, const ResetSettings& settings) {
  switch (settings.kind) {
    case ResetSettings::Kind::None:
      break;
    case ResetSettings::Kind::Dtr:
      return std::make_unique<ModemResetLine>(loop, ModemLine::Dtr);
    case ResetSettings::Kind::Rts:
      return std::make_unique<ModemResetLine>(loop, ModemLine::Rts);
    case ResetSettings::Kind::Gpio:
      return std::make_unique<GpioResetLine>(loop, settings.chip, settings.line);
    case ResetSettings::Kind::Command:
      return std::make_unique<CommandResetLine>(loop, settings.command);
  }
  return nullptr;
}

}  // namespace qimux::serial
