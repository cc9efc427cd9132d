// The data phase of AT+CMGS and AT+CMGW (3GPP 27.005, 3.5.1, 4.3): everything typed after the prompt, up to
// Ctrl-Z, or ESC, which throws it away.
#pragma once

#include "qimux/base/bytes.hpp"
#include "qimux/sim/sms_store.hpp"
#include "qimux/sim/terminal.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace qimux::sim {

class Module;

class SmsPhase final : public DataSink {
 public:
  // What the command line said.
  struct Order {
    // AT+CMGS; else AT+CMGW.
    bool send = true;
    // AT+CMGF=1: to whom. Else a PDU is typed, of so many octets behind the number of the service centre.
    SmsAddress number;
    std::size_t length = 0;
    // AT+CMGW.
    SmsState state = SmsState::StoredUnsent;
  };

  explicit SmsPhase(Module& module) : module_(module) {}

  // Prints the prompt; the terminal's command ends by itself.
  void begin(Order order);
  // The end of AT+CMGS and AT+CMSS: tells the reference when the network has taken it.
  void transmit(const SmsMessage& message, std::string_view command);

  std::size_t feed(ByteView bytes) override;

 private:
  void type(Byte byte);
  void finish();
  void write(StoredSms sms);
  std::optional<StoredSms> fromPdu() const;
  std::optional<StoredSms> fromText() const;

  Module& module_;
  Order order_;
  bool text_mode_ = false;
  bool first_ = true;
  bool overflow_ = false;
  std::string typed_;
};

}  // namespace qimux::sim
