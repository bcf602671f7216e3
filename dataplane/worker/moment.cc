#include "dataplane/worker/moment.h"

#include <time.h>

namespace swarmdns::worker {

void MomentClock::read(std::uint64_t tsc) noexcept {
  read_at_ = tsc;
  const std::uint64_t ms = clock_.milliseconds();
  moment_.now = static_cast<cache::Seconds>(ms / 1000);
  moment_.ms = static_cast<std::uint32_t>(ms);
  timespec wall{};
  clock_gettime(CLOCK_REALTIME_COARSE, &wall);
  moment_.wall_s = static_cast<std::uint32_t>(wall.tv_sec);
}

}  // namespace swarmdns::worker
