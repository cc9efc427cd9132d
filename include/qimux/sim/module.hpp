// A simulated Quectel module: bytes from the host in, bytes to the host out, and a network behind it.
//
// It does no I/O. On async::VirtualLoop with a VirtualNetwork whole dialogues take no time:
//
//   async::VirtualLoop loop;
//   sim::VirtualNetwork network(loop);
//   std::string heard;
//   sim::Module::Host host;
//   host.write = [&](ByteView bytes) { heard += textOf(bytes); };     // module to host
//   sim::Module module(loop, sim::Options{}, network, std::move(host));
//   module.fromHost(bytesOf("AT\r"));                                 // host to module
//   loop.runFor(20ms);                                                // heard: "AT\r\r\nOK\r\n"
//
// Bytes count as arrived when fromHost() is called; put a Uart (uart.hpp) between for the pace of a line.
// write() is called from the loop, never from inside fromHost().
#pragma once

#include "qimux/async/loop.hpp"
#include "qimux/base/bytes.hpp"
#include "qimux/base/error.hpp"
#include "qimux/sim/cell.hpp"
#include "qimux/sim/clock.hpp"
#include "qimux/sim/command.hpp"
#include "qimux/sim/data_mode.hpp"
#include "qimux/sim/lines.hpp"
#include "qimux/sim/network.hpp"
#include "qimux/sim/options.hpp"
#include "qimux/sim/send_phase.hpp"
#include "qimux/sim/settings.hpp"
#include "qimux/sim/sms.hpp"
#include "qimux/sim/sms_phase.hpp"
#include "qimux/sim/stack.hpp"
#include "qimux/sim/terminal.hpp"
#include "qimux/sim/transcript.hpp"
#include "qimux/sim/wire.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace qimux::sim {

class Module final : private Executor {
 public:
  struct Host {
    // Bytes that the module sends.
    Wire::Output write;
    // AT+IPR has changed the rate of the line, from the next byte on. May be empty.
    std::move_only_function<void(unsigned baud)> baud;
    // CTS with AT+IFC=2,2: the host shall stop writing, or may go on. May be empty.
    Terminal::Hold hold;
    // Bytes of write() that have not reached the host yet: holds back what is pushed. May be empty.
    std::move_only_function<std::size_t()> backlog;
    // DCD and RI have changed; true is low, which is on. May be empty.
    Lines::Output lines = {};
  };

  Module(async::Loop& loop, Options options, Network& network, Host host, Transcript::Sink transcript = {});

  // Any number of bytes, cut anywhere.
  void fromHost(ByteView bytes);

  // The host's DTR: off is HIGH. On at first.
  void setDtr(bool on) { lines_.setDtr(on); }

  // What happens to it from outside; see also fault.hpp, which names these.
  void reboot();
  void powerOn();
  void powerOff();
  bool powered() const { return powered_; }
  // The supply breaks down so often, and comes back each time.
  void underVoltage(int times);
  // Another process's bytes on the line; as soon as no data is asked for.
  void typeForeign(Bytes bytes);

  // For commands and faults.
  async::Loop& loop() { return loop_; }
  const Options& options() const { return options_; }
  Transcript& transcript() { return transcript_; }
  Wire& wire() { return wire_; }
  Terminal& terminal() { return terminal_; }
  Lines& lines() { return lines_; }
  Cell& cell() { return cell_; }
  Stack& stack() { return stack_; }
  SendPhase& sendPhase() { return send_phase_; }
  DataMode& dataMode() { return data_mode_; }
  Clock& clock() { return clock_; }
  Sms& sms() { return sms_; }
  SmsPhase& smsPhase() { return sms_phase_; }
  Settings& settings() { return settings_; }
  Settings& stored() { return stored_; }
  Timeline& later() { return later_; }
  Timing& timing() { return timing_; }
  bool quirk(Quirk quirk) const { return options_.quirks.has(quirk); }
  int highestIndi() const;
  // From the next byte on.
  void setBaud(unsigned baud);
  // Behind the answer to the command that runs, when the host has heard the last of it.
  void setBaudSoon(unsigned baud);

 private:
  Reply execute(std::string_view command) override;
  void idle() override;

  ByteView withoutXonXoff(ByteView bytes);
  bool asleep() const;
  bool misses(std::size_t bytes);
  void dtrChanged(bool on);
  void speaks();
  bool synchronized(ByteView& bytes);
  void forgetEverything();

  async::Loop& loop_;
  Options options_;
  Host host_;
  Timing timing_;
  Transcript transcript_;
  Settings stored_;
  Settings settings_;
  Lines lines_;
  Wire wire_;
  Terminal terminal_;
  Cell cell_;
  Stack stack_;
  SendPhase send_phase_;
  DataMode data_mode_;
  Clock clock_;
  Sms sms_;
  SmsPhase sms_phase_;
  Timeline later_;
  Timeline outside_;  // what happens to it whether it has power or not
  std::string name_store_;
  Bytes unstuffed_;
  bool powered_ = true;
  bool synced_ = true;
  char last_byte_ = 0;
  // Since then nothing was heard and no command has ended.
  async::TimePoint last_input_;
  // AT+QSCLK=1 does not sleep before.
  async::TimePoint awake_until_;
  async::TimePoint waking_until_;
  async::TimePoint deaf_until_;
};

}  // namespace qimux::sim
