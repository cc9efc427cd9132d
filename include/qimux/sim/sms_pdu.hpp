// Short messages as they are in the air and on the SIM: SMS-DELIVER and SMS-SUBMIT (3GPP 23.040, 9.2.2).
//
// Hosts type these; every byte of them may be anything.
#pragma once

#include "qimux/base/bytes.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qimux::sim {

inline constexpr std::size_t kMostSeptets = 160;
inline constexpr std::size_t kMostOctets = 140;
inline constexpr std::size_t kMostDigits = 20;

// A number, or a name of up to 11 characters (9.1.2.5).
struct SmsAddress {
  static constexpr Byte kNational = 129;
  static constexpr Byte kInternational = 145;
  static constexpr Byte kName = 208;

  Byte type = kNational;
  // Digits, *, #, a, b, c without the +; or the septets of a name. Either way text of the default alphabet.
  std::string text;

  bool international() const { return (type & 0x70) == 0x10; }
  bool isName() const { return (type & 0x70) == 0x50; }
  // With its +, in the default alphabet.
  std::string shown() const { return (international() ? "+" : "") + text; }
};
// "+4912", "110"; nothing where there is anything else in it, or too much. `type` where it is given.
std::optional<SmsAddress> parseNumber(std::string_view text, std::optional<Byte> type = std::nullopt);

enum class SmsAlphabet { Default, Octets, Ucs2 };
// 3GPP 23.038, 4; compressed text counts as octets.
SmsAlphabet alphabetOf(Byte dcs);
// 0 to 3 where the message has a class.
std::optional<int> classOf(Byte dcs);

enum class SmsKind { Deliver, Submit };

struct SmsMessage {
  // <fo>: what kind it is is in bits 0 and 1, a header in the text in bit 6.
  Byte first_octet = 0;
  // Submit only.
  Byte reference = 0;
  // From whom, or to whom.
  SmsAddress peer;
  Byte pid = 0;
  Byte dcs = 0;
  // Deliver: semi octets of year, month, day, hour, minute, second, quarters of an hour.
  std::array<Byte, 7> time{};
  // Submit: 0, 1 or 7 octets.
  Bytes validity;
  // Septets with the default alphabet, else octets.
  std::size_t length = 0;
  Bytes data;

  SmsKind kind() const { return (first_octet & 0x03) == 1 ? SmsKind::Submit : SmsKind::Deliver; }
  bool hasHeader() const { return (first_octet & 0x40) != 0; }
  // Header included, as septets or octets of the text.
  Bytes septets() const;
  // For people: the text without its header, or the octets in hex.
  std::string readable() const;
};

// A whole TPDU. Nothing where it is no such message, or has a byte too many or too few.
std::optional<SmsMessage> decodeTpdu(ByteView tpdu);
Bytes encodeTpdu(const SmsMessage& message);

// The number of the service centre in front of it (3GPP 27.005, 3.1, <pdu>; 24.011, 8.2.5.1): its length in
// octets, its type, its digits. Empty text: none. Nothing where it does not fit; else its size too.
struct ServiceCentre {
  SmsAddress number;
  std::size_t size = 0;
};
std::optional<ServiceCentre> decodeServiceCentre(ByteView pdu);
Bytes encodeServiceCentre(const SmsAddress& number);

// Seconds since 1970 as in a time stamp, UTC.
std::array<Byte, 7> encodeTime(std::int64_t unix_seconds);
// "2010/09/25 15:06:37+32", as Quectel's modules show it; whatever the digits are.
std::string shownTime(const std::array<Byte, 7>& time);

// UTF-8 as messages from `from`, in parts where it is longer than one (9.2.3.24.1, `reference` tells one long
// text from another). The default alphabet where it has all the characters, else UCS2. Nothing where `from`
// is neither a number nor a name, or the text is empty or longer than kMostParts.
inline constexpr std::size_t kMostParts = 10;
std::optional<std::vector<SmsMessage>> composeDeliver(std::string_view from, std::string_view text,
                                                      Byte reference);

}  // namespace qimux::sim
