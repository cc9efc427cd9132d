// TOML as a plain tree. Only the source behind this header knows the TOML library.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace qimux::daemon {

struct TomlMember;

struct TomlValue {
  enum class Kind { Table, Array, String, Integer, Float, Boolean, Date };
  Kind kind = Kind::Table;
  std::string text;                 // String; valid UTF-8, any byte
  std::int64_t integer = 0;         // Integer
  std::vector<TomlMember> members;  // Table; in the order of the file
  std::vector<TomlValue> items;     // Array
  unsigned line = 0;
  unsigned column = 0;
};

struct TomlMember {
  std::string key;
  unsigned line = 0;  // of the key
  unsigned column = 0;
  TomlValue value;
};

// "a table", "a list", "a text", "a number", "a fraction", "true or false", "a date"
std::string_view name(TomlValue::Kind kind);

struct TomlError {
  unsigned line = 0;
  unsigned column = 0;
  std::string message;
};

// The top-level table. Texts of several lines are refused: no key has use for one.
std::expected<TomlValue, TomlError> parseToml(std::string_view text);

// `text` as a TOML string, quoted and escaped.
std::string tomlString(std::string_view text);

}  // namespace qimux::daemon
