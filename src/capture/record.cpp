#include "qimux/capture/record.hpp"

#include "qimux/capture/notation.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>

namespace qimux::capture {
namespace {

// One letter a field: S the stream, N the number, T the text, D the data as text, H the data as hexadecimal
// digits.
struct Shape {
  std::string_view name;
  std::string_view fields;
};
constexpr std::array<Shape, kKinds> kShapes{{
    {"start", ""},
    {"stop", "N"},
    {"ready", ""},
    {"timer", ""},
    {"port<", "ND"},
    {"port-lost", "NTD"},
    {"outer<", "H"},
    {"inner<", "H"},
    {"accept", "SN"},
    {"stream-changed", "S"},
    {"ask-radio", ""},
    {"ask-at", "T"},
    {"ask-name", "T"},
    {"ask-ping", "N"},
    {"ask-reset", "N"},
    {"port-opened", ""},
    {"port-missing", "NTD"},
    {"port-refused", "NTD"},
    {"gone", "N"},
    {"stream-readable", "SN"},
    {"stream-input", "SN"},
    {"stream-writable", "SN"},
    {"stream-drained", "SN"},
    {"stream<", "SD"},
    {"reset-done", "NTD"},
    {"port>", "D"},
    {"port-line", "N"},
    {"port-rate", "N"},
    {"port-closed", ""},
    {"outer>", "H"},
    {"inner>", "H"},
    {"stream>", "SND"},
    {"stream-end", "S"},
    {"stream-reset", "S"},
    {"stream-closed", "S"},
    {"link", "T"},
    {"reset", ""},
    {"seed", "N"},
    {"pin-refused", ""},
    {"rules", "NT"},
    {"end", "T"},
}};

const Shape& shapeOf(Kind kind) {
  return kShapes.at(static_cast<std::size_t>(kind));
}

std::unexpected<Error> wrong(std::string why) {
  return std::unexpected(Error{ErrorKind::Invalid, "record", std::move(why)});
}

std::string_view nextWord(std::string_view& rest) {
  while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  const std::string_view word = rest.substr(0, rest.find(' '));
  rest.remove_prefix(word.size());
  return word;
}

std::optional<std::uint64_t> decimal(std::string_view word) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (word.empty() || error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return value;
}

// "12.345678"; at most a hundred years.
std::optional<async::Duration> parseTime(std::string_view word) {
  constexpr std::uint64_t kLongest = 100ULL * 366 * 86400;
  const auto dot = word.find('.');
  if (dot == std::string_view::npos || word.size() - dot != 7) return std::nullopt;
  const auto seconds = decimal(word.substr(0, dot));
  const auto micros = decimal(word.substr(dot + 1));
  if (!seconds || !micros || *seconds > kLongest) return std::nullopt;
  return async::Duration(static_cast<std::int64_t>(*seconds * 1'000'000 + *micros));
}

Result<void> parseField(char field, std::string_view& rest, Record& record) {
  if (field == 'S' || field == 'N') {
    const auto word = nextWord(rest);
    const auto value = decimal(word);
    if (!value) return wrong(fmt::format("a number is expected, not \"{}\"", printable(word.substr(0, 40))));
    (field == 'S' ? record.stream : record.number) = *value;
    return {};
  }
  auto bytes = decode(rest, kMaxData);
  if (!bytes) return std::unexpected(bytes.error());
  if (field == 'T') {
    record.text.assign(textOf(*bytes));
  } else {
    record.data = std::move(*bytes);
  }
  return {};
}

}  // namespace

std::string_view name(Kind kind) {
  return shapeOf(kind).name;
}

bool isMoment(Kind kind) {
  return kind <= Kind::AskReset;
}
bool isAnswer(Kind kind) {
  return kind > Kind::AskReset && kind <= Kind::ResetDone;
}
bool isOutput(Kind kind) {
  return kind > Kind::ResetDone && kind <= Kind::Reset;
}

std::string print(const Record& record, std::string_view comment) {
  const Shape& shape = shapeOf(record.kind);
  const auto micros = record.at.count();
  std::string out = fmt::format("{}.{:06} {}", micros / 1'000'000, micros % 1'000'000, shape.name);
  for (const char field : shape.fields) {
    out += ' ';
    if (field == 'S') out += fmt::to_string(record.stream);
    if (field == 'N') out += fmt::to_string(record.number);
    if (field == 'T') encodeText(out, bytesOf(record.text));
    if (field == 'D') encodeText(out, record.data);
    if (field == 'H') encodeHex(out, record.data);
  }
  if (!comment.empty()) out += "  # " + printable(comment);
  return out;
}

Result<Record> parseRecord(std::string_view text, unsigned line) {
  Record record;
  record.line = line;
  const auto time = parseTime(nextWord(text));
  if (!time) return wrong("it does not begin with a time such as 12.345678");
  record.at = *time;
  const auto word = nextWord(text);
  std::optional<Kind> kind;
  for (int i = 0; i < kKinds; ++i) {
    if (kShapes.at(static_cast<std::size_t>(i)).name == word) kind = static_cast<Kind>(i);
  }
  if (!kind) return wrong(fmt::format("\"{}\" is no kind of record", printable(word.substr(0, 40))));
  record.kind = *kind;
  for (const char field : shapeOf(*kind).fields) {
    if (const auto done = parseField(field, text, record); !done) return std::unexpected(done.error());
  }
  const auto rest = nextWord(text);
  if (!rest.empty() && rest.front() != '#') {
    return wrong(fmt::format("\"{}\" is too much behind {}", printable(rest.substr(0, 40)), word));
  }
  return record;
}

}  // namespace qimux::capture
