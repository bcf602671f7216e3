// A log-linear histogram of latencies in nanoseconds: 32 buckets for each power of two, so that a value is
// known to about 3 %. Written by one thread without atomic read-modify-writes, read by anybody; a snapshot
// may miss what is being added at that moment, never count it twice.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace swarmdns::stats {

inline constexpr unsigned kSubBucketBits = 5;
inline constexpr std::uint64_t kSubBuckets = 1U << kSubBucketBits;
// Values of 2^36 ns (69 s) and above share the last bucket.
inline constexpr unsigned kMaxValueBits = 36;
inline constexpr std::size_t kHistogramBuckets = (kMaxValueBits - kSubBucketBits + 1) * kSubBuckets;

[[nodiscard]] constexpr std::size_t bucket_of(std::uint64_t nanoseconds) noexcept {
  if (nanoseconds < kSubBuckets) return nanoseconds;
  if (nanoseconds >> kMaxValueBits != 0) return kHistogramBuckets - 1;
  const unsigned shift = static_cast<unsigned>(std::bit_width(nanoseconds)) - 1 - kSubBucketBits;
  return (static_cast<std::size_t>(shift) << kSubBucketBits) + (nanoseconds >> shift);
}

// The smallest value that falls into a bucket.
[[nodiscard]] constexpr std::uint64_t bucket_floor(std::size_t bucket) noexcept {
  if (bucket < 2 * kSubBuckets) return bucket;
  const std::size_t shift = (bucket >> kSubBucketBits) - 1;
  return ((bucket & (kSubBuckets - 1)) | kSubBuckets) << shift;
}

class Histogram {
 public:
  // Owner thread only. Counts `count` events of the same latency (a burst's hits).
  void add(std::uint64_t nanoseconds, std::uint64_t count = 1) noexcept {
    auto& bucket = buckets_[bucket_of(nanoseconds)];
    bucket.store(bucket.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
    sum_.store(sum_.load(std::memory_order_relaxed) + nanoseconds * count, std::memory_order_relaxed);
  }

 private:
  friend struct HistogramSnapshot;
  alignas(64) std::array<std::atomic<std::uint64_t>, kHistogramBuckets> buckets_{};
  std::atomic<std::uint64_t> sum_{0};
};

// A copy to compute with. Histograms of several threads are added to one snapshot.
struct HistogramSnapshot {
  std::array<std::uint64_t, kHistogramBuckets> buckets{};
  std::uint64_t count = 0;
  std::uint64_t sum_ns = 0;

  void add(const Histogram& histogram) noexcept;
  void add(const HistogramSnapshot& other) noexcept;
  // What came since `earlier`, a snapshot of the same histograms.
  [[nodiscard]] HistogramSnapshot since(const HistogramSnapshot& earlier) const noexcept;

  // The value that `fraction` (0-1) of the events do not exceed: the upper end of its bucket. 0 when empty.
  [[nodiscard]] std::uint64_t percentile_ns(double fraction) const noexcept;
  [[nodiscard]] double mean_ns() const noexcept;
};

}  // namespace swarmdns::stats
