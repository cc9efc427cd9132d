// The administrator's programs that are run when the link is online, and when it is no longer.
//
// One at a time and in order. While one runs, at most a down and an up after it wait: an up that is already
// over is not worth its program, a down that is over still tells that connections were lost. The first is an
// up; each down follows one. A program that takes longer than kTime is killed with all that it started.
//
// What the network says of itself comes by the environment, never by a shell, and in harmless letters only.
#pragma once

#include "qimux/async/child.hpp"
#include "qimux/async/loop.hpp"
#include "qimux/async/task.hpp"
#include "qimux/daemon/config.hpp"

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace qimux::module {
class Module;
}

namespace qimux::daemon {

// What a hook may want to know. Empty: unknown.
struct LinkFacts {
  std::string interface;
  std::string address;        // the interface's
  std::string dns;            // the name server's
  std::string link_address;   // the module's, in the operator's network
  std::string operator_name;  // as the module gave it: anything
};
// `module` may be null.
LinkFacts factsOf(const Config& config, const module::Module* module);

// QIMUX_EVENT, QIMUX_INTERFACE, QIMUX_ADDRESS, QIMUX_DNS, QIMUX_LINK_ADDRESS, QIMUX_OPERATOR.
std::vector<std::string> hookEnvironment(bool up, const LinkFacts& facts);

class Hooks {
 public:
  static constexpr async::Duration kTime = std::chrono::seconds(30);
  // Of a program's output, in the log.
  static constexpr std::size_t kMaxLines = 40;
  static constexpr std::size_t kMaxLine = 300;

  // Runs a command to its end, in at most the time it is given.
  using Runner = std::function<async::Task<Result<async::Ended>>(async::Command, async::Duration)>;
  Hooks(async::Loop& loop, Config::Hooks commands, Runner runner)
      : loop_(loop), commands_(std::move(commands)), runner_(std::move(runner)), limit_(loop), scope_(loop) {}

  // From the next event on.
  void use(Config::Hooks commands) { commands_ = std::move(commands); }

  // The link is online, or is not. The same again is nothing. A down knows what its up knew.
  void link(bool online, const LinkFacts& facts);

  // Lets what runs and waits end, for at most `limit`; then kills it. `done` is called from the loop.
  void finish(async::Duration limit, std::move_only_function<void()> done);

 private:
  struct Event {
    bool up;
    LinkFacts facts;
  };
  bool toldUp() const { return waiting_.empty() ? up_ : waiting_.back().up; }
  void push(Event event);
  async::Task<void> work();
  async::Task<void> run(Event event);
  void finished();

  async::Loop& loop_;
  Config::Hooks commands_;
  Runner runner_;
  bool up_ = false;  // what the last program that was begun was told
  bool working_ = false;
  LinkFacts facts_;  // of the last up
  std::deque<Event> waiting_;
  async::Timer limit_;
  std::move_only_function<void()> done_;
  async::Scope scope_;
};

}  // namespace qimux::daemon
