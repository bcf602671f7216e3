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
#include <bit>
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
  [[nodiscard, gnu::always_inline]] Keys keys(const net::Address& client) const noexcept {
    // A host of IPv6 has its /64; the neighbourhood is a /48, of IPv4 a /24, whose last octet lies on top.
    const bool v4 = client.is_v4();
    const std::uint64_t high = client.high();
    const std::uint64_t low = v4 ? client.low() : 0;
    const std::uint64_t around = v4 ? high : high & 0x0000ffffffffffff;
    return {multiply_mix(high ^ key_[0], low ^ key_[1]),
            multiply_mix(around ^ key_[2], (low & 0x00ffffffffffffff) ^ key_[3])};
  }
  [[gnu::always_inline]] void prefetch(const Keys& keys) const noexcept {
    for (const std::uint64_t hash : {keys.address, keys.prefix}) {
      __builtin_prefetch(&lines_[hash & mask_], 1);
      __builtin_prefetch(&lines_[(hash >> 24) & mask_], 1);
    }
  }
  // Charges one response. `now_ms`: any monotonic millisecond clock, wraps allowed. Any worker.
  [[gnu::always_inline]] RateVerdict charge(const Keys& keys, std::uint32_t now_ms) noexcept {
    const std::uint32_t tick = now_ms >> kTickShift;
    // A limited address is not charged to its neighbours.
    if (charge_key(keys.address, address_price_.load(std::memory_order_relaxed), tick) &&
        charge_key(keys.prefix, prefix_price_.load(std::memory_order_relaxed), tick)) [[likely]] {
      return RateVerdict::Pass;
    }
    return refuse();
  }
  RateVerdict charge(const net::Address& client, std::uint32_t now_ms) noexcept {
    return charge(keys(client), now_ms);
  }
  // Changes rates and slip of a live table (its size stays). Control thread.
  void set_rates(const RateLimitOptions& options) noexcept;

 private:
  RateLimiter(std::size_t lines, std::array<std::uint64_t, 4> key);

  static constexpr unsigned kTickShift = 4;  // a tick is 16 ms
  static constexpr std::uint32_t kTickMask = 0xffffffff >> kTickShift;
  static_assert(kTickShift + RateLine::kTickBits == 32);

  [[gnu::always_inline]] static std::uint64_t multiply_mix(std::uint64_t a, std::uint64_t b) noexcept {
    __extension__ using Uint128 = unsigned __int128;
    const Uint128 product = Uint128{a} * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  }
  // Random enough to round prices and cheap; every thread has its own.
  [[gnu::always_inline]] static std::uint32_t dither() noexcept {
    dither_ = dither_ * 1664525 + 1013904223;
    return dither_ >> 16;
  }
  // Brings the counters of a line to `tick`.
  [[gnu::always_inline]] static void bring_to(RateLine& line, std::uint32_t tick) noexcept {
    const std::uint32_t passed = (tick - line.tick()) & kTickMask;
    if (passed != 0) decay(line, tick, passed);
  }

  // False when the price would be too much: then nothing is charged.
  [[gnu::always_inline]] bool charge_key(std::uint64_t hash, std::uint32_t price,
                                         std::uint32_t tick) noexcept {
    const auto upper = static_cast<std::uint16_t>(hash >> 48);
    const std::uint16_t id = upper != 0 ? upper : 1;
    RateLine& first = lines_[hash & mask_];
    RateLine& second = lines_[(hash >> 24) & mask_];
    const std::uint32_t cost = static_cast<std::uint32_t>((std::uint64_t{price} + dither()) >> 16);

    // Which of the two it is, is chance: both are looked at, and nothing branches on it.
    const unsigned in_first = first.match(id);
    const unsigned in_second = second.match(id);
    const unsigned lanes = in_first != 0 ? in_first : in_second;
    if (lanes != 0) [[likely]] {
      RateLine& line = *(in_first != 0 ? &first : &second);
      bring_to(line, tick);
      return line.add(static_cast<unsigned>(std::countr_zero(lanes)), cost);
    }
    admit(first, second, id, cost, tick);
    return true;
  }
  static void decay(RateLine& line, std::uint32_t tick, std::uint32_t passed) noexcept;
  static void admit(RateLine& first, RateLine& second, std::uint16_t id, std::uint32_t cost,
                    std::uint32_t tick) noexcept;
  [[nodiscard]] RateVerdict refuse() const noexcept;

  static inline constinit thread_local std::uint32_t dither_ = 0x9e3779b9;

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
