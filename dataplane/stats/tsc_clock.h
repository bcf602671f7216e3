// The invariant time stamp counter as a clock: what a burst is stamped with, and its conversion to
// nanoseconds.
#pragma once

#include <x86intrin.h>

#include <cstdint>

namespace swarmdns::stats {

__extension__ using Wide = unsigned __int128;

[[nodiscard]] inline std::uint64_t read_tsc() noexcept {
  return __rdtsc();
}

// Immutable; any thread.
class TscClock {
 public:
  // Measures the counter against CLOCK_MONOTONIC_RAW for 20 ms. At start, on any thread.
  [[nodiscard]] static TscClock calibrate();
  // `hz`: 1 MHz to 100 GHz.
  explicit TscClock(std::uint64_t hz) noexcept;

  [[nodiscard]] std::uint64_t hz() const noexcept { return hz_; }
  // Exact to 2^-32 for differences up to centuries.
  [[nodiscard]] std::uint64_t to_ns(std::uint64_t ticks) const noexcept {
    return static_cast<std::uint64_t>((static_cast<Wide>(ticks) * ns_per_tick_) >> 32);
  }
  [[nodiscard]] std::uint64_t from_ns(std::uint64_t ns) const noexcept {
    return static_cast<std::uint64_t>(static_cast<Wide>(ns) * hz_ / 1'000'000'000U);
  }

 private:
  std::uint64_t hz_;
  std::uint64_t ns_per_tick_;  // 32 bits of fraction
};

}  // namespace swarmdns::stats
