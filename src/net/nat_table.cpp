#include "qimux/net/nat_table.hpp"

#include <cassert>

namespace qimux::net {

NatTable::NatTable(const Options& options)
    : options_(options), taken_(static_cast<std::size_t>(options.last - options.first) + 1) {
  assert(options.first <= options.last);
}

void NatTable::wake(async::TimePoint now) {
  while (!resting_.empty() && resting_.front().until <= now) {
    taken_[slot(resting_.front().port)] = false;
    resting_.pop_front();
  }
}

Result<std::uint16_t> NatTable::allocate(const FlowKey& flow, async::TimePoint now) {
  if (const auto known = portOf(flow)) return *known;
  if (ports_.size() >= options_.bound) {
    return std::unexpected(Error{ErrorKind::Full, text(flow), "as many flows as there may be"});
  }
  wake(now);
  if (ports_.size() + resting_.size() >= taken_.size()) {
    return std::unexpected(Error{ErrorKind::Full, text(flow), "no NAT port is free"});
  }
  while (taken_[next_]) next_ = (next_ + 1) % taken_.size();
  taken_[next_] = true;
  const auto port = static_cast<std::uint16_t>(options_.first + next_);
  next_ = (next_ + 1) % taken_.size();
  ports_.emplace(flow, port);
  flows_.emplace(port, flow);
  return port;
}

void NatTable::release(const FlowKey& flow, async::TimePoint now) {
  const auto found = ports_.find(flow);
  if (found == ports_.end()) return;
  resting_.push_back({now + options_.quarantine, found->second});
  flows_.erase(found->second);
  ports_.erase(found);
}

void NatTable::discard(const FlowKey& flow) {
  const auto found = ports_.find(flow);
  if (found == ports_.end()) return;
  taken_[slot(found->second)] = false;
  flows_.erase(found->second);
  ports_.erase(found);
}

std::optional<std::uint16_t> NatTable::portOf(const FlowKey& flow) const {
  const auto found = ports_.find(flow);
  if (found == ports_.end()) return std::nullopt;
  return found->second;
}

std::optional<FlowKey> NatTable::flowOf(std::uint16_t port) const {
  const auto found = flows_.find(port);
  if (found == flows_.end()) return std::nullopt;
  return found->second;
}

}  // namespace qimux::net
