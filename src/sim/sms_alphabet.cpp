#include "qimux/sim/sms_alphabet.hpp"

#include <array>
#include <cassert>

namespace qimux::sim {
namespace {

constexpr std::u16string_view kBasic =
    u"@\u00a3$\u00a5\u00e8\u00e9\u00f9\u00ec\u00f2\u00c7\n\u00d8\u00f8\r\u00c5\u00e5"
    u"\u0394_\u03a6\u0393\u039b\u03a9\u03a0\u03a8\u03a3\u0398\u039e \u00c6\u00e6\u00df\u00c9"
    u" !\"#\u00a4%&'()*+,-./0123456789:;<=>?"
    u"\u00a1ABCDEFGHIJKLMNOPQRSTUVWXYZ\u00c4\u00d6\u00d1\u00dc\u00a7"
    u"\u00bfabcdefghijklmnopqrstuvwxyz\u00e4\u00f6\u00f1\u00fc\u00e0";
static_assert(kBasic.size() == 128);

struct Extended {
  Byte septet;
  char16_t character;
};
constexpr std::array kExtended{
    Extended{0x0a, u'\f'}, Extended{0x14, u'^'},      Extended{0x28, u'{'}, Extended{0x29, u'}'},
    Extended{0x2f, u'\\'}, Extended{0x3c, u'['},      Extended{0x3d, u'~'}, Extended{0x3e, u']'},
    Extended{0x40, u'|'},  Extended{0x65, u'\u20ac'},
};

constexpr char16_t kUnknown = u'\ufffd';

char16_t extended(Byte septet) {
  for (const auto& entry : kExtended) {
    if (entry.septet == septet) return entry.character;
  }
  return kBasic[septet];
}

// False where it is in neither table.
bool append(Bytes& septets, char16_t character) {
  for (std::size_t i = 0; i < kBasic.size(); ++i) {
    if (kBasic[i] != character || i == kSeptetEscape) continue;
    septets.push_back(static_cast<Byte>(i));
    return true;
  }
  for (const auto& entry : kExtended) {
    if (entry.character != character) continue;
    septets.push_back(kSeptetEscape);
    septets.push_back(entry.septet);
    return true;
  }
  return false;
}

int nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The code point that `text` begins with, and its bytes off the front; U+FFFD and one byte where it is wrong.
char32_t takeUtf8(std::string_view& text) {
  const auto byte = [&text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  std::size_t size = 1;
  char32_t value = first;
  char32_t least = 0;
  if (first >= 0xf0 && first < 0xf8) {
    size = 4, value = first & 0x07u, least = 0x10000;
  } else if (first >= 0xe0 && first < 0xf0) {
    size = 3, value = first & 0x0fu, least = 0x800;
  } else if (first >= 0xc0 && first < 0xe0) {
    size = 2, value = first & 0x1fu, least = 0x80;
  } else if (first >= 0x80) {
    text.remove_prefix(1);
    return kUnknown;
  }
  bool good = size <= text.size();
  for (std::size_t i = 1; good && i < size; ++i) {
    good = (byte(i) & 0xc0u) == 0x80;
    value = value << 6 | (byte(i) & 0x3fu);
  }
  good = good && value >= least && value <= 0x10ffff && (value < 0xd800 || value > 0xdfff);
  text.remove_prefix(good ? size : 1);
  return good ? value : kUnknown;
}

void appendUtf8(std::string& out, char32_t value) {
  const auto put = [&out](char32_t byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
  if (value < 0x80) {
    put(value);
    return;
  }
  if (value < 0x800) {
    put(0xc0 | value >> 6);
  } else if (value < 0x10000) {
    put(0xe0 | value >> 12);
    put(0x80 | (value >> 6 & 0x3f));
  } else {
    put(0xf0 | value >> 18);
    put(0x80 | (value >> 12 & 0x3f));
    put(0x80 | (value >> 6 & 0x3f));
  }
  put(0x80 | (value & 0x3f));
}

}  // namespace

std::u16string textOfSeptets(ByteView septets) {
  std::u16string text;
  for (std::size_t i = 0; i < septets.size(); ++i) {
    const Byte septet = septets[i] & 0x7f;
    if (septet == kSeptetEscape && i + 1 < septets.size()) {
      text += extended(septets[++i] & 0x7f);
    } else {
      text += kBasic[septet];
    }
  }
  return text;
}

std::optional<Bytes> septetsOf(std::u16string_view text) {
  Bytes septets;
  for (const char16_t character : text) {
    if (!append(septets, character)) return std::nullopt;
  }
  return septets;
}

Bytes nearestSeptets(std::u16string_view text) {
  Bytes septets;
  for (const char16_t character : text) {
    if (!append(septets, character)) append(septets, u'?');
  }
  return septets;
}

Bytes packSeptets(ByteView septets, unsigned skip) {
  Bytes octets((skip + septets.size() * 7 + 7) / 8);
  for (std::size_t i = 0; i < septets.size(); ++i) {
    const std::size_t bit = skip + i * 7;
    const unsigned value = (septets[i] & 0x7fu) << bit % 8;
    octets[bit / 8] = static_cast<Byte>(octets[bit / 8] | value);
    if (value > 0xff) octets[bit / 8 + 1] = static_cast<Byte>(value >> 8);
  }
  return octets;
}

Bytes unpackSeptets(ByteView octets, std::size_t count) {
  assert(packedSize(count) <= octets.size());
  Bytes septets(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t bit = i * 7;
    unsigned value = octets[bit / 8];
    if (bit / 8 + 1 < octets.size()) value |= static_cast<unsigned>(octets[bit / 8 + 1]) << 8;
    septets[i] = static_cast<Byte>(value >> bit % 8 & 0x7f);
  }
  return septets;
}

std::u16string utf16Of(std::string_view utf8) {
  std::u16string text;
  while (!utf8.empty()) {
    const char32_t value = takeUtf8(utf8);
    if (value >= 0x10000) {
      text += static_cast<char16_t>(0xd800 + ((value - 0x10000) >> 10));
      text += static_cast<char16_t>(0xdc00 + ((value - 0x10000) & 0x3ff));
    } else {
      text += static_cast<char16_t>(value);
    }
  }
  return text;
}

std::string utf8Of(std::u16string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char32_t unit = text[i];
    const bool high = unit >= 0xd800 && unit < 0xdc00;
    const bool low_follows = i + 1 < text.size() && text[i + 1] >= 0xdc00 && text[i + 1] < 0xe000;
    if (high && low_follows) {
      const char32_t low = text[++i];
      appendUtf8(out, 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
    } else {
      appendUtf8(out, unit >= 0xd800 && unit < 0xe000 ? kUnknown : unit);
    }
  }
  return out;
}

Bytes ucs2Of(std::u16string_view text) {
  Bytes octets;
  octets.reserve(text.size() * 2);
  for (const char16_t unit : text) {
    octets.push_back(static_cast<Byte>(unit >> 8));
    octets.push_back(static_cast<Byte>(unit & 0xff));
  }
  return octets;
}

std::u16string textOfUcs2(ByteView octets) {
  std::u16string text;
  for (std::size_t i = 0; i + 1 < octets.size(); i += 2) {
    text += static_cast<char16_t>(octets[i] << 8 | octets[i + 1]);
  }
  return text;
}

std::string hexOf(ByteView octets) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string hex;
  hex.reserve(octets.size() * 2);
  for (const Byte octet : octets) {
    hex += kDigits[octet >> 4];
    hex += kDigits[octet & 0x0f];
  }
  return hex;
}

std::optional<Bytes> octetsOfHex(std::string_view hex) {
  if (hex.size() % 2 != 0) return std::nullopt;
  Bytes octets;
  octets.reserve(hex.size() / 2);
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = nibble(hex[i]);
    const int low = nibble(hex[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    octets.push_back(static_cast<Byte>(high << 4 | low));
  }
  return octets;
}

}  // namespace qimux::sim
