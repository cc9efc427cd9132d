// The file of what the link has cost: whatever a flash memory made of it is refused, or understood within the
// bounds of the tables.
#include "qimux/daemon/usage.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace qimux;
using namespace qimux::daemon;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto usage = Usage::load(text);
  if (!usage) {
    require(usage.error().kind == ErrorKind::Garbled);
    return 0;
  }
  const Date today(std::chrono::year(2026), std::chrono::month(11), std::chrono::day(23));
  usage->add(today, text.substr(0, Usage::kMaxName), Volume{1, 2});
  const auto days = usage->report(UsageSpan{UsageSpan::Unit::Days, Usage::kDays});
  require(days.size() <= Usage::kDays);
  for (const auto& day : days) require(day["by"].size() <= Usage::kKeys);
  const auto again = Usage::load(usage->save());
  require(again && again->save() == usage->save());
  return 0;
}
