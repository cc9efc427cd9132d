// The AT channel: one command at a time, a deadline for each, URCs in between.
//
// URCs are queued and handed out from the loop, in order with the ends of commands: a handler is never run
// from inside the parser or another handler, and may do anything, also execute a command.
//
// A command that ended by its deadline (or was destroyed under way) leaves the channel in doubt: its answer
// may still come, and the module may still wait for payload. Until resync() has made sure, every execute()
// fails. Where it was a read, what still comes may be payload, which is full of lines that look like URCs:
// until then nothing is taken for one.
#pragma once

#include "qimux/async/event.hpp"
#include "qimux/async/task.hpp"
#include "qimux/at/command.hpp"
#include "qimux/at/exchange.hpp"
#include "qimux/at/lexer.hpp"
#include "qimux/at/trace.hpp"
#include "qimux/at/urc.hpp"
#include "qimux/serial/port.hpp"

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

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
  //
  // AT is asked `attempts` times quickly, and then, until `patience` has passed since the beginning, every
  // two seconds: a module that hangs works off later what it was told meanwhile, and forgets nothing. One
  // that talks, but does not answer, does not hang (it may be at another rate): it gets no more than
  // `attempts`. Timeout where nothing has answered then.
  struct Resynced {
    // A "SEND OK" or "SEND FAIL" came meanwhile: the module was waiting for payload, and took some of this
    // for it. Not where the payload was written and each AT was answered: then the module had merely been
    // slow.
    bool payload_spoiled = false;
  };
  async::Task<Result<Resynced>> resync(int attempts = 8, async::Duration patience = {});
  bool inDoubt() const { return in_doubt_; }
  // Whether the prompt of the last Send had come, and its payload was written: otherwise whatever the module
  // has taken since is not that.
  bool payloadWritten() const { return payload_written_; }
  bool busy() const { return exchange_ != nullptr; }
  // By when the command that runs has to end; nothing while none does.
  std::optional<async::TimePoint> deadline() const {
    return busy() ? std::optional(deadline_) : std::nullopt;
  }

  // Since the last call of this, a command came back as it was written: the echo is on.
  bool takeEcho() { return std::exchange(echo_heard_, false); }
  // Headers of blocks that nobody had asked for: another process's answer was taken for the end of a read,
  // and then the block came. The channel is in doubt then. "+QIRD: 10.0.0.1:80,TCP,5"
  std::vector<std::string> takeStrayBlocks() { return std::exchange(stray_blocks_, {}); }

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
  static constexpr std::size_t kMaxStrayBlocks = 8;
  // What comes behind the block of a read (application note 5.3.2 prints nothing, the manuals OK).
  enum class BlockEnd { Unknown, Ok, Nothing };

  void onBytes(ByteView bytes);
  void onToken(const Token& token);
  void stray(const Token& token);
  void behindBlock(const Token& token);
  bool mayBeEcho() const;
  Result<Reply> traced(Result<Reply> result);
  void endSilently();
  void breakOff(ErrorKind kind, std::string_view why);
  void queueUrc(std::string_view line);
  Result<void> write(ByteView bytes);
  async::Task<bool> knock(async::Duration deadline);
  bool allKnocksAnswered() const { return sending_ && oks_ >= knocks_; }
  async::Task<void> settle(async::Duration quiet);

  async::Loop& loop_;
  serial::Port& port_;
  Lexer lexer_;
  Trace trace_;
  Exchange* exchange_ = nullptr;  // of the command that runs
  async::TimePoint deadline_{};
  ByteView payload_;
  async::Event progress_;  // set when the running command ends or has come near its end
  async::Event heard_;
  bool done_ = false;
  bool in_doubt_ = false;
  bool payload_written_ = false;
  bool dns_pending_ = false;
  bool late_send_end_ = false;
  BlockEnd block_end_ = BlockEnd::Unknown;
  // What comes may be payload, which no header announces any more.
  bool payload_at_large_ = false;
  bool echo_heard_ = false;
  std::vector<std::string> stray_blocks_;
  // A send is in doubt: then no OK is due but those of resync(), which counts how often AT was said, and OK.
  bool sending_ = false;
  int knocks_ = 0;
  int oks_ = 0;
  std::deque<Urc> urcs_;
  std::unique_ptr<UrcPump> pump_;
  std::function<void(const Urc&)> urc_call_;
  Counters counters_;
  async::TimePoint last_heard_{};
};

}  // namespace qimux::at
