// Keeps the interface as it was made: what another program takes away from it is put back.
//
// Network managers, VPN scripts and people flush routes and addresses that are not theirs. One such accident
// is mended after a moment, and told. A program that does it again and again is not fought: each mend makes
// the next one wait twice as long, up to kLongestPause, and from kFight on the journal says so loudly.
//
// Without I/O: it is told when something may have changed, and looks and mends by its Hands.
#pragma once

#include "qimux/async/loop.hpp"
#include "qimux/base/error.hpp"
#include "qimux/base/log.hpp"
#include "qimux/net/address.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace qimux::net {

// What the interface should have, and has not.
struct Missing {
  bool up = false;  // the link is down
  bool address = false;
  std::vector<Cidr> routes;
  bool any() const { return up || address || !routes.empty(); }
  friend bool operator==(const Missing&, const Missing&) = default;
};
// "its address and the routes 0.0.0.0/0, 10.0.0.0/8"; "nothing" where nothing is missing.
std::string text(const Missing& missing);

class Upkeep {
 public:
  // From a change to the look at it: who changes one thing often changes others in the same moment.
  static constexpr async::Duration kSettle = std::chrono::milliseconds(500);
  // From the first mend to the second; twice as long before each further one.
  static constexpr async::Duration kFirstPause = std::chrono::seconds(1);
  static constexpr async::Duration kLongestPause = std::chrono::minutes(10);
  // When the last mend has held for as long, the next loss is a new accident.
  static constexpr async::Duration kCalm = std::chrono::minutes(10);
  // This mend in a row is no accident any more.
  static constexpr unsigned kFight = 5;

  struct Hands {
    std::function<Result<Missing>()> look;
    std::function<Result<void>(const Missing&)> mend;
    std::function<void(log::Level, std::string_view)> say;
  };
  Upkeep(async::Loop& loop, std::string interface, Hands hands)
      : loop_(loop), interface_(std::move(interface)), hands_(std::move(hands)), timer_(loop) {}

  // Something about the interface has changed, maybe by its own mending. Costs nothing while a look is due.
  void noticed();

  // How often something was put back, or tried to be.
  std::uint64_t mends() const { return mends_; }

 private:
  void look();
  void tell(const Missing& missing, const Result<void>& mended);
  async::Duration pause() const;

  async::Loop& loop_;
  std::string interface_;
  Hands hands_;
  async::Timer timer_;
  async::TimePoint last_{};  // mend
  unsigned in_a_row_ = 0;    // mends, none of which has held for kCalm
  bool could_not_ = false;   // the last mend failed
  std::uint64_t mends_ = 0;
};

}  // namespace qimux::net
