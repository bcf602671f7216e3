#include "controlplane/ledger/export.h"

#include <gtest/gtest.h>

#include <bit>

#include "tests/unit/controlplane/ledger/store_fixture.h"

namespace swarmdns::controlplane {
namespace {

class ExportTest : public StoreTest {
 protected:
  void keep_checkpoint() {
    const CheckpointNote note = cosigned_tip();
    ASSERT_TRUE(store_->put_checkpoint(note.checkpoint.height, format_note(note.note)));
  }
  std::vector<v1::ExportRecord> records(const ExportPlan& plan) {
    std::string all = *export_beginning(*store_, plan);
    for (std::uint64_t height = plan.from; height <= plan.anchor; ++height)
      all += *export_height(*store_, plan, height);
    all += export_end(plan);
    std::string_view rest = all;
    EXPECT_TRUE(rest.starts_with("SWARMDNS-LEDGER\n"));
    rest.remove_prefix(16);
    std::vector<v1::ExportRecord> found;
    while (!rest.empty()) {
      OctetReader reader(as_octets(rest));
      const std::uint32_t size = reader.be32();
      EXPECT_TRUE(found.emplace_back().ParseFromString(std::string(rest.substr(4, size))));
      rest.remove_prefix(4 + size);
    }
    return found;
  }
};

TEST_F(ExportTest, TheTreeGrowsFromItsSubtreesToEveryBlocksRoot) {
  add_blocks(8, 37);
  keep_checkpoint();
  const auto plan = plan_export(*store_, 4, 6, true);
  ASSERT_TRUE(plan) << plan.error();
  EXPECT_EQ(plan->anchor, 8U);
  const auto all = records(*plan);
  ASSERT_EQ(all.size(), 1U + 3U + 2U + 1U);
  const v1::ExportHeader& header = all[0].header();
  EXPECT_EQ(header.tree_size(), 3U * 37);
  std::vector<Hash> edge;
  for (const std::string& subtree : header.subtrees()) edge.push_back(*array_from<32>(subtree));
  EXPECT_EQ(edge.size(), static_cast<std::size_t>(std::popcount(header.tree_size())));
  // The root of the tree before the first block, from the smallest subtree up.
  Hash root = edge.back();
  for (std::size_t i = edge.size() - 1; i-- > 0;) root = merkle_node_hash(edge[i], root);
  EXPECT_EQ(root, store_->header(3)->tree_root);
  EXPECT_EQ(all[1].block().leaves_size(), 37);
  EXPECT_EQ(all[1].block().leaves(0).transaction(), body(111));
  EXPECT_EQ(decode_block_header(as_octets(all[4].link()))->height, 7U);
  EXPECT_EQ(decode_block_header(as_octets(all[5].link()))->height, 8U);
  EXPECT_EQ(all[6].checkpoint(), plan->checkpoint);
}

TEST_F(ExportTest, WithoutBodiesThereAreNone) {
  add_blocks(2, 3);
  keep_checkpoint();
  for (const v1::ExportRecord& record : records(*plan_export(*store_, 1, 2, false)))
    EXPECT_EQ(record.block().leaves_size(), 0);
}

TEST_F(ExportTest, OnlyWhatIsThereAndCovered) {
  add_blocks(2, 3);
  EXPECT_EQ(plan_export(*store_, 1, 2, false).error(),
            "to: no checkpoint covers block 2 yet: ask again in a moment, or for less");
  keep_checkpoint();
  EXPECT_EQ(plan_export(*store_, 1, 3, false).error(), "to: there is no block 3; the newest is 2");
  ASSERT_TRUE(store_->prune(2));
  EXPECT_EQ(plan_export(*store_, 1, 2, false).error(), "from: blocks below 2 are pruned");
}

}  // namespace
}  // namespace swarmdns::controlplane
