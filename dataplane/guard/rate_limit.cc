#include "dataplane/guard/rate_limit.h"

#include <sodium.h>
#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <new>

namespace swarmdns::guard {

// 32 lanes of 16 bits in eight words. Lane 0: tick of the last decay, low half; lanes 1-15: ids, 0 = free.
// Lane 16: tick, high half; lanes 17-31: the counters of lanes 1-15.
struct alignas(64) RateLimiter::Line {
  std::array<std::atomic<std::uint64_t>, 8> words;
};

struct RateLimiter::Place {
  Line* line = nullptr;
  unsigned lane = 0;
  std::uint16_t count = 0xffff;
};

namespace {

constexpr unsigned kTickShift = 4;  // a tick is 16 ms
constexpr double kTickSeconds = 0.016;
constexpr std::uint32_t kTickMask = 0xffffffff >> kTickShift;
constexpr std::uint32_t kFull = 0xffff;
constexpr unsigned kLanesPerWord = 4;
constexpr unsigned kCounterWords = 4;  // where they begin
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

// A bit in the top of each 16-bit lane that is zero, exactly.
constexpr std::uint64_t zero_lanes(std::uint64_t word) noexcept {
  constexpr std::uint64_t kLow = 0x7fff7fff7fff7fff;
  return ~(((word & kLow) + kLow) | word | kLow);
}

constexpr std::uint16_t lane_of(std::uint64_t word, unsigned lane) noexcept {
  return static_cast<std::uint16_t>(word >> (16 * lane));
}

constexpr std::uint64_t with_lane(std::uint64_t word, unsigned lane, std::uint16_t value) noexcept {
  const unsigned shift = 16 * lane;
  return (word & ~(std::uint64_t{0xffff} << shift)) | (std::uint64_t{value} << shift);
}

std::uint64_t load(const std::atomic<std::uint64_t>& word) noexcept {
  return word.load(std::memory_order_relaxed);
}

void store(std::atomic<std::uint64_t>& word, std::uint64_t value) noexcept {
  word.store(value, std::memory_order_relaxed);
}

// Brings the counters of a line to `tick`.
template <class Line>
void decay(Line& line, std::uint32_t tick) noexcept {
  const std::uint64_t first = load(line.words[0]);
  const std::uint64_t middle = load(line.words[kCounterWords]);
  const std::uint32_t last = lane_of(first, 0) | (std::uint32_t{lane_of(middle, 0)} << 16);
  const std::uint32_t passed = (tick - last) & kTickMask;
  // A worker whose clock was read a little earlier must not see half an era pass.
  if (passed == 0 || passed > kTickMask - 64) return;
  const std::uint32_t left = passed <= DecayTable::kTicks ? decay_table.left[passed - 1] : 0;
  for (unsigned i = kCounterWords; i < line.words.size(); ++i) {
    std::uint64_t word = load(line.words[i]);
    for (unsigned lane = 0; lane < kLanesPerWord; ++lane) {
      word = with_lane(word, lane, static_cast<std::uint16_t>((lane_of(word, lane) * left) >> 16));
    }
    if (i == kCounterWords) word = with_lane(word, 0, static_cast<std::uint16_t>(tick >> 16));
    store(line.words[i], word);
  }
  store(line.words[0], with_lane(first, 0, static_cast<std::uint16_t>(tick)));
}

// The lane of `id`, 0 when it is not there.
template <class Line>
unsigned find(const Line& line, std::uint16_t id) noexcept {
  const std::uint64_t pattern = id * std::uint64_t{0x0001000100010001};
  for (unsigned i = 0; i < kCounterWords; ++i) {
    std::uint64_t difference = load(line.words[i]) ^ pattern;
    if (i == 0) difference |= 0xffff;  // the tick is no id
    const std::uint64_t zeros = zero_lanes(difference);
    if (zeros != 0) return i * kLanesPerWord + static_cast<unsigned>(std::countr_zero(zeros)) / 16;
  }
  return 0;
}

// Random enough to round prices and cheap; every thread has its own.
std::uint32_t dither() noexcept {
  thread_local std::uint32_t state = 0x9e3779b9;
  state = state * 1664525 + 1013904223;
  return state >> 16;
}

}  // namespace

void RateLimiter::LinesDelete::operator()(Line* lines) const noexcept {
  std::free(lines);
}

std::unique_ptr<RateLimiter> RateLimiter::create(const RateLimitOptions& options) {
  if (sodium_init() < 0) throw std::bad_alloc();  // no source of random numbers
  const std::size_t bytes = std::bit_floor(std::max(options.table_bytes, kMinTableBytes));
  std::array<std::uint64_t, 4> key;
  randombytes_buf(key.data(), sizeof key);
  for (std::uint64_t& word : key)
    word |= std::uint64_t{1} << 63;  // IPv4 multiplies by the first as it is: never a small number
  std::unique_ptr<RateLimiter> limiter(new RateLimiter(bytes / sizeof(Line), key));
  limiter->set_rates(options);
  return limiter;
}

RateLimiter::RateLimiter(std::size_t lines, std::array<std::uint64_t, 4> key) : mask_(lines - 1), key_(key) {
  const std::size_t bytes = lines * sizeof(Line);
  void* memory = std::aligned_alloc(std::min(bytes, kHugePage), bytes);
  if (memory == nullptr) throw std::bad_alloc();
  (void)madvise(memory, bytes, MADV_HUGEPAGE);  // a hint: without it only the TLB suffers
  Line* first = static_cast<Line*>(memory);
  for (std::size_t i = 0; i < lines; ++i) new (first + i) Line{};
  lines_.reset(first);
}

RateLimiter::~RateLimiter() = default;

void RateLimiter::set_rates(const RateLimitOptions& options) noexcept {
  // With N + 1 as the divisor a rate of N lets N a second through for all N, small ones too.
  const auto price = [](std::uint64_t rate) {
    return static_cast<std::uint32_t>((std::uint64_t{kFull} << 16) / (rate + 1));
  };
  const std::uint64_t rate = std::clamp<std::uint32_t>(options.responses_per_second, 1, 10'000'000);
  const std::uint64_t scale = std::clamp<std::uint32_t>(options.prefix_scale, 1, 10'000);
  address_price_.store(price(rate), std::memory_order_relaxed);
  prefix_price_.store(std::max<std::uint32_t>(price(rate * scale), 1), std::memory_order_relaxed);
  slip_.store(options.slip, std::memory_order_relaxed);
}

std::array<std::uint64_t, 2> RateLimiter::hashes(const net::Address& client) const noexcept {
  std::uint64_t address_high = client.high();
  std::uint64_t address_low = client.low();
  std::uint64_t prefix_high = address_high;
  std::uint64_t prefix_low = address_low;
  if (client.is_v4()) {
    prefix_low &= 0x00ffffffffffffff;  // the last octet lies on top: /24
  } else {
    address_low = prefix_low = 0;       // a host has its /64
    prefix_high &= 0x0000ffffffffffff;  // /48
  }
  return {multiply_mix(address_high ^ key_[0], address_low ^ key_[1]),
          multiply_mix(prefix_high ^ key_[2], prefix_low ^ key_[3])};
}

void RateLimiter::prefetch(const net::Address& client) const noexcept {
  for (const std::uint64_t hash : hashes(client)) {
    __builtin_prefetch(&lines_[hash & mask_], 1);
    __builtin_prefetch(&lines_[(hash >> 24) & mask_], 1);
  }
}

bool RateLimiter::charge_key(std::uint64_t hash, std::uint32_t price, std::uint32_t tick) noexcept {
  const auto upper = static_cast<std::uint16_t>(hash >> 48);
  const std::uint16_t id = upper != 0 ? upper : 1;
  Line* const choices[2] = {&lines_[hash & mask_], &lines_[(hash >> 24) & mask_]};
  const std::uint32_t cost = static_cast<std::uint32_t>((std::uint64_t{price} + dither()) >> 16);

  for (Line* line : choices) {
    const unsigned lane = find(*line, id);
    if (lane == 0) continue;
    decay(*line, tick);
    std::atomic<std::uint64_t>& slot = line->words[kCounterWords + lane / kLanesPerWord];
    const std::uint64_t word = load(slot);
    const std::uint32_t count = lane_of(word, lane % kLanesPerWord) + cost;
    if (count > kFull) return true;  // nothing is charged for what is not sent
    store(slot, with_lane(word, lane % kLanesPerWord, static_cast<std::uint16_t>(count)));
    return false;
  }

  Place place;
  for (Line* line : choices) {
    decay(*line, tick);
    for (unsigned lane = 1; lane < kCounterWords * kLanesPerWord; ++lane) {
      const std::uint64_t word = load(line->words[kCounterWords + lane / kLanesPerWord]);
      const std::uint16_t count = lane_of(word, lane % kLanesPerWord);
      if (place.line == nullptr || count < place.count) place = {line, lane, count};
    }
  }
  const unsigned in_word = place.lane % kLanesPerWord;
  std::atomic<std::uint64_t>& id_word = place.line->words[place.lane / kLanesPerWord];
  std::atomic<std::uint64_t>& count_word = place.line->words[kCounterWords + place.lane / kLanesPerWord];
  store(id_word, with_lane(load(id_word), in_word, id));
  store(count_word, with_lane(load(count_word), in_word, static_cast<std::uint16_t>(std::min(cost, kFull))));
  return false;
}

RateVerdict RateLimiter::charge(const net::Address& client, std::uint32_t now_ms) noexcept {
  const std::uint32_t tick = now_ms >> kTickShift;
  const auto [address, prefix] = hashes(client);
  // A limited address is not charged to its neighbours.
  if (!charge_key(address, address_price_.load(std::memory_order_relaxed), tick) &&
      !charge_key(prefix, prefix_price_.load(std::memory_order_relaxed), tick)) {
    return RateVerdict::Pass;
  }
  const std::uint32_t slip = slip_.load(std::memory_order_relaxed);
  thread_local std::uint32_t limited = 0;
  return slip != 0 && ++limited % slip == 0 ? RateVerdict::Slip : RateVerdict::Drop;
}

}  // namespace swarmdns::guard
