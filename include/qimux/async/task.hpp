// Task<T>: a coroutine that is awaited by its caller. Scope: the owner of those that nobody awaits.
//
// A Task is lazy: it starts when awaited or spawned. It is owned by whoever holds it; destroying it before
// its end is how it is cancelled, and destroys with it whatever it awaits. A child that ends later than it
// was started lets its parent go on through the loop's ready queue, never by resuming it from inside itself:
// so the stack stays flat, and nobody is resumed in the middle of somebody else's work.
//
// House rule for g++ 12 (it destroys some temporaries twice): on a line with co_await no braces that build an
// object, no capturing lambda, no macro that returns; bind to plain named variables first. tests/lint keeps
// it.
#pragma once

#include "qimux/async/loop.hpp"

#include <coroutine>
#include <exception>
#include <list>
#include <memory>
#include <optional>
#include <utility>

namespace qimux::async {

template <typename T>
class Task;

namespace detail {

class Resume final : public Ready {
 public:
  void run() override { handle.resume(); }
  std::coroutine_handle<> handle;
};

struct PromiseBase {
  Loop* loop = nullptr;
  Ready* whenDone = nullptr;  // queued at the end, where the end came after the start returned
  Resume parent;
  std::exception_ptr exception;

  std::suspend_always initial_suspend() noexcept { return {}; }
  struct Final {
    bool await_ready() noexcept { return false; }
    template <typename Promise>
    void await_suspend(std::coroutine_handle<Promise> self) noexcept {
      PromiseBase& promise = self.promise();
      if (promise.whenDone != nullptr) promise.loop->enqueue(*promise.whenDone);
    }
    void await_resume() noexcept {}
  };
  Final final_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { exception = std::current_exception(); }
};

template <typename T>
struct Promise : PromiseBase {
  std::optional<T> value;
  Task<T> get_return_object() noexcept;
  template <typename U>
  void return_value(U&& result) {
    value.emplace(std::forward<U>(result));
  }
  T take() {
    if (exception) std::rethrow_exception(exception);
    return std::move(*value);
  }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object() noexcept;
  void return_void() noexcept {}
  void take() {
    if (exception) std::rethrow_exception(exception);
  }
};

}  // namespace detail

template <typename T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  explicit Task(Handle handle) noexcept : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      if (handle_) handle_.destroy();
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  class Awaiter {
   public:
    explicit Awaiter(Handle child) noexcept : child_(child) {}
    bool await_ready() noexcept { return false; }
    template <typename Parent>
    bool await_suspend(std::coroutine_handle<Parent> parent) {
      detail::PromiseBase& promise = child_.promise();
      promise.loop = parent.promise().loop;
      child_.resume();
      // Ended without waiting: go on at once, without suspending and without growing the stack.
      if (child_.done()) return false;
      promise.parent.handle = parent;
      promise.whenDone = &promise.parent;
      return true;
    }
    T await_resume() { return child_.promise().take(); }

   private:
    Handle child_;
  };
  // The task must outlive the await, as a temporary in the same expression does.
  Awaiter operator co_await() const noexcept { return Awaiter(handle_); }

 private:
  friend class Scope;
  Handle handle_;
};

namespace detail {
template <typename T>
Task<T> Promise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}
}  // namespace detail

// Owns tasks that run beside their maker. Its destruction cancels them all. An exception that leaves a task
// leaves the loop: it is a defect, and the process ends with it.
class Scope {
 public:
  explicit Scope(Loop& loop);
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;
  ~Scope();

  // Starts through the ready queue, after what is running now.
  void spawn(Task<void> task);
  // Destroys every task. Not from inside one of them.
  void cancel();
  std::size_t size() const { return roots_.size(); }
  Loop& loop() const { return loop_; }

 private:
  class Root;
  Loop& loop_;
  std::list<std::unique_ptr<Root>> roots_;
};

}  // namespace qimux::async
