// What a block's record says of its bundles, before anything of it is believed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controlplane/chain/draft.h"
#include "tests/unit/controlplane/chain/memory_store.h"

namespace swarmdns::controlplane {
namespace {

using testing::HasSubstr;

// Block 2 of a chain: two bundles, of whose three and one transactions the second of the first was refused.
class BundleTest : public testing::Test {
 protected:
  BundleTest() {
    MemoryStore store;
    auto chain = std::move(*Chain::open(store));
    v1::Transaction bad;
    bad.mutable_member_removed()->set_id(9);
    const std::string first = entry_of({bundle_of(1, {test_genesis()})});
    const std::string second =
        entry_of({bundle_of(2, {note("a"), bad, note("b")}), bundle_of(3, {note("c")})});
    EXPECT_TRUE(chain->apply(1, as_octets(first)));
    EXPECT_TRUE(chain->apply(2, as_octets(second)));
    *block.mutable_record() = store.blocks.at(2);
    for (std::uint64_t leaf = 1; leaf <= 3; ++leaf) *block.add_leaves() = store.leaves.at(leaf);
  }
  std::string problem() const {
    const auto inputs = inputs_of(block);
    return inputs ? "" : inputs.error();
  }
  v1::BundleRecord& bundle(int index) { return *block.mutable_record()->mutable_bundles(index); }

  v1::FullBlock block;
};

constexpr const char* kContradiction = "the block's record contradicts itself";

TEST_F(BundleTest, PutsLeavesAndRefusalsInTheirPlaces) {
  const auto inputs = inputs_of(block);
  ASSERT_TRUE(inputs) << inputs.error();
  ASSERT_EQ(inputs->size(), 2U);
  const BundleInput& first = inputs->front();
  ASSERT_EQ(first.leaves.size(), 3U);
  EXPECT_EQ(first.leaves[0], &block.leaves(0));
  EXPECT_EQ(first.leaves[1], nullptr);
  EXPECT_EQ(first.leaves[2], &block.leaves(1));
  EXPECT_EQ(inputs->back().leaves[0], &block.leaves(2));
  EXPECT_THAT(first.refusals[1], HasSubstr("9 is no member"));
  EXPECT_EQ(first.refusals[0], "");
  // All commitments, of the refused too: the signature verifies.
  for (const BundleInput& each : *inputs) {
    EXPECT_TRUE(verify_bundle({test_swarm(), 1, each.node, each.number}, each.commitments,
                              *array_from<64>(each.signature), test_keys(1).public_key));
  }
}

TEST_F(BundleTest, ALeafTooFew) {
  block.mutable_leaves()->RemoveLast();
  EXPECT_EQ(problem(), kContradiction);
  block.mutable_record()->mutable_commitments()->RemoveLast();
  EXPECT_EQ(problem(), kContradiction);
}

TEST_F(BundleTest, ALeafTooMany) {
  *block.add_leaves() = block.leaves(0);
  EXPECT_EQ(problem(), kContradiction);
  block.mutable_record()->add_commitments(block.record().commitments(0));
  EXPECT_EQ(problem(), kContradiction);
}

TEST_F(BundleTest, ACountThatIsNone) {
  bundle(1).set_count(0);
  EXPECT_EQ(problem(), kContradiction);
  bundle(1).set_count(static_cast<std::uint32_t>(kBundleMost) + 1);
  EXPECT_EQ(problem(), kContradiction);
  bundle(1).set_count(2);
  EXPECT_EQ(problem(), kContradiction);
}

TEST_F(BundleTest, RefusalsThatDoNotFitTogether) {
  const v1::FullBlock good = block;
  bundle(0).add_refusals("one more");
  EXPECT_EQ(problem(), kContradiction);
  block = good;
  bundle(0).mutable_refused_commitments()->RemoveLast();
  EXPECT_EQ(problem(), kContradiction);
  block = good;
  bundle(0).set_refused_commitments(0, "short");
  EXPECT_EQ(problem(), kContradiction);
  block = good;
  bundle(0).set_refused(0, 3);  // behind the last
  EXPECT_EQ(problem(), kContradiction);
  block = good;
  bundle(0).set_count(4);
  bundle(1).set_count(0);
  EXPECT_EQ(problem(), kContradiction);
}

TEST_F(BundleTest, RefusalsOutOfOrder) {
  bundle(0).set_count(4);
  bundle(0).add_refused(0);
  bundle(0).add_refusals("so");
  bundle(0).add_refused_commitments(block.record().commitments(0));
  EXPECT_EQ(problem(), kContradiction);
}

TEST_F(BundleTest, AnErasedLeaf) {
  block.mutable_leaves(1)->Clear();
  EXPECT_THAT(problem(), HasSubstr("was erased"));
}

TEST(Bundle, WhatCannotBeABundle) {
  EXPECT_FALSE(input_of(v1::Bundle()));
  v1::Bundle bundle = bundle_of(2, {note("a")});
  EXPECT_TRUE(input_of(bundle));
  bundle.mutable_leaves(0)->set_salt("short");
  EXPECT_FALSE(input_of(bundle));
  bundle = bundle_of(2, std::vector<v1::Transaction>(kBundleMost, note("a")));
  EXPECT_TRUE(input_of(bundle));
  *bundle.add_leaves() = bundle.leaves(0);
  EXPECT_FALSE(input_of(bundle));
}

}  // namespace
}  // namespace swarmdns::controlplane
