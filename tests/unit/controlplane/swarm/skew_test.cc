#include "controlplane/swarm/skew.h"

#include <gtest/gtest.h>

namespace swarmdns::controlplane {
namespace {

constexpr std::uint64_t kWall = 1'700'000'000'000;

// A report that took `there` and `back` ms on the way, to a peer whose clock is `offset` ahead and who held
// it 500 ms.
void exchange(SkewEstimate& skew, std::uint64_t now, std::int64_t offset, std::uint64_t there,
              std::uint64_t back) {
  const std::uint64_t sent = kWall + now - there - back - 500;
  const std::uint64_t peer_wall = kWall + now - back + static_cast<std::uint64_t>(offset);
  skew.report(now, kWall + now, peer_wall, sent, 500);
}

TEST(Skew, FindsTheOffsetByTheQuickestRoundTrip) {
  SkewEstimate skew;
  EXPECT_FALSE(skew.estimate(0));
  exchange(skew, 1000, 700, 90, 10);
  exchange(skew, 2000, 700, 2, 2);
  exchange(skew, 3000, 700, 10, 150);
  const auto estimate = skew.estimate(3000);
  ASSERT_TRUE(estimate);
  EXPECT_EQ(estimate->offset_ms, 700);
  EXPECT_EQ(estimate->round_trip_ms, 4U);
  EXPECT_FALSE(SkewEstimate::skewed(*estimate));
  EXPECT_FALSE(skew.estimate(60'000)) << "too old";
}

TEST(Skew, AClockThatWasSetIsSeenAtOnce) {
  SkewEstimate skew;
  exchange(skew, 1000, 0, 1, 1);
  exchange(skew, 2000, 300'000, 20, 20);
  EXPECT_EQ(skew.estimate(2000)->offset_ms, 300'000);
  EXPECT_TRUE(SkewEstimate::skewed(*skew.estimate(2000)));
  exchange(skew, 3000, -2001, 1, 1);
  EXPECT_TRUE(SkewEstimate::skewed(*skew.estimate(3000)));
  exchange(skew, 4000, -1990, 1, 1);
  EXPECT_FALSE(SkewEstimate::skewed(*skew.estimate(4000)));
}

TEST(Skew, ReportsThatMakeNoSenseAreLeftOut) {
  SkewEstimate skew;
  skew.report(1000, kWall, kWall, 0, 0);                // echoes nothing
  skew.report(1000, kWall, kWall, kWall + 5000, 10);    // from the future
  skew.report(1000, kWall, kWall, kWall - 100, 5000);   // was there longer than away
  skew.report(1000, kWall, kWall, kWall - 60'000, 10);  // a minute on the way
  skew.report(1000, kWall, kWall, kWall - 100, UINT64_MAX);
  EXPECT_FALSE(skew.estimate(1000));
}

TEST(Skew, AgesAreNeverTooShort) {
  SkewEstimate::Estimate estimate{500, 40};
  // Made 100 ms ago; the peer's clock is 500 ahead.
  EXPECT_EQ(SkewEstimate::age_ms(estimate, kWall, kWall + 500 - 100), 120U);
  EXPECT_EQ(SkewEstimate::age_ms(estimate, kWall, kWall + 500 + 10), 20U) << "within what may be off";
  EXPECT_FALSE(SkewEstimate::age_ms(estimate, kWall, kWall + 500 + 1000)) << "a clock was set";
}

}  // namespace
}  // namespace swarmdns::controlplane
