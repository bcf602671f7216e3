// A clock that moves only when somebody sleeps.
#pragma once

#include <functional>
#include <vector>

#include "controlplane/targets/wait_clock.h"

namespace swarmdns::controlplane {

class FakeWaitClock final : public WaitClock {
 public:
  std::int64_t now_us() override { return now_us_; }
  bool sleep_us(std::int64_t length, const std::stop_token& stop) override {
    if (asleep) asleep();
    if (stop.stop_requested()) return false;
    slept_us.push_back(length);
    now_us_ += length;
    return true;
  }
  void advance_us(std::int64_t length) { now_us_ += length; }

  std::vector<std::int64_t> slept_us;
  std::function<void()> asleep;

 private:
  std::int64_t now_us_ = 1'000'000;
};

}  // namespace swarmdns::controlplane
