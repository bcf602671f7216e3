#include "controlplane/swarm/readmission.h"

#include <gtest/gtest.h>

#include "tests/unit/controlplane/swarm/fakes.h"

namespace swarmdns::controlplane {
namespace {

using test::Chain;
using test::FakeCache;
using test::FakeDatabase;
using test::FakeReactor;
using test::name_key;
using test::put_received;
using test::World;

class ReadmissionTest : public ::testing::Test {
 protected:
  ReadmissionTest() { fence_.set_epoch(1); }
  // A segment of this node with one answer for each name, so long ago; each lives for a minute from then on.
  void learned(const std::vector<std::string>& names, std::uint64_t ago_ms) {
    put_received(store_, chain_.add(names, reactor_.wall_ms() - ago_ms));
  }
  // Fences off what is behind mutation `reached`; how many come back.
  std::uint64_t back_to(std::uint64_t reached) {
    v1::MutationRange& range = *fence_.add_dead();
    range.set_node(1);
    range.set_first(reached + 1);
    FenceFilter filter = earlier_;
    filter.add(fence_);
    std::optional<std::uint64_t> taken;
    Readmission readmission(reactor_, cache_, store_, peers_,
                            {1, std::make_shared<PrivateZones>(), 86'400'000});
    readmission.begin(fence_, filter, [&](std::uint64_t count) { taken = count; });
    world_.run_for(1000);
    EXPECT_TRUE(taken);
    return taken.value_or(0);
  }

  World world_;
  FakeReactor reactor_{world_};
  FakeCache cache_{reactor_, 9};
  FakeDatabase database_;
  SegmentStore store_{database_.columns(), name_key()};
  SharePeers peers_;
  Chain chain_{1};
  v1::Fence fence_;
  FenceFilter earlier_;
};

TEST_F(ReadmissionTest, WhatWasReplacedComesBackForTheRestOfItsLife) {
  learned({"good.example", "other.example"}, 20'000);
  learned({"good.example"}, 5000);  // the wrong one, number 3
  EXPECT_EQ(back_to(2), 1U);
  ASSERT_TRUE(cache_.has("good.example"));
  EXPECT_FALSE(cache_.has("other.example")) << "it was not changed, and is in the cache still";
  const v1::CacheEntry& entry = cache_.entries.at(FakeCache::wire("good.example"));
  EXPECT_EQ(entry.origin().node(), 1U);
  EXPECT_EQ(entry.origin().sequence(), 1U);
  EXPECT_LE(entry.remaining_ms(), 40'000);
  EXPECT_GT(entry.remaining_ms(), 39'000);
  EXPECT_EQ(entry.age_s(), 21U);
}

TEST_F(ReadmissionTest, NeverPastItsTtl) {
  learned({"good.example"}, 60'000);
  learned({"good.example"}, 5000);
  EXPECT_EQ(back_to(1), 0U);
  EXPECT_FALSE(cache_.has("good.example"));
}

TEST_F(ReadmissionTest, TheNewestThatStoodThenAndNoneBefore) {
  learned({"good.example"}, 30'000);
  learned({"good.example"}, 20'000);
  learned({"good.example"}, 5000);
  EXPECT_EQ(back_to(2), 1U);
  EXPECT_EQ(cache_.entries.at(FakeCache::wire("good.example")).origin().sequence(), 2U);
}

TEST_F(ReadmissionTest, WhatAnEarlierFenceTookStaysAway) {
  learned({"good.example"}, 20'000);
  learned({"good.example"}, 5000);
  v1::Fence earlier;
  earlier.set_epoch(7);
  v1::MutationRange& range = *earlier.add_dead();
  range.set_node(1);
  range.set_first(1);
  range.set_last(1);
  earlier_.add(earlier);
  EXPECT_EQ(back_to(1), 0U);
}

TEST_F(ReadmissionTest, AChainOfNobodyInTheScopeIsNotAsked) {
  put_received(store_, Chain(5).add({"good.example"}, reactor_.wall_ms()));
  v1::MutationRange& range = *fence_.add_dead();
  range.set_node(5);
  range.set_first(1);
  EXPECT_EQ(back_to(0), 0U);
}

}  // namespace
}  // namespace swarmdns::controlplane
