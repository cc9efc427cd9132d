#include "qimux/sim/clock.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>

namespace qimux::sim {
namespace {

constexpr std::int64_t kQuarter = 15 * 60;
// 27.007 8.15
constexpr int kMostQuarters = 48;

// Two digits at `at`, -1 where there are none.
int two(std::string_view text, std::size_t at) {
  const char high = text[at];
  const char low = text[at + 1];
  if (high < '0' || high > '9' || low < '0' || low > '9') return -1;
  return (high - '0') * 10 + (low - '0');
}

// Whether the characters between the numbers of "yy/MM/dd,hh:mm:ss" are there.
bool punctuated(std::string_view text) {
  return text[2] == '/' && text[5] == '/' && text[8] == ',' && text[11] == ':' && text[14] == ':';
}

}  // namespace

std::int64_t Clock::now() const {
  return base_ + std::chrono::floor<std::chrono::seconds>(loop_.now() - set_at_).count();
}

void Clock::set(std::int64_t unix_seconds) {
  set_at_ = loop_.now();
  base_ = unix_seconds;
}

std::string Clock::shown() const {
  using namespace std::chrono;
  const sys_seconds time{seconds(now() + quarters_ * kQuarter)};
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  return fmt::format("{:02}/{:02}/{:02},{:02}:{:02}:{:02}{}{:02}", static_cast<int>(date.year()) % 100,
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     quarters_ < 0 ? '-' : '+', quarters_ < 0 ? -quarters_ : quarters_);
}

bool Clock::set(std::string_view text) {
  using namespace std::chrono;
  constexpr std::size_t kShort = 17;
  constexpr std::size_t kLong = 20;
  if ((text.size() != kShort && text.size() != kLong) || !punctuated(text)) return false;
  std::array<int, 6> part{};
  for (std::size_t i = 0; i < part.size(); ++i) {
    part[i] = two(text, i * 3);
    if (part[i] < 0) return false;
  }
  int quarters = quarters_;
  if (text.size() == kLong) {
    quarters = two(text, kShort + 1);
    if (quarters < 0 || quarters > kMostQuarters || (text[kShort] != '+' && text[kShort] != '-'))
      return false;
    if (text[kShort] == '-') quarters = -quarters;
  }
  const year_month_day date{year(2000 + part[0]), month(static_cast<unsigned>(part[1])),
                            day(static_cast<unsigned>(part[2]))};
  if (!date.ok() || part[3] > 23 || part[4] > 59 || part[5] > 59) return false;
  const sys_seconds local = sys_days(date) + hours(part[3]) + minutes(part[4]) + seconds(part[5]);
  quarters_ = quarters;
  set(local.time_since_epoch().count() - quarters * kQuarter);
  return true;
}

}  // namespace qimux::sim
