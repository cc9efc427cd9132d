#include "qimux/bridge/scheduler.hpp"

#include <algorithm>
#include <utility>

namespace qimux::bridge {

std::uint64_t Scheduler::startOf(std::size_t contender) const {
  return std::max(virtual_time_, finish_.at(contender));
}

std::optional<std::size_t> Scheduler::pick(std::span<const Candidate> candidates) {
  if (candidates.empty()) return std::nullopt;
  const auto first = std::ranges::min_element(candidates, {}, [this](const Candidate& candidate) {
    return std::pair(startOf(candidate.contender), candidate.cost);
  });
  virtual_time_ = startOf(first->contender);
  return static_cast<std::size_t>(first - candidates.begin());
}

void Scheduler::charge(std::size_t contender, std::size_t cost) {
  finish_.at(contender) = startOf(contender) + cost;
}

void Scheduler::forget(std::size_t contender) {
  finish_.at(contender) = 0;
}

}  // namespace qimux::bridge
