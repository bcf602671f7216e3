// Time for those who wait: real, or a test's.
#pragma once

#include <cstdint>
#include <stop_token>

namespace swarmdns::controlplane {

class WaitClock {
 public:
  virtual ~WaitClock() = default;
  virtual std::int64_t now_us() = 0;  // monotonic
  // False: asked to stop, at once or before the time was over.
  virtual bool sleep_us(std::int64_t length, const std::stop_token& stop) = 0;
};

WaitClock& real_wait_clock();  // any thread

}  // namespace swarmdns::controlplane
