// The life of the link: a device that comes and goes, a module that is brought up, served, lost and brought
// up again.
//
// One coroutine reads the whole of it from top to bottom. What the multiplexer holds outlives all losses:
// waiting connects wait on, only what was in the module's sockets is gone.
#pragma once

#include "qimux/async/event.hpp"
#include "qimux/async/task.hpp"
#include "qimux/bridge/multiplexer.hpp"
#include "qimux/module/module.hpp"
#include "qimux/serial/port.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace qimux::bridge {

enum class LinkState {
  NoDevice,       // the port cannot be opened: missing, or in use
  Synchronising,  // the port is ours; the module is made to answer
  Sim,            // it answers; its SIM is made ready
  Registering,    // the SIM is ready; the network is awaited
  Activating,     // registered; the context is being activated
  Online,         // the context has an address: sockets can be opened
  Pausing,        // something failed; the next attempt comes after a while
  Stopping,       // asked to end: sockets and context are closed
  Stopped,
};
std::string_view name(LinkState state);

struct LinkOptions {
  module::Settings module;
  async::Duration device_retry = std::chrono::seconds(1);
  async::Duration registration = std::chrono::seconds(120);  // one attempt
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

  LinkState state() const { return state_; }
  async::TimePoint since() const { return since_; }
  // What the last attempt failed of, or how the link was lost; kept until the next failure.
  const std::optional<Error>& lastError() const { return last_error_; }
  // Null without a device.
  module::Module* module() const { return module_.get(); }
  const at::Channel* channel() const { return channel_.get(); }
  // How often each step of recovery was taken.
  const std::map<std::string, std::uint64_t>& recoveries() const { return recoveries_; }

 private:
  async::Task<void> run();
  async::Task<void> life();
  async::Task<Result<void>> bringUp();
  async::Task<void> shutDown();
  async::Task<void> drain();
  async::Task<void> recover();
  void enter(LinkState next);
  void note(const Error& error);
  void count(const std::string& step);
  void tearDown();
  void cutShort();
  void finishStop();

  async::Loop& loop_;
  Multiplexer& multiplexer_;
  LinkOptions options_;
  OpenPort open_port_;
  std::function<void(LinkState)> change_;
  LinkState state_ = LinkState::NoDevice;
  async::TimePoint since_;
  std::optional<Error> last_error_;
  std::map<std::string, std::uint64_t> recoveries_;
  int failures_ = 0;  // attempts in a row that did not get online

  bool stopping_ = false;
  std::function<void()> stopped_;
  async::Timer stop_timer_;

  // In the order in which they need each other.
  std::unique_ptr<serial::Port> port_;
  std::unique_ptr<at::Channel> channel_;
  std::unique_ptr<module::Module> module_;
  async::Event device_over_;
  async::Scope life_;   // what talks to the module: cancelled when the device goes
  async::Scope outer_;  // run()
};

}  // namespace qimux::bridge
