// The places for short messages on the SIM: storage "SM" of AT+CPMS (3GPP 27.005, 3.2.2), records of EF_SMS
// (3GPP 51.011, 10.5.3). It keeps its content without power.
#pragma once

#include "qimux/sim/sms_pdu.hpp"

#include <array>
#include <cstddef>
#include <optional>

namespace qimux::sim {

// <stat>, with its numbers in PDU mode.
enum class SmsState { ReceivedUnread = 0, ReceivedRead = 1, StoredUnsent = 2, StoredSent = 3 };
// "REC UNREAD"
std::string_view name(SmsState state);
std::optional<SmsState> parseSmsState(std::string_view text);

struct StoredSms {
  SmsState state = SmsState::ReceivedUnread;
  // By which it came, or is to go; empty text where none was said.
  SmsAddress centre;
  SmsMessage message;
};

class SmsStore {
 public:
  static constexpr int kPlaces = 20;

  // The lowest free place, 1 to kPlaces; nothing where there is none.
  std::optional<int> add(StoredSms sms);
  // Null where the place is empty, or there is no such place.
  StoredSms* at(int place);
  void erase(int place);
  int used() const;

 private:
  std::array<std::optional<StoredSms>, kPlaces> places_;
};

}  // namespace qimux::sim
