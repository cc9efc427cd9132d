// The life of the link: a device that comes and goes, a module that is brought up, served, lost and brought
// up again.
//
// One coroutine reads the whole of it from top to bottom. What the multiplexer holds outlives all losses:
// waiting connects wait on, only what was in the module's sockets is gone. What is done about a loss the
// Ladder says; Recovery keeps the record; Condition says it to people.
#pragma once

#include "qimux/async/event.hpp"
#include "qimux/async/task.hpp"
#include "qimux/bridge/ladder.hpp"
#include "qimux/bridge/multiplexer.hpp"
#include "qimux/bridge/trouble.hpp"
#include "qimux/module/module.hpp"
#include "qimux/serial/port.hpp"

#include <deque>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qimux::bridge {

enum class LinkState {
  NoDevice,       // the port cannot be opened: missing, or in use
  Synchronising,  // the port is ours; the module is made to answer
  Sim,            // it answers; its SIM is made ready
  Registering,    // the SIM is ready; the network is awaited. Sockets may be open: coverage was lost
  Activating,     // registered; the context is being activated
  Online,         // the context has an address: sockets can be opened
  Pausing,        // something failed; the next attempt comes after a while
  Recovering,     // a step of recovery is being taken
  Stopping,       // asked to end: sockets and context are closed
  Stopped,
};
std::string_view name(LinkState state);

struct LinkOptions {
  module::Settings module;
  int baud = 115200;
  // Asserts and releases EMERG_OFF; empty where nothing is wired to it.
  std::function<async::Task<Result<void>>(serial::Port&)> reset_line{};
  std::uint32_t seed = 1;  // of the jitter
  // How often a device that is not there is looked for: at first, and later.
  async::Duration device_retry = std::chrono::milliseconds(250);
  async::Duration device_retry_later = std::chrono::seconds(1);
  async::Duration registration =
      std::chrono::seconds(120);                    // one attempt; and how long sockets outlive its loss
  async::Duration boot = std::chrono::seconds(20);  // from a restart to the first answer
};

class Link {
 public:
  using OpenPort = std::function<Result<std::unique_ptr<serial::Port>>()>;

  Link(async::Loop& loop, Multiplexer& multiplexer, LinkOptions options, OpenPort open_port);
  ~Link();

  // Called at each change, from the loop.
  void onChange(std::function<void(LinkState)> call) { change_ = std::move(call); }

  void start();
  // Closes the module's sockets and its context, in at most `drain`, after what programs have written was
  // sent. `done` is called once, from the loop; the device is free then.
  void stop(async::Duration drain, std::function<void()> done);

  // Somebody wants the module started anew, now: `step` is Restart or ResetLine. Counted and logged as any
  // step of recovery; what is in the six sockets is lost. The state is Recovering when it returns.
  // Closed: there is no device, or the link is about to end. Invalid: nothing is wired to the reset line, or
  // it is neither of these steps.
  Result<void> reset(RecoveryStep step);

  LinkState state() const { return state_; }
  async::TimePoint since() const { return since_; }
  // What the last attempt failed of, or how the link was lost; kept until the next failure.
  const std::optional<Error>& lastError() const { return last_error_; }
  // What a person should know, and may have to mend.
  std::optional<Condition> condition() const;
  // Something waits for a command to be sent: it is brought up, or served and has a turn. Not while it
  // pauses, or waits for its device.
  bool working() const;
  // Null without a device.
  module::Module* module() const { return module_.get(); }
  const at::Channel* channel() const { return channel_.get(); }
  const Recovery& recovery() const { return multiplexer_.recovery(); }
  // How often the link was lost, by cause.
  std::uint64_t losses(Cause cause) const;

 private:
  using Up = std::expected<void, Loss>;

  async::Task<void> run();
  async::Task<void> life();
  async::Task<Up> bringUp();
  async::Task<Up> climb();
  async::Task<Result<void>> answering();
  async::Task<void> shutDown();
  async::Task<void> drain(async::TimePoint until);
  async::Task<void> leave();
  async::Task<Cause> lookAgain(Loss loss);
  async::Task<void> recover(Loss loss);
  async::Task<void> pause(async::Duration span);
  async::Task<void> take(RecoveryStep step);
  async::Task<void> resetNow(RecoveryStep step);
  async::Task<void> restart();
  async::Task<void> pullReset();
  async::Task<Result<int>> hunt();
  async::Task<Result<void>> useOurRate(int found);
  void takePort(std::unique_ptr<serial::Port> port);
  void portMissing(const Error& error);
  void portLost(const Error& error);
  void onUrc(const at::Urc& urc);
  void onRegistration();
  void onVoltage(const at::Urc& urc);
  void enter(LinkState next);
  void wentOnline();
  void note(const Loss& loss);
  void tearDown();
  void cutShort();
  void finishStop();

  async::Loop& loop_;
  Multiplexer& multiplexer_;
  LinkOptions options_;
  OpenPort open_port_;
  Ladder ladder_;
  std::function<void(LinkState)> change_;
  LinkState state_ = LinkState::NoDevice;
  async::TimePoint since_;
  std::optional<Error> last_error_;
  std::map<Cause, std::uint64_t> losses_;
  std::optional<Condition> condition_;
  std::optional<Condition> supply_;  // its own: it outlives the way back online
  std::deque<async::TimePoint> starts_;
  async::TimePoint boot_until_{};  // until then silence is that of a module that starts
  async::TimePoint missing_since_{};
  async::Timer uncovered_timer_;

  bool stopping_ = false;
  bool started_ = false;    // RDY came while it was brought up
  bool activated_ = false;  // the module may have a context, since the port was opened
  // It answers and has its settings: only its context was lost since it was up, or refused.
  bool settled_ = false;
  std::function<void()> stopped_;
  async::Timer stop_timer_;

  // In the order in which they need each other.
  std::unique_ptr<serial::Port> port_;
  std::unique_ptr<at::Channel> channel_;
  std::unique_ptr<module::Module> module_;
  async::Event device_over_;
  async::Event word_;   // the module has said, unasked, what makes another attempt worth while
  async::Scope life_;   // what talks to the module: cancelled when the device goes
  async::Scope outer_;  // run()
};

}  // namespace qimux::bridge
