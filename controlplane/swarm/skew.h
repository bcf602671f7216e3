// How far a peer's clock is ahead of this node's, from the reports that both send about once a second. No
// I/O: any thread may use its own.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

namespace swarmdns::controlplane {

// Peers whose clocks are further apart do not share (DESIGN.md, "Sharing").
inline constexpr std::int64_t kMostSkewMs = 2000;

class SkewEstimate {
 public:
  // A report that came at `now_ms` (monotonic) and `wall_ms` (Unix time, here): the peer's Unix time when it
  // was sent, and, when it echoes a report of this node (echo_wall_ms not 0), that report's Unix time and how
  // long ago it had come there.
  void report(std::uint64_t now_ms, std::uint64_t wall_ms, std::uint64_t peer_wall_ms,
              std::uint64_t echo_wall_ms, std::uint64_t echo_age_ms);
  // This node's clock was set, or the peer is another process now.
  void forget() { samples_.clear(); }

  struct Estimate {
    std::int64_t offset_ms = 0;       // the peer's clock is ahead by that much
    std::uint64_t round_trip_ms = 0;  // the offset is off by half of it at most
  };
  // From the newest reports, by the one with the least round trip; none while too few or too old.
  std::optional<Estimate> estimate(std::uint64_t now_ms) const;

  static bool skewed(const Estimate& estimate) {
    return estimate.offset_ms > kMostSkewMs || estimate.offset_ms < -kMostSkewMs;
  }
  // Age, here and now, of what the peer had at its Unix time `peer_wall_ms`; rounded up by what the offset
  // may be off. Nullopt: it is from the future by more than that, so one of the clocks was set meanwhile.
  static std::optional<std::uint64_t> age_ms(const Estimate& estimate, std::uint64_t wall_ms,
                                             std::uint64_t peer_wall_ms);

 private:
  struct Sample {
    std::uint64_t at_ms = 0;
    Estimate estimate;
  };
  std::deque<Sample> samples_;
};

}  // namespace swarmdns::controlplane
