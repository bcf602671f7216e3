// The time as a burst sees it: read from the system (without a system call, by the vDSO) about once a
// millisecond, for in between nothing that depends on it changes.
#pragma once

#include <cstdint>

#include "dataplane/cache/clock.h"
#include "dataplane/stats/tsc_clock.h"

namespace swarmdns::worker {

struct Moment {
  cache::Seconds now = 0;    // of the cache clock
  std::uint32_t wall_s = 0;  // Unix seconds, for cookies
  std::uint32_t ms = 0;      // monotonic, wraps; for rate limits
};

// One a thread.
class MomentClock {
 public:
  MomentClock(const cache::Clock& clock, const stats::TscClock& tsc) noexcept
      : clock_(clock), step_(tsc.from_ns(1'000'000)) {}

  // `tsc`: now. True when the moment was read afresh.
  bool refresh(std::uint64_t tsc) noexcept {
    if (tsc - read_at_ < step_) return false;
    read(tsc);
    return true;
  }
  [[nodiscard]] const Moment& moment() const noexcept { return moment_; }

 private:
  void read(std::uint64_t tsc) noexcept;

  const cache::Clock& clock_;
  const std::uint64_t step_;
  std::uint64_t read_at_ = 0;
  Moment moment_;
};

}  // namespace swarmdns::worker
