// Transparent mode (application note 4): the line is either in command mode or in data mode.
//
//   command mode --CONNECT of a new session, or ATO--> data mode
//   data mode --+++ with its guard times, DTR off with AT&D1 or 2, the end of the session--> command mode
//
// In data mode all that is typed is sent, in packets as AT+QITCFG makes them, and all that arrives is shown.
// In command mode what arrives waits.
//
// +++ counts when no byte came for 500 ms before it, none for 500 ms behind it, and not more than 20 ms lie
// between its three. Until that is decided the pluses wait; where they turn out to be data they are sent.
#pragma once

#include "qimux/async/loop.hpp"
#include "qimux/base/bytes.hpp"
#include "qimux/sim/stack.hpp"
#include "qimux/sim/terminal.hpp"

namespace qimux::sim {

class Module;

class DataMode final : public DataSink, public SessionEvents {
 public:
  explicit DataMode(Module& module);

  // ATO. False where there is no session.
  bool resume();
  // The host's DTR goes from on to off: AT&D says what comes of it.
  void dtrDropped();

  void began(Slot& slot) override;
  void ended(Slot& slot) override;
  std::size_t feed(ByteView bytes) override;

 private:
  void online();
  void take(Byte byte);
  // Whether this plus may be one of the three.
  bool fits(async::TimePoint now) const;
  void pluses();
  void releasePluses();
  void escape();
  // Sends while so many bytes wait.
  void flush(std::size_t least);
  std::size_t packetSize() const;

  Module& module_;
  Slot* slot_ = nullptr;
  Bytes typed_;
  int pluses_ = 0;
  async::TimePoint last_byte_;
  async::Timer guard_;
  async::Timer wait_;
};

}  // namespace qimux::sim
