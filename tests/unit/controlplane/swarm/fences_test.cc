#include "controlplane/swarm/fences.h"

#include <gtest/gtest.h>

#include "tests/unit/controlplane/swarm/fakes.h"

namespace swarmdns::controlplane {
namespace {

using test::FakeCache;
using test::FakeReactor;
using test::World;

v1::MutationRange range(std::uint64_t node, std::uint64_t first, std::uint64_t last) {
  v1::MutationRange made;
  made.set_node(node);
  made.set_first(first);
  made.set_last(last);
  return made;
}

std::string text(const std::vector<v1::MutationRange>& ranges) {
  std::string out;
  for (const v1::MutationRange& at : ranges)
    out +=
        std::to_string(at.node()) + ":" + std::to_string(at.first()) + "-" + std::to_string(at.last()) + " ";
  return out;
}

TEST(DeadRanges, EverythingBehindTheHeadAndTheGapsBesides) {
  const ReachedThen reached[] = {{2, 50}, {1, 100}, {3, 0}};
  EXPECT_EQ(text(dead_ranges(reached, {})), "1:101-0 2:51-0 3:1-0 ");
  const v1::MutationRange gaps[] = {range(1, 10, 20),  range(1, 15, 30), range(1, 31, 40),
                                    range(1, 90, 200), range(2, 60, 70), range(7, 5, 6)};
  EXPECT_EQ(text(dead_ranges(reached, gaps)), "1:10-40 1:90-0 2:51-0 3:1-0 7:5-6 ");
  EXPECT_EQ(text(dead_ranges({}, {})), "");
}

v1::Fence fence_of(std::uint64_t epoch, std::vector<v1::MutationRange> dead) {
  v1::Fence fence;
  fence.set_epoch(epoch);
  for (v1::MutationRange& at : dead) *fence.add_dead() = at;
  return fence;
}

TEST(FenceFilter, AnOpenRangeEndsWhereItsNodeCarriedTheFenceOut) {
  FenceFilter filter;
  EXPECT_TRUE(filter.alive(1, 5));
  filter.add(fence_of(1, {range(1, 100, 0), range(1, 10, 20)}));
  EXPECT_TRUE(filter.alive(1, 99));
  EXPECT_FALSE(filter.alive(1, 100));
  EXPECT_FALSE(filter.alive(1, 1'000'000)) << "as long as nobody knows";
  EXPECT_TRUE(filter.alive(2, 100));
  filter.alive_from(1, 1, 150);
  EXPECT_FALSE(filter.alive(1, 149));
  EXPECT_TRUE(filter.alive(1, 150));
  EXPECT_FALSE(filter.alive(1, 15));
  filter.alive_from(1, 1, 200);
  EXPECT_TRUE(filter.alive(1, 150)) << "a later segment says less";
  filter.alive_from(1, 1, 5);
  EXPECT_FALSE(filter.alive(1, 15)) << "what was named stays dead";
  EXPECT_TRUE(filter.alive(1, 100));
}

TEST(FenceFilter, ALaterEpochClosesAnEarlierFenceAndNotTheOtherWayRound) {
  FenceFilter filter;
  filter.alive_from(1, 2, 500);  // heard of before the fences
  filter.add(fence_of(1, {range(1, 100, 0)}));
  filter.add(fence_of(3, {range(1, 400, 0)}));
  EXPECT_FALSE(filter.alive(1, 499));
  EXPECT_FALSE(filter.alive(1, 500)) << "fence 3";
  filter.remove(3);
  EXPECT_TRUE(filter.alive(1, 500));
  EXPECT_FALSE(filter.alive(1, 100));
  EXPECT_EQ(filter.dead(1), (std::vector<DeadRange>{{1, 100, 499}}));
}

class FencesTest : public ::testing::Test {
 protected:
  FencesTest() {
    Fences::Events events;
    events.propose = [this](v1::FenceDone receipt, std::function<void(bool)> done) {
      receipts_.push_back(std::move(receipt));
      reactor_.post([this, done] { done(order_); });
    };
    events.carried_out = [this](std::uint64_t epoch, std::uint64_t next) {
      carried_.emplace_back(epoch, next);
    };
    events.clear = [this] { ++clear_; };
    fences_ = std::make_unique<Fences>(reactor_, cache_, 1, 3'600'000, std::move(events));
  }
  void start() {
    fences_->dataplane_started();
    world_.run_for(100);
  }
  int fence_calls() const { return static_cast<int>(std::ranges::count(cache_.calls, "fence")); }

  World world_;
  FakeReactor reactor_{world_};
  FakeCache cache_{reactor_, 1};
  bool order_ = true;
  std::vector<v1::FenceDone> receipts_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> carried_;
  int clear_ = 0;
  std::unique_ptr<Fences> fences_;
};

TEST_F(FencesTest, PurgesWhatIsDeadAndSaysSo) {
  EXPECT_FALSE(fences_->may_insert()) << "not started";
  start();
  EXPECT_TRUE(fences_->may_insert());
  EXPECT_EQ(clear_, 1);
  cache_.resolve("good.example");
  cache_.resolve("bad.example");
  fences_->committed(fence_of(1, {range(1, 2, 0)}), reactor_.wall_ms(), nullptr);
  EXPECT_FALSE(fences_->may_insert());
  world_.run_for(100);
  EXPECT_TRUE(cache_.has("good.example"));
  EXPECT_FALSE(cache_.has("bad.example"));
  ASSERT_EQ(receipts_.size(), 1U);
  EXPECT_EQ(receipts_[0].epoch(), 1U);
  EXPECT_EQ(receipts_[0].removed(), 1U);
  EXPECT_TRUE(receipts_[0].resolver_flushed());
  EXPECT_EQ(receipts_[0].last_mutation(), 2U);
  EXPECT_EQ(carried_.back(), (std::pair<std::uint64_t, std::uint64_t>{1, 3}));
  EXPECT_TRUE(fences_->may_insert());
  EXPECT_EQ(clear_, 2);
}

TEST_F(FencesTest, ReadmitsBeforeItSaysSoAndTheNextFenceWaits) {
  std::function<void(std::uint64_t)> readmitted;
  Fences::Events events;
  events.propose = [this](v1::FenceDone receipt, std::function<void(bool)> done) {
    receipts_.push_back(std::move(receipt));
    reactor_.post([done] { done(true); });
  };
  events.readmit = [&](const v1::Fence& fence, std::function<void(std::uint64_t)> done) {
    EXPECT_EQ(fence.epoch(), 1U);
    readmitted = std::move(done);
  };
  fences_ = std::make_unique<Fences>(reactor_, cache_, 1, 3'600'000, std::move(events));
  start();
  v1::Fence fence = fence_of(1, {range(1, 2, 0)});
  fence.set_readmit(true);
  fences_->committed(fence, reactor_.wall_ms(), nullptr);
  fences_->committed(fence_of(2, {range(1, 5, 0)}), reactor_.wall_ms(), nullptr);
  world_.run_for(1000);
  ASSERT_TRUE(readmitted);
  EXPECT_EQ(fence_calls(), 1);
  EXPECT_TRUE(receipts_.empty());
  readmitted(42);
  world_.run_for(1000);
  EXPECT_EQ(fence_calls(), 2);
  ASSERT_EQ(receipts_.size(), 2U);
  EXPECT_EQ(receipts_[0].readmitted(), 42U);
  EXPECT_EQ(receipts_[1].readmitted(), 0U);
}

TEST_F(FencesTest, RetriesUntilTheDataPlaneTookIt) {
  start();
  cache_.resolve("bad.example");
  cache_.up = false;
  fences_->committed(fence_of(1, {range(1, 1, 0)}), reactor_.wall_ms(), nullptr);
  world_.run_for(3000);
  EXPECT_GE(fence_calls(), 5);
  EXPECT_FALSE(fences_->may_insert());
  ASSERT_EQ(fences_->troubles().size(), 1U);
  EXPECT_NE(fences_->troubles()[0].find("data plane is down"), std::string::npos);
  EXPECT_TRUE(receipts_.empty());
  cache_.up = true;
  world_.run_for(500);
  EXPECT_FALSE(cache_.has("bad.example"));
  EXPECT_EQ(receipts_.size(), 1U);
  EXPECT_TRUE(fences_->troubles().empty());
}

TEST_F(FencesTest, TheReceiptIsProposedUntilItIsOrdered) {
  start();
  order_ = false;
  fences_->committed(fence_of(1, {range(1, 1, 0)}), reactor_.wall_ms(), nullptr);
  world_.run_for(5000);
  EXPECT_GE(receipts_.size(), 3U);
  EXPECT_EQ(fence_calls(), 1) << "the purge itself is done once";
  order_ = true;
  world_.run_for(2000);
  const std::size_t sent = receipts_.size();
  world_.run_for(5000);
  EXPECT_EQ(receipts_.size(), sent);
}

TEST_F(FencesTest, ANewDataPlaneIsToldOfAllFencesBeforeAnythingIsInserted) {
  v1::FenceDone mine;
  mine.set_last_mutation(10);
  fences_->committed(fence_of(1, {range(1, 5, 0), range(2, 7, 0)}), reactor_.wall_ms(), &mine);
  v1::Fence extra = fence_of(2, {range(3, 1, 9)});
  fences_->committed(extra, reactor_.wall_ms(), &mine);
  const auto put = [this](const std::string& name, std::uint32_t node, std::uint64_t number) {
    v1::CacheEntry entry;
    entry.mutable_origin()->set_node(node);
    entry.mutable_origin()->set_sequence(number);
    cache_.entries[FakeCache::wire(name)] = entry;
  };
  put("own.dead", 1, 10);
  put("own.after", 1, 11);
  put("two.dead", 2, 700);
  put("three.dead", 3, 9);
  start();
  EXPECT_FALSE(cache_.has("own.dead"));
  EXPECT_TRUE(cache_.has("own.after")) << "made after the fence was carried out";
  EXPECT_FALSE(cache_.has("two.dead"));
  EXPECT_FALSE(cache_.has("three.dead"));
  EXPECT_EQ(fence_calls(), 1) << "all at once";
  EXPECT_TRUE(receipts_.empty()) << "they are ordered already";
  EXPECT_EQ(fences_->epoch(), 2U);
  put("two.dead", 2, 700);
  fences_->dataplane_started();
  EXPECT_FALSE(fences_->may_insert());
  world_.run_for(100);
  EXPECT_FALSE(cache_.has("two.dead"));
  EXPECT_TRUE(fences_->may_insert());
}

TEST_F(FencesTest, ADataPlaneThatDiesInTheMiddleIsToldAgain) {
  start();
  cache_.delay_ms = 50;
  fences_->committed(fence_of(1, {range(1, 1, 0)}), reactor_.wall_ms(), nullptr);
  world_.run_for(20);
  fences_->dataplane_started();
  world_.run_for(90);
  EXPECT_FALSE(fences_->may_insert()) << "the answer that has come is of the data plane that is gone";
  world_.run_for(1000);
  EXPECT_TRUE(fences_->may_insert());
  EXPECT_EQ(receipts_.size(), 1U);
}

TEST_F(FencesTest, AFenceThatOthersHaveHoldsInsertsBackUntilItIsHereToo) {
  start();
  fences_->elsewhere(4, 1);
  EXPECT_FALSE(fences_->may_insert());
  EXPECT_NE(fences_->troubles().at(0).find("node 4"), std::string::npos);
  fences_->committed(fence_of(1, {range(1, 1, 0)}), reactor_.wall_ms(), nullptr);
  world_.run_for(100);
  EXPECT_TRUE(fences_->may_insert());
  EXPECT_EQ(clear_, 2);
}

TEST_F(FencesTest, OldFencesAreForgotten) {
  v1::FenceDone mine;
  mine.set_last_mutation(1);
  fences_->committed(fence_of(1, {range(2, 7, 0)}), reactor_.wall_ms(), &mine);
  start();
  EXPECT_FALSE(fences_->filter().alive(2, 8));
  world_.run_for(3'600'001);
  start();
  EXPECT_TRUE(fences_->filter().alive(2, 8));
  EXPECT_TRUE(fences_->may_insert());
}

}  // namespace
}  // namespace swarmdns::controlplane
