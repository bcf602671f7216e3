#include "controlplane/supervise/back_off.h"

#include <algorithm>
#include <random>

namespace swarmdns::controlplane {

BackOff::BackOff(BackOffOptions options, std::function<double()> random)
    : options_(options), random_(std::move(random)) {
  if (!random_) {
    random_ = [engine = std::mt19937_64(std::random_device{}())]() mutable {
      return std::uniform_real_distribution<double>(0, 1)(engine);
    };
  }
}

void BackOff::started(Clock::time_point now) {
  running_ = true;
  started_ = now;
}

std::chrono::milliseconds BackOff::ended(Clock::time_point now) {
  if (running_ && now - started_ >= options_.stable) failures_ = 0;
  running_ = false;
  double delay = static_cast<double>(options_.first.count());
  const auto max = static_cast<double>(options_.max.count());
  for (unsigned i = 0; i < failures_ && delay < max; ++i) delay *= options_.factor;
  delay = std::min(delay, max);
  ++failures_;
  delay *= 1 + options_.jitter * (2 * random_() - 1);
  return std::chrono::milliseconds(static_cast<int64_t>(delay));
}

void BackOff::reset() {
  failures_ = 0;
}

}  // namespace swarmdns::controlplane
