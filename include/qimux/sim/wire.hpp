// The module's side of the serial line: what it says leaves in one piece a turn, and whatever may happen to
// bytes on the way happens here: noise, silence, a stuck transmitter, pieces of random size.
#pragma once

#include "qimux/async/loop.hpp"
#include "qimux/base/bytes.hpp"
#include "qimux/sim/options.hpp"
#include "qimux/sim/transcript.hpp"

#include <array>
#include <functional>
#include <random>
#include <string_view>

namespace qimux::sim {

class Wire {
 public:
  using Output = std::move_only_function<void(ByteView)>;

  Wire(async::Loop& loop, const Options& options, Transcript& transcript, Output output);

  // Leaves with all else that is said in this turn of the loop.
  void print(ByteView bytes);
  void print(std::string_view text) { print(bytesOf(text)); }

  // Said, and not yet on its way.
  std::size_t pending() const { return out_.size(); }

  // What the module hears of bytes that came. Valid until the next call.
  ByteView heard(ByteView bytes);

  // From now on each byte in either direction is, with this probability, lost or changed in one bit.
  void setNoise(double probability) { noise_ = probability; }
  // From now on each byte that is said is lost with this probability.
  void setOverrun(double probability) { overrun_ = probability; }
  // So many of the next bytes that are said do not reach the host.
  void steal(std::size_t bytes) { stolen_ = bytes; }
  // Of the same seed as all else.
  Bytes random(std::size_t size);
  // What would be said in this time is lost.
  void silence(async::Duration span) { silent_until_ = loop_.now() + span; }
  // While held for either reason, what is said waits.
  enum class Hold { Hang, Xoff };
  void hold(Hold why, bool held);
  // What waits is forgotten: the power is gone.
  void clear();

 private:
  class Flush final : public async::Ready {
   public:
    explicit Flush(Wire& wire) : wire_(wire) {}
    void run() override { wire_.flush(); }

   private:
    Wire& wire_;
  };

  bool held() const { return held_[0] || held_[1]; }
  void flush();
  void spoil(Bytes& bytes);
  void lose(Bytes& bytes);

  async::Loop& loop_;
  const Options& options_;
  Transcript& transcript_;
  Output output_;
  Flush flusher_;
  Bytes out_;
  Bytes leaving_;
  Bytes heard_;
  std::mt19937_64 random_;
  double noise_ = 0;
  double overrun_ = 0;
  std::size_t stolen_ = 0;
  async::TimePoint silent_until_;
  std::array<bool, 2> held_{};
};

}  // namespace qimux::sim
