// The clock of the cache: CLOCK_BOOTTIME, which goes on while a machine is suspended and is moved by nobody.
// One Clock is made at start and shared by all threads; reading it costs a vDSO call (about 30 ns), so
// workers read it once a burst. Tests make a manual one and move it by hand.
#pragma once

#include <time.h>

#include <atomic>
#include <cstdint>

#include "dataplane/cache/entry.h"

namespace swarmdns::cache {

class Clock {
 public:
  static constexpr Seconds kStart = 1U << 20;

  Clock() noexcept : start_ms_(boottime_ms()) {}

  struct Manual {};
  explicit Clock(Manual) noexcept : manual_(true) {}

  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;

  // Any thread.
  [[nodiscard]] std::uint64_t milliseconds() const noexcept {
    const std::uint64_t since =
        manual_ ? manual_ms_.load(std::memory_order_relaxed) : boottime_ms() - start_ms_;
    return std::uint64_t{kStart} * 1000 + since;
  }
  [[nodiscard]] Seconds seconds() const noexcept { return static_cast<Seconds>(milliseconds() / 1000); }

  // Manual clocks only; any thread.
  void advance_ms(std::uint64_t ms) noexcept { manual_ms_.fetch_add(ms, std::memory_order_relaxed); }
  void advance(Seconds seconds) noexcept { advance_ms(std::uint64_t{seconds} * 1000); }

 private:
  static std::uint64_t boottime_ms() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1000 +
           static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
  }

  bool manual_ = false;
  std::uint64_t start_ms_ = 0;
  std::atomic<std::uint64_t> manual_ms_{0};
};

}  // namespace swarmdns::cache
