// Hours of a link's life with traffic in six sockets and up to twenty faults, out of one number.
//
// Checked, whatever happens:
//  - Every stream is byte-exact, both ways, up to the point where its program got an error or left. Bytes at
//    the far end that are not the program's (a module in the middle of a send took a host's words for
//    payload) are allowed only where the program then gets a reset.
//  - Nothing is shown as acknowledged that the far end has not got.
//  - Who had a connection when a fault ended all of them has been told within the time of that fault:
//      the tty is unplugged                                                      5 s
//      RDY, +PDP DEACT, a power down that is announced, no SIM                  75 s
//      the same where nothing was heard of it, and a power cut                 140 s
//    and as much later as other faults in between have kept the line busy, with 90 s for each of them. A
//    whole minute of it is the heartbeat's: the word itself (RDY, +PDP DEACT) may have been lost in a damaged
//    block.
//  - No connection is without an end: a program is told, or leaves by itself, in at most three hours. Who
//  only
//    listens on a path that died without a word leaves by itself: nothing tells about that but sending.
//  - When the last fault is over the link is online again within kBackOnline, or within 45 minutes where a
//  SIM
//    was put back and nobody pressed a button: the module finds it at a restart, and those get rarer. Then
//    six new connects succeed at once, and are served within a minute.
//  - In the end no session, no waiting connect, no occupied socket and no unconfirmed byte is left, and the
//    link stops.
//
// Not drawn, since nobody could notice: bytes of payload that are changed, not lost (the line has no
// checksum), and commands that the module hears with a byte changed.
#pragma once

#include "qimux/bridge/recovery.hpp"
#include "sim/storm_faults.hpp"
#include "sim/world.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace qimux::simtest {

inline constexpr async::Duration kBackOnline = std::chrono::minutes(5);

struct Storm {
  WorldOptions world;
  async::Duration length{};
  std::vector<std::pair<async::Duration, StormFault>> faults;
  std::uint64_t seed = 0;
};

Storm makeStorm(std::uint64_t seed);
std::string describe(const Storm& storm);

struct StormOutcome {
  std::string problem;  // empty: all held
  double virtual_seconds = 0;
  std::uint64_t bytes = 0;
  std::uint64_t connections = 0;
  std::uint64_t told = 0;  // of those, ended by a reset or a failure
  std::map<std::string_view, std::uint64_t> faults;
  std::array<std::uint64_t, bridge::kRecoverySteps.size()> recoveries{};
  // The longest, by kind of fault, from the fault to the end of a connection that it has ended.
  std::map<std::string_view, async::Duration> slowest;
  async::Duration back_online{};
};
StormOutcome run(Storm storm);

}  // namespace qimux::simtest
