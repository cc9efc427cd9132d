#include "qimux/sim/options.hpp"

namespace qimux::sim {

std::string_view name(Firmware firmware) {
  switch (firmware) {
    case Firmware::Note:
      return "note";
    case Firmware::M95:
      return "m95";
    case Firmware::Mc60:
      return "mc60";
  }
  return "unknown";
}

std::optional<Firmware> parseFirmware(std::string_view text) {
  for (const auto firmware : {Firmware::Note, Firmware::M95, Firmware::Mc60}) {
    if (text == name(firmware)) return firmware;
  }
  return std::nullopt;
}

QuirkSet quirksOf(Firmware firmware) {
  QuirkSet set;
  switch (firmware) {
    case Firmware::Note:
      // Application note 5.2.2.2, 5.3.1, 5.3.2 and 5.6.2, as printed.
      set.add(Quirk::EscCancels);
      set.add(Quirk::HeadBlank);
      set.add(Quirk::UrcNoSpace);
      set.add(Quirk::ReadNoOk);
      set.add(Quirk::StateNoFinalOk);
      set.add(Quirk::Listenning);
      break;
    case Firmware::M95:
      set.add(Quirk::AlreadyConnectError);
      set.add(Quirk::UnknownCme);
      break;
    case Firmware::Mc60:
      set.add(Quirk::DeactInitialError);
      break;
  }
  return set;
}

int highestIndiOf(Firmware firmware) {
  return firmware == Firmware::Mc60 ? 2 : 1;
}

}  // namespace qimux::sim
