// Response rate limiting per client address and prefix, in the manner of KRU: a fixed table of cache lines, two choices
// a key, short ids with 16-bit counters decaying exponentially, several prefix lengths charged at once. One table for
// all workers: its counters are updated with relaxed atomics and may lose a count, never grow or block.
#pragma once

#include <cstdint>
#include <memory>

#include "dataplane/net/frame.h"

namespace swarmdns::guard {

struct RateLimitOptions {
  std::uint32_t responses_per_second = 20000;  // for one address; 1-10,000,000
  std::uint32_t prefix_scale = 8;              // times that for a /24 or /48
  std::uint32_t slip = 2;                      // every Nth limited answer goes out truncated; 0 = none
  std::size_t table_bytes = std::size_t{4} << 20;
};

enum class RateVerdict : std::uint8_t { Pass, Slip, Drop };

class RateLimiter {
 public:
  static std::unique_ptr<RateLimiter> create(const RateLimitOptions& options);
  virtual ~RateLimiter() = default;
  virtual void prefetch(const net::Address& client) const noexcept = 0;
  // Charges one response. `now_ms`: any monotonic millisecond clock, wraps allowed. Any worker.
  virtual RateVerdict charge(const net::Address& client, std::uint32_t now_ms) noexcept = 0;
  // Changes rates of a live table. Control thread.
  virtual void set_rates(const RateLimitOptions& options) noexcept = 0;
};

}  // namespace swarmdns::guard
