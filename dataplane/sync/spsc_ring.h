// A bounded, wait-free ring between exactly one producing and one consuming thread. Slots are made once and
// used in place, for what travels here (a miss request, a reply) is hundreds of bytes of plain data and is
// not worth copying twice.
//
// Cost: no read-modify-write instructions; each side keeps its last sight of the other's index, so that the
// line with the other's index is touched about once per full or empty ring rather than once per element.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <vector>

namespace swarmdns::sync {

inline constexpr std::size_t kCacheLine = 64;

template <class T>
class SpscRing {
 public:
  // Any thread, before the two sides start. `capacity` is rounded up to a power of two, at least 2.
  explicit SpscRing(std::size_t capacity)
      : mask_(std::bit_ceil(capacity < 2 ? std::size_t{2} : capacity) - 1), slots_(mask_ + 1) {}
  SpscRing(const SpscRing&) = delete;
  SpscRing& operator=(const SpscRing&) = delete;

  [[nodiscard]] std::size_t capacity() const noexcept { return mask_ + 1; }

  // --- Producer ---

  // The free slot `ahead` places behind the last published one, or null when the ring has no such room. It
  // holds what was last there: the producer overwrites it. Nothing is visible to the consumer before
  // publish().
  [[nodiscard]] T* try_claim(std::size_t ahead = 0) noexcept {
    const std::size_t tail = producer_.index.load(std::memory_order_relaxed);
    if (tail + ahead - producer_.other > mask_) {
      producer_.other = consumer_.index.load(std::memory_order_acquire);
      if (tail + ahead - producer_.other > mask_) return nullptr;
    }
    return &slots_[(tail + ahead) & mask_];
  }

  // Shows the next `count` claimed slots to the consumer.
  void publish(std::size_t count = 1) noexcept {
    producer_.index.store(producer_.index.load(std::memory_order_relaxed) + count, std::memory_order_release);
  }

  // False: full, nothing happened.
  template <class U>
  [[nodiscard]] bool try_push(U&& value) noexcept {
    T* slot = try_claim();
    if (slot == nullptr) return false;
    *slot = static_cast<U&&>(value);
    publish();
    return true;
  }

  // Pushes as many as there is room for, in order, and says how many.
  [[nodiscard]] std::size_t push_bulk(std::span<const T> values) noexcept {
    std::size_t done = 0;
    for (; done < values.size(); ++done) {
      T* slot = try_claim(done);
      if (slot == nullptr) break;
      *slot = values[done];
    }
    if (done > 0) publish(done);
    return done;
  }

  // --- Consumer ---

  // The published element `ahead` places behind the oldest one, or null. The consumer may change it; it stays
  // its own until pop().
  [[nodiscard]] T* front(std::size_t ahead = 0) noexcept {
    const std::size_t head = consumer_.index.load(std::memory_order_relaxed);
    if (ahead >= consumer_.other - head) {
      consumer_.other = producer_.index.load(std::memory_order_acquire);
      if (ahead >= consumer_.other - head) return nullptr;
    }
    return &slots_[(head + ahead) & mask_];
  }

  // Gives the oldest `count` elements' slots back to the producer. They must have been seen by front().
  void pop(std::size_t count = 1) noexcept {
    consumer_.index.store(consumer_.index.load(std::memory_order_relaxed) + count, std::memory_order_release);
  }

  // False: empty.
  [[nodiscard]] bool try_pop(T& out) noexcept {
    T* slot = front();
    if (slot == nullptr) return false;
    out = static_cast<T&&>(*slot);
    pop();
    return true;
  }

  // Pops up to out.size() elements and says how many.
  [[nodiscard]] std::size_t pop_bulk(std::span<T> out) noexcept {
    std::size_t done = 0;
    for (; done < out.size(); ++done) {
      T* slot = front(done);
      if (slot == nullptr) break;
      out[done] = static_cast<T&&>(*slot);
    }
    if (done > 0) pop(done);
    return done;
  }

  // --- Any thread ---

  // How many elements are in flight: exact on either side's own view, an estimate elsewhere.
  [[nodiscard]] std::size_t size() const noexcept {
    const std::size_t head = consumer_.index.load(std::memory_order_acquire);
    const std::size_t tail = producer_.index.load(std::memory_order_acquire);
    return tail - head > capacity() ? capacity() : tail - head;
  }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }

 private:
  struct alignas(kCacheLine) Side {
    std::atomic<std::size_t> index{0};  // counts for ever; the slot is index & mask_
    std::size_t other = 0;              // the opposite index as last seen by this side
  };

  const std::size_t mask_;
  std::vector<T> slots_;
  Side producer_;
  Side consumer_;
};

}  // namespace swarmdns::sync
