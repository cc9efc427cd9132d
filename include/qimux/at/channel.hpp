// The AT channel: one command at a time, a deadline for each, URCs in between.
//
// URCs are queued and handed out from the loop, in order with the ends of commands: a handler is never run
// from inside the parser or another handler, and may do anything, also execute a command.
//
// A command that ended by its deadline (or was destroyed under way) leaves the channel in doubt: its answer
// may still come, and the module may still wait for payload. Until resync() has made sure, every execute()
// fails.
#pragma once

#include "qimux/async/event.hpp"
#include "qimux/async/task.hpp"
#include "qimux/at/command.hpp"
#include "qimux/at/exchange.hpp"
#include "qimux/at/lexer.hpp"
#include "qimux/at/urc.hpp"
#include "qimux/serial/port.hpp"

#include <deque>
#include <functional>
#include <optional>
#include <string>

namespace qimux::at {

class Channel {
 public:
  // `port` must outlive the channel, which takes over its data callback.
  Channel(async::Loop& loop, serial::Port& port);
  ~Channel();

  void onUrc(std::function<void(const Urc&)> call) { urc_call_ = std::move(call); }

  // Sends the command and awaits its end. Closed: RDY came instead, the module has started anew. Timeout and
  // Garbled leave the channel in doubt, and so does a block whose OK has not come for the first time: what
  // has arrived is returned all the same. Not while another command runs: who shares the channel takes turns
  // (bridge::Scheduler).
  async::Task<Result<Reply>> execute(Command command);

  // Brings a module in any state back to answering: ESC leaves a prompt, a flood of empty lines fills up a
  // fixed-length QISEND whose bytes were lost, AT is asked until OK, stray answers are read away.
  // Timeout where nothing answers `attempts` times.
  struct Resynced {
    // A "SEND OK" or "SEND FAIL" came meanwhile: the module was waiting for payload, and took some of this
    // for it.
    bool payload_spoiled = false;
  };
  async::Task<Result<Resynced>> resync(int attempts = 8);
  bool inDoubt() const { return in_doubt_; }
  // Whether the prompt of the last Send had come, and its payload was written: otherwise whatever the module
  // has taken since is not that.
  bool payloadWritten() const { return payload_written_; }
  bool busy() const { return exchange_ != nullptr; }

  // While a name is open, which it is from the OK to AT+QIDNSGIP on, a bare address line is its answer, and
  // so is "ERROR: n".
  void closeName() { dns_pending_ = false; }

  struct Counters {
    std::uint64_t commands = 0;
    std::uint64_t timeouts = 0;
    std::uint64_t refused = 0;
    std::uint64_t urcs = 0;
    std::uint64_t urcs_dropped = 0;
    std::uint64_t unexpected_lines = 0;
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
  };
  const Counters& counters() const { return counters_; }
  // When the module last said anything.
  async::TimePoint lastHeard() const { return last_heard_; }

 private:
  class Running;
  class UrcPump;
  static constexpr std::size_t kMaxUrcs = 256;

  void onBytes(ByteView bytes);
  void onToken(const Token& token);
  void endSilently();
  void breakOff(std::string_view said);
  void queueUrc(std::string_view line);
  Result<void> write(ByteView bytes);
  async::Task<bool> knock();
  async::Task<void> settle(async::Duration quiet);

  async::Loop& loop_;
  serial::Port& port_;
  Lexer lexer_;
  Exchange* exchange_ = nullptr;  // of the command that runs
  ByteView payload_;
  async::Event progress_;  // set when the running command ends or has come near its end
  async::Event heard_;
  bool done_ = false;
  bool in_doubt_ = false;
  bool payload_written_ = false;
  bool dns_pending_ = false;
  bool late_send_end_ = false;
  // The OK behind a block did not come, last time: the application note prints none (5.3.2).
  bool blocks_end_silently_ = false;
  std::deque<Urc> urcs_;
  std::unique_ptr<UrcPump> pump_;
  std::function<void(const Urc&)> urc_call_;
  Counters counters_;
  async::TimePoint last_heard_{};
};

}  // namespace qimux::at
