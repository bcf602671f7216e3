#include "dataplane/volley/schedule.h"

#include <gtest/gtest.h>

namespace swarmdns::volley {
namespace {

TEST(Schedule, KeepsItsTimes) {
  Schedule schedule(1000, 1'000'000, 1000);  // every 1,000 ticks
  EXPECT_EQ(schedule.due(999, 32), 0U);
  EXPECT_EQ(schedule.due(1000, 32), 1U);
  EXPECT_EQ(schedule.due(3999, 32), 3U);
  EXPECT_EQ(schedule.due(1'000'000, 32), 32U);
  for (std::uint64_t i = 0; i < 5; ++i) EXPECT_EQ(schedule.take(), 1000 + i * 1000);
  EXPECT_EQ(schedule.next(), 6000U);
}

TEST(Schedule, WaitsForNobody) {
  // A sender that comes late finds all that was due, at the times it was due.
  Schedule schedule(0, 1'000'000, 1000);
  EXPECT_EQ(schedule.take(), 0U);
  EXPECT_EQ(schedule.due(50'000, 64), 50U);
  EXPECT_EQ(schedule.take(), 1000U);
}

TEST(Schedule, DoesNotDrift) {
  Schedule schedule(0, 2'599'999'999, 3'000'000);  // 866.67 ticks
  for (int i = 0; i < 3'000'000; ++i) schedule.take();
  EXPECT_NEAR(static_cast<double>(schedule.next()), 2'599'999'999.0, 2);
}

TEST(Schedule, CountsWhatIsLeft) {
  Schedule schedule(0, 1'000'000, 200'000);
  EXPECT_EQ(schedule.left_before(3'000'000), 600'000U);
  for (int i = 0; i < 10; ++i) schedule.take();
  EXPECT_EQ(schedule.left_before(3'000'000), 599'990U);
  EXPECT_EQ(schedule.left_before(50), 0U);
  EXPECT_EQ(schedule.left_before(51), 1U);
}

TEST(Schedule, TakesSlowRates) {
  Schedule schedule(0, 1'000'000, 0.5);
  schedule.take();
  EXPECT_EQ(schedule.next(), 2'000'000U);
}

}  // namespace
}  // namespace swarmdns::volley
