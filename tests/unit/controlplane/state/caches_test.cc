#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/controlplane/state/map_source.h"

namespace swarmdns::controlplane {
namespace {

using testing::HasSubstr;

v1::Transaction head(std::uint64_t segment, std::uint64_t first, std::uint64_t last) {
  v1::Transaction transaction;
  v1::SegmentHead& body = *transaction.mutable_segment_head();
  body.set_node(1);
  body.set_segment(segment);
  body.set_hash(std::string(32, 'h'));
  body.set_first_mutation(first);
  body.set_last_mutation(last);
  return transaction;
}

v1::Transaction fence(std::uint64_t to_height, std::uint64_t first, std::uint64_t last = 0,
                      std::uint64_t node = 1) {
  v1::Transaction transaction;
  transaction.mutable_fence()->set_to_height(to_height);
  v1::MutationRange& range = *transaction.mutable_fence()->add_dead();
  range.set_node(node);
  range.set_first(first);
  range.set_last(last);
  return transaction;
}

TEST(SegmentHeads, OnlyGoForward) {
  TestSwarm swarm;
  EXPECT_EQ(swarm.apply(head(3, 1, 100)), "");
  EXPECT_THAT(swarm.apply(head(3, 101, 110)), HasSubstr("not after the one before"));
  EXPECT_THAT(swarm.apply(head(4, 100, 110)), HasSubstr("not after those of the one before"));
  EXPECT_EQ(swarm.apply(head(9, 200, 210)), "");  // what lies between was lost: a gap
  EXPECT_EQ(swarm.at<v1::HeadRecord>(keys::of(keys::kHeads, 1))->head().last_mutation(), 210U);
}

TEST(SegmentHeads, AreTheirMakersOwn) {
  TestSwarm swarm;
  v1::Transaction forged = head(1, 1, 100);
  forged.mutable_segment_head()->set_node(2);
  EXPECT_THAT(swarm.apply(forged), HasSubstr("segment_head.node: 2 is not its maker, 1"));
  forged.mutable_segment_head()->clear_node();
  EXPECT_THAT(swarm.apply(forged), HasSubstr("is not its maker"));
}

TEST(Fences, EpochsRiseAndReceiptsFollow) {
  TestSwarm swarm;
  ASSERT_EQ(swarm.apply(head(1, 1, 100)), "");
  EXPECT_EQ(swarm.apply(fence(1, 50)), "");
  EXPECT_EQ(swarm.apply(fence(2, 70, 90)), "");
  EXPECT_EQ(swarm.at<v1::FenceRecord>(keys::of(keys::kFences, 2))->fence().epoch(), 2U);
  v1::Transaction done;
  done.mutable_fence_done()->set_epoch(2);
  done.mutable_fence_done()->set_removed(7);
  EXPECT_EQ(swarm.apply(done), "");
  EXPECT_EQ(swarm.at<v1::FenceDone>(keys::of(keys::kFenceDone, 2, 1))->removed(), 7U);
  done.mutable_fence_done()->set_epoch(3);
  EXPECT_THAT(swarm.apply(done), HasSubstr("there is no fence 3"));
}

TEST(Fences, BadOnesAreRefused) {
  TestSwarm swarm;
  EXPECT_THAT(swarm.apply(fence(99, 1)), HasSubstr("not in the past"));
  EXPECT_THAT(swarm.apply(fence(1, 0)), HasSubstr("counted from 1"));
  EXPECT_THAT(swarm.apply(fence(1, 9, 3)), HasSubstr("before the first"));
  EXPECT_THAT(swarm.apply(fence(1, 1, 3, 42)), HasSubstr("there never was a member 42"));
}

TEST(Fences, AreForgottenWithTheirReceiptsWhenNoEntryCanBeLeft) {
  TestSwarm swarm;
  ASSERT_EQ(swarm.apply(fence(1, 1)), "");
  v1::Transaction done;
  done.mutable_fence_done()->set_epoch(1);
  ASSERT_EQ(swarm.apply(done), "");
  swarm.time_ms += 15ULL * 86'400'000;
  v1::Transaction note;
  note.mutable_note()->set_text("later");
  ASSERT_EQ(swarm.apply(note), "");
  EXPECT_FALSE(swarm.source.values.contains(keys::of(keys::kFences, 1)));
  EXPECT_FALSE(swarm.source.values.contains(keys::of(keys::kFenceDone, 1, 1)));
}

TEST(Erasures, NameWhatExists) {
  TestSwarm swarm;
  v1::Transaction erase;
  erase.mutable_erasure()->add_leaves(100);
  EXPECT_THAT(swarm.apply(erase), HasSubstr("100 does not exist yet"));
  erase.mutable_erasure()->set_leaves(0, 0);
  EXPECT_EQ(swarm.apply(erase), "");
  v1::Transaction nothing;
  nothing.mutable_erasure();
  EXPECT_THAT(swarm.apply(nothing), HasSubstr("nothing is named"));
}

}  // namespace
}  // namespace swarmdns::controlplane
