#include "controlplane/targets/wait_clock.h"

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace swarmdns::controlplane {
namespace {

class RealWaitClock final : public WaitClock {
 public:
  std::int64_t now_us() override {
    const auto since = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::microseconds>(since).count();
  }
  bool sleep_us(std::int64_t length, const std::stop_token& stop) override {
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    stopped.wait_for(lock, stop, std::chrono::microseconds(length), [] { return false; });
    return !stop.stop_requested();
  }
};

}  // namespace

WaitClock& real_wait_clock() {
  static RealWaitClock clock;
  return clock;
}

}  // namespace swarmdns::controlplane
