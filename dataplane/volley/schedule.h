// When each query is to go out, at a fixed rate: decided beforehand and kept whatever the replies do (open
// loop). A sender that was held up catches up, and latency counts from these times: a server that stalls is
// charged for every query that should have been asked meanwhile, not for one ("coordinated omission"). One
// thread.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>

#include "dataplane/stats/tsc_clock.h"
#include "dataplane/volley/random.h"

namespace swarmdns::volley {

class Schedule {
 public:
  // The first query is due at `start`. `hz`: ticks a second; `rate`: queries a second, above 10^-6. With
  // `gaps`, a seed, each query is due at a random time of its interval instead of at the beginning.
  Schedule(std::uint64_t start, std::uint64_t hz, double rate,
           std::optional<std::uint64_t> gaps = std::nullopt) noexcept
      : begin_(stats::Wide{start} << 32),
        interval_(std::max<stats::Wide>(
            static_cast<stats::Wide>(std::ceil(static_cast<double>(hz) / rate * 4294967296.0)), 1)),
        gaps_(gaps),
        next_(time_of(begin_, 0)) {}

  // How many of the next `most` queries are due at `now`.
  [[nodiscard]] std::uint32_t due(std::uint64_t now, std::uint32_t most) const noexcept {
    const stats::Wide until = (stats::Wide{now} + 1) << 32;
    std::uint32_t count = 0;
    stats::Wide begin = begin_;
    for (stats::Wide at = next_; count < most && at < until; at = time_of(begin, taken_ + count)) {
      ++count;
      begin += interval_;
    }
    return count;
  }

  // The time of the next query, which is then the one behind it.
  std::uint64_t take() noexcept {
    const auto at = static_cast<std::uint64_t>(next_ >> 32);
    begin_ += interval_;
    next_ = time_of(begin_, ++taken_);
    return at;
  }

  [[nodiscard]] std::uint64_t next() const noexcept { return static_cast<std::uint64_t>(next_ >> 32); }

  // Queries due before `end` that take() has not given out.
  [[nodiscard]] std::uint64_t left_before(std::uint64_t end) const noexcept {
    const stats::Wide until = stats::Wide{end} << 32;
    if (next_ >= until) return 0;
    // Those whose interval has begun; of the last of them, a random time may lie beyond the end.
    const auto count = static_cast<std::uint64_t>((until - begin_ + interval_ - 1) / interval_);
    return time_of(begin_ + (count - 1) * interval_, taken_ + count - 1) < until ? count : count - 1;
  }

 private:
  // When query `number` is due, whose interval begins at `begin`. It stays within, so that order is kept.
  [[nodiscard]] stats::Wide time_of(stats::Wide begin, std::uint64_t number) const noexcept {
    return gaps_ ? begin + ((interval_ * (mix64(*gaps_ ^ mix64(number)) >> 32)) >> 32) : begin;
  }

  stats::Wide
      begin_;  // of the next query's interval; ticks, 32 bits of fraction: no drift in days at any rate
  stats::Wide interval_;
  std::optional<std::uint64_t> gaps_;
  std::uint64_t taken_ = 0;
  stats::Wide next_;
};

}  // namespace swarmdns::volley
