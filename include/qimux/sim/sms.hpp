// Short messages: what AT commands set for them, what is on the SIM, what comes and what goes.
//
// Nothing leaves the simulator: what is sent is written to the transcript. A message to the SIM's own number
// comes back, and with Options::sms_loop every one does, from the number that it was sent to.
#pragma once

#include "qimux/base/error.hpp"
#include "qimux/sim/cell.hpp"
#include "qimux/sim/clock.hpp"
#include "qimux/sim/options.hpp"
#include "qimux/sim/sms_store.hpp"
#include "qimux/sim/sms_view.hpp"
#include "qimux/sim/terminal.hpp"
#include "qimux/sim/timeline.hpp"
#include "qimux/sim/transcript.hpp"

#include <deque>
#include <string>
#include <string_view>

namespace qimux::sim {

// Codes of +CMS ERROR (3GPP 27.005, 3.2.5).
namespace cms {
inline constexpr int kNotAllowed = 302;
inline constexpr int kNotSupported = 303;
inline constexpr int kInvalidPdu = 304;
inline constexpr int kInvalidText = 305;
inline constexpr int kNoSim = 310;
inline constexpr int kPinRequired = 311;
inline constexpr int kSimFailure = 313;
inline constexpr int kSimBusy = 314;
inline constexpr int kPukRequired = 316;
inline constexpr int kInvalidIndex = 321;
inline constexpr int kMemoryFull = 322;
inline constexpr int kCentreUnknown = 330;
inline constexpr int kNoNetwork = 331;
}  // namespace cms

class Sms {
 public:
  Sms(async::Loop& loop, const Options& options, Transcript& transcript, Terminal& terminal, Cell& cell,
      const Clock& clock);

  SmsSettings& settings() { return settings_; }
  SmsStore& store() { return store_; }
  // AT+CSCA; kept on the SIM.
  SmsAddress& centre() { return centre_; }
  // The code of +CMS ERROR that stands in the way of reading and writing, and of sending as well; 0: nothing.
  int storeProblem() const;
  int sendProblem() const;

  // A message comes from the network, in parts where it is long. Invalid where it cannot be one.
  Result<void> arrive(std::string_view from, std::string_view text);
  // Gives it the network and a reference, which is returned.
  Byte send(const SmsMessage& message);
  // A place has become free.
  void freed() { deliver(); }
  // AT+CNMI was given: what was held back with mode 0 is said, or with <bfr> 1 forgotten.
  void indicationsSet();
  // Restart: the settings go, the SIM and what waits in the network stays.
  void reset();

 private:
  void deliver();
  bool take(const SmsMessage& message);
  bool goesDirect(const SmsMessage& message) const;
  void indicate(std::string line);
  void comeBack(const SmsMessage& sent);
  std::int64_t networkTime() const;

  const Options& options_;
  Transcript& transcript_;
  Terminal& terminal_;
  Cell& cell_;
  const Clock& clock_;
  SmsSettings settings_;
  SmsStore store_;
  SmsAddress centre_;
  Byte reference_ = 0;
  Byte long_reference_ = 0;
  // In the network, for a SIM that is full or out of reach.
  std::deque<SmsMessage> waiting_;
  // AT+CNMI mode 0.
  std::deque<std::string> buffered_;
  Timeline later_;
  async::Timer again_;
};

class Module;
struct Call;
// The argument at `index` as a number in the set of AT+CSCS, quoted or not, with its type behind it where it
// is given.
std::optional<SmsAddress> numberArgument(Module& module, const Call& call, std::size_t index);

}  // namespace qimux::sim
