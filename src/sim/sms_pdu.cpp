#include "qimux/sim/sms_pdu.hpp"

#include "qimux/sim/sms_alphabet.hpp"

#include <algorithm>

namespace qimux::sim {
namespace {

constexpr std::string_view kDigits = "0123456789*#abc";
constexpr unsigned kFiller = 0x0f;
constexpr std::size_t kMostServiceCentre = 11;

// What is left of hostile bytes, from the front.
class Reader {
 public:
  explicit Reader(ByteView bytes) : rest_(bytes) {}

  bool has(std::size_t count) const { return rest_.size() >= count; }
  bool empty() const { return rest_.empty(); }
  Byte byte() { return take(1).front(); }
  ByteView take(std::size_t count) {
    const ByteView taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }

 private:
  ByteView rest_;
};

// `count` digits, the lower half of an octet first; the half that is over is filled up.
std::optional<std::string> digitsOf(ByteView octets, std::size_t count) {
  std::string digits;
  for (std::size_t i = 0; i < octets.size() * 2; ++i) {
    const unsigned digit = i % 2 == 0 ? octets[i / 2] & 0x0fu : octets[i / 2] >> 4u;
    if (i >= count) {
      if (digit != kFiller) return std::nullopt;
    } else if (digit >= kDigits.size()) {
      return std::nullopt;
    } else {
      digits += kDigits[digit];
    }
  }
  return digits;
}

Bytes semiOctets(std::string_view digits) {
  Bytes octets((digits.size() + 1) / 2, 0xff);
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const std::size_t digit = std::min<std::size_t>(kDigits.find(digits[i]), kFiller);
    Byte& octet = octets[i / 2];
    octet = static_cast<Byte>(i % 2 == 0 ? (octet & 0xf0) | digit : (octet & 0x0f) | digit << 4);
  }
  return octets;
}

// 9.1.2.5: the length counts half octets, also of a name.
std::optional<SmsAddress> readAddress(Reader& in) {
  if (!in.has(2)) return std::nullopt;
  const std::size_t count = in.byte();
  SmsAddress address;
  address.type = in.byte();
  if (count > kMostDigits || (address.type & 0x80) == 0 || !in.has((count + 1) / 2)) return std::nullopt;
  const ByteView octets = in.take((count + 1) / 2);
  if (address.isName()) {
    const Bytes septets = unpackSeptets(octets, count * 4 / 7);
    address.text = textOf(septets);
    return address;
  }
  auto digits = digitsOf(octets, count);
  if (!digits) return std::nullopt;
  address.text = std::move(*digits);
  return address;
}

void writeAddress(Bytes& out, const SmsAddress& address) {
  const bool name = address.isName();
  const Bytes octets = name ? packSeptets(bytesOf(address.text)) : semiOctets(address.text);
  const std::size_t count = name ? (address.text.size() * 7 + 3) / 4 : address.text.size();
  out.push_back(static_cast<Byte>(count));
  out.push_back(address.type);
  out.insert(out.end(), octets.begin(), octets.end());
}

// Of TP-VP, by bits 3 and 4 of the first octet (9.2.3.3).
std::size_t validitySize(Byte first_octet) {
  switch (first_octet >> 3 & 0x03) {
    case 0:
      return 0;
    case 2:
      return 1;
    default:
      return 7;
  }
}

bool readText(Reader& in, SmsMessage& message) {
  if (!in.has(1)) return false;
  message.length = in.byte();
  const bool packed = alphabetOf(message.dcs) == SmsAlphabet::Default;
  if (message.length > (packed ? kMostSeptets : kMostOctets)) return false;
  const std::size_t size = packed ? packedSize(message.length) : message.length;
  if (!in.has(size)) return false;
  const ByteView data = in.take(size);
  message.data.assign(data.begin(), data.end());
  // A header has to fit into what there is.
  return in.empty() && (!message.hasHeader() || (!data.empty() && data.front() < data.size()));
}

}  // namespace

std::optional<SmsAddress> parseNumber(std::string_view text, std::optional<Byte> type) {
  const bool plus = text.starts_with('+');
  if (plus) text.remove_prefix(1);
  if (text.empty() || text.size() > kMostDigits) return std::nullopt;
  if (text.find_first_not_of(kDigits) != std::string_view::npos) return std::nullopt;
  SmsAddress address{plus ? SmsAddress::kInternational : SmsAddress::kNational, std::string(text)};
  if (type && !plus) address.type = *type;
  if ((address.type & 0x80) == 0 || address.isName()) return std::nullopt;
  return address;
}

SmsAlphabet alphabetOf(Byte dcs) {
  const unsigned group = dcs >> 4;
  const unsigned bits = dcs >> 2 & 0x03;
  if (group < 0x8) {
    const bool compressed = (dcs & 0x20) != 0;
    if (bits == 2 && !compressed) return SmsAlphabet::Ucs2;
    return bits == 1 || compressed ? SmsAlphabet::Octets : SmsAlphabet::Default;
  }
  if (group == 0xe) return SmsAlphabet::Ucs2;
  if (group == 0xf) return (dcs & 0x04) != 0 ? SmsAlphabet::Octets : SmsAlphabet::Default;
  return SmsAlphabet::Default;
}

std::optional<int> classOf(Byte dcs) {
  const unsigned group = dcs >> 4;
  const bool has = (group < 0x8 && (dcs & 0x10) != 0) || group == 0xf;
  return has ? std::optional<int>(dcs & 0x03) : std::nullopt;
}

std::optional<SmsMessage> decodeTpdu(ByteView tpdu) {
  Reader in(tpdu);
  if (!in.has(1)) return std::nullopt;
  SmsMessage message;
  message.first_octet = in.byte();
  if ((message.first_octet & 0x03) > 1) return std::nullopt;
  const bool submit = message.kind() == SmsKind::Submit;
  if (submit) {
    if (!in.has(1)) return std::nullopt;
    message.reference = in.byte();
  }
  auto peer = readAddress(in);
  if (!peer || !in.has(2)) return std::nullopt;
  message.peer = std::move(*peer);
  message.pid = in.byte();
  message.dcs = in.byte();
  const std::size_t stamp = submit ? validitySize(message.first_octet) : message.time.size();
  if (!in.has(stamp)) return std::nullopt;
  const ByteView octets = in.take(stamp);
  if (submit) {
    message.validity.assign(octets.begin(), octets.end());
  } else {
    std::ranges::copy(octets, message.time.begin());
  }
  if (!readText(in, message)) return std::nullopt;
  return message;
}

Bytes encodeTpdu(const SmsMessage& message) {
  Bytes out{message.first_octet};
  const bool submit = message.kind() == SmsKind::Submit;
  if (submit) out.push_back(message.reference);
  writeAddress(out, message.peer);
  out.push_back(message.pid);
  out.push_back(message.dcs);
  if (submit) {
    out.insert(out.end(), message.validity.begin(), message.validity.end());
  } else {
    out.insert(out.end(), message.time.begin(), message.time.end());
  }
  out.push_back(static_cast<Byte>(message.length));
  out.insert(out.end(), message.data.begin(), message.data.end());
  return out;
}

std::optional<ServiceCentre> decodeServiceCentre(ByteView pdu) {
  Reader in(pdu);
  if (!in.has(1)) return std::nullopt;
  const std::size_t size = in.byte();
  ServiceCentre centre;
  centre.size = 1 + size;
  if (size == 0) return centre;
  if (size < 2 || size > kMostServiceCentre || !in.has(size)) return std::nullopt;
  centre.number.type = in.byte();
  const ByteView octets = in.take(size - 1);
  const std::size_t count = octets.size() * 2 - (octets.back() >> 4 == kFiller ? 1 : 0);
  auto digits = digitsOf(octets, count);
  if (!digits || (centre.number.type & 0x80) == 0 || centre.number.isName()) return std::nullopt;
  centre.number.text = std::move(*digits);
  return centre;
}

Bytes encodeServiceCentre(const SmsAddress& number) {
  if (number.text.empty()) return Bytes{0};
  const Bytes octets = semiOctets(number.text);
  Bytes out{static_cast<Byte>(octets.size() + 1), number.type};
  out.insert(out.end(), octets.begin(), octets.end());
  return out;
}

}  // namespace qimux::sim
