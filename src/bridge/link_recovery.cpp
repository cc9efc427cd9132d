// The part of Link that takes the steps of the recovery ladder.
#include "qimux/base/log.hpp"
#include "qimux/bridge/link.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace qimux::bridge {
namespace {

using namespace std::chrono_literals;

constexpr async::Duration kRestartDeadline = 15s;
// Behind the OK of a restart the module may still answer for a moment.
constexpr async::Duration kUntilSilent = 2s;
constexpr async::Duration kQuestion = 3s;
// Two tries at each rate: the first may end a line of garbage.
constexpr int kTriesAtRate = 2;
// What modules are set to, the likely ones first.
constexpr std::array kRates{115200, 9600, 57600, 38400, 19200, 4800, 230400, 460800};

}  // namespace

// At once where the module says something meanwhile: it may be back.
async::Task<void> Link::pause(async::Duration span) {
  if (span <= 0s) co_return;
  enter(LinkState::Pausing);
  word_.reset();
  co_await word_.waitFor(span);
}

// A command had no answer: is it the module that is silent, or only that command that it does not end?
async::Task<Cause> Link::lookAgain(Loss loss) {
  if (loss.cause != Cause::Silence || loss.error.what == "AT") co_return loss.cause;
  enter(LinkState::Recovering);
  multiplexer_.recovery().begin(RecoveryStep::Resync, loss.error.text());
  const auto answers = co_await channel_->resync();
  Result<void> outcome;
  if (!answers) outcome = std::unexpected(answers.error());
  multiplexer_.recovery().end(outcome);
  co_return answers ? Cause::Stack : Cause::Silence;
}

async::Task<void> Link::recover(Loss loss) {
  loss.cause = co_await lookAgain(loss);
  const auto decision = ladder_.decide(loss.cause, loop_.now());
  co_await pause(decision.pause);
  if (!decision.step || stopping_) co_return;
  enter(LinkState::Recovering);
  multiplexer_.recovery().begin(*decision.step, loss.error.text());
  settled_ = settled_ && *decision.step == RecoveryStep::Reactivate;
  co_await take(*decision.step);
}

// Steps that only the next attempt to come up can judge end with it.
async::Task<void> Link::take(RecoveryStep step) {
  switch (step) {
    case RecoveryStep::BaudHunt: {
      const auto found = co_await hunt();
      if (!found) multiplexer_.recovery().end(std::unexpected(found.error()));
      break;
    }
    case RecoveryStep::Restart:
      co_await restart();
      break;
    case RecoveryStep::ResetLine:
      co_await pullReset();
      break;
    case RecoveryStep::AwaitDevice:
      // This coroutine ends here, with the device.
      device_over_.set();
      co_await async::sleep(loop_, 1h);
      break;
    default:
      break;
  }
}

Result<void> Link::reset(RecoveryStep step) {
  const auto no = [](ErrorKind kind, std::string why) {
    return std::unexpected(Error{kind, "reset", std::move(why)});
  };
  const bool by_line = step == RecoveryStep::ResetLine;
  if (!by_line && step != RecoveryStep::Restart) return no(ErrorKind::Invalid, "not a way to start it anew");
  if (by_line && !options_.reset_line)
    return no(ErrorKind::Invalid, "module.reset is \"none\": nothing reaches the module's reset line");
  if (stopping_) return no(ErrorKind::Closed, "the link is about to end");
  if (port_ == nullptr || device_over_.isSet()) return no(ErrorKind::Closed, "the device is missing");
  life_.cancel();
  uncovered_timer_.stop();
  multiplexer_.linkLost();
  settled_ = false;
  enter(LinkState::Recovering);
  multiplexer_.recovery().begin(step, "asked for");
  life_.spawn(resetNow(step));
  return {};
}

async::Task<void> Link::resetNow(RecoveryStep step) {
  co_await take(step);
  co_await life();
}

async::Task<void> Link::restart() {
  if (channel_->inDoubt()) {
    const auto answers = co_await channel_->resync();
    if (!answers) {
      multiplexer_.recovery().end(std::unexpected(answers.error()));
      co_return;
    }
  }
  word_.reset();
  boot_until_ = loop_.now() + kRestartDeadline + options_.boot;
  at::Command command("AT+CFUN=1,1", kRestartDeadline);
  const auto done = co_await channel_->execute(std::move(command));
  if (!done && at::answered(done.error())) {
    boot_until_ = {};
    multiplexer_.recovery().end(std::unexpected(done.error()));
    co_return;
  }
  boot_until_ = loop_.now() + options_.boot;
  // Its RDY ends the wait.
  word_.reset();
  co_await word_.waitFor(kUntilSilent);
}

async::Task<void> Link::pullReset() {
  const auto done = co_await options_.reset_line(*port_);
  if (!done) {
    log::error(fmt::format("module.reset: {}", done.error().text()));
    multiplexer_.recovery().end(std::unexpected(done.error()));
    co_return;
  }
  boot_until_ = loop_.now() + options_.boot;
}

// The rate at which the module answers. It is told to use ours; where it does not, the port keeps its.
async::Task<Result<int>> Link::hunt() {
  for (const int rate : kRates) {
    if (rate == options_.baud || !port_->setRate(rate)) continue;
    const auto answers = co_await channel_->resync(kTriesAtRate);
    if (!answers) continue;
    log::notice(fmt::format("module: it answers at {} baud, not at {}", rate, options_.baud));
    const auto ours = co_await useOurRate(rate);
    if (!ours) co_return std::unexpected(ours.error());
    co_return rate;
  }
  static_cast<void>(port_->setRate(options_.baud));
  co_return std::unexpected(Error{ErrorKind::Timeout, "AT", "no answer at any rate"});
}

async::Task<Result<void>> Link::useOurRate(int found) {
  at::Command command(fmt::format("AT+IPR={}", options_.baud), kQuestion);
  const auto done = co_await channel_->execute(std::move(command));
  if (!done && at::answered(done.error())) co_return Result<void>();
  static_cast<void>(port_->setRate(options_.baud));
  const auto answers = co_await channel_->resync(kTriesAtRate);
  if (answers) co_return Result<void>();
  static_cast<void>(port_->setRate(found));
  const auto again = co_await channel_->resync(kTriesAtRate);
  if (!again) co_return std::unexpected(again.error());
  co_return Result<void>();
}

}  // namespace qimux::bridge
