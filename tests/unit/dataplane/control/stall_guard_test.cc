#include "dataplane/control/stall_guard.h"

#include <gtest/gtest.h>

#include <future>

namespace swarmdns::control {
namespace {

using std::chrono::milliseconds;

TEST(StallGuard, CancelsWhatDoesNotMove) {
  std::promise<void> cancelled;
  StallGuard guard(milliseconds(1), [&] { cancelled.set_value(); });
  cancelled.get_future().wait();
}

TEST(StallGuard, IsOverAtOnceAndWithoutCancelling) {
  bool cancelled = false;
  {
    StallGuard guard(std::chrono::hours(1), [&] { cancelled = true; });
    guard.moved();
  }
  EXPECT_FALSE(cancelled);
}

}  // namespace
}  // namespace swarmdns::control
