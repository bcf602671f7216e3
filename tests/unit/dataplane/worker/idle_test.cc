#include "dataplane/worker/idle.h"

#include <gtest/gtest.h>

namespace swarmdns::worker {
namespace {

TEST(Idle, PollsOnForAWhileAfterWork) {
  Idle idle(1000);
  idle.worked(5000);
  EXPECT_EQ(idle.next_sleep_us(5999, 250), 0U);
  EXPECT_GT(idle.next_sleep_us(6000, 250), 0U);
}

TEST(Idle, SleepsGrowToTheBoundAndStartAnewAfterWork) {
  Idle idle(0);
  idle.worked(0);
  std::uint32_t last = 0;
  for (int i = 0; i < 20; ++i) {
    const std::uint32_t now = idle.next_sleep_us(10, 250);
    EXPECT_GE(now, last);
    EXPECT_LE(now, 250U);
    last = now;
  }
  EXPECT_EQ(last, 250U);
  EXPECT_TRUE(idle.longest());
  idle.worked(20);
  EXPECT_FALSE(idle.longest());
  EXPECT_LT(idle.next_sleep_us(30, 250), 20U);
}

TEST(Idle, ALoweredBoundHoldsAtOnce) {
  Idle idle(0);
  for (int i = 0; i < 20; ++i) (void)idle.next_sleep_us(10, 900);
  EXPECT_EQ(idle.next_sleep_us(10, 25), 25U);
}

}  // namespace
}  // namespace swarmdns::worker
