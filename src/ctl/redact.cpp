#include "qimux/ctl/redact.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <ranges>

namespace qimux::ctl {
namespace {

bool isDigit(char c) {
  return c >= '0' && c <= '9';
}

bool isHex(char c) {
  return isDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool isWord(char c) {
  return isDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

struct Network {
  std::uint32_t address;
  int prefix;
};

// Private, shared, loopback, link-local, groups, and nowhere.
constexpr auto kNobody = std::to_array<Network>({{0x00000000, 8},
                                                 {0x0a000000, 8},
                                                 {0x64400000, 10},
                                                 {0x7f000000, 8},
                                                 {0xa9fe0000, 16},
                                                 {0xac100000, 12},
                                                 {0xc0a80000, 16},
                                                 {0xe0000000, 3}});

// The module's words that name a person, a place or a message (V.25ter and 07.07; texts of the manuals).
constexpr auto kPersonal = std::to_array<std::string_view>(
    {"+CNUM", "+CLIP",  "+CMT",  "+CMGL", "+CMGR", "+CDS",  "+CUSD", "+CREG", "+CGREG", "+QENG",  "+CPBR",
     "+CPBF", "+QCCID", "+CCID", "+CSCA", "+CCWA", "+COLP", "+CLCC", "+CMGS", "+CMGW",  "+CPIN=", "+QICSGP"});

std::string withoutQuoted(std::string_view line) {
  std::string out;
  bool inside = false;
  for (const char c : line) {
    if (c == '"' && !inside) out += "\"<hidden>";
    if (c == '"') inside = !inside;
    if (!inside || c == '"') {
      if (!(c == '"' && inside)) out += c;
    }
  }
  return out;
}

// Digits from `at` on, in groups with one of `between` in the middle; their count, and the length of all.
struct Digits {
  std::size_t count = 0;
  std::size_t length = 0;
};
Digits digitsAt(std::string_view text, std::size_t at, std::string_view between) {
  Digits digits;
  std::size_t i = at;
  while (i < text.size()) {
    if (isDigit(text[i])) {
      ++digits.count;
      digits.length = ++i - at;
    } else if (digits.count > 0 && between.contains(text[i]) && i + 1 < text.size() &&
               (isDigit(text[i + 1]) || (between.contains(' ') && between.contains(text[i + 1])))) {
      ++i;
    } else {
      break;
    }
  }
  return digits;
}

constexpr std::size_t kIdentity = 14;  // an IMEI without its last digit
constexpr std::size_t kLeastTelephone = 7;
constexpr std::size_t kMostTelephone = 15;
constexpr std::size_t kPlainTelephone = 10;

}  // namespace

bool isPublic(std::uint32_t address) {
  return std::ranges::none_of(kNobody, [address](const Network& network) {
    return (address ^ network.address) >> (32 - network.prefix) == 0;
  });
}

std::string Redactor::standIn(std::string_view kind, const std::string& what) {
  const auto [place, is_new] = stand_ins_.try_emplace(std::string(kind) + what);
  if (is_new) {
    const int count = ++counts_[std::string(kind)];
    place->second = "<" + std::string(kind) + "-" + std::to_string(count) + ">";
  }
  return place->second;
}

std::size_t Redactor::address(std::string_view text, std::size_t at, std::string& shown) {
  std::size_t end = at;
  while (end < text.size() && (isDigit(text[end]) || text[end] == '.')) ++end;
  while (end > at && text[end - 1] == '.') --end;
  const std::string candidate(text.substr(at, end - at));
  in_addr parsed{};
  if (::inet_pton(AF_INET, candidate.c_str(), &parsed) != 1) return 0;
  shown = isPublic(ntohl(parsed.s_addr)) ? standIn("address", candidate) : candidate;
  return candidate.size();
}

// IPv6, but for loopback, link-local and private ones; and the six pairs of a network card, which name a
// device.
std::size_t Redactor::colons(std::string_view text, std::size_t at, std::string& shown) {
  std::size_t end = at;
  while (end < text.size() && (isHex(text[end]) || text[end] == ':')) ++end;
  while (end > at && text[end - 1] == ':' && !text.substr(at, end - at).ends_with("::")) --end;
  const std::string candidate(text.substr(at, end - at));
  if (std::ranges::count(candidate, ':') < 2 || (end < text.size() && isWord(text[end]))) return 0;
  constexpr std::size_t kCard = 17;
  const auto pair = [&](std::size_t i) { return i % 3 == 2 ? candidate[i] == ':' : candidate[i] != ':'; };
  in6_addr parsed{};
  if (::inet_pton(AF_INET6, candidate.c_str(), &parsed) == 1) {
    const auto first = parsed.s6_addr[0];
    const bool here = (first & 0xfe) == 0xfc || first >= 0xfe || IN6_IS_ADDR_LOOPBACK(&parsed) ||
                      IN6_IS_ADDR_UNSPECIFIED(&parsed);
    shown = here ? candidate : standIn("address", candidate);
  } else if (candidate.size() == kCard &&
             std::ranges::all_of(std::views::iota(std::size_t{0}, kCard), pair)) {
    shown = standIn("card", candidate);
  } else {
    return 0;
  }
  return candidate.size();
}

std::size_t Redactor::number(std::string_view text, std::size_t at, std::string& shown) {
  const bool plus = text[at] == '+';
  const bool inside = at > 0 && isWord(text[at - 1]);
  const std::size_t from = plus ? at + 1 : at;
  const auto hide = [&](std::size_t length) {
    std::string digits;
    std::ranges::copy_if(text.substr(at, length), std::back_inserter(digits), isDigit);
    shown = standIn("number", digits);
    return length;
  };
  // An ICCID may end with a letter that fills it up.
  if (const Digits long_one = digitsAt(text, from, "-"); long_one.count >= kIdentity) {
    const std::size_t end = from + long_one.length;
    const bool filled = end < text.size() && (text[end] == 'F' || text[end] == 'f');
    return hide(end - at + (filled ? 1 : 0));
  }
  if (inside) return 0;
  if (plus) {
    const Digits grouped = digitsAt(text, from, " -()/");
    const bool telephone = grouped.count >= kLeastTelephone && grouped.count <= kMostTelephone;
    return telephone ? hide(grouped.length + 1) : 0;
  }
  const Digits plain = digitsAt(text, from, "");
  const bool quoted =
      at > 0 && text[at - 1] == '"' && at + plain.length < text.size() && text[at + plain.length] == '"';
  const bool fraction = at > 0 && text[at - 1] == '.';
  return plain.count >= (quoted ? kLeastTelephone : kPlainTelephone) && !fraction ? hide(plain.length) : 0;
}

std::string Redactor::line(std::string_view line) {
  const bool personal = std::ranges::any_of(kPersonal, [&](auto word) { return line.contains(word); });
  const std::string kept = personal ? withoutQuoted(line) : std::string(line);
  std::string out;
  for (std::size_t i = 0; i < kept.size();) {
    const bool begins = (isDigit(kept[i]) || kept[i] == '+') && (i == 0 || !isDigit(kept[i - 1]));
    const bool apart = i == 0 || !isWord(kept[i - 1]);
    std::string shown;
    std::size_t length = 0;
    if (begins && apart && isDigit(kept[i])) length = address(kept, i, shown);
    const bool behind_colon = i > 0 && kept[i - 1] == ':';
    if (apart && !behind_colon && length == 0 && (isHex(kept[i]) || kept[i] == ':'))
      length = colons(kept, i, shown);
    if (begins && length == 0) length = number(kept, i, shown);
    if (length > 0) {
      out += shown;
      i += length;
    } else {
      out += kept[i++];
    }
  }
  return out;
}

std::string Redactor::text(std::string_view text) {
  if (!hide_) return std::string(text);
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    out += line(text.substr(0, end));
    if (end < text.size()) out += '\n';
    text.remove_prefix(std::min(text.size(), end + 1));
  }
  return out;
}

Json Redactor::json(const Json& value) {
  if (!hide_) return value;
  if (value.is_string()) return text(value.get_ref<const std::string&>());
  if (value.is_array()) {
    Json list = Json::array();
    for (const Json& item : value) list.push_back(json(item));
    return list;
  }
  if (!value.is_object()) return value;
  Json object = Json::object();
  for (const auto& [key, item] : value.items()) object[text(key)] = json(item);
  return object;
}

}  // namespace qimux::ctl
