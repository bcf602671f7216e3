#include "dataplane/guard/rate_limit.h"

#include <sodium.h>
#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <new>

namespace swarmdns::guard {

namespace {

constexpr unsigned kTickShift = 4;  // a tick is 16 ms
constexpr double kTickSeconds = 0.016;
constexpr std::uint32_t kTickMask = 0xffffffff >> kTickShift;
static_assert(kTickShift + RateLine::kTickBits == 32);
constexpr std::size_t kMinTableBytes = std::size_t{64} << 10;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

// What is left of a counter after 1, 2, ... ticks, in 1/65536; nothing after the last.
struct DecayTable {
  static constexpr std::size_t kTicks = 704;
  std::array<std::uint16_t, kTicks> left{};
  DecayTable() {
    for (std::size_t i = 0; i < kTicks; ++i) {
      left[i] = static_cast<std::uint16_t>(65536.0 * std::exp(-kTickSeconds * static_cast<double>(i + 1)));
    }
  }
};
const DecayTable decay_table;

std::uint64_t multiply_mix(std::uint64_t a, std::uint64_t b) noexcept {
  __extension__ using Uint128 = unsigned __int128;
  const Uint128 product = Uint128{a} * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

[[gnu::noinline]] void decay_by(RateLine& line, std::uint32_t tick, std::uint32_t passed) noexcept {
  // A worker whose clock was read a little earlier must not see half an era pass.
  if (passed > kTickMask - 64) return;
  line.scale(passed <= DecayTable::kTicks ? decay_table.left[passed - 1] : 0);
  line.set_tick(tick);
}

// Brings the counters of a line to `tick`.
void decay(RateLine& line, std::uint32_t tick) noexcept {
  const std::uint32_t passed = (tick - line.tick()) & kTickMask;
  if (passed != 0) decay_by(line, tick, passed);
}

// Random enough to round prices and cheap; every thread has its own.
std::uint32_t dither() noexcept {
  thread_local std::uint32_t state = 0x9e3779b9;
  state = state * 1664525 + 1013904223;
  return state >> 16;
}

}  // namespace

void RateLimiter::LinesDelete::operator()(RateLine* lines) const noexcept {
  std::free(lines);
}

std::unique_ptr<RateLimiter> RateLimiter::create(const RateLimitOptions& options) {
  if (sodium_init() < 0) throw std::bad_alloc();  // no source of random numbers
  const std::size_t bytes = std::bit_floor(std::max(options.table_bytes, kMinTableBytes));
  std::array<std::uint64_t, 4> key;
  randombytes_buf(key.data(), sizeof key);
  for (std::uint64_t& word : key)
    word |= std::uint64_t{1} << 63;  // IPv4 multiplies by the first as it is: never a small number
  std::unique_ptr<RateLimiter> limiter(new RateLimiter(bytes / sizeof(RateLine), key));
  limiter->set_rates(options);
  return limiter;
}

RateLimiter::RateLimiter(std::size_t lines, std::array<std::uint64_t, 4> key) : mask_(lines - 1), key_(key) {
  const std::size_t bytes = lines * sizeof(RateLine);
  void* memory = std::aligned_alloc(std::min(bytes, kHugePage), bytes);
  if (memory == nullptr) throw std::bad_alloc();
  (void)madvise(memory, bytes, MADV_HUGEPAGE);  // a hint: without it only the TLB suffers
  auto* const first = static_cast<RateLine*>(memory);
  for (std::size_t i = 0; i < lines; ++i) new (first + i) RateLine{};
  lines_.reset(first);
}

RateLimiter::~RateLimiter() = default;

void RateLimiter::set_rates(const RateLimitOptions& options) noexcept {
  // With N + 1 as the divisor a rate of N lets N a second through for all N, small ones too.
  const auto price = [](std::uint64_t rate) {
    return static_cast<std::uint32_t>((std::uint64_t{RateLine::kFull} << 16) / (rate + 1));
  };
  const std::uint64_t rate = std::clamp<std::uint32_t>(options.responses_per_second, 1, 10'000'000);
  const std::uint64_t scale = std::clamp<std::uint32_t>(options.prefix_scale, 1, 10'000);
  address_price_.store(price(rate), std::memory_order_relaxed);
  prefix_price_.store(std::max<std::uint32_t>(price(rate * scale), 1), std::memory_order_relaxed);
  slip_.store(options.slip, std::memory_order_relaxed);
}

RateLimiter::Keys RateLimiter::keys(const net::Address& client) const noexcept {
  // A host of IPv6 has its /64; the neighbourhood is a /48, of IPv4 a /24, whose last octet lies on top.
  const bool v4 = client.is_v4();
  const std::uint64_t high = client.high();
  const std::uint64_t low = v4 ? client.low() : 0;
  const std::uint64_t around = v4 ? high : high & 0x0000ffffffffffff;
  return {multiply_mix(high ^ key_[0], low ^ key_[1]),
          multiply_mix(around ^ key_[2], (low & 0x00ffffffffffffff) ^ key_[3])};
}

void RateLimiter::prefetch(const Keys& keys) const noexcept {
  for (const std::uint64_t hash : {keys.address, keys.prefix}) {
    __builtin_prefetch(&lines_[hash & mask_], 1);
    __builtin_prefetch(&lines_[(hash >> 24) & mask_], 1);
  }
}

// A newcomer takes the lane with the lowest count of both lines.
[[gnu::noinline]] void RateLimiter::admit(RateLine& first, RateLine& second, std::uint16_t id,
                                          std::uint32_t cost, std::uint32_t tick) noexcept {
  decay(first, tick);
  decay(second, tick);
  const RateLine::Weakest a = first.weakest();
  const RateLine::Weakest b = second.weakest();
  RateLine& line = b.count < a.count ? second : first;
  line.take(b.count < a.count ? b.lane : a.lane, id,
            static_cast<std::uint16_t>(std::min(cost, RateLine::kFull)));
}

[[gnu::always_inline]] inline bool RateLimiter::charge_key(std::uint64_t hash, std::uint32_t price,
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
    decay(line, tick);
    // Nothing is charged for what is not sent.
    return !line.add(static_cast<unsigned>(std::countr_zero(lanes)), cost);
  }
  admit(first, second, id, cost, tick);
  return false;
}

RateVerdict RateLimiter::charge(const Keys& keys, std::uint32_t now_ms) noexcept {
  const std::uint32_t tick = now_ms >> kTickShift;
  // A limited address is not charged to its neighbours.
  if (!charge_key(keys.address, address_price_.load(std::memory_order_relaxed), tick) &&
      !charge_key(keys.prefix, prefix_price_.load(std::memory_order_relaxed), tick)) [[likely]] {
    return RateVerdict::Pass;
  }
  const std::uint32_t slip = slip_.load(std::memory_order_relaxed);
  thread_local std::uint32_t limited = 0;
  return slip != 0 && ++limited % slip == 0 ? RateVerdict::Slip : RateVerdict::Drop;
}

}  // namespace swarmdns::guard
