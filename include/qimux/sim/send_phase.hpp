// The data phase of AT+QISEND (application note 5.2.1): everything typed after the prompt, up to the length
// that was announced, or without one up to Ctrl-Z; with AT+QIAUTOS=1 at the latest up to the end of its
// period.
#pragma once

#include "qimux/async/loop.hpp"
#include "qimux/base/bytes.hpp"
#include "qimux/sim/slot.hpp"
#include "qimux/sim/terminal.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace qimux::sim {

class Module;

// The most that one block carries (application note 5.2.1).
inline constexpr std::size_t kLargestBlock = 1460;

class SendPhase final : public DataSink {
 public:
  explicit SendPhase(Module& module);

  // Prints the prompt; the terminal's command ends by itself when the block is complete. Without a length
  // the block ends with Ctrl-Z, and bytes beyond kLargestBlock are ignored.
  // `slot` must be connected.
  void begin(Slot& slot, std::optional<std::size_t> length);
  // By a quirk or a fault: this AT+QISEND gets no answer and begins nothing.
  bool swallowed();
  // By a fault: so many of the next prompts are not printed.
  void losePrompts(int count) { lost_prompts_ = count; }
  // The power was cut.
  void reset();

  std::size_t feed(ByteView bytes) override;

 private:
  std::size_t feedFixed(ByteView bytes);
  std::size_t feedUntilEnd(ByteView bytes);
  void add(ByteView bytes);
  void finish();
  void cancel();
  // Plus signs at the end of what was typed, with silence around them (Quirk::PlusInData).
  void lookForPlus(ByteView bytes);

  Module& module_;
  Slot* slot_ = nullptr;
  std::uint64_t generation_ = 0;
  // 0: until Ctrl-Z.
  std::size_t length_ = 0;
  Bytes block_;
  // AT+QIAUTOS
  async::Timer period_;
  unsigned begun_ = 0;
  int lost_prompts_ = 0;
  int pluses_ = 0;
  async::TimePoint last_byte_;
  async::Timer plus_;
};

}  // namespace qimux::sim
