#include "qimux/sim/script.hpp"

#include "qimux/sim/fault.hpp"
#include "qimux/sim/module.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

namespace qimux::sim {
namespace {

constexpr double kLatest = 1e7;

struct Entry {
  async::Duration when;
  std::string line;
};

// "at 12.5 reboot"
Result<Entry> parseEntry(std::string_view line, std::size_t number) {
  const auto wrong = [number](std::string_view why) {
    return std::unexpected(
        Error{ErrorKind::Invalid, fmt::format("script line {}", number), std::string(why)});
  };
  if (!line.starts_with("at ")) return wrong("must begin with: at SECONDS");
  line.remove_prefix(3);
  double seconds = 0;
  const auto [stop, problem] = std::from_chars(line.data(), line.data() + line.size(), seconds);
  if (problem != std::errc{} || !std::isfinite(seconds) || seconds < 0 || seconds > kLatest) {
    return wrong("must begin with: at SECONDS");
  }
  line.remove_prefix(static_cast<std::size_t>(stop - line.data()));
  if (line.empty() || line.front() != ' ') return wrong("has no verb");
  line.remove_prefix(line.find_first_not_of(' ') == std::string_view::npos ? line.size()
                                                                           : line.find_first_not_of(' '));
  if (const auto checked = checkFault(line); !checked) {
    return wrong(checked.error().what + " " + checked.error().reply);
  }
  return Entry{async::Duration(std::llround(seconds * 1e6)), std::string(line)};
}

}  // namespace

Script::Script(Module& module) : module_(module), timeline_(module.loop()) {}

Result<void> Script::load(std::string_view text) {
  std::vector<Entry> entries;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    auto entry = parseEntry(line, number);
    if (!entry) return std::unexpected(entry.error());
    entries.push_back(std::move(*entry));
  }
  for (auto& entry : entries) {
    timeline_.in(entry.when, [this, line = std::move(entry.line)] {
      const auto done = runFault(module_, line);
      if (!done) module_.transcript().note(done.error().text());
    });
  }
  return {};
}

}  // namespace qimux::sim
