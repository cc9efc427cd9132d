// What can happen to a module in the field, as schedules: each kind of fault with what it does, how long it
// lasts, and by when programs have been told.
#pragma once

#include "qimux/async/loop.hpp"
#include "sim/dice.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace qimux::simtest {

// Keeps the order in time, and of the same moment that in which they came.
template <typename T>
void insertByTime(std::vector<std::pair<async::Duration, T>>& list, std::pair<async::Duration, T> one) {
  const auto place = std::ranges::upper_bound(list, one.first, {}, &std::pair<async::Duration, T>::first);
  list.insert(place, std::move(one));
}

struct StormFault {
  std::string_view kind;
  // What happens, counted from its beginning: verbs of World::fault().
  std::vector<std::pair<async::Duration, std::string>> lines;
  // From its beginning until nothing of it is left but its consequences.
  async::Duration lasts{};
  // It ends every connection there is, at its first line; by then its program has a reset or an end. Zero: it
  // need not end any.
  async::Duration told{};
  // The link may need so long, counted from its end, where that is more than is usual.
  async::Duration mending{};
};

// One of all there are, each as likely as any other. `longest`: what a long one may last.
StormFault drawStormFault(Dice& dice, async::Duration longest);
// How many kinds there are.
std::size_t stormKinds();

}  // namespace qimux::simtest
