// How many frames of each kind a worker lets through to the kernel: a token bucket a kind, so that a flood of
// one (SYNs, say) starves neither the others nor the worker. One a worker.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/stats/counters.h"

namespace swarmdns::worker {

// Frames a second and worker, and how many may come at once.
struct PoliceRate {
  std::uint32_t per_second = 0;  // 1,000-16,000,000, in steps of 1,000
  std::uint32_t burst = 0;
};

struct PoliceRates {
  PoliceRate arp{2'000, 256};
  PoliceRate icmp{2'000, 256};  // neighbour discovery too
  PoliceRate tcp{50'000, 2'048};
  PoliceRate fragments{5'000, 512};
  PoliceRate options{2'000, 256};
  PoliceRate other{5'000, 512};
};

class Police {
 public:
  explicit Police(const PoliceRates& rates = {}) noexcept;

  // `now_ms` wraps.
  void refill(std::uint32_t now_ms) noexcept;
  // One frame counted under `reason` (ToKernel*): false when its kind has used up its share.
  [[nodiscard]] bool pass(stats::Counter reason) noexcept;

 private:
  struct Bucket {
    std::uint32_t tokens = 0;
    std::uint32_t per_ms = 0;
    std::uint32_t burst = 0;
  };
  static constexpr std::size_t kKinds = 6;
  [[nodiscard]] static std::size_t kind(stats::Counter reason) noexcept;

  std::array<Bucket, kKinds> buckets_{};
  std::uint32_t last_ms_ = 0;
};

}  // namespace swarmdns::worker
