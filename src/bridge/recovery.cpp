#include "qimux/bridge/recovery.hpp"

#include "qimux/base/log.hpp"

#include <fmt/format.h>

#include <utility>

namespace qimux::bridge {

std::string_view name(RecoveryStep step) {
  switch (step) {
    case RecoveryStep::Resync:
      return "resync";
    case RecoveryStep::BaudHunt:
      return "baud_hunt";
    case RecoveryStep::CloseSocket:
      return "close_socket";
    case RecoveryStep::Reactivate:
      return "reactivate";
    case RecoveryStep::Restart:
      return "restart";
    case RecoveryStep::ResetLine:
      return "reset_line";
    case RecoveryStep::AwaitDevice:
      return "await_device";
  }
  return "unknown";
}

void Recovery::begin(RecoveryStep step, std::string why) {
  if (current_) end(std::unexpected(Error{ErrorKind::Cancelled, "recovery", "something else came between"}));
  ++counts_.at(static_cast<std::size_t>(step));
  log::write(log::Level::Notice, fmt::format("recovery: {}: {}", name(step), why),
             {{"RECOVERY_STEP", name(step)}});
  current_ = Entry{.step = step, .why = std::move(why), .begun = loop_.now(), .took = {}, .failed = {}};
}

void Recovery::end(const Result<void>& outcome) {
  if (!current_) return;
  Entry entry = std::move(*current_);
  current_.reset();
  entry.took = loop_.now() - entry.begun;
  if (!outcome) entry.failed = outcome.error();
  const double seconds = std::chrono::duration<double>(entry.took).count();
  if (entry.failed) {
    log::write(log::Level::Warning,
               fmt::format("recovery: {}: failed after {:.1f} s: {}", name(entry.step), seconds,
                           entry.failed->text()),
               {{"RECOVERY_STEP", name(entry.step)}});
  } else {
    log::write(log::Level::Notice, fmt::format("recovery: {}: done in {:.1f} s", name(entry.step), seconds),
               {{"RECOVERY_STEP", name(entry.step)}});
  }
  ended_.push_back(std::move(entry));
  if (ended_.size() > kRemembered) ended_.pop_front();
}

}  // namespace qimux::bridge
