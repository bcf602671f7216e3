// How long a thread that polls its rings sleeps between two looks: short while there was work lately, longer
// when there was none, so that an idle node costs next to nothing and a busy one answers soon.
#pragma once

#include <algorithm>
#include <chrono>

namespace swarmdns::sync {

class IdleSleep {
 public:
  IdleSleep(std::chrono::microseconds shortest = std::chrono::microseconds(50),
            std::chrono::microseconds longest = std::chrono::microseconds(500)) noexcept
      : shortest_(shortest), longest_(longest), next_(shortest) {}

  // Something was done in this round: the next sleep is the shortest.
  void worked() noexcept { next_ = shortest_; }

  // Nothing was done: how long to sleep (or to poll a descriptor) now. Grows by a quarter each time.
  [[nodiscard]] std::chrono::microseconds next() noexcept {
    const auto now = next_;
    next_ = std::min(longest_, next_ + std::max(next_ / 4, std::chrono::microseconds(1)));
    return now;
  }

  // There has been nothing to do for so long that next() no longer grows.
  [[nodiscard]] bool longest() const noexcept { return next_ == longest_; }

 private:
  std::chrono::microseconds shortest_;
  std::chrono::microseconds longest_;
  std::chrono::microseconds next_;
};

}  // namespace swarmdns::sync
