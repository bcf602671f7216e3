#include "dataplane/sync/affinity.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/prctl.h>

#include <array>
#include <thread>

namespace swarmdns::sync {
namespace {

TEST(Affinity, PinsTheCallingThreadOnly) {
  const auto before = current_affinity();
  ASSERT_FALSE(before.empty());
  std::vector<unsigned> inside;
  std::thread([&] {
    ASSERT_TRUE(set_affinity(std::array{before.front()}));
    inside = current_affinity();
  }).join();
  EXPECT_EQ(inside, std::vector<unsigned>{before.front()});
  EXPECT_EQ(current_affinity(), before);
}

TEST(Affinity, EmptyListChangesNothing) {
  const auto before = current_affinity();
  EXPECT_TRUE(set_affinity({}));
  EXPECT_EQ(current_affinity(), before);
}

TEST(Affinity, ImpossibleCpusAreNamed) {
  std::thread([] {
    const auto huge = set_affinity(std::array{100'000U});
    ASSERT_FALSE(huge);
    EXPECT_NE(huge.error().find("100000"), std::string::npos);
    const auto absent = set_affinity(std::array{1023U});
    ASSERT_FALSE(absent);
    EXPECT_NE(absent.error().find("1023"), std::string::npos);
  }).join();
}

TEST(Affinity, SlowThreadHasNameAndSlack) {
  std::thread([] {
    begin_slow_thread("a-name-that-is-too-long", {});
    char name[16] = {};
    ASSERT_EQ(::pthread_getname_np(::pthread_self(), name, sizeof name), 0);
    EXPECT_STREQ(name, "a-name-that-is-");
    EXPECT_EQ(::prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), 1);
  }).join();
}

}  // namespace
}  // namespace swarmdns::sync
