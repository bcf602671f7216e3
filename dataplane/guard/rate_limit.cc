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

constexpr double kTickSeconds = 0.016;
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

void RateLimiter::decay(RateLine& line, std::uint32_t tick, std::uint32_t passed) noexcept {
  // A worker whose clock was read a little earlier must not see half an era pass.
  if (passed > kTickMask - 64) return;
  line.scale(passed <= DecayTable::kTicks ? decay_table.left[passed - 1] : 0);
  line.set_tick(tick);
}

// A newcomer takes the lane with the lowest count of both lines.
void RateLimiter::admit(RateLine& first, RateLine& second, std::uint16_t id, std::uint32_t cost,
                        std::uint32_t tick) noexcept {
  bring_to(first, tick);
  bring_to(second, tick);
  const RateLine::Weakest a = first.weakest();
  const RateLine::Weakest b = second.weakest();
  RateLine& line = b.count < a.count ? second : first;
  line.take(b.count < a.count ? b.lane : a.lane, id,
            static_cast<std::uint16_t>(std::min(cost, RateLine::kFull)));
}

RateVerdict RateLimiter::refuse() const noexcept {
  const std::uint32_t slip = slip_.load(std::memory_order_relaxed);
  thread_local std::uint32_t limited = 0;
  return slip != 0 && ++limited % slip == 0 ? RateVerdict::Slip : RateVerdict::Drop;
}

}  // namespace swarmdns::guard
