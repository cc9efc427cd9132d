#include "qimux/async/task.hpp"

namespace qimux::async {

class Scope::Root final : public Ready {
 public:
  Root(Scope& scope, Task<void> task) : scope_(scope), task_(std::move(task)) {}

  // Queued twice: to start, and at the end.
  void run() override {
    auto& promise = task_.handle_.promise();
    if (!started_) {
      started_ = true;
      promise.loop = &scope_.loop_;
      task_.handle_.resume();
      if (!task_.handle_.done()) {
        promise.whenDone = this;
        return;
      }
    }
    const auto self = std::move(*place_);
    scope_.roots_.erase(place_);
    promise.take();
  }

  std::list<std::unique_ptr<Root>>::iterator place_;

 private:
  Scope& scope_;
  Task<void> task_;
  bool started_ = false;
};

Scope::Scope(Loop& loop) : loop_(loop) {}

Scope::~Scope() {
  cancel();
}

void Scope::spawn(Task<void> task) {
  roots_.push_back(std::make_unique<Root>(*this, std::move(task)));
  Root& root = *roots_.back();
  root.place_ = std::prev(roots_.end());
  loop_.enqueue(root);
}

void Scope::cancel() {
  // A task's locals may spawn or look at the scope while they are destroyed.
  while (!roots_.empty()) {
    const auto root = std::move(roots_.front());
    roots_.pop_front();
  }
}

}  // namespace qimux::async
