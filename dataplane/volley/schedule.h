// When each query is to go out, at a fixed rate: decided beforehand and kept whatever the replies do (open
// loop). A sender that was held up catches up, and latency counts from these times: a server that stalls is
// charged for every query that should have been asked meanwhile, not for one ("coordinated omission"). One
// thread.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "dataplane/stats/tsc_clock.h"

namespace swarmdns::volley {

class Schedule {
 public:
  // The first query is due at `start`. `hz`: ticks a second; `rate`: queries a second, above 10^-6.
  Schedule(std::uint64_t start, std::uint64_t hz, double rate) noexcept
      : next_(stats::Wide{start} << 32),
        interval_(std::max<stats::Wide>(
            static_cast<stats::Wide>(std::ceil(static_cast<double>(hz) / rate * 4294967296.0)), 1)) {}

  // How many of the next `most` queries are due at `now`.
  [[nodiscard]] std::uint32_t due(std::uint64_t now, std::uint32_t most) const noexcept {
    const stats::Wide until = (stats::Wide{now} + 1) << 32;
    std::uint32_t count = 0;
    for (stats::Wide at = next_; count < most && at < until; at += interval_) ++count;
    return count;
  }

  // The time of the next query, which is then the one behind it.
  std::uint64_t take() noexcept {
    const auto at = static_cast<std::uint64_t>(next_ >> 32);
    next_ += interval_;
    return at;
  }

  [[nodiscard]] std::uint64_t next() const noexcept { return static_cast<std::uint64_t>(next_ >> 32); }

  // Queries due before `end` that take() has not given out.
  [[nodiscard]] std::uint64_t left_before(std::uint64_t end) const noexcept {
    const stats::Wide until = stats::Wide{end} << 32;
    return next_ >= until ? 0 : static_cast<std::uint64_t>((until - next_ + interval_ - 1) / interval_);
  }

 private:
  stats::Wide next_;  // ticks, 32 bits of fraction: no drift in days at any rate
  stats::Wide interval_;
};

}  // namespace swarmdns::volley
