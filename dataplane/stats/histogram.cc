#include "dataplane/stats/histogram.h"

#include <algorithm>
#include <cmath>

namespace swarmdns::stats {

void HistogramSnapshot::add(const Histogram& histogram) noexcept {
  for (std::size_t i = 0; i < kHistogramBuckets; ++i) {
    const std::uint64_t n = histogram.buckets_[i].load(std::memory_order_relaxed);
    buckets[i] += n;
    count += n;
  }
  sum_ns += histogram.sum_.load(std::memory_order_relaxed);
}

void HistogramSnapshot::add(const HistogramSnapshot& other) noexcept {
  for (std::size_t i = 0; i < kHistogramBuckets; ++i) buckets[i] += other.buckets[i];
  count += other.count;
  sum_ns += other.sum_ns;
}

HistogramSnapshot HistogramSnapshot::since(const HistogramSnapshot& earlier) const noexcept {
  HistogramSnapshot result;
  for (std::size_t i = 0; i < kHistogramBuckets; ++i) {
    result.buckets[i] = buckets[i] - std::min(buckets[i], earlier.buckets[i]);
    result.count += result.buckets[i];
  }
  result.sum_ns = sum_ns - std::min(sum_ns, earlier.sum_ns);
  return result;
}

std::uint64_t HistogramSnapshot::percentile_ns(double fraction) const noexcept {
  if (count == 0) return 0;
  const double wanted = std::clamp(fraction, 0.0, 1.0) * static_cast<double>(count);
  const auto rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(wanted)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kHistogramBuckets; ++i) {
    seen += buckets[i];
    if (seen >= rank) return i + 1 < kHistogramBuckets ? bucket_floor(i + 1) - 1 : bucket_floor(i);
  }
  return bucket_floor(kHistogramBuckets - 1);
}

double HistogramSnapshot::mean_ns() const noexcept {
  return count == 0 ? 0.0 : static_cast<double>(sum_ns) / static_cast<double>(count);
}

}  // namespace swarmdns::stats
