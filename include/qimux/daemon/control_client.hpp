// One connection to the control socket, on the daemon's side.
//
//   Asking     -> a line came, the handler has it        -> Answering
//   Answering  -> the answer came and is being written    -> Asking
//   Asking     -> a watch                                 -> Watching, until the client goes
//   any        -> a line too long, the last words written -> Leaving
//   Asking     -> nothing asked for a while               -> Gone
//   any        -> hung up, stalled, write failed          -> Gone
#pragma once

#include "qimux/async/uv_loop.hpp"
#include "qimux/base/fd.hpp"
#include "qimux/daemon/control_server.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace qimux::daemon {

enum class ControlClientState { Asking, Answering, Watching, Leaving, Gone };
std::string_view name(ControlClientState state);

// Held by a shared_ptr: an answer that comes late looks whether it still has somebody to go to.
class ControlClient : public std::enable_shared_from_this<ControlClient> {
 public:
  // `fd`: connected and non-blocking. `on_gone` is called once, from the loop, and lets go of the client.
  ControlClient(async::UvLoop& loop, Fd fd, ControlHandler& handler, const ControlLimits& limits,
                std::move_only_function<void()> on_gone);
  // Begins to read; a constructor cannot, for want of a shared_ptr.
  void start();

 private:
  class Ticket;

  void happened(async::Interest seen);
  void receive();
  // Serves the next whole line, where there is one and nothing is in hand.
  void next();
  void await();
  void serve(std::string_view line);
  void push();
  ControlHandler::Respond ticket(Verb verb);
  void answered(const Response& response);
  void say(const Response& response);
  void flush();
  void go(ControlClientState next);
  void gone();
  void want();

  async::UvLoop& loop_;
  ControlHandler& handler_;
  const ControlLimits limits_;
  std::move_only_function<void()> on_gone_;
  // Before what watches it: a watch ends before its descriptor is closed.
  Fd fd_;
  std::unique_ptr<async::UvLoop::FdWatch> watch_;
  async::Timer stall_;
  async::Timer beat_;
  async::Timer idle_;  // while Asking, and nothing is on its way to the client
  ControlClientState state_ = ControlClientState::Asking;
  bool in_hand_ = false;  // the handler owes an answer
  bool ended_ = false;    // the client will ask nothing more, but may still read
  std::string input_;     // at most one request line and its end
  std::string output_;    // what is left of one response
};

}  // namespace qimux::daemon
