#include "dataplane/sync/idle.h"

#include <gtest/gtest.h>

namespace swarmdns::sync {
namespace {

using std::chrono::microseconds;

TEST(IdleSleep, GrowsToTheLongestAndFallsBackAfterWork) {
  IdleSleep idle(microseconds(50), microseconds(500));
  EXPECT_EQ(idle.next(), microseconds(50));
  auto last = microseconds(50);
  for (int i = 0; i < 50; ++i) {
    const auto now = idle.next();
    EXPECT_GE(now, last);
    EXPECT_LE(now, microseconds(500));
    last = now;
  }
  EXPECT_EQ(last, microseconds(500));
  idle.worked();
  EXPECT_EQ(idle.next(), microseconds(50));
}

TEST(IdleSleep, GrowsEvenFromOneMicrosecond) {
  IdleSleep idle(microseconds(1), microseconds(3));
  EXPECT_EQ(idle.next(), microseconds(1));
  EXPECT_EQ(idle.next(), microseconds(2));
  EXPECT_EQ(idle.next(), microseconds(3));
  EXPECT_EQ(idle.next(), microseconds(3));
}

}  // namespace
}  // namespace swarmdns::sync
