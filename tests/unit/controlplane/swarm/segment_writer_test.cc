#include "controlplane/swarm/segment_writer.h"

#include <gtest/gtest.h>

#include "tests/unit/controlplane/swarm/fakes.h"

namespace swarmdns::controlplane {
namespace {

using test::FakeCache;
using test::FakeDatabase;
using test::FakeReactor;
using test::World;

class SegmentWriterTest : public ::testing::Test {
 protected:
  void make() {
    SegmentWriter::Options options;
    options.node = 1;
    options.key = test::key_of(1).secret_key;
    options.private_zones = zones_;
    options.flood.per_zone_s = 5;
    SegmentWriter::Events events;
    events.cut = [this](CutSegment segment) { cut_.push_back(std::move(segment)); };
    events.propose = [this](v1::SegmentHead head, std::function<void()> done) {
      heads_.push_back(head);
      finish_ = std::move(done);
      if (!order_) return;
      reactor_.post([this, head] {
        writer_->ordered(head);
        std::exchange(finish_, {})();
      });
    };
    events.dataplane_started = [this] { ++started_; };
    writer_ =
        std::make_unique<SegmentWriter>(reactor_, cache_, store_, std::move(options), std::move(events));
  }
  void start(const v1::SegmentHead& ordered = {}) {
    if (!writer_) make();
    writer_->start(ordered);
    world_.run_for(20);
  }
  // The whole chain in the store is one, signed, and without a hole in its numbers.
  void check_chain(std::uint64_t first_mutation) {
    const auto head = store_.head(1);
    ASSERT_TRUE(head);
    Hash previous{};
    v1::SegmentHeader before;
    for (std::uint64_t number = 1; number <= head->number; ++number) {
      const auto body = store_.get(1, number);
      ASSERT_TRUE(body && *body) << number;
      const auto checked = check_segment(**body, test::key_of(1).public_key);
      ASSERT_TRUE(checked) << checked.error();
      EXPECT_TRUE(read_mutations(**body, checked->header));
      if (number == 1) {
        EXPECT_EQ(checked->header.first_mutation(), first_mutation);
      } else {
        const auto follows = check_succession(before, previous, checked->header);
        EXPECT_TRUE(follows) << follows.error();
      }
      previous = checked->hash;
      before = checked->header;
    }
  }

  World world_;
  FakeReactor reactor_{world_};
  FakeCache cache_{reactor_, 1};
  FakeDatabase database_;
  SegmentStore store_{database_.columns(), test::name_key()};
  std::shared_ptr<const PrivateZones> zones_ = std::make_shared<PrivateZones>();
  std::vector<CutSegment> cut_;
  std::vector<v1::SegmentHead> heads_;
  std::function<void()> finish_;
  bool order_ = true;
  int started_ = 0;
  std::unique_ptr<SegmentWriter> writer_;
};

TEST_F(SegmentWriterTest, CutsAQuarterOfASecondAfterTheFirst) {
  start();
  world_.run_for(1000);
  EXPECT_TRUE(cut_.empty()) << "nothing is no segment";
  cache_.resolve("a.example");
  world_.run_for(100);
  cache_.resolve("b.example");
  world_.run_for(100);
  EXPECT_TRUE(cut_.empty());
  world_.run_for(100);
  ASSERT_EQ(cut_.size(), 1U);
  EXPECT_EQ(cut_[0].header.count(), 2U);
  EXPECT_EQ(cut_[0].header.last_ms() - cut_[0].header.first_ms(), 100U);
  check_chain(1);
}

TEST_F(SegmentWriterTest, CutsAtOnceWhenItIsFull) {
  start();
  for (std::size_t i = 0; i < 2 * kSegmentMutations + 5; ++i)
    cache_.resolve("n" + std::to_string(i) + ".example");
  world_.run_for(10);
  ASSERT_EQ(cut_.size(), 2U);
  EXPECT_EQ(cut_[1].header.count(), kSegmentMutations);
  world_.run_for(300);
  EXPECT_EQ(cut_.size(), 3U);
  EXPECT_EQ(writer_->stats().mutations, 2 * kSegmentMutations + 5);
  EXPECT_EQ(writer_->stats().pending, 0U);
  check_chain(1);
}

TEST_F(SegmentWriterTest, WhatTheJournalLostIsASignedGap) {
  start();
  cache_.resolve("a.example");
  world_.run_for(300);
  cache_.lose(50);
  cache_.resolve("b.example");
  world_.run_for(300);
  ASSERT_EQ(cut_.size(), 3U);
  EXPECT_EQ(cut_[1].header.count(), 0U);
  EXPECT_EQ(cut_[1].header.first_mutation(), 2U);
  EXPECT_EQ(cut_[1].header.last_mutation(), 51U);
  EXPECT_EQ(cut_[1].header.gap_reason(), "the journal of the data plane overflowed");
  EXPECT_EQ(writer_->stats().lost, 50U);
  check_chain(1);
}

TEST_F(SegmentWriterTest, ANewDataPlaneIsAGapToo) {
  start();
  cache_.resolve("a.example");
  world_.run_for(300);
  EXPECT_EQ(started_, 0) << "the first one that is met is no news";
  cache_.restart();
  world_.run_for(10);
  EXPECT_EQ(started_, 1);
  cache_.resolve("b.example");
  world_.run_for(300);
  ASSERT_EQ(cut_.size(), 3U);
  EXPECT_EQ(cut_[1].header.gap_reason(), "the data plane was restarted");
  check_chain(1);
}

TEST_F(SegmentWriterTest, NumbersThatGoBackAreNotRecordedAndNamed) {
  start();
  for (int i = 0; i < 100; ++i) cache_.resolve("a.example");
  world_.run_for(300);
  cache_.restart(5);
  for (int i = 0; i < 50; ++i) cache_.resolve("b.example");
  world_.run_for(300);
  EXPECT_EQ(writer_->stats().mutations, 100U);
  EXPECT_NE(writer_->trouble().find("from 5 again"), std::string::npos) << writer_->trouble();
  for (int i = 0; i < 50; ++i) cache_.resolve("c.example");
  world_.run_for(300);
  EXPECT_EQ(writer_->stats().mutations, 104U) << "numbers 101 to 104";
  EXPECT_EQ(writer_->trouble(), "");
  check_chain(1);
}

TEST_F(SegmentWriterTest, AFloodOfNegativeAnswersBecomesAHoleWithACounter) {
  start();
  for (int i = 0; i < 100; ++i) {
    cache_.resolve("r" + std::to_string(i) + ".victim.example", 60'000, true);
    if (i % 10 == 0) cache_.resolve("www" + std::to_string(i) + ".victim.example");
  }
  world_.run_for(300);
  ASSERT_EQ(cut_.size(), 1U);
  EXPECT_EQ(cut_[0].header.count(), 15U) << "ten positive and five negative";
  EXPECT_EQ(lost_mutations(cut_[0].header), 95U);
  EXPECT_EQ(cut_[0].header.gap_reason(), "negative answers of a flood");
  EXPECT_EQ(writer_->stats().held_back, 95U);
  check_chain(1);
}

TEST_F(SegmentWriterTest, OffersItsHeadOnceASecondAndOneAtATime) {
  order_ = false;
  start();
  cache_.resolve("a.example");
  world_.run_for(2000);
  cache_.lose(3);
  cache_.resolve("b.example");
  world_.run_for(3000);
  ASSERT_EQ(heads_.size(), 1U) << "the first is outstanding";
  EXPECT_EQ(heads_[0].segment(), 1U);
  EXPECT_EQ(heads_[0].mutations(), 1U);
  std::exchange(finish_, {})();  // it is not known whether it was ordered
  world_.run_for(1500);
  ASSERT_EQ(heads_.size(), 2U);
  EXPECT_EQ(heads_[1].first_mutation(), 1U);
  EXPECT_EQ(heads_[1].last_mutation(), 5U);
  EXPECT_EQ(heads_[1].mutations(), 2U);
  EXPECT_EQ(heads_[1].lost(), 3U);
  order_ = true;
  writer_->ordered(heads_[0]);  // it was
  std::exchange(finish_, {})();
  world_.run_for(1500);
  ASSERT_EQ(heads_.size(), 3U);
  EXPECT_EQ(heads_[2].first_mutation(), 2U);
  EXPECT_EQ(heads_[2].mutations(), 1U);
  EXPECT_EQ(heads_[2].lost(), 3U);
  EXPECT_EQ(heads_[2].hash(), std::string(as_text(store_.head(1)->hash)));
  world_.run_for(5000);
  EXPECT_EQ(heads_.size(), 3U) << "no head when nothing changed";
}

TEST_F(SegmentWriterTest, GoesOnAfterARestartOfThisProcess) {
  order_ = false;
  start();
  cache_.resolve("a.example");
  world_.run_for(1500);
  ASSERT_EQ(heads_.size(), 1U);
  writer_.reset();
  cache_.resolve("b.example");
  order_ = true;
  make();
  start();
  world_.run_for(2500);
  check_chain(1);
  EXPECT_EQ(store_.head(1)->header.last_mutation(), 2U);
  ASSERT_GE(heads_.size(), 2U);
  EXPECT_EQ(heads_.back().first_mutation(), 1U) << "what was never ordered is in the next head";
  EXPECT_EQ(heads_.back().mutations(), 2U);
}

TEST_F(SegmentWriterTest, AStoreThatLostItsTailGoesOnBehindTheOrderedHead) {
  v1::SegmentHead ordered;
  ordered.set_segment(40);
  ordered.set_hash(std::string(32, 'h'));
  ordered.set_last_mutation(900);
  cache_.next_number = 950;
  start(ordered);
  cache_.resolve("a.example");
  world_.run_for(300);
  ASSERT_EQ(cut_.size(), 2U);
  EXPECT_EQ(cut_[0].header.number(), 41U);
  EXPECT_EQ(cut_[0].header.previous(), ordered.hash());
  EXPECT_EQ(cut_[0].header.first_mutation(), 901U) << "a gap up to what is there";
  EXPECT_EQ(cut_[1].header.first_mutation(), 950U);
}

TEST_F(SegmentWriterTest, PrivateNamesAreKeptButNotSentOn) {
  start();
  cache_.resolve("a.example");
  cache_.resolve("printer.home.arpa");
  world_.run_for(300);
  ASSERT_EQ(cut_.size(), 1U);
  EXPECT_EQ(cut_[0].to_share->SerializeAsString().find("printer"), std::string::npos);
  EXPECT_TRUE(check_segment(*cut_[0].to_share, test::key_of(1).public_key));
  EXPECT_EQ(store_.history(as_octets(FakeCache::wire("printer.home.arpa")), 0, 5)->mutations_size(), 1);
}

TEST_F(SegmentWriterTest, AFenceBeginsASegmentOfItsOwn) {
  start();
  cache_.resolve("before.example");
  writer_->carried_out(3, 2);
  cache_.resolve("after.example");
  world_.run_for(300);
  ASSERT_EQ(cut_.size(), 2U);
  EXPECT_EQ(cut_[0].header.fence_epoch(), 0U);
  EXPECT_EQ(cut_[1].header.fence_epoch(), 3U);
  EXPECT_EQ(cut_[1].header.first_mutation(), 2U);
  cache_.resolve("later.example");
  world_.run_for(300);
  EXPECT_EQ(cut_.back().header.fence_epoch(), 3U);
  writer_.reset();
  make();
  start();
  cache_.resolve("still.example");
  world_.run_for(300);
  EXPECT_EQ(cut_.back().header.fence_epoch(), 3U) << "remembered over a restart";
}

}  // namespace
}  // namespace swarmdns::controlplane
