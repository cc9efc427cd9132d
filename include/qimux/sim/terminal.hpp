// The discipline of the line: collects command lines, runs their parts one after another, prints finals,
// holds back what the module says by itself while a command runs, and hands over the line while data is
// typed. Knows nothing of what any command means.
//
// A command runs from its CR to its final; its input waits in the FIFO meanwhile.
#pragma once

#include "qimux/async/loop.hpp"
#include "qimux/base/bytes.hpp"
#include "qimux/sim/byte_queue.hpp"
#include "qimux/sim/mishaps.hpp"
#include "qimux/sim/options.hpp"
#include "qimux/sim/timing.hpp"
#include "qimux/sim/transcript.hpp"
#include "qimux/sim/wire.hpp"

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qimux::sim {

// How one command of a line ended.
struct Reply {
  enum class Kind {
    Ok,
    Error,  // bare ERROR, whatever AT+CMEE says: what the stack's commands give
    Cme,    // +CME ERROR, as AT+CMEE wants it
    Cms,    // +CMS ERROR, always by its number
    Done,   // its last line is printed already
    Later,  // Terminal::complete() will tell
  };
  Kind kind = Kind::Ok;
  int code = 0;

  static Reply ok() { return {Kind::Ok, 0}; }
  static Reply error() { return {Kind::Error, 0}; }
  static Reply cme(int code) { return {Kind::Cme, code}; }
  static Reply cms(int code) { return {Kind::Cms, code}; }
  static Reply done() { return {Kind::Done, 0}; }
  static Reply later() { return {Kind::Later, 0}; }
};

// What is typed while data is asked for.
class DataSink {
 public:
  // Takes bytes from the front; gives how many. When it has enough it ends the data phase. None: there is
  // no room now, and Terminal::resume() will be called.
  virtual std::size_t feed(ByteView bytes) = 0;

 protected:
  ~DataSink() = default;
};

// Who gives commands their meaning.
class Executor {
 public:
  // One command, without AT and without the semicolon.
  virtual Reply execute(std::string_view command) = 0;
  // A command has ended and no other is waiting.
  virtual void idle() = 0;

 protected:
  ~Executor() = default;
};

enum class FlowControl { None = 0, XonXoff = 1, RtsCts = 2 };

class Terminal {
 public:
  // CTS: the host shall stop, or may go on.
  using Hold = std::move_only_function<void(bool held)>;

  enum class Phase {
    Collecting,  // a command line, byte by byte
    Waiting,     // its CR is seen, its execution not yet begun
    Running,
    Data,    // what comes goes to the sink, for the command that runs
    Online,  // the same, for the session of transparent mode
  };

  struct Settings {
    bool echo = true;
    bool verbose = true;
    int cmee = 1;
    // AT+IFC: how the host is told that the FIFO fills up.
    FlowControl flow = FlowControl::None;
    // ATQ1: no OK, ERROR and their like.
    bool quiet = false;
  };

  Terminal(async::Loop& loop, const Options& options, Timing& timing, Transcript& transcript, Wire& wire,
           Executor& executor, Hold hold);

  // More than fits the FIFO is lost; with flow control the host is stopped before.
  void input(ByteView bytes);
  // One line of an answer, with what goes around it.
  void info(std::string_view line);
  // Printed as they are: a prompt, a block.
  void raw(ByteView bytes) { wire_.print(bytes); }
  // The module speaks by itself: at once, or right behind the final of what runs.
  void urc(std::string line);
  // `call` whenever data mode is what holds it back.
  void onHeldOnline(std::move_only_function<void()> call) { held_online_ = std::move(call); }
  bool busy() const { return phase_ != Phase::Collecting; }
  Phase phase() const { return phase_; }

  // The end of what replied Later. `delay`: the final appears only then.
  void complete(Reply reply, async::Duration delay = async::Duration{0});
  // From within a command that replies Later: input goes to the sink until endData().
  void beginData(DataSink& sink);
  void endData();

  // Data mode (application note 4): says `line` as soon as no command runs, and from then on what comes goes
  // to the sink, and what the module says by itself waits. `begun` is called when it has happened.
  void goOnline(DataSink& sink, std::string line, std::move_only_function<void()> begun);
  // Back to commands, or not online after all.
  void goOffline();
  bool online() const { return phase_ == Phase::Online; }
  // The sink has room again.
  void resume() { drain(); }
  // AT+IFC, while the host may be stopped in the old way.
  void setFlow(FlowControl flow);
  // Bytes that the host has not heard yet. While there are many, nothing is heard either: a module's
  // processor waits for its own line. May be empty.
  std::move_only_function<std::size_t()> unheard;
  // A result code of V.250, as ATV and ATQ want it.
  void result(int code, std::string_view word);

  // Deaf and dumb; what comes waits in the FIFO.
  void hang(async::Duration span);
  // The power was cut: everything is forgotten, the settings too.
  void reset(Settings settings);
  Settings& settings() { return settings_; }
  // So many of the next SEND OK and SEND FAIL, or of the next URCs, are not printed.
  void loseSendResults(int count) { lost_results_ += count; }
  void loseUrcs(int count) { lost_urcs_ += count; }
  Mishaps& mishaps() { return mishaps_; }
  void forgetFaults();
  // No URC is printed: the rate of the line is not known yet.
  void mute(bool muted) { muted_ = muted; }

 private:
  bool blocked();
  bool behind();
  std::size_t consume(ByteView bytes);
  std::size_t collect(ByteView bytes);
  void keep(ByteView bytes);
  void controlFlow();
  void holdHost(bool held);
  void drain();
  void lineComplete();
  void runNext();
  void settle(Reply reply);
  void finish();
  void beginOnline();
  void sayHeld();
  void printResult(Reply reply);
  void printUrc(std::string_view line);

  const Options& options_;
  Timing& timing_;
  Transcript& transcript_;
  Wire& wire_;
  Executor& executor_;
  Settings settings_;
  Phase phase_ = Phase::Collecting;
  DataSink* sink_ = nullptr;
  // Waits for the end of what runs.
  struct Going {
    DataSink* sink;
    std::string line;
    std::move_only_function<void()> begun;
  };
  std::optional<Going> going_;
  Hold hold_;
  bool host_held_ = false;
  std::move_only_function<void()> held_online_;
  ByteQueue fifo_;
  std::uint64_t lost_ = 0;
  std::string line_;
  bool overflow_ = false;
  std::string running_line_;
  std::vector<std::string_view> parts_;
  std::size_t next_part_ = 0;
  bool first_answer_ = false;
  std::deque<std::string> held_;
  bool consuming_ = false;
  bool hung_ = false;
  bool muted_ = false;
  int lost_results_ = 0;
  int lost_urcs_ = 0;
  Mishaps mishaps_;
  async::Timer delay_;
  async::Timer hang_timer_;
  async::Timer behind_timer_;
};

}  // namespace qimux::sim
