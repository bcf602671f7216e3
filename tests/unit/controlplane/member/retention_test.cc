#include "controlplane/member/retention.h"

#include <gtest/gtest.h>

#include "controlplane/ledger/prove.h"
#include "controlplane/ledger/verify.h"
#include "tests/unit/controlplane/ledger/store_fixture.h"
#include "tests/unit/controlplane/swarm/fakes.h"

namespace swarmdns::controlplane {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;

class RetentionTest : public StoreTest {
 protected:
  // The fixture's blocks are of the same second; the clock says that they are so many days old.
  void days_later(std::int64_t days) {
    reactor_.wall_offset_ms = 1'700'000'010'000 + days * kDayMs;
    auto chain = Chain::open(*store_);
    ASSERT_TRUE(chain) << chain.error();
    Retention retention(reactor_, **chain, *store_, [this](const std::string& text) { said_ += text; });
    retention.start();
    world_.run_for(30'000);
    EXPECT_EQ(retention.trouble(), "");
  }
  void keep_checkpoint() {
    const CheckpointNote note = cosigned_tip();
    ASSERT_TRUE(store_->put_checkpoint(note.checkpoint.height, format_note(note.note)));
  }
  test::World world_;
  test::FakeReactor reactor_{world_};
  std::string said_;
};

TEST_F(RetentionTest, OldBlocksGoBehindACheckpointAndTheRestIsProved) {
  add_blocks(4, 300);
  days_later(366);
  EXPECT_EQ(store_->lowest_height(), 1U) << "there is no checkpoint";
  keep_checkpoint();
  add_blocks(2, 300);
  days_later(364);
  EXPECT_EQ(store_->lowest_height(), 1U) << "young enough";
  EXPECT_EQ(said_, "");
  days_later(366);
  EXPECT_EQ(store_->lowest_height(), 4U) << "the checkpoint's block stays";
  EXPECT_NE(said_.find("blocks 1 to 3"), std::string::npos) << said_;
  EXPECT_FALSE(store_->block(3)->has_value());
  const auto proof = prove_inclusion(*store_, 900);
  ASSERT_TRUE(proof) << proof.error();
  EXPECT_TRUE(verify_proof(format_proof(*proof), format_trust(samples::trust())).holds);
}

TEST_F(RetentionTest, CheckpointsAreThinnedOut) {
  for (int i = 0; i < 9; ++i) {
    add_blocks(1, 1);
    keep_checkpoint();
  }
  days_later(0);
  EXPECT_EQ((*store_->checkpoint_from(2))->first, 2U) << "of the last hour all are kept";
  days_later(2);
  EXPECT_EQ((*store_->checkpoint_from(1))->first, 1U);
  EXPECT_FALSE(*store_->checkpoint_from(2)) << "one of that hour";
}

}  // namespace
}  // namespace swarmdns::controlplane
