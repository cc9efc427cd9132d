// A program with a socket: writes and reads pieces of random size at random times, pauses, and ends in one of
// the ways in which programs end.
#pragma once

#include "qimux/async/loop.hpp"
#include "sim/conduit.hpp"
#include "sim/dice.hpp"
#include "sim/pattern.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace qimux::simtest {

enum class ProgramEnd {
  AfterAll,         // closes when it has written and read all
  HalfClose,        // sends no more when it has written all; reads on to the end
  CloseAfterWrite,  // closes when it has written all, whatever comes
  UntilEnd,         // closes when it reads the end
  Reset,            // gives up in the middle
};
std::string_view name(ProgramEnd end);

struct ProgramPlan {
  StreamId up_stream = 0;
  StreamId down_stream = 0;
  std::uint64_t up_total = 0;
  std::uint64_t down_total = 0;
  // Where not 0: a request of so many bytes is written only when all answers to those before are read.
  std::uint64_t request = 0;
  std::uint64_t response = 0;
  std::uint64_t write_most = 4096;
  std::uint64_t read_most = 4096;
  async::Duration write_gap{0};
  async::Duration read_gap{0};
  // Reads nothing for a while, once so many bytes are read.
  std::optional<std::uint64_t> pause_at;
  async::Duration pause{0};
  ProgramEnd end = ProgramEnd::AfterAll;
  std::uint64_t reset_at = 0;  // bytes in both directions
  // Then it has had enough, and resets.
  async::Duration patience = std::chrono::minutes(30);
  ConduitBounds bounds;
};

class Program {
 public:
  // `fault`: something was read that nobody sent.
  Program(async::Loop& loop, const ProgramPlan& plan, std::uint64_t seed,
          std::function<void(const std::string&)> fault);

  // connect() has returned; the caller takes the other end of conduit().
  void begin();
  Conduit& conduit() { return conduit_; }

  std::uint64_t written() const { return written_; }
  std::uint64_t read() const { return read_; }
  bool sawEnd() const { return saw_end_; }      // read() gave 0
  bool sawReset() const { return saw_reset_; }  // ECONNRESET
  bool gaveUp() const { return gave_up_; }      // reset the connection itself
  bool halfClosed() const { return half_closed_; }
  bool over() const { return over_; }

 private:
  void plan();
  void write();
  void readSome();
  void decide();
  std::uint64_t mayWrite() const;
  void giveUp();
  void leave();

  async::Loop& loop_;
  const ProgramPlan plan_;
  Dice dice_;
  std::function<void(const std::string&)> fault_;
  Conduit conduit_;
  async::Timer write_timer_;
  async::Timer read_timer_;
  async::Timer patience_;
  std::uint64_t written_ = 0;
  std::uint64_t read_ = 0;
  async::TimePoint paused_until_{};
  bool pause_done_ = false;
  bool half_closed_ = false;
  bool saw_end_ = false;
  bool saw_reset_ = false;
  bool gave_up_ = false;
  bool over_ = false;
};

}  // namespace qimux::simtest
