#include "qimux/bridge/slot_pool.hpp"

#include <algorithm>
#include <cassert>

namespace qimux::bridge {
namespace {

using namespace std::chrono_literals;

constexpr async::Duration kFirstSilence = 30s;
constexpr async::Duration kLongestSilence = 8min;

}  // namespace

bool SlotPool::hasRoom(module::Protocol protocol) const {
  if (queue_.size() >= limits_.queue) return false;
  return protocol == module::Protocol::Tcp || datagrams_ < std::max<std::size_t>(limits_.queue / 2, 1);
}

bool SlotPool::enqueue(SessionId id, std::uint32_t address, module::Protocol protocol) {
  if (!hasRoom(protocol)) return false;
  queue_.push_back(Waiter{id, address, protocol});
  if (protocol == module::Protocol::Udp) ++datagrams_;
  return true;
}

void SlotPool::leave(Queue::iterator waiter) {
  if (waiter->protocol == module::Protocol::Udp) --datagrams_;
  queue_.erase(waiter);
}

void SlotPool::withdraw(SessionId id) {
  const auto waiter = std::ranges::find(queue_, id, &Waiter::id);
  if (waiter != queue_.end()) leave(waiter);
}

std::size_t SlotPool::free() const {
  return static_cast<std::size_t>(std::ranges::count(slots_, false, &Slot::taken));
}

std::size_t SlotPool::pendingTo(std::uint32_t address) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      slots_, [address](const Slot& slot) { return slot.pending && slot.address == address; }));
}

bool SlotPool::isSilent(std::uint32_t address, async::TimePoint now) const {
  const auto silence = silences_.find(address);
  return silence != silences_.end() && now < silence->second.until;
}

bool SlotPool::mayOpen(std::uint32_t address, std::size_t free_slots, async::TimePoint now) const {
  if (free_slots == 0) return false;
  if (isSilent(address, now)) return pendingTo(address) == 0 && free_slots > 1;
  return pendingTo(address) < limits_.per_destination;
}

// The first that may open, of those that were not served last where there is one.
SlotPool::Queue::iterator SlotPool::next(std::size_t free_slots, async::TimePoint now) {
  auto second = queue_.end();
  for (auto waiter = queue_.begin(); waiter != queue_.end(); ++waiter) {
    const bool another_turn = waiter->protocol != served_;
    if (!another_turn && second != queue_.end()) continue;
    if (!mayOpen(waiter->address, free_slots, now)) continue;
    if (another_turn) return waiter;
    second = waiter;
  }
  return second;
}

std::optional<SlotPool::Grant> SlotPool::grant(async::TimePoint now) {
  const auto waiter = next(free(), now);
  if (waiter == queue_.end()) return std::nullopt;
  Slot* oldest = nullptr;
  for (auto& slot : slots_) {
    if (!slot.taken && (oldest == nullptr || slot.freed < oldest->freed)) oldest = &slot;
  }
  assert(oldest != nullptr);
  oldest->taken = oldest->pending = true;
  oldest->address = waiter->address;
  const Grant granted{waiter->id, static_cast<int>(oldest - slots_.data())};
  served_ = waiter->protocol;
  leave(waiter);
  return granted;
}

void SlotPool::settled(int slot, bool answered, async::TimePoint now) {
  Slot& settled = slots_.at(static_cast<std::size_t>(slot));
  if (!settled.pending) return;
  settled.pending = false;
  if (answered) {
    silences_.erase(settled.address);
  } else {
    remember(settled.address, now);
  }
}

void SlotPool::remember(std::uint32_t address, async::TimePoint now) {
  auto known = silences_.find(address);
  if (known == silences_.end()) {
    if (silences_.size() >= kSilences) {
      silences_.erase(
          std::ranges::min_element(silences_, {}, [](const auto& entry) { return entry.second.until; }));
    }
    known = silences_.emplace(address, Silence{now, kFirstSilence / 2}).first;
  }
  known->second.span = std::min(known->second.span * 2, kLongestSilence);
  known->second.until = now + known->second.span;
}

void SlotPool::release(int slot) {
  Slot& released = slots_.at(static_cast<std::size_t>(slot));
  released = Slot{};
  released.freed = ++releases_;
}

bool SlotPool::starved(async::TimePoint now) const {
  if (free() > 0) return false;
  return std::ranges::any_of(queue_, [&](const Waiter& waiter) { return mayOpen(waiter.address, 2, now); });
}

}  // namespace qimux::bridge
