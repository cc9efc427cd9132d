// Who gets which of the module's six sockets: the queue in front of them. Without I/O.
//
// First come, first served, but for two rules that keep a black hole from taking all: at most
// `per_destination` opens to one address are pending at a time, and an address that did not answer is
// remembered: for a while (30 s, doubled each time, at most 8 min) only one open to it is pending, and never
// on the last free socket.
//
// Connects and datagrams take turns where both wait, and datagrams have at most half of the queue: a program
// that sprays datagrams over all ports of a host neither shuts out a connect nor holds it up for long.
//
// A socket that was just given back is taken last, so that a late word about its old life finds no new one.
#pragma once

#include "qimux/async/loop.hpp"
#include "qimux/module/sockets.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>

namespace qimux::bridge {

// Names one waiter.
using SessionId = std::uint64_t;

struct PoolLimits {
  std::size_t queue = 64;           // waiters at a time
  std::size_t per_destination = 2;  // pending opens to one address
};

class SlotPool {
 public:
  explicit SlotPool(PoolLimits limits) : limits_(limits) {}

  // Whether enqueue() would find room.
  bool hasRoom(module::Protocol protocol) const;
  // False where the queue is full.
  bool enqueue(SessionId id, std::uint32_t address, module::Protocol protocol = module::Protocol::Tcp);
  // It waits no longer; nothing where it did not.
  void withdraw(SessionId id);

  struct Grant {
    SessionId id;
    int slot;
  };
  // The next waiter that may open now; its slot is taken and its open pending.
  std::optional<Grant> grant(async::TimePoint now);

  // The open of `slot` has an outcome: answered, or not within its time.
  void settled(int slot, bool answered, async::TimePoint now);
  // The slot is free again.
  void release(int slot);

  std::size_t waiting() const { return queue_.size(); }
  std::size_t free() const;
  // Somebody waits who could open if only a socket were free.
  bool starved(async::TimePoint now) const;

 private:
  struct Waiter {
    SessionId id;
    std::uint32_t address;
    module::Protocol protocol;
  };
  using Queue = std::list<Waiter>;
  struct Slot {
    bool taken = false;
    bool pending = false;
    std::uint32_t address = 0;
    std::uint64_t freed = 0;  // order of release
  };
  struct Silence {
    async::TimePoint until;
    async::Duration span;
  };

  bool isSilent(std::uint32_t address, async::TimePoint now) const;
  Queue::iterator next(std::size_t free_slots, async::TimePoint now);
  void leave(Queue::iterator waiter);
  bool mayOpen(std::uint32_t address, std::size_t free_slots, async::TimePoint now) const;
  std::size_t pendingTo(std::uint32_t address) const;
  void remember(std::uint32_t address, async::TimePoint now);

  static constexpr std::size_t kSilences = 64;
  PoolLimits limits_;
  Queue queue_;
  std::size_t datagrams_ = 0;                        // of queue_
  module::Protocol served_ = module::Protocol::Udp;  // by the last grant
  std::array<Slot, module::kSockets> slots_;
  std::map<std::uint32_t, Silence> silences_;
  std::uint64_t releases_ = 0;
};

}  // namespace qimux::bridge
