#include "controlplane/chain/chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controlplane/state/apply.h"
#include "controlplane/state/keys.h"
#include "tests/unit/controlplane/chain/memory_store.h"

namespace swarmdns::controlplane {
namespace {

using testing::HasSubstr;

// A chain that has begun.
class ChainTest : public testing::Test {
 protected:
  ChainTest() {
    chain = std::move(*Chain::open(store));
    chain->subscribe([this](const AppliedBlock& block) { blocks.push_back(block); });
    EXPECT_EQ(apply({bundle_of(1, {test_genesis()})}), "");
  }

  std::string apply(std::vector<v1::Bundle> bundles, std::uint64_t wall_ms = 1'000'000) {
    return apply_entry(entry_of(std::move(bundles), wall_ms));
  }
  std::string apply_entry(const std::string& entry) {
    const auto done = chain->apply(++index, as_octets(entry));
    return done ? "" : done.error();
  }
  v1::FullBlock full_block(std::uint64_t height) {
    v1::FullBlock block;
    *block.mutable_record() = store.blocks.at(height);
    const auto header = *decode_block_header(as_octets(block.record().header()));
    for (std::uint64_t i = 0; i < header.leaf_count; ++i)
      *block.add_leaves() = store.leaves.at(header.first_leaf + i);
    return block;
  }

  MemoryStore store;
  std::unique_ptr<Chain> chain;
  std::vector<AppliedBlock> blocks;
  std::uint64_t index = 0;
};

TEST_F(ChainTest, BeginsWithTheGenesis) {
  EXPECT_EQ(chain->height(), 1U);
  EXPECT_EQ(chain->swarm_id(), test_swarm());
  EXPECT_EQ(chain->tip()->tree_size, 1U);
  EXPECT_EQ(read<v1::MemberRecord>(chain->state(), keys::of(keys::kMembers, 1))->name(), "n1");
}

TEST_F(ChainTest, AnEntryBecomesABlock) {
  EXPECT_EQ(apply({bundle_of(2, {note("a"), note("b")}), bundle_of(3, {note("c")})}), "");
  ASSERT_EQ(blocks.size(), 2U);
  const AppliedBlock& block = blocks.back();
  EXPECT_EQ(block.header.height, 2U);
  EXPECT_EQ(block.header.first_leaf, 1U);
  EXPECT_EQ(block.header.leaf_count, 3U);
  EXPECT_EQ(block.header.previous, blocks.front().hash);
  EXPECT_EQ(block.bundles[1].transactions[0].leaf, 3U);
  // The tree is that of the commitments.
  MemoryTree tree;
  for (std::uint64_t i = 0; i < 4; ++i) {
    const v1::Leaf& leaf = store.leaves.at(i);
    tree.append(
        merkle_leaf_hash(leaf_commitment(*array_from<16>(leaf.salt()), as_octets(leaf.transaction()))));
  }
  EXPECT_EQ(block.header.tree_root, tree.root());
}

TEST_F(ChainTest, WhatWasAppliedIsPassedOver) {
  const std::string entry = entry_of({bundle_of(2, {note("a")})});
  EXPECT_EQ(apply_entry(entry), "");
  --index;
  EXPECT_EQ(apply_entry(entry), "");
  EXPECT_EQ(chain->height(), 2U);
}

TEST_F(ChainTest, ABundleThatComesTwiceIsTakenOnce) {
  EXPECT_EQ(apply({bundle_of(2, {note("a")})}), "");
  EXPECT_EQ(apply({bundle_of(2, {note("a")})}), "");
  EXPECT_EQ(chain->height(), 2U);
  EXPECT_EQ(chain->counters().refused_bundles, 1U);
}

TEST_F(ChainTest, ForgedBundlesAreRefused) {
  EXPECT_EQ(apply({bundle_of(2, {note("of another's key")}, 1, 2)}), "");
  EXPECT_EQ(apply({bundle_of(2, {note("of no member")}, 2, 2)}), "");
  v1::Bundle altered = bundle_of(2, {note("altered")});
  altered.mutable_leaves(0)->set_transaction(leaf_of(note("Altered")).transaction());
  EXPECT_EQ(apply({altered}), "");
  v1::Bundle renumbered = bundle_of(2, {note("renumbered")});
  renumbered.set_number(3);
  EXPECT_EQ(apply({renumbered}), "");
  EXPECT_EQ(chain->height(), 1U);
  EXPECT_EQ(chain->counters().refused_bundles, 4U);
  EXPECT_EQ(chain->applied_index(), index);
}

TEST_F(ChainTest, RefusedTransactionsLeaveTheTreeAndTheState) {
  v1::Transaction bad;
  bad.mutable_member_removed()->set_id(9);
  EXPECT_EQ(apply({bundle_of(2, {note("a"), bad, note("b")})}), "");
  const AppliedBlock& block = blocks.back();
  EXPECT_EQ(block.header.leaf_count, 2U);
  EXPECT_THAT(block.bundles[0].transactions[1].refusal, HasSubstr("9 is no member"));
  EXPECT_EQ(store.blocks.at(2).bundles(0).refused(0), 1U);
}

TEST_F(ChainTest, TimeNeverGoesBack) {
  EXPECT_EQ(apply({bundle_of(2, {note("a")})}, 5'000'000), "");
  EXPECT_EQ(apply({bundle_of(3, {note("b")})}, 4'000'000), "");
  EXPECT_EQ(chain->tip()->time_ms, 5'000'000U);
}

TEST_F(ChainTest, AMalformedEntryIsAppliedAsNothing) {
  EXPECT_EQ(apply_entry("\xff\xff no message"), "");
  EXPECT_EQ(chain->height(), 1U);
  EXPECT_EQ(chain->applied_index(), index);
  EXPECT_EQ(chain->counters().malformed_entries, 1U);
}

TEST_F(ChainTest, NothingChangesWhenTheStoreCannotBeWritten) {
  store.failure = "no space left";
  const std::string entry = entry_of({bundle_of(2, {note("a")})});
  EXPECT_EQ(apply_entry(entry), "no space left");
  EXPECT_EQ(chain->height(), 1U);
  store.failure.clear();
  --index;
  EXPECT_EQ(apply_entry(entry), "");
  EXPECT_EQ(chain->height(), 2U);
}

TEST_F(ChainTest, OpensWhereItWas) {
  EXPECT_EQ(apply({bundle_of(2, {note("a"), note("b")})}), "");
  auto again = Chain::open(store);
  ASSERT_TRUE(again) << again.error();
  EXPECT_EQ((*again)->tip_hash(), chain->tip_hash());
  const std::string entry = entry_of({bundle_of(3, {note("c")})});
  EXPECT_TRUE((*again)->apply(index + 1, as_octets(entry)));
  EXPECT_EQ((*again)->height(), 3U);
}

TEST_F(ChainTest, AStateThatIsNotItsBlocksIsNotOpened) {
  store.state["settings"] += "x";
  EXPECT_THAT(Chain::open(store).error(), HasSubstr("state is not that of its newest block"));
}

TEST_F(ChainTest, BlocksReplayToTheSameChain) {
  v1::Transaction bad;
  bad.mutable_member_removed()->set_id(9);
  EXPECT_EQ(apply({bundle_of(2, {note("a"), bad}), bundle_of(3, {note("b")})}), "");
  EXPECT_EQ(apply({bundle_of(4, {bad})}), "");
  MemoryStore other;
  auto follower = std::move(*Chain::open(other));
  for (std::uint64_t height = 1; height <= 3; ++height) {
    const auto done = follower->replay(full_block(height));
    ASSERT_TRUE(done) << done.error();
  }
  EXPECT_EQ(follower->tip_hash(), chain->tip_hash());
  EXPECT_EQ(other.state, store.state);
}

TEST_F(ChainTest, AnAlteredBlockDoesNotReplay) {
  EXPECT_EQ(apply({bundle_of(2, {note("a"), note("b")})}), "");
  MemoryStore other;
  auto follower = std::move(*Chain::open(other));
  ASSERT_TRUE(follower->replay(full_block(1)));
  const v1::FullBlock good = full_block(2);
  v1::FullBlock block = good;
  block.mutable_leaves(1)->set_transaction(leaf_of(note("B")).transaction());
  EXPECT_THAT(follower->replay(block).error(), HasSubstr("does not come out"));
  block = good;  // a transaction that its sender calls refused
  block.mutable_leaves()->RemoveLast();
  block.mutable_record()->mutable_bundles(0)->add_refused(1);
  block.mutable_record()->mutable_bundles(0)->add_refusals("so");
  block.mutable_record()->mutable_bundles(0)->add_refused_commitments(good.record().commitments(1));
  block.mutable_record()->mutable_commitments()->RemoveLast();
  EXPECT_THAT(follower->replay(block).error(), HasSubstr("does not come out"));
  block = good;
  block.mutable_leaves(0)->Clear();
  EXPECT_THAT(follower->replay(block).error(), HasSubstr("erased"));
  EXPECT_THAT(follower->replay(full_block(1)).error(), HasSubstr("does not follow"));
  EXPECT_TRUE(follower->replay(good));
}

TEST(Chain, WithoutAGenesisThereIsNone) {
  MemoryStore store;
  auto chain = std::move(*Chain::open(store));
  const std::string entry = entry_of({bundle_of(1, {note("a")})});
  EXPECT_TRUE(chain->apply(1, as_octets(entry)));
  EXPECT_EQ(chain->height(), 0U);
  const std::string crowd = entry_of({bundle_of(1, {test_genesis()}), bundle_of(2, {note("b")})});
  EXPECT_TRUE(chain->apply(2, as_octets(crowd)));
  EXPECT_EQ(chain->height(), 1U);
  EXPECT_EQ(chain->tip()->tree_size, 1U);
}

// Members say that they have the next version, this program has not: it stops where it would judge otherwise.
TEST_F(ChainTest, AVersionThatThisProgramHasNotHaltsIt) {
  v1::Transaction changed;
  changed.mutable_member_changed()->set_id(1);
  changed.mutable_member_changed()->set_version_max(kVersion + 1);
  ASSERT_EQ(apply({bundle_of(2, {changed})}), "");
  v1::Transaction raised;
  raised.mutable_version_raised()->set_version(kVersion + 1);
  const Hash tip = chain->tip_hash();
  const std::string entry = entry_of({bundle_of(3, {raised})});
  EXPECT_THAT(apply_entry(entry), HasSubstr("install the program of the other members"));
  EXPECT_EQ(chain->tip_hash(), tip);
  EXPECT_EQ(chain->applied_index(), 2U);
  // Nor does it begin on what a newer one has left.
  v1::SwarmRecord swarm = *read<v1::SwarmRecord>(chain->state(), keys::kSwarm);
  swarm.set_version(kVersion + 1);
  store.state[std::string(keys::kSwarm)] = swarm.SerializeAsString();
  const auto opened = Chain::open(store);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error(), HasSubstr("the swarm is at version 2"));
}

}  // namespace
}  // namespace swarmdns::controlplane
