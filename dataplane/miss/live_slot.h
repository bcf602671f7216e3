// An immutable object that a control thread exchanges for a new one while another thread uses it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace swarmdns::miss {

template <class T>
class LiveSlot {
 public:
  explicit LiveSlot(std::shared_ptr<const T> first) : current_(std::move(first)) {}

  // Control thread. Not null.
  void set(std::shared_ptr<const T> next) {
    const std::lock_guard lock(mutex_);
    current_ = std::move(next);
    version_.fetch_add(1, std::memory_order_release);
  }
  // Any thread but packet workers.
  [[nodiscard]] std::shared_ptr<const T> get() const {
    const std::lock_guard lock(mutex_);
    return current_;
  }
  // Any thread, cheap: another number than before means that get() is worth a call.
  [[nodiscard]] std::uint64_t version() const noexcept { return version_.load(std::memory_order_acquire); }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const T> current_;
  std::atomic<std::uint64_t> version_{0};
};

}  // namespace swarmdns::miss
