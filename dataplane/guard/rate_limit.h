// Response rate limiting per client address and prefix: a fixed table of cache lines, each with a time stamp,
// 15 short ids and 15 16-bit counters that decay exponentially (time constant: one second). A key may stand
// in either of two lines; the address (IPv6: its /64) and the prefix around it (/24, /48) are charged at
// once. One table for all workers: it is updated with relaxed atomics and may lose a count, never grow or
// block.
//
// A newcomer takes the slot with the lowest count and starts from nothing, so that nobody is limited for
// another's traffic; keys that are evicted while busy are let through rather than blocked.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "dataplane/guard/rate_line.h"
#include "dataplane/net/address.h"

namespace swarmdns::guard {

struct RateLimitOptions {
  std::uint32_t responses_per_second = 20000;      // for one address; 1-10,000,000
  std::uint32_t prefix_scale = 8;                  // times that for a /24 or /48; 1-10,000
  std::uint32_t slip = 2;                          // every Nth limited answer goes out truncated; 0 = none
  std::size_t table_bytes = std::size_t{4} << 20;  // rounded down to a power of two, at least 64 KiB
};

enum class RateVerdict : std::uint8_t { Pass, Slip, Drop };

class RateLimiter {
 public:
  // The hash key is random: nobody can choose addresses that share a line with a victim.
  static std::unique_ptr<RateLimiter> create(const RateLimitOptions& options);
  ~RateLimiter();
  RateLimiter(const RateLimiter&) = delete;
  RateLimiter& operator=(const RateLimiter&) = delete;

  // Where a client is counted: hashes of its address and of the prefix around it.
  struct Keys {
    std::uint64_t address = 0;
    std::uint64_t prefix = 0;
  };
  [[nodiscard]] Keys keys(const net::Address& client) const noexcept;
  void prefetch(const Keys& keys) const noexcept;
  // Charges one response. `now_ms`: any monotonic millisecond clock, wraps allowed. Any worker.
  RateVerdict charge(const Keys& keys, std::uint32_t now_ms) noexcept;
  RateVerdict charge(const net::Address& client, std::uint32_t now_ms) noexcept {
    return charge(keys(client), now_ms);
  }
  // Changes rates and slip of a live table (its size stays). Control thread.
  void set_rates(const RateLimitOptions& options) noexcept;

 private:
  RateLimiter(std::size_t lines, std::array<std::uint64_t, 4> key);

  bool charge_key(std::uint64_t hash, std::uint32_t price, std::uint32_t tick) noexcept;
  static void admit(RateLine& first, RateLine& second, std::uint16_t id, std::uint32_t cost,
                    std::uint32_t tick) noexcept;

  struct LinesDelete {
    void operator()(RateLine* lines) const noexcept;
  };
  std::unique_ptr<RateLine[], LinesDelete> lines_;
  std::size_t mask_;
  std::array<std::uint64_t, 4> key_;
  // What one response adds to a counter of 0-65535, in 1/65536: one second at the rate fills it.
  std::atomic<std::uint32_t> address_price_{0};
  std::atomic<std::uint32_t> prefix_price_{0};
  std::atomic<std::uint32_t> slip_{0};
};

}  // namespace swarmdns::guard
