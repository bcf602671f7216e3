// Counts the objects that gRPC still holds, so that their owner's end can wait for theirs. Any thread.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>

namespace swarmdns::controlplane {

class Living {
 public:
  // Held by an object as long as gRPC may call it.
  using Token = std::shared_ptr<void>;

  Token token() {
    const std::scoped_lock lock(state_->mutex);
    ++state_->count;
    return Token(state_.get(), [state = state_](void*) {
      const std::scoped_lock ended(state->mutex);
      --state->count;
      state->changed.notify_all();
    });
  }
  void wait_for_none() {
    std::unique_lock lock(state_->mutex);
    state_->changed.wait(lock, [this] { return state_->count == 0; });
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t count = 0;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace swarmdns::controlplane
