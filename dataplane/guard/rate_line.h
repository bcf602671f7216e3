// One cache line of the rate limiter: 15 short ids with a counter each, and the time of their last decay.
// Shared by all workers without order or locks: a count may get lost, nothing else can.
//
// Each operation has a portable form, which is the reference for the other (tests compare the two).
#pragma once

#if defined(__SSE4_1__) && !defined(__SANITIZE_THREAD__)
#include <smmintrin.h>
#define SWARMDNS_RATE_SIMD 1
#endif

#include <array>
#include <atomic>
#include <cstdint>

namespace swarmdns::guard {

class alignas(64) RateLine {
 public:
  static constexpr unsigned kLanes = 16;  // of which lane 0 holds the tick, not a client
  static constexpr std::uint32_t kFull = 0xffff;
  static constexpr unsigned kTickBits = 28;  // ticks wrap here

  struct Weakest {
    unsigned lane = 0;
    std::uint16_t count = 0xffff;
  };

  // A bit for each lane of `id` (never bit 0). `id` is not 0: that is a free lane's.
  [[nodiscard]] unsigned match_portable(std::uint16_t id) const noexcept {
    unsigned mask = 0;
    for (unsigned lane = 1; lane < kLanes; ++lane)
      mask |= static_cast<unsigned>(load(ids_[lane]) == id) << lane;
    return mask;
  }
  // The first of the lanes with the lowest count.
  [[nodiscard]] Weakest weakest_portable() const noexcept {
    Weakest weakest{1, load(counts_[1])};
    for (unsigned lane = 2; lane < kLanes; ++lane) {
      if (const std::uint16_t count = load(counts_[lane]); count < weakest.count) weakest = {lane, count};
    }
    return weakest;
  }
  // All counts times `left` / 65536.
  void scale_portable(std::uint16_t left) noexcept {
    for (unsigned lane = 1; lane < kLanes; ++lane) {
      store(counts_[lane], static_cast<std::uint16_t>(std::uint32_t{load(counts_[lane])} * left >> 16));
    }
  }

#ifdef SWARMDNS_RATE_SIMD
  [[nodiscard, gnu::always_inline]] unsigned match(std::uint16_t id) const noexcept {
    const __m128i want = _mm_set1_epi16(static_cast<short>(id));
    const __m128i equal =
        _mm_packs_epi16(_mm_cmpeq_epi16(half(ids_, 0), want), _mm_cmpeq_epi16(half(ids_, 1), want));
    return static_cast<unsigned>(_mm_movemask_epi8(equal)) & 0xfffeU;
  }
  [[nodiscard]] Weakest weakest() const noexcept {
    const __m128i no_tick = _mm_insert_epi16(_mm_setzero_si128(), 0xffff, 0);
    const auto low = static_cast<std::uint32_t>(
        _mm_cvtsi128_si32(_mm_minpos_epu16(_mm_or_si128(half(counts_, 0), no_tick))));
    const auto high = static_cast<std::uint32_t>(_mm_cvtsi128_si32(_mm_minpos_epu16(half(counts_, 1))));
    const auto low_count = static_cast<std::uint16_t>(low);
    const auto high_count = static_cast<std::uint16_t>(high);
    if (high_count < low_count) return {8 + (high >> 16), high_count};
    // With all counts full the tick's lane would come first.
    return {low >> 16 != 0 ? low >> 16 : 1, low_count};
  }
  void scale(std::uint16_t left) noexcept {
    const std::uint16_t tick = load(counts_[0]);
    const __m128i by = _mm_set1_epi16(static_cast<short>(left));
    auto* const at = reinterpret_cast<__m128i*>(counts_.data());
    const __m128i first = _mm_mulhi_epu16(half(counts_, 0), by);
    _mm_store_si128(at, _mm_insert_epi16(first, tick, 0));
    _mm_store_si128(at + 1, _mm_mulhi_epu16(half(counts_, 1), by));
  }
#else
  [[nodiscard]] unsigned match(std::uint16_t id) const noexcept {
    return match_portable(id);
  }
  [[nodiscard]] Weakest weakest() const noexcept {
    return weakest_portable();
  }
  void scale(std::uint16_t left) noexcept {
    scale_portable(left);
  }
#endif

  // When the counts were last brought down.
  [[nodiscard, gnu::always_inline]] std::uint32_t tick() const noexcept {
    return load(ids_[0]) | (std::uint32_t{load(counts_[0])} << 16);
  }
  void set_tick(std::uint32_t tick) noexcept {
    store(ids_[0], static_cast<std::uint16_t>(tick));
    store(counts_[0], static_cast<std::uint16_t>(tick >> 16));
  }

  // Adds `cost` to a lane's count. False when that would be more than full: then nothing is added.
  [[nodiscard, gnu::always_inline]] bool add(unsigned lane, std::uint32_t cost) noexcept {
    const std::uint32_t count = load(counts_[lane]) + cost;
    if (count > kFull) return false;
    store(counts_[lane], static_cast<std::uint16_t>(count));
    return true;
  }
  // Gives the lane to another.
  void take(unsigned lane, std::uint16_t id, std::uint16_t count) noexcept {
    store(ids_[lane], id);
    store(counts_[lane], count);
  }

 private:
  using Lanes = std::array<std::atomic<std::uint16_t>, kLanes>;

  [[gnu::always_inline]] static std::uint16_t load(const std::atomic<std::uint16_t>& lane) noexcept {
    return lane.load(std::memory_order_relaxed);
  }
  [[gnu::always_inline]] static void store(std::atomic<std::uint16_t>& lane, std::uint16_t value) noexcept {
    lane.store(value, std::memory_order_relaxed);
  }
#ifdef SWARMDNS_RATE_SIMD
  static __m128i half(const Lanes& lanes, int which) noexcept {
    return _mm_load_si128(reinterpret_cast<const __m128i*>(lanes.data()) + which);
  }
#endif

  Lanes ids_;     // lane 0: the tick, low half
  Lanes counts_;  // lane 0: the tick, high half
};
static_assert(sizeof(RateLine) == 64);

}  // namespace swarmdns::guard
