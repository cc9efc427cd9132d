// The character set between the module and the host (AT+CSCS, 3GPP 27.007 5.5), and how text of the default
// alphabet looks in it (3GPP 27.005, 3.1, <data>).
#pragma once

#include "qimux/base/bytes.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace qimux::sim {

enum class TeCharset {
  Gsm,     // one byte a septet, as it is: @ is 0x00
  Hex,     // two digits a septet
  Ira,     // ASCII
  Ucs2,    // four digits a character
  Latin1,  // ISO 8859-1
};
std::string_view name(TeCharset charset);
std::optional<TeCharset> parseTeCharset(std::string_view text);

// A question mark stands for what the set does not have.
std::string shownAs(TeCharset charset, ByteView septets);
// Nothing where the digits are none, or a character is not in the default alphabet.
std::optional<Bytes> typedAs(TeCharset charset, std::string_view text);

}  // namespace qimux::sim
