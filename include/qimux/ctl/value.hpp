// One value of the daemon's JSON as text for a person.
//
// The daemon may be of another version, and much of what it says comes from a module or a network: a value
// that is missing or null is "-", one of an unexpected type is shown as what it is, and nothing but printable
// ASCII comes out, so no text can colour, clear or reprogram a terminal.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>

namespace qimux::ctl {

// Keeps the daemon's order of keys.
using Json = nlohmann::ordered_json;

enum class Format {
  Text,          // as it is; arrays "a, b", objects "key value, key value"
  Bytes,         // "0 B", "1460 B" below 10 kB, "15.9 kB", "1.2 MB" (powers of 1000)
  Size,          // the same in a table: "0", "999", "1.5k", "15.9k", "159k"; at most 5 characters
  Span,          // seconds: "45 s", "12 min 03 s", "3 h 04 min", "2 d 03 h"
  Age,           // the same in a table: "45s", "12m", "3h04", "2d03"; at most 5 characters
  Dbm,           // "-71 dBm"
  Milliseconds,  // "612 ms"
  Counts,        // an object of counters: those that are not zero, "resync 3, reset 1", or "none"
};

// What `path` ("module.model") leads to, or null.
const Json* find(const Json& json, std::string_view path);

// `value` may be null.
std::string render(const Json* value, Format format);

// The number, or `otherwise` where `value` is null or no number.
double number(const Json* value, double otherwise);

// `text` in at most `width` characters (>= 1), the middle given up for a "~". Width 0 is no bound.
std::string shorten(std::string text, std::size_t width);

}  // namespace qimux::ctl
