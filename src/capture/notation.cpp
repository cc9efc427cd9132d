#include "qimux/capture/notation.hpp"

#include "qimux/capture/record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace qimux::capture {
namespace {

// Shorter runs of the filler's letter are written as they are.
constexpr std::size_t kShortestRun = 4;

std::unexpected<Error> wrong(std::string why) {
  return std::unexpected(Error{ErrorKind::Invalid, "bytes", std::move(why)});
}

std::size_t fillerRun(ByteView bytes) {
  const auto end = std::ranges::find_if(bytes, [](Byte byte) { return byte != kFiller; });
  return static_cast<std::size_t>(end - bytes.begin());
}

// Up to where the next run of filler begins.
std::size_t plainPart(ByteView bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    const std::size_t run = fillerRun(bytes.subspan(at));
    if (run >= kShortestRun) break;
    at += std::max<std::size_t>(run, 1);
  }
  return at;
}

void quote(std::string& out, ByteView bytes) {
  out += '"';
  for (const Byte byte : bytes) {
    switch (byte) {
      case '\r':
        out += "\\r";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      case '"':
      case '\\':
        out += '\\';
        out += static_cast<char>(byte);
        break;
      default:
        if (byte >= 0x20 && byte < 0x7f) {
          out += static_cast<char>(byte);
        } else {
          fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
        }
    }
  }
  out += '"';
}

void hexDigits(std::string& out, ByteView bytes) {
  for (const Byte byte : bytes) fmt::format_to(std::back_inserter(out), "{:02x}", byte);
}

void encode(std::string& out, ByteView bytes, void (*plain)(std::string&, ByteView)) {
  if (bytes.empty()) out += "\"\"";
  while (!bytes.empty()) {
    std::size_t size = plainPart(bytes);
    if (size > 0) {
      plain(out, bytes.first(size));
    } else {
      size = fillerRun(bytes);
      fmt::format_to(std::back_inserter(out), "<{}>", size);
    }
    bytes = bytes.subspan(size);
  }
}

std::optional<Byte> hexByte(std::string_view digits) {
  unsigned value = 0;
  if (digits.size() < 2) return std::nullopt;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + 2, value, 16);
  if (error != std::errc() || end != digits.data() + 2) return std::nullopt;
  return static_cast<Byte>(value);
}

// Behind the backslash; 0 where it is no escape, else how much of `rest` it is.
std::size_t unescape(std::string_view rest, Bytes& bytes) {
  if (rest.empty()) return 0;
  constexpr std::string_view kLetters = "rnt\"\\";
  constexpr std::string_view kMeant = "\r\n\t\"\\";
  if (const auto at = kLetters.find(rest.front()); at != std::string_view::npos) {
    bytes.push_back(static_cast<Byte>(kMeant[at]));
    return 1;
  }
  if (rest.front() != 'x') return 0;
  const auto byte = hexByte(rest.substr(1));
  if (!byte) return 0;
  bytes.push_back(*byte);
  return 3;
}

Result<void> decodeQuoted(std::string_view& rest, Bytes& bytes) {
  rest.remove_prefix(1);
  while (!rest.empty()) {
    const char c = rest.front();
    rest.remove_prefix(1);
    if (c == '"') return {};
    if (c != '\\') {
      bytes.push_back(static_cast<Byte>(c));
      continue;
    }
    const std::size_t used = unescape(rest, bytes);
    if (used == 0) return wrong("a backslash that begins no escape");
    rest.remove_prefix(used);
  }
  return wrong("a text without its closing quote");
}

Result<void> decodeRun(std::string_view& rest, Bytes& bytes, std::size_t bound) {
  std::size_t count = 0;
  const auto [end, error] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), count);
  if (error != std::errc() || end == rest.data() + rest.size() || *end != '>') {
    return wrong("a '<' that begins no count of filler bytes such as <100>");
  }
  if (count > bound || bytes.size() > bound - count) return wrong("more bytes than a record can hold");
  rest.remove_prefix(static_cast<std::size_t>(end + 1 - rest.data()));
  bytes.insert(bytes.end(), count, kFiller);
  return {};
}

Result<void> decodePiece(std::string_view& rest, Bytes& bytes, std::size_t bound) {
  if (rest.front() == '"') return decodeQuoted(rest, bytes);
  if (rest.front() == '<') return decodeRun(rest, bytes, bound);
  const auto byte = hexByte(rest);
  if (!byte) return wrong("something that is neither text, nor <n>, nor hexadecimal");
  bytes.push_back(*byte);
  rest.remove_prefix(2);
  return {};
}

}  // namespace

void encodeText(std::string& out, ByteView bytes) {
  encode(out, bytes, quote);
}

void encodeHex(std::string& out, ByteView bytes) {
  encode(out, bytes, hexDigits);
}

Result<Bytes> decode(std::string_view& rest, std::size_t bound) {
  while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  if (rest.empty() || rest.front() == '#') return wrong("bytes are missing");
  Bytes bytes;
  while (!rest.empty() && rest.front() != ' ') {
    if (const auto done = decodePiece(rest, bytes, bound); !done) return std::unexpected(done.error());
    if (bytes.size() > bound) return wrong("more bytes than a record can hold");
  }
  return bytes;
}

}  // namespace qimux::capture
