#include "qimux/capture/stand_ins.hpp"

#include "qimux/capture/record.hpp"
#include "qimux/net/private_namespace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace qimux::capture {
namespace {

// More than that of one sort share what the last ones got: memory is bounded whoever floods.
constexpr std::size_t kMaxStandIns = 65536;
constexpr Byte kEscape = 0x1b;

bool isDigit(char c) {
  return c >= '0' && c <= '9';
}
bool isLower(char c) {
  return c >= 'a' && c <= 'z';
}
bool isUpper(char c) {
  return c >= 'A' && c <= 'Z';
}
char lower(char c) {
  return isUpper(c) ? static_cast<char>(c - 'A' + 'a') : c;
}

// Numbers of one, two and three decimal digits that an address may have; the first number stays a host's.
struct Octets {
  std::uint32_t first;
  std::uint32_t least;
  std::uint32_t count;
};
constexpr std::array<Octets, 3> kOctets{{{9, 0, 10}, {20, 10, 90}, {198, 100, 156}}};

const Octets& octetsLike(std::uint32_t octet) {
  return kOctets.at(octet < 10 ? 0 : octet < 100 ? 1 : 2);
}

// The `count`th address whose numbers have as many digits as those of `real`.
std::uint32_t addressLike(std::uint32_t real, std::uint64_t count) {
  std::uint32_t made = octetsLike(real >> 24).first << 24;
  for (unsigned shift = 0; shift < 24; shift += 8) {
    const Octets& octets = octetsLike((real >> shift) & 0xff);
    made |= (octets.least + static_cast<std::uint32_t>(count % octets.count)) << shift;
    count /= octets.count;
  }
  return made;
}

std::string shapeOf(std::uint32_t address) {
  std::string shape = "address ";
  for (int shift = 24; shift >= 0; shift -= 8) {
    shape += std::to_string(octetsLike((address >> shift) & 0xff).first) + '.';
  }
  return shape;
}

// What a name server treats as special (bridge::classifyDnsName).
bool meansSomething(std::string_view label) {
  constexpr std::array<std::string_view, 8> kKept{"local",    "localhost", "invalid", "onion",
                                                  "resolver", "arpa",      "in-addr", "ip6"};
  return std::ranges::find(kKept, label) != kKept.end();
}

// The `count`th text with letters where `shape` has letters, and digits where it has digits.
std::string labelLike(std::string_view shape, std::uint64_t count) {
  constexpr std::string_view kLetters = "nabcdefghijklmopqrstuvwxyz";
  std::string made(shape);
  for (auto c = made.rbegin(); c != made.rend(); ++c) {
    const std::uint64_t base = isLower(*c) ? kLetters.size() : isDigit(*c) ? 10 : 1;
    if (base == 1) continue;
    *c = isLower(*c) ? kLetters[static_cast<std::size_t>(count % base)]
                     : static_cast<char>('0' + count % base);
    count /= base;
  }
  return made;
}

bool beginsCommand(ByteView bytes) {
  const bool first = bytes[0] == 'A' || bytes[0] == 'a';
  return first && (bytes[1] == 'T' || bytes[1] == 't' || bytes[1] == '/');
}

std::size_t load16(ByteView bytes, std::size_t at) {
  return static_cast<std::size_t>(bytes[at] << 8 | bytes[at + 1]);
}

}  // namespace

bool StandIns::stays(std::uint32_t address) const {
  const std::uint32_t first = address >> 24;
  if (first == 0 || first == 127 || first >= 224) return true;
  return surroundings_.network.contains(address) || address == surroundings_.gateway ||
         address == net::kInnerAddress || address == net::kInnerPeer;
}

void StandIns::noteRules(std::uint32_t real, std::uint32_t stand_in) {
  std::string rules;
  for (std::size_t i = 0; i < surroundings_.policy.size(); ++i) {
    const auto& to = surroundings_.policy[i];
    if (to && to->contains(real)) rules += (rules.empty() ? "" : ",") + std::to_string(i + 1);
  }
  if (!rules.empty()) ruled_.push_back({stand_in, std::move(rules)});
}

std::uint32_t StandIns::address(std::uint32_t real) {
  if (stays(real)) return real;
  if (const auto known = addresses_.find(real); known != addresses_.end()) return known->second;
  auto& counter = counters_[shapeOf(real)];
  if (addresses_.size() >= kMaxStandIns) return addressLike(real, counter);
  std::uint32_t made = addressLike(real, ++counter);
  while (stays(made)) made = addressLike(real, ++counter);
  addresses_.emplace(real, made);
  noteRules(real, made);
  return made;
}

std::string StandIns::label(std::string_view real) {
  std::string low(real);
  std::ranges::transform(low, low.begin(), lower);
  if (meansSomething(low)) return std::string(real);
  std::string made;
  if (const auto known = labels_.find(low); known != labels_.end()) {
    made = known->second;
  } else {
    std::string shape = low;
    for (char& c : shape) c = isLower(c) ? 'a' : isDigit(c) ? '0' : c;
    auto& counter = counters_["label " + shape];
    const bool room = labels_.size() < kMaxStandIns;
    if (room) ++counter;
    made = labelLike(shape, counter);
    if (room) labels_.emplace(low, made);
  }
  for (std::size_t i = 0; i < made.size(); ++i) {
    if (isUpper(real[i])) made[i] = static_cast<char>(made[i] - 'a' + 'A');
  }
  return made;
}

std::string StandIns::name(std::string_view real) {
  std::string made;
  for (;;) {
    const auto dot = real.find('.');
    made += label(real.substr(0, dot));
    if (dot == std::string_view::npos) return made;
    made += '.';
    real.remove_prefix(dot + 1);
  }
}

std::string StandIns::digits(std::string_view real) {
  if (const auto known = digits_.find(std::string(real)); known != digits_.end()) return known->second;
  const std::string shape(real.size(), '0');
  if (digits_.size() >= kMaxStandIns) return shape;
  auto made = labelLike(shape, counters_["digits " + shape]++);
  return digits_.emplace(real, std::move(made)).first->second;
}

std::string StandIns::addressesIn(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto begin = std::ranges::find_if(text, isDigit);
    out.append(text.begin(), begin);
    text.remove_prefix(static_cast<std::size_t>(begin - text.begin()));
    const auto length = std::min(text.find_first_not_of("0123456789."), text.size());
    const auto run = text.substr(0, length);
    text.remove_prefix(length);
    const auto parsed = net::parseAddress(run);
    if (parsed) {
      out += net::text(address(*parsed));
    } else if (std::ranges::count(run, '.') > 1) {
      // Nearly an address: nothing that the cores read, and too much like one to be shown.
      for (const char c : run) out += isDigit(c) ? static_cast<char>(kFiller) : c;
    } else {
      out += run;
    }
  }
  return out;
}

Bytes StandIns::stream(ByteView payload) {
  Bytes made(payload.size(), kFiller);
  for (std::size_t i = 0; i < payload.size(); ++i) {
    if (payload[i] == kEscape) made[i] = kEscape;
  }
  return made;
}

Bytes StandIns::datagram(ByteView payload) {
  Bytes made = stream(payload);
  const auto escape = static_cast<std::size_t>(std::ranges::find(payload, kEscape) - payload.begin());
  for (std::size_t i = escape; i + 1 < payload.size(); ++i) {
    if (!beginsCommand(payload.subspan(i))) continue;
    made[i] = 'A';
    made[i + 1] = 'T';
  }
  return made;
}

Bytes StandIns::dnsMessage(ByteView message) {
  constexpr std::size_t kHeader = 12;
  constexpr std::size_t kFixed = 10;  // of a record, behind its name: type, class, time, length
  Bytes made = stream(message);
  if (message.size() < kHeader) return made;
  std::copy_n(message.begin(), kHeader, made.begin());
  std::size_t at = kHeader;
  const auto copy = [&](std::size_t count) {
    if (message.size() - at < count) return false;
    std::copy_n(message.begin() + static_cast<std::ptrdiff_t>(at), count,
                made.begin() + static_cast<std::ptrdiff_t>(at));
    at += count;
    return true;
  };
  const auto name = [&] {
    while (at < message.size() && message[at] != 0 && message[at] < 0x40) {
      const std::size_t length = message[at];
      if (message.size() - at <= length) return false;
      made[at] = message[at];
      const auto stand_in = label(textOf(message.subspan(at + 1, length)));
      std::ranges::copy(bytesOf(stand_in), made.begin() + static_cast<std::ptrdiff_t>(at + 1));
      at += 1 + length;
    }
    return at < message.size() && copy(message[at] >= 0xc0 ? 2 : 1);
  };
  for (std::size_t i = load16(message, 4); i > 0; --i) {
    if (!name() || !copy(4)) return made;
  }
  for (std::size_t i = load16(message, 6) + load16(message, 8) + load16(message, 10); i > 0; --i) {
    if (!name() || !copy(kFixed)) return made;
    const std::size_t length = load16(message, at - 2);
    if (message.size() - at < length) return made;
    if (load16(message, at - kFixed) == 1 && length == 4) {
      const auto real = static_cast<std::uint32_t>(load16(message, at) << 16 | load16(message, at + 2));
      const std::uint32_t shown = address(real);
      for (std::size_t byte = 0; byte < 4; ++byte)
        made[at + byte] = static_cast<Byte>(shown >> (24 - 8 * byte));
    }
    at += length;
  }
  return made;
}

}  // namespace qimux::capture
