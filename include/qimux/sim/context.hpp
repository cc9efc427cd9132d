// One of the two PDP contexts (application note 7) and the state of application note 5.6.1 in which it is.
//
//   IP INITIAL -> IP START -> IP CONFIG -> IP IND -> IP GPRSACT -> IP STATUS        both modes
//   AT+QIMUX=0:  IP STATUS -> TCP CONNECTING | UDP CONNECTING -> CONNECT OK -> IP CLOSE -> ... CONNECTING
//   AT+QIMUX=1:  IP STATUS <-> IP PROCESSING                                  while any socket is in use
//   from any of these to PDP DEACT when the network takes the context away; AT+QIDEACT leads to IP INITIAL
#pragma once

#include "qimux/async/loop.hpp"
#include "qimux/sim/address.hpp"

#include <array>
#include <functional>
#include <string_view>
#include <vector>

namespace qimux::sim {

inline constexpr int kContexts = 2;

// The numbers of AT+QISRVC, and of <sc> in +QIRDI and AT+QIRD.
enum class Role { Client = 1, Server = 2 };

enum class StackState {
  Initial,
  Start,
  Config,
  Ind,
  GprsAct,
  Status,
  TcpConnecting,
  UdpConnecting,
  ConnectOk,
  Close,
  Processing,
  PdpDeact,
};
// "IP INITIAL", ...
std::string_view name(StackState state);
// What stands for it after ATV0: 0 to 9.
int digit(StackState state);
// Whether a context in that state has an address.
bool isActive(StackState state);
// Whether a module takes AT+QIOPEN in that state, with AT+QIMUX=1 or 0.
bool mayOpen(StackState state, bool mux);

struct Context {
  explicit Context(async::Loop& loop) : timer(loop) {}

  StackState state = StackState::Initial;
  // AT+QIMUX and AT+QIMODE; only an idle context changes them.
  bool mux = false;
  bool transparent = false;
  // AT+QIDEACT was given since the start.
  bool deactivated = false;
  // How often its sockets were lost: by the network, AT+QIDEACT or a restart.
  unsigned losses = 0;
  std::array<Ipv4, 2> dns{};
  // Who waits for the end of an activation.
  std::vector<std::move_only_function<void(bool active)>> waiting;
  async::Timer timer;
};

// The active context in which something was asked for whose answer takes a while.
class Asker {
 public:
  explicit Asker(const Context& context) : context_(&context), losses_(context.losses) {}

  // It has been active ever since. Active again is another context to the network.
  bool active() const { return losses_ == context_->losses && isActive(context_->state); }
  StackState state() const { return context_->state; }

 private:
  const Context* context_;
  unsigned losses_;
};

}  // namespace qimux::sim
