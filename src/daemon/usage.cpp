#include "qimux/daemon/usage.hpp"

#include "qimux/base/bytes.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

namespace qimux::daemon {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kOthers = "others";
constexpr std::string_view kUnknown = "unknown";
constexpr int kVersion = 1;
constexpr std::size_t kDayLength = 10;   // "2026-11-23"
constexpr std::size_t kMonthLength = 7;  // "2026-11"

std::string monthOf(const Date& date) {
  return fmt::format("{:04}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()));
}

std::string dayOf(const Date& date) {
  return fmt::format("{}-{:02}", monthOf(date), static_cast<unsigned>(date.day()));
}

// Stands at the top of a number's range rather than begin again.
std::uint64_t plus(std::uint64_t a, std::uint64_t b) {
  return a + b < a ? UINT64_MAX : a + b;
}

bool isPeriod(std::string_view text, std::size_t length) {
  if (text.size() != length) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 4 || i == 7;
    if (dash ? text[i] != '-' : text[i] < '0' || text[i] > '9') return false;
  }
  return true;
}

bool isVolume(const Json& json) {
  return json.is_array() && json.size() == 2 && json[0].is_number_unsigned() && json[1].is_number_unsigned();
}

}  // namespace

std::optional<Date> believable(Date date, int built) {
  constexpr int kLast = 2099;
  const int year = static_cast<int>(date.year());
  if (!date.ok() || year < built || year > kLast) return std::nullopt;
  return date;
}

Result<UsageSpan> parseUsageSpan(std::string_view text) {
  UsageSpan span;
  const auto* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, span.count);
  const bool unit = error == std::errc() && rest + 1 == end && (*rest == 'd' || *rest == 'm');
  if (unit && *rest == 'm') span.unit = UsageSpan::Unit::Months;
  const std::size_t most = span.unit == UsageSpan::Unit::Months ? Usage::kMonths : Usage::kDays;
  if (unit && span.count > 0 && span.count <= most) return span;
  return std::unexpected(Error{
      ErrorKind::Invalid, "usage",
      fmt::format("\"last\" is 1d to {}d for days, 1m to {}m for months", Usage::kDays, Usage::kMonths)});
}

void Usage::Tally::add(std::string_view name, Volume volume) {
  auto place = names.find(name);
  if (place == names.end()) {
    // One place is that of the others.
    const bool room = names.size() < kKeys - 1 || (names.size() < kKeys && names.contains(kOthers));
    place = names.try_emplace(std::string(room ? name : kOthers)).first;
  }
  place->second.sent = plus(place->second.sent, volume.sent);
  place->second.received = plus(place->second.received, volume.received);
}

Volume Usage::Tally::total() const {
  Volume sum;
  for (const auto& [name, volume] : names) {
    sum.sent = plus(sum.sent, volume.sent);
    sum.received = plus(sum.received, volume.received);
  }
  return sum;
}

bool Usage::isTooEarly(const Date& today) const {
  const auto before_all = [](const Periods& periods, const std::string& period, std::size_t most) {
    return periods.size() >= most && period < periods.begin()->first;
  };
  return before_all(days_, dayOf(today), kDays) || before_all(months_, monthOf(today), kMonths);
}

// Room for a new period is made at the end that is further from it: after a clock that was wrong for a while
// that is the future which never was.
Usage::Tally& Usage::at(Periods& periods, const std::string& period, std::size_t most) {
  if (!periods.contains(period) && periods.size() >= most) {
    const bool future = periods.rbegin()->first > period;
    periods.erase(future ? std::prev(periods.end()) : periods.begin());
  }
  return periods[period];
}

void Usage::merge(const Tally& from, const Date& today) {
  for (const auto& [name, volume] : from.names) {
    at(days_, dayOf(today), kDays).add(name, volume);
    at(months_, monthOf(today), kMonths).add(name, volume);
  }
}

void Usage::add(std::optional<Date> today, std::string_view name, Volume volume) {
  const std::string kept = printable(name).substr(0, kMaxName);
  if (!today || isTooEarly(*today)) return unknown_.add(kept, volume);
  Tally tally;
  tally.add(kept, volume);
  merge(std::exchange(unknown_, {}), *today);
  merge(tally, *today);
}

Json Usage::saved(const Tally& tally) {
  Json json = Json::object();
  for (const auto& [name, volume] : tally.names) json[name] = {volume.sent, volume.received};
  return json;
}

std::string Usage::save() const {
  Json json;
  json["version"] = kVersion;
  json["unknown"] = saved(unknown_);
  json["days"] = json["months"] = Json::object();
  for (const auto& [period, tally] : days_) json["days"][period] = saved(tally);
  for (const auto& [period, tally] : months_) json["months"][period] = saved(tally);
  return json.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

bool Usage::restore(const Json& json, Tally& tally) {
  if (!json.is_object() || json.size() > kKeys) return false;
  for (const auto& [name, item] : json.items()) {
    if (name.size() > kMaxName || !isVolume(item)) return false;
    tally.add(name, Volume{item[0].get<std::uint64_t>(), item[1].get<std::uint64_t>()});
  }
  return true;
}

bool Usage::restore(const Json& json, std::size_t most, std::size_t length, Periods& periods) {
  if (!json.is_object() || json.size() > most) return false;
  return std::ranges::all_of(json.items(), [&](const auto& item) {
    return isPeriod(item.key(), length) && restore(item.value(), periods[item.key()]);
  });
}

Result<Usage> Usage::load(std::string_view text) {
  // Deep nesting is refused before it is built: what is kept here is three levels deep.
  constexpr int kDepth = 4;
  bool deep = false;
  const auto watch = [&deep](int depth, Json::parse_event_t, const Json&) {
    deep = deep || depth > kDepth;
    return !deep;
  };
  const Json json = Json::parse(text, watch, false);
  const auto part = [&json](const char* key) { return json.is_object() ? json.value(key, Json()) : Json(); };
  Usage usage;
  if (!deep && part("version") == kVersion && restore(part("unknown"), usage.unknown_) &&
      restore(part("days"), kDays, kDayLength, usage.days_) &&
      restore(part("months"), kMonths, kMonthLength, usage.months_)) {
    return usage;
  }
  return std::unexpected(Error{ErrorKind::Garbled, "usage", "is not what this program writes"});
}

Json Usage::reportOf(const std::string& period, const Tally& tally) {
  const Volume total = tally.total();
  Json json;
  json["period"] = period;
  json["sent"] = total.sent;
  json["received"] = total.received;
  json["by"] = Json::array();
  std::vector<std::pair<std::string, Volume>> rows(tally.names.begin(), tally.names.end());
  const auto cost = [](const auto& row) { return plus(row.second.sent, row.second.received); };
  std::ranges::sort(rows, [&](const auto& a, const auto& b) {
    return cost(a) != cost(b) ? cost(a) > cost(b) : a.first < b.first;
  });
  for (const auto& [name, volume] : rows)
    json["by"].push_back({{"name", name}, {"sent", volume.sent}, {"received", volume.received}});
  return json;
}

Json Usage::report(UsageSpan span) const {
  const Periods& periods = span.unit == UsageSpan::Unit::Days ? days_ : months_;
  Json list = Json::array();
  if (!unknown_.names.empty()) list.push_back(reportOf(std::string(kUnknown), unknown_));
  std::size_t left = span.count;
  for (auto place = periods.rbegin(); place != periods.rend() && left > 0; ++place, --left)
    list.push_back(reportOf(place->first, place->second));
  return list;
}

Json Usage::today(std::optional<Date> today) const {
  Json list = Json::array();
  if (!unknown_.names.empty()) list.push_back(reportOf(std::string(kUnknown), unknown_));
  if (!today) return list;
  const auto from = [&list](const Periods& periods, const std::string& period) {
    const auto place = periods.find(period);
    list.push_back(reportOf(period, place != periods.end() ? place->second : Tally{}));
  };
  from(days_, dayOf(*today));
  from(months_, monthOf(*today));
  return list;
}

}  // namespace qimux::daemon
