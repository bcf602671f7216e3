// Ends a streaming call whose client has stopped reading or writing without going away: it would hold a
// thread, and a dump would keep the cache's table from moving entries.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace swarmdns::control {

class StallGuard {
 public:
  // `cancel` is called once, on a thread of the guard's own, when moved() was not called for `patience`.
  StallGuard(std::chrono::milliseconds patience, std::function<void()> cancel)
      : thread_([this, patience, cancel = std::move(cancel)](const std::stop_token& stop) {
          std::unique_lock lock(mutex_);
          for (std::uint64_t seen = moves_.load(); !stop.stop_requested();) {
            wake_.wait_for(lock, stop, patience, [] { return false; });
            if (stop.stop_requested()) return;
            const std::uint64_t now = moves_.load(std::memory_order_relaxed);
            if (now == seen) return cancel();
            seen = now;
          }
        }) {}
  StallGuard(const StallGuard&) = delete;
  StallGuard& operator=(const StallGuard&) = delete;

  void moved() noexcept { moves_.fetch_add(1, std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> moves_{0};
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;  // last: it uses the others
};

}  // namespace swarmdns::control
