#include "qimux/daemon/config_toml.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <optional>

namespace qimux::daemon {

namespace {

// Every dot of a key is a level of tables, which the library builds and destroys by recursion: a line of dots
// would end on the stack's end (seen at 16,000 of them with toml++ 3.3).
constexpr unsigned kMaxKeyDots = 1000;

// What stands in the text just before the library reads it: quotes and comments hide dots.
class KeyDots {
 public:
  // A reason to refuse the text; nullopt for none.
  std::optional<TomlError> findExcess(std::string_view text) {
    for (std::size_t at = 0; at < text.size(); ++at) {
      const char c = text[at];
      ++column_;
      if (c == '\n') {
        // No text and no comment goes on in the next line.
        inside_ = '\0';
        ++line_;
        column_ = 0;
      } else if (inside_ != '\0') {
        if (c == '\\' && inside_ == '"') ++at, ++column_;
        if (c == inside_) inside_ = '\0';
      } else if (text.substr(at, 3) == R"(""")" || text.substr(at, 3) == "'''") {
        return TomlError{line_, column_, "no text here has several lines; use plain quotes"};
      } else if (c == '"' || c == '\'' || c == '#') {
        inside_ = c == '#' ? '\n' : c;
      } else if (c == '.' && ++dots_ > kMaxKeyDots) {
        return TomlError{line_, column_, "too many dots in keys; no key here has more than one"};
      }
    }
    return std::nullopt;
  }

 private:
  char inside_ = '\0';  // the quote, or '\n' for a comment, that the place is in
  unsigned line_ = 1;
  unsigned column_ = 0;
  unsigned dots_ = 0;
};

TomlValue::Kind kindOf(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return TomlValue::Kind::Table;
    case toml::node_type::array:
      return TomlValue::Kind::Array;
    case toml::node_type::string:
      return TomlValue::Kind::String;
    case toml::node_type::integer:
      return TomlValue::Kind::Integer;
    case toml::node_type::floating_point:
      return TomlValue::Kind::Float;
    case toml::node_type::boolean:
      return TomlValue::Kind::Boolean;
    default:
      return TomlValue::Kind::Date;
  }
}

TomlValue copy(const toml::node& node);

// The library sorts by key; whoever reads errors reads the file from the top.
std::vector<TomlMember> copyMembers(const toml::table& table) {
  std::vector<TomlMember> members;
  for (const auto& [key, node] : table) {
    const toml::source_position at = key.source().begin;
    members.push_back({std::string(key.str()), at.line, at.column, copy(node)});
  }
  std::ranges::sort(members, {}, [](const TomlMember& each) { return std::pair(each.line, each.column); });
  return members;
}

TomlValue copy(const toml::node& node) {
  TomlValue value;
  value.kind = kindOf(node);
  value.line = node.source().begin.line;
  value.column = node.source().begin.column;
  if (const auto* table = node.as_table()) value.members = copyMembers(*table);
  if (const auto* text = node.as_string()) value.text = text->get();
  if (const auto* integer = node.as_integer()) value.integer = integer->get();
  if (const auto* array = node.as_array()) {
    for (const toml::node& item : *array) value.items.push_back(copy(item));
  }
  return value;
}

}  // namespace

std::string_view name(TomlValue::Kind kind) {
  switch (kind) {
    case TomlValue::Kind::Table:
      return "a table";
    case TomlValue::Kind::Array:
      return "a list";
    case TomlValue::Kind::String:
      return "a text";
    case TomlValue::Kind::Integer:
      return "a number";
    case TomlValue::Kind::Float:
      return "a fraction";
    case TomlValue::Kind::Boolean:
      return "true or false";
    case TomlValue::Kind::Date:
      return "a date";
  }
  return "unknown";
}

// Debian's library is built to throw, and so the one try of this project is here.
std::expected<TomlValue, TomlError> parseToml(std::string_view text) {
  KeyDots dots;
  if (auto excess = dots.findExcess(text)) return std::unexpected(std::move(*excess));
  try {
    return copy(toml::parse(text));
  } catch (const toml::parse_error& error) {
    const toml::source_position at = error.source().begin;
    return std::unexpected(TomlError{at.line, at.column, std::string(error.description())});
  }
}

std::string tomlString(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\u{:04X}", byte);
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace qimux::daemon
