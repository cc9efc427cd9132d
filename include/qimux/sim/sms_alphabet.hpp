// The alphabets of short messages: the default one of 7 bits with its extension table, UTF-16 and hex.
// 3GPP 23.038, 6.1.2.1 (packing) and 6.2.1 (the tables).
//
// A septet is a byte below 0x80. A character of the extension table is two of them, the first one 0x1b.
#pragma once

#include "qimux/base/bytes.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace qimux::sim {

inline constexpr Byte kSeptetEscape = 0x1b;

// Septets as text. What the extension table does not have shows as its second septet would alone, a lone
// escape as a blank, as 23.038 asks of a receiver. Bit 8 is ignored.
std::u16string textOfSeptets(ByteView septets);
// Nothing where a character is in neither table.
std::optional<Bytes> septetsOf(std::u16string_view text);
// The same, with a question mark for what is in neither.
Bytes nearestSeptets(std::u16string_view text);

// Septets one behind another, from bit `skip` (0 to 6) of the first octet on: behind a header text begins at
// the next multiple of 7 bits.
Bytes packSeptets(ByteView septets, unsigned skip = 0);
// `count` of them; `octets` must hold so many, see packedSize().
Bytes unpackSeptets(ByteView octets, std::size_t count);
constexpr std::size_t packedSize(std::size_t septets) {
  return (septets * 7 + 7) / 8;
}

// Bytes that are no UTF-8 become U+FFFD.
std::u16string utf16Of(std::string_view utf8);
// Halves of a pair on their own become U+FFFD.
std::string utf8Of(std::u16string_view text);

// Two octets a unit, the higher one first. An odd octet at the end is dropped.
Bytes ucs2Of(std::u16string_view text);
std::u16string textOfUcs2(ByteView octets);

// "2A1B": upper case out, either case in. Nothing where it is not pairs of digits.
std::string hexOf(ByteView octets);
std::optional<Bytes> octetsOfHex(std::string_view hex);

}  // namespace qimux::sim
