#include "dataplane/volley/schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

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

TEST(Schedule, RandomGapsKeepOrderAndRate) {
  Schedule schedule(5000, 1'000'000, 1000, 7);
  Schedule same(5000, 1'000'000, 1000, 7);
  std::set<std::uint64_t> gaps;
  std::uint64_t before = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const std::uint64_t at = schedule.take();
    EXPECT_EQ(at, same.take());
    EXPECT_GE(at, 5000 + i * 1000);
    EXPECT_LT(at, 5000 + (i + 1) * 1000);
    if (i > 0) gaps.insert(at - before);
    before = at;
  }
  EXPECT_GT(gaps.size(), 400U);
  EXPECT_LT(*gaps.begin(), 200U);
  EXPECT_GT(*gaps.rbegin(), 1800U);
}

TEST(Schedule, CountsWithRandomGaps) {
  std::vector<std::uint64_t> times;
  Schedule all(0, 1'000'000, 1000, 3);
  for (int i = 0; i < 200; ++i) times.push_back(all.take());
  Schedule schedule(0, 1'000'000, 1000, 3);
  for (int i = 0; i < 10; ++i) schedule.take();
  for (std::uint64_t end = 0; end < 100'000; end += 777) {
    const auto before = std::count_if(times.begin() + 10, times.end(), [&](auto at) { return at < end; });
    EXPECT_EQ(schedule.left_before(end), static_cast<std::uint64_t>(before)) << end;
    const auto due = std::count_if(times.begin() + 10, times.end(), [&](auto at) { return at <= end; });
    EXPECT_EQ(schedule.due(end, 500), static_cast<std::uint32_t>(due)) << end;
  }
}

}  // namespace
}  // namespace swarmdns::volley
