// When a worker with nothing to do sleeps, and for how long: not before it has polled in vain for a while,
// then for a time that grows to the bound set by configuration and by what the receive rings hold at line
// rate.
#pragma once

#include <algorithm>
#include <cstdint>

namespace swarmdns::worker {

class Idle {
 public:
  // `patience_ticks`: TSC ticks of polling in vain before the first sleep.
  explicit Idle(std::uint64_t patience_ticks) noexcept : patience_(patience_ticks) {}

  void worked(std::uint64_t tsc) noexcept {
    last_work_ = tsc;
    next_us_ = kShortest;
    longest_ = false;
  }
  // A loop that found nothing, at `tsc`: microseconds to sleep now, 0 to poll on.
  [[nodiscard]] std::uint32_t next_sleep_us(std::uint64_t tsc, std::uint32_t max_us) noexcept {
    if (tsc - last_work_ < patience_) return 0;
    const std::uint32_t now = std::min(next_us_, max_us);
    longest_ = now == max_us;
    next_us_ = std::min(next_us_ * 2, max_us);
    return now;
  }
  // The last sleep was as long as they get.
  [[nodiscard]] bool longest() const noexcept { return longest_; }

 private:
  static constexpr std::uint32_t kShortest = 8;
  const std::uint64_t patience_;
  std::uint64_t last_work_ = 0;
  std::uint32_t next_us_ = kShortest;
  bool longest_ = false;
};

}  // namespace swarmdns::worker
