// What the link has cost: payload bytes by day and by month, and by whom they were sent or received.
//
// Kept across restarts, because the link is metered by the month. Every table is bounded: of more than kKeys
// names in a period the rest is "others"; of more than kDays days the one furthest from today goes, and so
// for months.
//
// A board without a clock of its own starts in 1970, or at the date of its image. What is counted before the
// date can be believed stands under "unknown", and moves to the first day that can: nearly always it is that
// day's, and nothing is lost where it is not. Where the tables are full a date before all of theirs cannot:
// it would cost a true day at each start.
//
// A core without I/O or a clock: dates come from outside.
#pragma once

#include "qimux/base/error.hpp"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qimux::daemon {

using Date = std::chrono::year_month_day;

// `date` where it can be true: not before the year in which this program was built, not after 2099.
std::optional<Date> believable(Date date, int built);

struct Volume {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  friend bool operator==(const Volume&, const Volume&) = default;
};

// "7d" or "3m": that many days or months, the latest.
struct UsageSpan {
  enum class Unit { Days, Months } unit = Unit::Days;
  std::size_t count = 0;
};
// Invalid where it is neither, or more than is kept.
Result<UsageSpan> parseUsageSpan(std::string_view text);

class Usage {
 public:
  static constexpr std::size_t kKeys = 256;
  static constexpr std::size_t kDays = 62;
  static constexpr std::size_t kMonths = 24;
  // A longer name is cut off. Names are kept as printable().
  static constexpr std::size_t kMaxName = 64;

  // `today`: nothing while the clock is known to be wrong.
  void add(std::optional<Date> today, std::string_view name, Volume volume);

  // What load() takes, as text.
  std::string save() const;
  // Garbled where it is not what save() gave.
  static Result<Usage> load(std::string_view text);

  // [{period: "2026-11-23", sent, received, by: [{name, sent, received}, …]}, …], the latest period first,
  // names by what they cost. "unknown" is a period of its own where there is any.
  nlohmann::ordered_json report(UsageSpan span) const;
  // The day's and the month's alone, with zeros where nothing was counted.
  nlohmann::ordered_json today(std::optional<Date> today) const;

 private:
  struct Tally {
    std::map<std::string, Volume, std::less<>> names;
    void add(std::string_view name, Volume volume);
    Volume total() const;
  };
  using Periods = std::map<std::string, Tally>;  // by "2026-11-23" or "2026-11": in their order

  static nlohmann::ordered_json reportOf(const std::string& period, const Tally& tally);
  static nlohmann::ordered_json saved(const Tally& tally);
  static bool restore(const nlohmann::ordered_json& json, Tally& tally);
  static bool restore(const nlohmann::ordered_json& json, std::size_t most, std::size_t length,
                      Periods& periods);
  static Tally& at(Periods& periods, const std::string& period, std::size_t most);
  bool isTooEarly(const Date& today) const;
  void merge(const Tally& from, const Date& today);

  Tally unknown_;
  Periods days_;
  Periods months_;
};

}  // namespace qimux::daemon
