#include "controlplane/supervise/back_off.h"

#include <gtest/gtest.h>

namespace swarmdns::controlplane {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Clock::time_point kStart{seconds(1000)};

BackOff without_jitter(BackOffOptions options = {}) {
  return BackOff(options, [] { return 0.5; });
}

TEST(BackOff, DoublesUpToTheMaximum) {
  BackOff back_off = without_jitter();
  std::vector<int64_t> delays;
  for (int i = 0; i < 10; ++i) {
    back_off.started(kStart);
    delays.push_back(back_off.ended(kStart + seconds(1)).count());
  }
  EXPECT_EQ(delays, (std::vector<int64_t>{250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000}));
}

TEST(BackOff, AStableRunStartsOver) {
  BackOff back_off = without_jitter();
  for (int i = 0; i < 5; ++i) {
    back_off.started(kStart);
    back_off.ended(kStart + milliseconds(29999));
  }
  EXPECT_EQ(back_off.failures(), 5u);
  back_off.started(kStart);
  EXPECT_EQ(back_off.ended(kStart + seconds(30)), milliseconds(250));
  EXPECT_EQ(back_off.failures(), 1u);
}

TEST(BackOff, AStartThatFailsIsNoStableRun) {
  BackOff back_off = without_jitter();
  back_off.started(kStart);
  back_off.ended(kStart + seconds(1));
  // Nothing was started meanwhile, however late it is.
  EXPECT_EQ(back_off.ended(kStart + seconds(1000)), milliseconds(500));
}

TEST(BackOff, JitterSpreadsBothWays) {
  BackOffOptions options;
  options.first = milliseconds(1000);
  EXPECT_EQ(BackOff(options, [] { return 0.0; }).ended(kStart), milliseconds(800));
  EXPECT_EQ(BackOff(options, [] { return 0.999999; }).ended(kStart), milliseconds(1199));
}

TEST(BackOff, ResetForgets) {
  BackOff back_off = without_jitter();
  back_off.ended(kStart);
  back_off.ended(kStart);
  back_off.reset();
  EXPECT_EQ(back_off.ended(kStart), milliseconds(250));
}

TEST(BackOff, ManyFailuresDoNotOverflow) {
  BackOff back_off = without_jitter();
  for (int i = 0; i < 5000; ++i) back_off.ended(kStart);
  EXPECT_EQ(back_off.ended(kStart), milliseconds(30000));
}

}  // namespace
}  // namespace swarmdns::controlplane
