// A task run to its end on the virtual clock.
#pragma once

#include "qimux/async/task.hpp"
#include "qimux/async/virtual_loop.hpp"

#include <chrono>
#include <optional>
#include <utility>

namespace qimux::test {

template <typename T>
async::Task<void> keepResult(async::Task<T> task, std::optional<T>& result) {
  T value = co_await task;
  result.emplace(std::move(value));
}

// A task that goes on while the test does other things.
template <typename T>
class Running {
 public:
  Running(async::VirtualLoop& loop, async::Task<T> task) : scope_(loop) {
    scope_.spawn(keepResult(std::move(task), result_));
  }
  bool done() const { return result_.has_value(); }
  // Throws where it has not ended.
  const T& operator*() const { return result_.value(); }
  const T* operator->() const { return &result_.value(); }
  void cancel() { scope_.cancel(); }

 private:
  std::optional<T> result_;
  async::Scope scope_;
};

// Throws std::bad_optional_access where the task has not ended within `limit` of virtual time.
template <typename T>
T run(async::VirtualLoop& loop, async::Task<T> task, async::Duration limit = std::chrono::hours(1)) {
  std::optional<T> result;
  async::Scope scope(loop);
  scope.spawn(keepResult(std::move(task), result));
  loop.runUntil([&] { return result.has_value(); }, limit);
  return std::move(result.value());
}

}  // namespace qimux::test
