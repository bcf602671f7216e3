// A bounded queue from any number of producing threads to one consumer, which may sleep until something
// comes.
//
// Producers wake a sleeping consumer by a system call: packet workers must therefore not be producers (they
// use an SpscRing that the consumer polls). Elements may own memory; they are moved in and out.
#pragma once

#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "dataplane/sync/futex.h"
#include "dataplane/sync/spsc_ring.h"

namespace swarmdns::sync {

template <class T>
class MpscQueue {
 public:
  // `capacity` is rounded up to a power of two, at least 2.
  explicit MpscQueue(std::size_t capacity)
      : mask_(std::bit_ceil(capacity < 2 ? std::size_t{2} : capacity) - 1),
        cells_(std::make_unique<Cell[]>(mask_ + 1)) {
    for (std::size_t i = 0; i <= mask_; ++i) cells_[i].sequence.store(i, std::memory_order_relaxed);
  }
  MpscQueue(const MpscQueue&) = delete;
  MpscQueue& operator=(const MpscQueue&) = delete;

  [[nodiscard]] std::size_t capacity() const noexcept { return mask_ + 1; }

  // Any thread. False: full, and `value` is untouched. Lock-free; a system call only when the consumer
  // sleeps.
  [[nodiscard]] bool try_push(T&& value) noexcept {
    std::size_t at = tail_.load(std::memory_order_relaxed);
    Cell* cell = nullptr;
    for (;;) {
      cell = &cells_[at & mask_];
      const std::size_t sequence = cell->sequence.load(std::memory_order_acquire);
      if (sequence == at) {
        if (tail_.compare_exchange_weak(at, at + 1, std::memory_order_relaxed)) break;
      } else if (static_cast<std::ptrdiff_t>(sequence - at) < 0) {
        return false;
      } else {
        at = tail_.load(std::memory_order_relaxed);
      }
    }
    cell->value = std::move(value);
    cell->sequence.store(at + 1, std::memory_order_release);
    // Pairs with the fence in wait(): either the consumer sees this element, or it is seen to sleep.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (sleeping_.load(std::memory_order_relaxed) != 0) wake();
    return true;
  }

  // Consumer. False: empty (or the next element is still being written).
  [[nodiscard]] bool try_pop(T& out) noexcept {
    Cell& cell = cells_[head_ & mask_];
    if (cell.sequence.load(std::memory_order_acquire) != head_ + 1) return false;
    out = std::move(cell.value);
    cell.value = T{};  // what it owned must not stay behind
    cell.sequence.store(head_ + mask_ + 1, std::memory_order_release);
    ++head_;
    return true;
  }

  // Consumer. Sleeps until there is something to pop, somebody calls wake(), or `timeout` has passed.
  void wait(std::chrono::nanoseconds timeout) noexcept {
    sleeping_.store(1, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (!ready()) futex_wait(sleeping_, 1, timeout);
    sleeping_.store(0, std::memory_order_relaxed);
  }

  // Any thread: ends a wait() that is under way.
  void wake() noexcept {
    if (sleeping_.exchange(0, std::memory_order_acq_rel) != 0) futex_wake(sleeping_);
  }

  // Consumer.
  [[nodiscard]] bool ready() const noexcept {
    return cells_[head_ & mask_].sequence.load(std::memory_order_acquire) == head_ + 1;
  }

 private:
  struct Cell {
    std::atomic<std::size_t> sequence{0};
    T value{};
  };

  const std::size_t mask_;
  std::unique_ptr<Cell[]> cells_;
  alignas(kCacheLine) std::atomic<std::size_t> tail_{0};
  alignas(kCacheLine) std::size_t head_ = 0;  // the consumer's own
  alignas(kCacheLine) std::atomic<std::uint32_t> sleeping_{0};
};

}  // namespace swarmdns::sync
