#include "dataplane/stats/registry.h"

#include <gtest/gtest.h>

#include <thread>

namespace swarmdns::stats {
namespace {

TEST(Registry, AddsUpThreads) {
  Registry registry(3);
  ThreadStats* first = registry.claim("worker0").value();
  ThreadStats* second = registry.claim("worker1").value();
  first->counters.add(Counter::CacheHits, 3);
  second->counters.add(Counter::CacheHits, 4);
  second->hits.add(100, 4);
  first->load.busy_ticks.store(7);
  const Snapshot snapshot = registry.snapshot();
  ASSERT_EQ(snapshot.threads.size(), 2U);
  EXPECT_EQ(snapshot.threads[0].name, "worker0");
  EXPECT_EQ(snapshot.threads[0].get(Counter::CacheHits), 3U);
  EXPECT_EQ(snapshot.sum.get(Counter::CacheHits), 7U);
  EXPECT_EQ(snapshot.sum.hits.count, 4U);
  EXPECT_EQ(snapshot.sum.busy_ticks, 7U);
  EXPECT_EQ(registry.sum(Counter::CacheHits), 7U);
}

TEST(Registry, RefusesMoreThreadsThanItHasRoomFor) {
  Registry registry(1);
  ASSERT_TRUE(registry.claim("one"));
  const auto refused = registry.claim("two");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().find("'two'"), std::string::npos);
  EXPECT_EQ(registry.snapshot().threads.size(), 1U);
}

TEST(Registry, CountersNeverRunBackwardsWhileBeingWritten) {
  Registry registry(1);
  ThreadStats* place = registry.claim("writer").value();
  std::thread owner([place] {
    for (int i = 0; i < 200'000; ++i) place->counters.add(Counter::RxFrames);
  });
  std::uint64_t last = 0;
  for (int i = 0; i < 200; ++i) {
    const std::uint64_t now = registry.snapshot().sum.get(Counter::RxFrames);
    EXPECT_GE(now, last);
    last = now;
  }
  owner.join();
  EXPECT_EQ(registry.sum(Counter::RxFrames), 200'000U);
}

}  // namespace
}  // namespace swarmdns::stats
