#include "dataplane/stats/tsc_clock.h"

#include <gtest/gtest.h>

namespace swarmdns::stats {
namespace {

TEST(TscClock, ConvertsThereAndBack) {
  const TscClock clock(2'600'000'000);
  EXPECT_EQ(clock.from_ns(1'000'000'000), 2'600'000'000U);
  EXPECT_NEAR(static_cast<double>(clock.to_ns(2'600'000'000)), 1e9, 1.0);
  EXPECT_EQ(clock.to_ns(0), 0U);
}

TEST(TscClock, DoesNotOverflowOverYears) {
  const TscClock clock(3'000'000'000);
  const std::uint64_t year_ns = std::uint64_t{365} * 24 * 3600 * 1'000'000'000;
  const std::uint64_t ticks = clock.from_ns(year_ns);
  EXPECT_NEAR(static_cast<double>(clock.to_ns(ticks)), static_cast<double>(year_ns), 2e7);
}

TEST(TscClock, AnAbsurdFrequencyDoesNotDivideByZero) {
  EXPECT_EQ(TscClock(0).hz(), 1'000'000U);
}

TEST(TscClock, CalibrationFindsAPlausibleFrequency) {
  const TscClock clock = TscClock::calibrate();
  EXPECT_GT(clock.hz(), 500'000'000U);
  EXPECT_LT(clock.hz(), 10'000'000'000U);
}

}  // namespace
}  // namespace swarmdns::stats
