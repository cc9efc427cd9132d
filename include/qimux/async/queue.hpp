// A bounded first-in first-out queue between coroutines and whoever feeds them.
#pragma once

#include "qimux/async/event.hpp"
#include "qimux/async/task.hpp"

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

namespace qimux::async {

template <typename T>
class Queue {
 public:
  Queue(Loop& loop, std::size_t bound) : bound_(bound), filled_(loop) {}

  // False, and the item is dropped, where the queue is full: the caller counts it.
  bool push(T item) {
    if (items_.size() >= bound_) return false;
    items_.push_back(std::move(item));
    filled_.set();
    return true;
  }

  std::optional<T> tryPop() {
    if (items_.empty()) return std::nullopt;
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    if (items_.empty()) filled_.reset();
    return item;
  }

  // Waits for an item, at most until `deadline`; nothing where none came.
  Task<std::optional<T>> pop(TimePoint deadline = TimePoint::max()) {
    while (items_.empty()) {
      filled_.reset();
      const bool came = co_await filled_.waitUntil(deadline);
      if (!came) co_return std::nullopt;
    }
    co_return tryPop();
  }

  std::size_t size() const { return items_.size(); }
  bool empty() const { return items_.empty(); }

 private:
  std::size_t bound_;
  std::deque<T> items_;
  Event filled_;
};

}  // namespace qimux::async
