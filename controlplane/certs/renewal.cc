#include "controlplane/certs/renewal.h"

#include <algorithm>

namespace swarmdns::controlplane {
namespace {

constexpr std::int64_t kFirstPause = 5;
constexpr std::int64_t kLongestPause = 600;
constexpr std::int64_t kParts = 1024;

// 0 to kParts - 1, even for numbers that follow each other: the mixer of SplitMix64.
std::int64_t share(std::uint64_t seed) {
  seed += 0x9e3779b97f4a7c15;
  seed = (seed ^ seed >> 30) * 0xbf58476d1ce4e5b9;
  seed = (seed ^ seed >> 27) * 0x94d049bb133111eb;
  return static_cast<std::int64_t>((seed ^ seed >> 31) % kParts);
}

}  // namespace

std::int64_t next_renewal(const RenewalState& state) {
  const std::int64_t lifetime = std::max<std::int64_t>(state.not_after - state.not_before, 0);
  const std::int64_t due = state.not_after - lifetime / 3 - lifetime / 20 * share(state.node) / kParts;
  if (state.failures == 0) return due;
  const std::int64_t pause = std::min(kFirstPause << std::min(state.failures - 1, 10u), kLongestPause);
  const std::int64_t more = pause / 2 * share(state.node * 64 + state.failures) / kParts;
  return std::max(due, state.last_attempt + pause + more);
}

}  // namespace swarmdns::controlplane
