// Frames of any length on their way between a worker and the exception thread, copied into a ring of bytes
// between exactly one producer and one consumer.
//
// Copied, not handed over as mbufs: what goes to the kernel is rare and policed, the worker's pools stay its
// own, and a thread that is preempted half-way through holds up nobody (DPDK's shared rings and pools would
// have the others spin).
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "dataplane/sync/spsc_ring.h"

namespace swarmdns::exception {

class FrameRing {
 public:
  // Before both sides start. `bytes`: rounded up to a power of two, at least 4 KiB; the longest frame that
  // fits is max_frame().
  explicit FrameRing(std::size_t bytes)
      : mask_(std::bit_ceil(bytes < 4096 ? std::size_t{4096} : bytes) - 1), memory_(mask_ + 1) {}
  FrameRing(const FrameRing&) = delete;
  FrameRing& operator=(const FrameRing&) = delete;

  // Half the ring, so that a frame that does not fit before the end of the memory fits at its beginning.
  [[nodiscard]] std::size_t max_frame() const noexcept { return (mask_ + 1) / 2 - kHeader; }

  // --- Producer ---

  // Room for a frame of up to `length` octets, empty when there is none. Publish before the next claim.
  [[nodiscard]] std::span<std::byte> claim(std::size_t length) noexcept {
    if (length > max_frame()) return {};
    std::size_t tail = producer_.index.load(std::memory_order_relaxed);
    const std::size_t need = record(length);
    const std::size_t to_end = mask_ + 1 - (tail & mask_);
    const std::size_t skip = need > to_end ? to_end : 0;
    if (tail + skip + need - producer_.other > mask_ + 1) {
      producer_.other = consumer_.index.load(std::memory_order_acquire);
      if (tail + skip + need - producer_.other > mask_ + 1) return {};
    }
    if (skip != 0) {
      write_header(tail, kSkip);
      tail += skip;
    }
    producer_.claimed = tail;
    return {memory_.data() + (tail & mask_) + kHeader, length};
  }
  // Shows the claimed frame, of `length` octets now (no more than were claimed), to the consumer.
  void publish(std::size_t length) noexcept {
    write_header(producer_.claimed, static_cast<std::uint32_t>(length));
    producer_.index.store(producer_.claimed + record(length), std::memory_order_release);
  }
  // False: no room, nothing happened.
  [[nodiscard]] bool push(std::span<const std::byte> frame) noexcept {
    const std::span<std::byte> room = claim(frame.size());
    if (room.size() != frame.size() || frame.empty()) return false;
    std::memcpy(room.data(), frame.data(), frame.size());
    publish(frame.size());
    return true;
  }

  // --- Consumer ---

  // The oldest frame, empty when there is none. It stays valid until pop().
  [[nodiscard]] std::span<const std::byte> front() noexcept {
    for (;;) {
      const std::size_t head = consumer_.index.load(std::memory_order_relaxed);
      if (head == consumer_.other) {
        consumer_.other = producer_.index.load(std::memory_order_acquire);
        if (head == consumer_.other) return {};
      }
      const std::uint32_t length = read_header(head);
      if (length != kSkip) return {memory_.data() + (head & mask_) + kHeader, length};
      consumer_.index.store(head + (mask_ + 1 - (head & mask_)), std::memory_order_release);
    }
  }
  // After front() gave a frame.
  void pop() noexcept {
    const std::size_t head = consumer_.index.load(std::memory_order_relaxed);
    consumer_.index.store(head + record(read_header(head)), std::memory_order_release);
  }

 private:
  static constexpr std::size_t kHeader = 8;  // keeps frames 8-byte aligned
  static constexpr std::uint32_t kSkip = 0xffffffff;

  [[nodiscard]] static std::size_t record(std::size_t length) noexcept {
    return kHeader + ((length + 7) & ~std::size_t{7});
  }
  void write_header(std::size_t at, std::uint32_t value) noexcept {
    std::memcpy(memory_.data() + (at & mask_), &value, sizeof value);
  }
  [[nodiscard]] std::uint32_t read_header(std::size_t at) const noexcept {
    std::uint32_t value;
    std::memcpy(&value, memory_.data() + (at & mask_), sizeof value);
    return value;
  }

  struct alignas(sync::kCacheLine) Side {
    std::atomic<std::size_t> index{0};  // counts octets for ever
    std::size_t other = 0;
    std::size_t claimed = 0;  // the producer's
  };

  Side producer_;
  Side consumer_;
  const std::size_t mask_;
  std::vector<std::byte> memory_;
};

}  // namespace swarmdns::exception
