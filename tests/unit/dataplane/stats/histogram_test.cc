#include "dataplane/stats/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace swarmdns::stats {
namespace {

TEST(Histogram, BucketsAreContiguousAndOrdered) {
  for (std::size_t bucket = 0; bucket < kHistogramBuckets; ++bucket) {
    EXPECT_EQ(bucket_of(bucket_floor(bucket)), bucket);
    if (bucket > 0) {
      EXPECT_EQ(bucket_of(bucket_floor(bucket) - 1), bucket - 1);
    }
  }
}

TEST(Histogram, EveryValueHasABucket) {
  EXPECT_EQ(bucket_of(0), 0U);
  EXPECT_EQ(bucket_of((std::uint64_t{1} << kMaxValueBits) - 1), kHistogramBuckets - 1);
  EXPECT_EQ(bucket_of(std::uint64_t{1} << kMaxValueBits), kHistogramBuckets - 1);
  EXPECT_EQ(bucket_of(~std::uint64_t{0}), kHistogramBuckets - 1);
}

TEST(Histogram, PercentilesAreWithinThreePercent) {
  Histogram histogram;
  std::vector<std::uint64_t> values;
  std::mt19937_64 random(7);
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t value = std::uint64_t{1} << (random() % 24);
    values.push_back(value + random() % value);
    histogram.add(values.back());
  }
  std::ranges::sort(values);
  HistogramSnapshot snapshot;
  snapshot.add(histogram);
  ASSERT_EQ(snapshot.count, values.size());
  for (const double fraction : {0.01, 0.5, 0.9, 0.99, 0.999}) {
    const auto exact = static_cast<double>(values[static_cast<std::size_t>(fraction * 1e5) - 1]);
    EXPECT_NEAR(static_cast<double>(snapshot.percentile_ns(fraction)), exact, exact * 0.04 + 1) << fraction;
  }
  EXPECT_GE(snapshot.percentile_ns(1.0), values.back());
}

TEST(Histogram, ASingleEventIsEveryPercentile) {
  Histogram histogram;
  histogram.add(1000);
  HistogramSnapshot snapshot;
  snapshot.add(histogram);
  EXPECT_EQ(snapshot.percentile_ns(0.0), snapshot.percentile_ns(1.0));
  EXPECT_GE(snapshot.percentile_ns(0.5), 1000U);
  EXPECT_LE(snapshot.percentile_ns(0.5), 1032U);
  EXPECT_DOUBLE_EQ(snapshot.mean_ns(), 1000.0);
}

TEST(Histogram, EmptyIsZero) {
  const HistogramSnapshot snapshot;
  EXPECT_EQ(snapshot.percentile_ns(0.99), 0U);
  EXPECT_DOUBLE_EQ(snapshot.mean_ns(), 0.0);
}

TEST(Histogram, DifferencesCountOnlyWhatCameSince) {
  Histogram histogram;
  histogram.add(10, 5);
  HistogramSnapshot before;
  before.add(histogram);
  histogram.add(10, 2);
  histogram.add(5000);
  HistogramSnapshot after;
  after.add(histogram);
  const HistogramSnapshot difference = after.since(before);
  EXPECT_EQ(difference.count, 3U);
  EXPECT_EQ(difference.buckets[bucket_of(10)], 2U);
  EXPECT_EQ(difference.sum_ns, 5020U);
}

}  // namespace
}  // namespace swarmdns::stats
