#include "sim/seed_range.hpp"

#include <charconv>
#include <string_view>

namespace qimux::simtest {
namespace {

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<Asked> parseSeeds(int count, char** words) {
  Asked asked;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    if (word == "--verbose") {
      asked.verbose = true;
    } else if (word == "--seed" && i + 1 < count) {
      const auto seed = number(words[++i]);
      if (!seed) return std::nullopt;
      asked.from = asked.to = *seed;
    } else if (word == "--seeds" && i + 1 < count) {
      const std::string_view range = words[++i];
      const auto dots = range.find("..");
      if (dots == std::string_view::npos) return std::nullopt;
      const auto from = number(range.substr(0, dots));
      const auto to = number(range.substr(dots + 2));
      if (!from || !to || *from > *to) return std::nullopt;
      asked.from = *from;
      asked.to = *to;
    } else {
      return std::nullopt;
    }
  }
  return asked;
}

}  // namespace qimux::simtest
