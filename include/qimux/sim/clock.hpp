// The module's clock (AT+CCLK). It runs on through resets, as one with a backup supply does, and knows the
// date only when it has been told: by AT+CCLK or AT+QNTP.
#pragma once

#include "qimux/async/loop.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace qimux::sim {

class Clock {
 public:
  // Begins with 1 January 2004, 0:00.
  explicit Clock(async::Loop& loop) : loop_(loop), set_at_(loop.now()) {}

  // Seconds since 1970, UTC.
  std::int64_t now() const;
  void set(std::int64_t unix_seconds);
  // "04/01/01,00:00:12+00": local time, and by how many quarters of an hour it is ahead of UTC.
  std::string shown() const;
  // The same form, where the zone may be missing and then stays as it is. False where it is no time.
  bool set(std::string_view text);

 private:
  static constexpr std::int64_t kBeginning = 1072915200;

  async::Loop& loop_;
  async::TimePoint set_at_;
  std::int64_t base_ = kBeginning;
  int quarters_ = 0;
};

}  // namespace qimux::sim
