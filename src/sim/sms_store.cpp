#include "qimux/sim/sms_store.hpp"

#include <algorithm>
#include <utility>

namespace qimux::sim {

std::string_view name(SmsState state) {
  switch (state) {
    case SmsState::ReceivedUnread:
      return "REC UNREAD";
    case SmsState::ReceivedRead:
      return "REC READ";
    case SmsState::StoredUnsent:
      return "STO UNSENT";
    case SmsState::StoredSent:
      return "STO SENT";
  }
  return "REC UNREAD";
}

std::optional<SmsState> parseSmsState(std::string_view text) {
  for (const auto state :
       {SmsState::ReceivedUnread, SmsState::ReceivedRead, SmsState::StoredUnsent, SmsState::StoredSent}) {
    if (text == name(state)) return state;
  }
  return std::nullopt;
}

std::optional<int> SmsStore::add(StoredSms sms) {
  const auto free = std::ranges::find_if(places_, [](const auto& place) { return !place.has_value(); });
  if (free == places_.end()) return std::nullopt;
  *free = std::move(sms);
  return static_cast<int>(free - places_.begin()) + 1;
}

StoredSms* SmsStore::at(int place) {
  if (place < 1 || place > kPlaces) return nullptr;
  auto& found = places_[static_cast<std::size_t>(place - 1)];
  return found ? &*found : nullptr;
}

void SmsStore::erase(int place) {
  if (place >= 1 && place <= kPlaces) places_[static_cast<std::size_t>(place - 1)].reset();
}

int SmsStore::used() const {
  return static_cast<int>(
      std::ranges::count_if(places_, [](const auto& place) { return place.has_value(); }));
}

}  // namespace qimux::sim
