#include "controlplane/member/recovery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controlplane/membership/directory.h"
#include "tests/unit/controlplane/support/founded.h"

namespace swarmdns::controlplane {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

// A swarm of two whose founder goes on alone.
class RecoverTest : public FoundedSwarm {
 protected:
  RecoverTest() {
    add_member(make_keys(), "n2");
    EXPECT_TRUE(order(note("the last thing")));
    fs::create_directories(files.ledger_directory());
    write_file(files.ledger_directory() + "/CURRENT", "old");
    plan = take_or_throw(plan_recovery(at(1).chain(), at(1).core->cosigner().note(), 1));
    wish = founding_wish(reactor.wall_ms());
    wish.settings = plan.settings;
    wish.region = plan.region;
    wish.principal = "alice@n1";
    wish.reason = "west burned down";
  }
  std::uint32_t incarnation_on_disk() { return take_or_throw(files.load())->record.incarnation(); }

  IdentityFiles files{dir.path()};
  v1::NodeIdentity before = founded.identity.record;
  RecoveryPlan plan;
  FoundingWish wish;
};

TEST_F(RecoverTest, ThePlanSaysWhereItGoesOnAndWhoIsLeft) {
  EXPECT_THAT(plan.left_behind, ElementsAre("n2"));
  EXPECT_EQ(plan.founder, 3U);
  EXPECT_EQ(plan.genesis.previous_height(), at(1).chain().height());
  EXPECT_EQ(plan.genesis.previous_block(), as_string(at(1).chain().tip_hash()));
  EXPECT_EQ(plan.genesis.carried_state(), as_string(at(1).chain().tip()->state_root));
  EXPECT_FALSE(plan.genesis.previous_checkpoint().empty());
}

TEST_F(RecoverTest, ItsGenesisBeginsAChainThatNamesTheOldOne) {
  const Founded made = take_or_throw(recover_swarm(files, before, plan, wish));
  const v1::NodeIdentity& record = made.identity.record;
  EXPECT_EQ(record.incarnation(), 2U);
  EXPECT_EQ(record.swarm_id(), before.swarm_id());
  EXPECT_EQ(record.name_key(), before.name_key());
  EXPECT_NE(made.identity.keys.tls.pin, founded.identity.keys.tls.pin);
  EXPECT_NE(made.root_certificate, founded.root_certificate);
  MemoryStore store;
  const auto chain = std::move(*Chain::open(store));
  v1::Leaf leaf;
  leaf.set_salt(std::string(16, 's'));
  leaf.set_transaction(record.genesis().SerializeAsString());
  const std::string entry =
      entry_of({make_bundle({*array_from<16>(record.swarm_id()), 2, record.node(), 1}, {leaf},
                            key_pair_of(made.identity.keys.ledger).secret_key)});
  ASSERT_TRUE(chain->apply(1, as_octets(entry)));
  ASSERT_EQ(chain->height(), 1U);
  EXPECT_EQ(chain->incarnation(), 2U);
  EXPECT_EQ(live_members(chain->state()).size(), 1U);
  EXPECT_EQ(member(chain->state(), 2)->left_behind(), 1U);
}

TEST_F(RecoverTest, TheOldStaysAside) {
  const Founded made = take_or_throw(recover_swarm(files, before, plan, wish));
  const Identity now = std::move(**files.load());
  EXPECT_EQ(now.record.incarnation(), 2U);
  EXPECT_EQ(now.keys.tls.pin, made.identity.keys.tls.pin);
  EXPECT_EQ(now.record.genesis().reason(), "west burned down");
  EXPECT_TRUE(fs::exists(files.log_directory(now.record.place())));
  EXPECT_EQ(read_file(files.ledger_directory() + "/CURRENT"), "old");
  EXPECT_EQ(kept_ledger(files, 1), files.ledger_directory());
  EXPECT_FALSE(kept_ledger(files, 2));
  EXPECT_EQ((**files.kept_aside(1)).genesis().SerializeAsString(), before.genesis().SerializeAsString());
}

TEST_F(RecoverTest, TheRootKeyIsThereUntilItIsHandedOver) {
  const Founded made = take_or_throw(recover_swarm(files, before, plan, wish));
  const auto path = root_key_left(files, made.identity.record);
  ASSERT_TRUE(path);
  EXPECT_EQ(read_file(*path), made.root_key.view());
  handed_over(files, made.identity.record);
  EXPECT_FALSE(root_key_left(files, made.identity.record));
}

// Cut off at any step it is the old membership or the new one.
TEST_F(RecoverTest, BrokenOffItIsAsItWas) {
  // Nothing can be laid out where a file stands that is no folder; nothing counts until the identity is
  // replaced.
  ASSERT_EQ(chmod(files.directory().c_str(), 0700), 0);
  write_file(files.directory() + "/identity-1.json.new", "of a crash");
  fs::create_directories(files.directory() + "/incarnation-2/log");
  write_file(files.directory() + "/incarnation-2/log/metadata1", "of an attempt");
  EXPECT_EQ(incarnation_on_disk(), 1U);
  ASSERT_TRUE(recover_swarm(files, before, plan, wish));
  EXPECT_EQ(incarnation_on_disk(), 2U);
  ASSERT_TRUE(undo_recovery(files, before));
  EXPECT_EQ(incarnation_on_disk(), 1U);
  EXPECT_EQ((**files.load()).keys.tls.pin, founded.identity.keys.tls.pin);
  EXPECT_FALSE(fs::exists(files.directory() + "/incarnation-2"));
  // And once more.
  ASSERT_TRUE(recover_swarm(files, before, plan, wish));
  EXPECT_EQ(incarnation_on_disk(), 2U);
}

TEST_F(RecoverTest, AWishThatTheLedgerWouldRefuseChangesNothing) {
  wish.node_name = "N1";
  const auto made = recover_swarm(files, before, plan, wish);
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error(), HasSubstr("first.name"));
  EXPECT_EQ(incarnation_on_disk(), 1U);
  EXPECT_FALSE(fs::exists(files.directory() + "/incarnation-2"));
}

// The seam is what the old store says it is.
TEST_F(RecoverTest, TheSeamIsChecked) {
  StoreOptions options;
  options.path = dir / "kept";
  const auto store = std::move(*LedgerStore::open(options));
  const auto chain = std::move(*Chain::open(*store));
  for (const FakeLog::Entry& entry : log.entries)
    ASSERT_TRUE(chain->apply(entry.index, as_octets(entry.data)));
  ASSERT_EQ(chain->tip_hash(), at(1).chain().tip_hash());
  EXPECT_EQ(check_seam(*store, plan.genesis), "");
  v1::Genesis other = plan.genesis;
  other.set_previous_block(std::string(32, 'x'));
  EXPECT_THAT(check_seam(*store, other), HasSubstr("not the one"));
  other = plan.genesis;
  other.mutable_carried(0)->mutable_value()->push_back('x');
  EXPECT_THAT(check_seam(*store, other), HasSubstr("a value that was taken over"));
}

}  // namespace
}  // namespace swarmdns::controlplane
