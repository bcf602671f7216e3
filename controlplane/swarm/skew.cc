#include "controlplane/swarm/skew.h"

#include <algorithm>
#include <cstdlib>

namespace swarmdns::controlplane {
namespace {

constexpr std::size_t kSamples = 16;
constexpr std::uint64_t kFreshMs = 30'000;
// A report that echoes something older says little about the round trip.
constexpr std::uint64_t kMostRoundTripMs = 10'000;
// Two estimates that differ by more than their round trips and this: a clock was set.
constexpr std::int64_t kStepMs = 200;

std::int64_t half(std::uint64_t round_trip_ms) {
  return static_cast<std::int64_t>((round_trip_ms + 1) / 2);
}

}  // namespace

void SkewEstimate::report(std::uint64_t now_ms, std::uint64_t wall_ms, std::uint64_t peer_wall_ms,
                          std::uint64_t echo_wall_ms, std::uint64_t echo_age_ms) {
  if (echo_wall_ms == 0) return;
  const auto away = static_cast<std::int64_t>(wall_ms - echo_wall_ms);
  const auto there = static_cast<std::int64_t>(echo_age_ms);
  // Negative, or longer than anything: this node's clock was set between the two reports.
  if (there < 0 || away < there || away - there > static_cast<std::int64_t>(kMostRoundTripMs)) return;
  Sample sample{now_ms, {}};
  sample.estimate.round_trip_ms = static_cast<std::uint64_t>(away - there);
  sample.estimate.offset_ms = static_cast<std::int64_t>(peer_wall_ms - wall_ms) +
                              static_cast<std::int64_t>(sample.estimate.round_trip_ms / 2);
  std::erase_if(samples_, [&](const Sample& earlier) {
    const std::int64_t apart = std::llabs(earlier.estimate.offset_ms - sample.estimate.offset_ms);
    return apart > half(earlier.estimate.round_trip_ms) + half(sample.estimate.round_trip_ms) + kStepMs;
  });
  samples_.push_back(sample);
  if (samples_.size() > kSamples) samples_.pop_front();
}

std::optional<SkewEstimate::Estimate> SkewEstimate::estimate(std::uint64_t now_ms) const {
  if (samples_.empty() || now_ms - samples_.back().at_ms > kFreshMs) return std::nullopt;
  return std::ranges::min_element(samples_, {},
                                  [](const Sample& sample) { return sample.estimate.round_trip_ms; })
      ->estimate;
}

std::optional<std::uint64_t> SkewEstimate::age_ms(const Estimate& estimate, std::uint64_t wall_ms,
                                                  std::uint64_t peer_wall_ms) {
  const std::int64_t age = static_cast<std::int64_t>(wall_ms - peer_wall_ms) + estimate.offset_ms;
  const std::int64_t uncertain = half(estimate.round_trip_ms);
  if (age < -(uncertain + kStepMs)) return std::nullopt;
  return static_cast<std::uint64_t>(std::max<std::int64_t>(age, 0) + uncertain);
}

}  // namespace swarmdns::controlplane
