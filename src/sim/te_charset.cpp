#include "qimux/sim/te_charset.hpp"

#include "qimux/sim/sms_alphabet.hpp"

#include <algorithm>

namespace qimux::sim {
namespace {

std::string narrowed(ByteView septets, char16_t last) {
  std::string out;
  for (const char16_t character : textOfSeptets(septets)) {
    out += character <= last ? static_cast<char>(static_cast<unsigned char>(character)) : '?';
  }
  return out;
}

std::u16string widened(std::string_view text) {
  std::u16string out;
  for (const char c : text) out += static_cast<char16_t>(static_cast<unsigned char>(c));
  return out;
}

}  // namespace

std::string_view name(TeCharset charset) {
  switch (charset) {
    case TeCharset::Gsm:
      return "GSM";
    case TeCharset::Hex:
      return "HEX";
    case TeCharset::Ira:
      return "IRA";
    case TeCharset::Ucs2:
      return "UCS2";
    case TeCharset::Latin1:
      return "8859-1";
  }
  return "GSM";
}

std::optional<TeCharset> parseTeCharset(std::string_view text) {
  for (const auto charset :
       {TeCharset::Gsm, TeCharset::Hex, TeCharset::Ira, TeCharset::Ucs2, TeCharset::Latin1}) {
    if (text == name(charset)) return charset;
  }
  return std::nullopt;
}

std::string shownAs(TeCharset charset, ByteView septets) {
  switch (charset) {
    case TeCharset::Gsm:
      return std::string(textOf(septets));
    case TeCharset::Hex:
      return hexOf(septets);
    case TeCharset::Ira:
      return narrowed(septets, 0x7f);
    case TeCharset::Ucs2:
      return hexOf(ucs2Of(textOfSeptets(septets)));
    case TeCharset::Latin1:
      return narrowed(septets, 0xff);
  }
  return {};
}

std::optional<Bytes> typedAs(TeCharset charset, std::string_view text) {
  switch (charset) {
    case TeCharset::Gsm: {
      const ByteView bytes = bytesOf(text);
      if (std::ranges::any_of(bytes, [](Byte byte) { return byte > 0x7f; })) return std::nullopt;
      return Bytes(bytes.begin(), bytes.end());
    }
    case TeCharset::Hex: {
      auto septets = octetsOfHex(text);
      if (!septets || std::ranges::any_of(*septets, [](Byte byte) { return byte > 0x7f; })) {
        return std::nullopt;
      }
      return septets;
    }
    case TeCharset::Ucs2: {
      const auto octets = octetsOfHex(text);
      if (!octets || octets->size() % 2 != 0) return std::nullopt;
      return septetsOf(textOfUcs2(*octets));
    }
    case TeCharset::Ira:
    case TeCharset::Latin1:
      return septetsOf(widened(text));
  }
  return std::nullopt;
}

}  // namespace qimux::sim
