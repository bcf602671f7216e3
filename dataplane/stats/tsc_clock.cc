#include "dataplane/stats/tsc_clock.h"

#include <time.h>

#include <algorithm>

namespace swarmdns::stats {
namespace {

std::uint64_t raw_ns() noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_RAW, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

struct Moment {
  std::uint64_t tsc;
  std::uint64_t ns;
};

// The clock read closest to its counter reads: a preemption between them would falsify the pair.
Moment moment() noexcept {
  Moment best{};
  std::uint64_t narrowest = ~std::uint64_t{0};
  for (int i = 0; i < 16; ++i) {
    const std::uint64_t before = read_tsc();
    const std::uint64_t ns = raw_ns();
    const std::uint64_t after = read_tsc();
    if (after - before < narrowest) {
      narrowest = after - before;
      best = {before + (after - before) / 2, ns};
    }
  }
  return best;
}

}  // namespace

TscClock::TscClock(std::uint64_t hz) noexcept
    : hz_(std::max<std::uint64_t>(hz, 1'000'000)),
      ns_per_tick_(static_cast<std::uint64_t>((static_cast<Wide>(1'000'000'000U) << 32) / hz_)) {}

TscClock TscClock::calibrate() {
  const Moment start = moment();
  const timespec pause{.tv_sec = 0, .tv_nsec = 20'000'000};
  nanosleep(&pause, nullptr);
  const Moment end = moment();
  const std::uint64_t elapsed = std::max<std::uint64_t>(end.ns - start.ns, 1);
  return TscClock(
      static_cast<std::uint64_t>(static_cast<Wide>(end.tsc - start.tsc) * 1'000'000'000U / elapsed));
}

}  // namespace swarmdns::stats
