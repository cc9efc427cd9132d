// The tap on a running daemon: writes to a capture what passes the edges of its cores.
//
// The daemon hands what it makes for the cores through the tap and tells it what it is about to do; nothing
// of that changes what the cores do, but for one thing: what a stream says of itself (readable, input,
// writable, drained) is asked of the kernel once a moment, and stays so until the next moment, because a
// replay could not know between which two questions of one moment it changed.
//
// Works on the loop whose Observer it is; outlives everything that it was given or gave.
#pragma once

#include "qimux/async/loop.hpp"
#include "qimux/bridge/app_stream.hpp"
#include "qimux/bridge/link.hpp"
#include "qimux/capture/file.hpp"
#include "qimux/capture/mask.hpp"
#include "qimux/serial/port.hpp"

#include <memory>
#include <set>
#include <string>
#include <string_view>

namespace qimux::capture {

class Tap final : private async::Loop::Observer {
 public:
  // From now on. `mask` decides what is shown.
  Tap(async::Loop& loop, Writer writer, Mask mask);
  ~Tap() override;
  Tap(const Tap&) = delete;
  Tap& operator=(const Tap&) = delete;

  // Before the link is made: what it is given besides the configuration.
  void wire(bridge::LinkOptions& options);

  // Moments: each to be told just before the cores are called.
  void start() { moment(Kind::Start); }
  void stop(async::Duration drain) { moment(Kind::Stop, static_cast<std::uint64_t>(drain.count())); }
  void fromProgram(ByteView packet);
  void fromInner(ByteView packet);
  std::unique_ptr<bridge::AppStream> accepted(std::uint16_t port, std::unique_ptr<bridge::AppStream> stream);
  void askRadio() { moment(Kind::AskRadio); }
  void askAt(std::string_view command);
  void askName(std::string_view name);
  void askPing(std::uint32_t address);
  void askReset(bool by_line) { moment(Kind::AskReset, by_line ? 1 : 0); }

  // Answers.
  Result<std::unique_ptr<serial::Port>> opened(Result<std::unique_ptr<serial::Port>> port);
  bool programGone(bool gone);

  // What the cores put out.
  void toProgram(ByteView packet);
  void toInner(ByteView packet);
  void link(std::string_view state);
  // The daemon ends as it should.
  void stopped();

 private:
  class TapPort;
  class TapStream;

  void onReady() override { moment(Kind::Ready); }
  void onTimers() override { moment(Kind::Timer); }
  async::Duration now() const { return loop_.now() - began_; }
  async::Task<Result<void>> pulse(serial::Port& port);
  void moment(Kind kind, std::uint64_t number = 0);
  void begin(Record record, std::string_view comment = {});
  void write(Record record, std::string_view comment = {});
  void packet(Kind kind, ByteView packet, bool is_moment);
  void noteLocal(ByteView packet, Kind kind);

  async::Loop& loop_;
  const async::TimePoint began_;
  Writer writer_;
  Mask mask_;
  std::function<async::Task<Result<void>>(serial::Port&)> reset_line_;
  std::uint64_t moment_ = 0;
  std::uint64_t streams_ = 0;
  // The SYN that this moment is about asks for the gateway's own name server over TCP.
  bool local_syn_ = false;
  std::set<std::uint16_t> local_ports_;
};

// "tcp 10.64.64.1:40000 > 198.51.100.1:80 SYN 60 bytes", for people.
std::string describePacket(ByteView packet);

}  // namespace qimux::capture
