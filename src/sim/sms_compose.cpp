// Short messages between people and their encoding: time stamps, and texts in parts.
#include "qimux/sim/sms_alphabet.hpp"
#include "qimux/sim/sms_pdu.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace qimux::sim {
namespace {

// 9.2.3.24.1: which text, of how many parts, which part.
constexpr std::size_t kPartHeader = 6;
constexpr std::size_t kMostNameSeptets = 11;
constexpr Byte kUcs2Dcs = 0x08;
// No more messages are waiting at the service centre.
constexpr Byte kDeliver = 0x04;
constexpr Byte kHeaderFlag = 0x40;

Byte swapped(unsigned value) {
  return static_cast<Byte>(value / 10 % 10 | value % 10 << 4);
}

bool isHighHalf(char16_t unit) {
  return unit >= 0xd800 && unit < 0xdc00;
}

std::optional<SmsAddress> parseSender(std::string_view from) {
  if (auto number = parseNumber(from)) return number;
  const auto septets = septetsOf(utf16Of(from));
  if (!septets || septets->empty() || septets->size() > kMostNameSeptets) return std::nullopt;
  return SmsAddress{SmsAddress::kName, std::string(textOf(*septets))};
}

// Cut where neither an escape and its septet nor the halves of a pair are torn apart.
template <typename Unit, typename Torn>
std::vector<std::vector<Unit>> cut(std::span<const Unit> text, std::size_t most, Torn torn) {
  std::vector<std::vector<Unit>> parts;
  while (!text.empty()) {
    std::size_t size = std::min(most, text.size());
    if (size < text.size() && torn(text[size - 1])) --size;
    parts.emplace_back(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(size));
    text = text.subspan(size);
  }
  return parts;
}

Bytes partHeader(Byte reference, std::size_t count, std::size_t number) {
  return Bytes{5, 0, 3, reference, static_cast<Byte>(count), static_cast<Byte>(number)};
}

void setSeptets(SmsMessage& message, const Bytes& header, ByteView septets) {
  const std::size_t before = (header.size() * 8 + 6) / 7;
  const Bytes packed = packSeptets(septets, static_cast<unsigned>(before * 7 - header.size() * 8));
  message.length = before + septets.size();
  message.data = header;
  message.data.insert(message.data.end(), packed.begin(), packed.end());
}

void setOctets(SmsMessage& message, const Bytes& header, ByteView octets) {
  message.dcs = kUcs2Dcs;
  message.data = header;
  message.data.insert(message.data.end(), octets.begin(), octets.end());
  message.length = message.data.size();
}

}  // namespace

Bytes SmsMessage::septets() const {
  return alphabetOf(dcs) == SmsAlphabet::Default ? unpackSeptets(data, length) : Bytes{};
}

std::string SmsMessage::readable() const {
  const std::size_t header = hasHeader() && !data.empty() ? data.front() + 1u : 0;
  switch (alphabetOf(dcs)) {
    case SmsAlphabet::Default: {
      const Bytes all = septets();
      return utf8Of(textOfSeptets(ByteView(all).subspan(std::min((header * 8 + 6) / 7, all.size()))));
    }
    case SmsAlphabet::Ucs2:
      return utf8Of(textOfUcs2(ByteView(data).subspan(std::min(header, data.size()))));
    case SmsAlphabet::Octets:
      return hexOf(data);
  }
  return {};
}

std::array<Byte, 7> encodeTime(std::int64_t unix_seconds) {
  using namespace std::chrono;
  const sys_seconds time{seconds(unix_seconds)};
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  return {swapped(static_cast<unsigned>(static_cast<int>(date.year()) % 100)),
          swapped(static_cast<unsigned>(date.month())),
          swapped(static_cast<unsigned>(date.day())),
          swapped(static_cast<unsigned>(clock.hours().count())),
          swapped(static_cast<unsigned>(clock.minutes().count())),
          swapped(static_cast<unsigned>(clock.seconds().count())),
          0};
}

std::string shownTime(const std::array<Byte, 7>& time) {
  // A host can have stored digits that are none.
  const auto two = [](Byte octet) { return fmt::format("{:X}{:X}", octet & 0x0f, octet >> 4); };
  const Byte zone = time[6];
  return fmt::format("20{}/{}/{} {}:{}:{}{}{}", two(time[0]), two(time[1]), two(time[2]), two(time[3]),
                     two(time[4]), two(time[5]), (zone & 0x08) != 0 ? '-' : '+',
                     two(static_cast<Byte>(zone & 0xf7)));
}

std::optional<std::vector<SmsMessage>> composeDeliver(std::string_view from, std::string_view text,
                                                      Byte reference) {
  auto sender = parseSender(from);
  if (!sender || text.empty()) return std::nullopt;
  SmsMessage message;
  message.first_octet = kDeliver;
  message.peer = std::move(*sender);
  const std::u16string units = utf16Of(text);
  std::vector<SmsMessage> made;
  const auto fill = [&](const auto& parts, const auto& set) {
    for (std::size_t i = 0; i < parts.size(); ++i) {
      SmsMessage& part = made.emplace_back(message);
      const Bytes header = parts.size() > 1 ? partHeader(reference, parts.size(), i + 1) : Bytes{};
      if (!header.empty()) part.first_octet |= kHeaderFlag;
      set(part, header, parts[i]);
    }
  };
  if (const auto septets = septetsOf(units)) {
    const std::size_t most = septets->size() <= kMostSeptets ? kMostSeptets : kMostSeptets - 7;
    fill(cut<Byte>(*septets, most, [](Byte septet) { return septet == kSeptetEscape; }), setSeptets);
  } else {
    const std::size_t most = units.size() * 2 <= kMostOctets ? kMostOctets : kMostOctets - kPartHeader;
    const auto set = [](SmsMessage& part, const Bytes& header, const std::vector<char16_t>& piece) {
      setOctets(part, header, ucs2Of(std::u16string_view(piece.data(), piece.size())));
    };
    fill(cut<char16_t>(std::span<const char16_t>(units), most / 2, isHighHalf), set);
  }
  if (made.size() > kMostParts) return std::nullopt;
  return made;
}

}  // namespace qimux::sim
