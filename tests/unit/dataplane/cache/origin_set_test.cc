#include "dataplane/cache/origin_set.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace swarmdns::cache {
namespace {

using Range = OriginSet::Range;
constexpr std::uint64_t kMost = OriginSet::kMostNumber;

TEST(OriginSet, RangesAreInclusiveAndOfOneNode) {
  const Range ranges[] = {{7, 10, 20}};
  const OriginSet set(ranges, false);
  EXPECT_FALSE(set.contains({7, 9}));
  EXPECT_TRUE(set.contains({7, 10}));
  EXPECT_TRUE(set.contains({7, 20}));
  EXPECT_FALSE(set.contains({7, 21}));
  EXPECT_FALSE(set.contains({6, 15}));
  EXPECT_FALSE(set.contains({8, 15}));
}

TEST(OriginSet, WholeNodesTouchNobodyElse) {
  const Range ranges[] = {
      {0, 1, std::numeric_limits<std::uint64_t>::max()}, {2, 0, kMost}, {65535, 5, kMost}};
  const OriginSet set(ranges, false);
  EXPECT_EQ(set.ranges(), 3U);
  EXPECT_TRUE(set.contains({0, kMost}));
  EXPECT_FALSE(set.contains({1, 1}));
  EXPECT_FALSE(set.contains({1, kMost}));
  EXPECT_TRUE(set.contains({2, 1}));
  EXPECT_FALSE(set.contains({65535, 4}));
  EXPECT_TRUE(set.contains({65535, kMost}));
}

TEST(OriginSet, UnknownIsAskedForByName) {
  const Range ranges[] = {{0, 0, kMost}};
  EXPECT_FALSE(OriginSet(ranges, false).contains({0, 0}));
  EXPECT_TRUE(OriginSet(ranges, true).contains({0, 0}));
  EXPECT_TRUE(OriginSet({}, true).contains({}));
  EXPECT_FALSE(OriginSet({}, true).contains({0, 1}));
  EXPECT_FALSE(OriginSet().contains({}));
}

TEST(OriginSet, OwnNumbersEndWhereNoneWereGiven) {
  const Range ranges[] = {{0, 5, 10}, {0, 90, kMost}, {0, 200, 300}, {1, 90, kMost}};
  OriginSet set(ranges, false);
  set.end_own_at(100);
  EXPECT_TRUE(set.contains({0, 7}));
  EXPECT_TRUE(set.contains({0, 99}));
  EXPECT_FALSE(set.contains({0, 100}));
  EXPECT_FALSE(set.contains({0, 250}));
  EXPECT_TRUE(set.contains({1, 100}));
  set.end_own_at(5);
  EXPECT_FALSE(set.contains({0, 7}));
  EXPECT_EQ(set.ranges(), 1U);
}

TEST(OriginSet, SaysTheSameAsEveryRangeAskedInTurn) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 200; ++round) {
    std::vector<Range> ranges;
    for (std::uint64_t i = random() % 40; i > 0; --i) {
      const std::uint64_t first = random() % 100;
      ranges.push_back({static_cast<std::uint16_t>(random() % 3), first, first + random() % 6 - 1});
    }
    const OriginSet set(ranges, false);
    for (std::uint16_t node = 0; node < 4; ++node) {
      for (std::uint64_t number = 1; number < 110; ++number) {
        const bool wanted = std::ranges::any_of(ranges, [&](const Range& range) {
          return range.node == node && range.first <= number && number <= range.last &&
                 range.first <= range.last;
        });
        ASSERT_EQ(set.contains({node, number}), wanted) << node << ' ' << number;
      }
    }
  }
}

}  // namespace
}  // namespace swarmdns::cache
