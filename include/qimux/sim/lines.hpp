// The modem lines beside the data: DTR from the host; DCD and RI to it (application note 4, 5.6.3 and 9).
//
// All are active low: "on" is the pin at LOW. A transport that has no such lines says by the host's presence
// what DTR is; what the module does with its own is written to the transcript.
#pragma once

#include "qimux/async/loop.hpp"
#include "qimux/sim/transcript.hpp"

#include <functional>
#include <optional>

namespace qimux::sim {

class Lines {
 public:
  // What the module drives. Called at each change.
  using Output = std::move_only_function<void(bool dcd, bool ri)>;

  // `output` may be empty.
  Lines(async::Loop& loop, Transcript& transcript, Output output);

  // On at first.
  bool dtr() const { return forced_.value_or(dtr_); }
  // By the host.
  void setDtr(bool on);
  // By a fault, whatever the host does; nothing gives it back to the host.
  void forceDtr(std::optional<bool> on);
  // Called at each change of dtr().
  void onDtr(std::move_only_function<void(bool on)> call) { changed_ = std::move(call); }

  bool dcd() const { return dcd_ || always_; }
  // A session begins or ends.
  void setDcd(bool on);
  // AT&C0: on, session or not (V.250 6.2.8).
  void setDcdAlways(bool always);
  // Something has come that the host should look at: RI goes low for 12 ms. Again meanwhile is the same
  // pulse.
  void ring();
  // The power is gone.
  void reset();

 private:
  void update(bool before);
  void dcdChanged(bool before);
  void drive();

  Transcript& transcript_;
  Output output_;
  std::move_only_function<void(bool on)> changed_;
  bool dtr_ = true;
  std::optional<bool> forced_;
  bool dcd_ = false;
  bool always_ = false;
  async::Timer ri_;
};

}  // namespace qimux::sim
