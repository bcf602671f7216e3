#include "controlplane/cli/log_text.h"

#include <gtest/gtest.h>

#include "controlplane/cli/transaction_text.h"

namespace swarmdns::controlplane {
namespace {

constexpr uint64_t kNow = 1795367400000;  // 2026-11-22T17:10:00Z

v1::TransactionView by(const std::string& principal, const std::string& reason = "") {
  v1::TransactionView view;
  view.set_node(1);
  view.set_node_name("n1");
  view.mutable_transaction()->set_version(1);
  view.mutable_transaction()->set_principal(principal);
  view.mutable_transaction()->set_reason(reason);
  return view;
}

std::string said(const v1::TransactionView& view) {
  NodeNames names;
  v1::SwarmView swarm;
  for (uint64_t id = 1; id <= 3; ++id) {
    auto* node = swarm.add_nodes();
    node->set_id(id);
    node->set_name("n" + std::to_string(id));
  }
  names.learn(swarm);
  return sentence_of(view, names);
}

TEST(TransactionText, EveryKindIsASentence) {
  auto view = by("alice@n1", "second site");
  v1::Transaction& t = *view.mutable_transaction();
  auto& added = *t.mutable_member_added();
  added.set_id(2);
  added.set_name("n2");
  added.set_address("10.54.0.2:8453");
  added.set_region("east");
  EXPECT_EQ(said(view), "alice@n1 added n2 (10.54.0.2:8453, region east) - second site");
  t.set_reason("");
  auto& genesis = *t.mutable_genesis();
  genesis.set_name("lab");
  genesis.set_incarnation(1);
  genesis.mutable_first()->set_name("n1");
  genesis.mutable_first()->set_address("10.54.0.1:8453");
  EXPECT_EQ(said(view), "alice@n1 made the swarm \"lab\" with n1 (10.54.0.1:8453) as its first member");
  genesis.set_incarnation(2);
  genesis.set_previous_incarnation(1);
  genesis.set_previous_height(1204);
  EXPECT_EQ(said(view),
            "alice@n1 began incarnation 2 of the swarm \"lab\" with n1 (10.54.0.1:8453), going on from block "
            "1,204 of "
            "incarnation 1; all other members are refused");
  t.mutable_token_issued()->set_token_hash("\x1a\x2b\x3c\x4d\x5e");
  t.mutable_token_issued()->set_backup(true);
  t.mutable_token_issued()->set_region("east");
  t.mutable_token_issued()->set_expires_ms(kNow);
  EXPECT_EQ(
      said(view),
      "alice@n1 gave out token 1a2b3c4d for a backup node in region east, valid until 2026-11-22T17:10:00Z");
  t.mutable_token_revoked()->set_token_hash("\x1a\x2b\x3c\x4d\x5e");
  EXPECT_EQ(said(view), "alice@n1 revoked token 1a2b3c4d");
  t.mutable_member_removed()->set_id(3);
  EXPECT_EQ(said(view), "alice@n1 removed n3");
  t.mutable_member_removed()->set_left(true);
  EXPECT_EQ(said(view), "alice@n1 took n3 out of the swarm by its own wish");
  t.mutable_member_changed()->set_id(3);
  t.mutable_member_changed()->set_backup(false);
  t.mutable_member_changed()->set_address("10.54.0.9:8453");
  EXPECT_EQ(said(view), "alice@n1 changed n3: role primary, address 10.54.0.9:8453");
  t.mutable_settings_changed()->mutable_settings()->set_max_voters(5);
  t.mutable_settings_changed()->mutable_settings()->set_promote_after_ms(30000);
  EXPECT_EQ(said(view), "alice@n1 set max_voters=5 promote_after=30s");
  t.mutable_certificate_rotation()->add_sealed();
  t.mutable_certificate_rotation()->add_roots();
  t.mutable_certificate_rotation()->add_roots();
  EXPECT_EQ(said(view),
            "alice@n1 sealed the issuing key of the CA to 1 member; 2 roots are trusted meanwhile");
  t.mutable_version_raised()->set_version(2);
  EXPECT_EQ(said(view), "alice@n1 raised the ledger's version to 2");
  t.mutable_config_changed()->set_document("all:\n  x: 1");
  EXPECT_EQ(said(view), "alice@n1 changed the configuration of all nodes (2 lines)");
  t.mutable_config_changed()->set_restores_height(40);
  EXPECT_EQ(said(view), "alice@n1 restored the configuration of block 40");
  t.mutable_fence()->set_epoch(3);
  t.mutable_fence()->set_to_ms(kNow);
  t.mutable_fence()->add_dead();
  t.mutable_fence()->set_readmit(true);
  EXPECT_EQ(said(view),
            "alice@n1 rolled the caches back to 2026-11-22T17:10:00Z: epoch 3, 1 range of mutations is dead, "
            "what was "
            "current then is readmitted");
  t.mutable_fence()->set_to_ms(0);
  t.mutable_fence()->set_to_height(50);
  t.mutable_fence()->set_readmit(false);
  EXPECT_EQ(said(view), "alice@n1 rolled the caches back to block 50: epoch 3, 1 range of mutations is dead");
  auto* place = t.mutable_erasure()->add_places();
  for (const uint32_t position : {10, 11, 12}) place->add_positions(position);
  t.mutable_erasure()->set_name_tag("t");
  EXPECT_EQ(said(view), "alice@n1 erased 3 mutations of a name, and whatever other nodes have of it");
  t.mutable_erasure()->add_leaves(7);
  EXPECT_EQ(said(view),
            "alice@n1 erased 1 transaction and 3 mutations of a name, and whatever other nodes have of it");
  t.mutable_note()->set_text("maintenance begins");
  EXPECT_EQ(said(view), "alice@n1 noted: maintenance begins");
}

TEST(TransactionText, ANodeSpeaksForItself) {
  auto view = by("");
  v1::Transaction& t = *view.mutable_transaction();
  t.mutable_log_members()->add_voters(1);
  t.mutable_log_members()->add_voters(7);
  EXPECT_EQ(said(view), "n1 set the voters to n1, node 7, the stand-bys to none");
  t.mutable_config_outcome()->set_height(57);
  EXPECT_EQ(said(view), "n1 carries out the configuration of block 57");
  t.mutable_config_outcome()->set_degraded(true);
  t.mutable_config_outcome()->set_problem("no such user");
  EXPECT_EQ(said(view), "n1 is degraded, it cannot carry out the configuration of block 57: no such user");
  t.mutable_segment_head()->set_segment(57);
  t.mutable_segment_head()->set_mutations(1204);
  t.mutable_segment_head()->set_lost(3);
  EXPECT_EQ(said(view), "n1: cache changes up to segment 57: 1,204 mutations, 3 lost in gaps");
  t.mutable_fence_done()->set_epoch(3);
  t.mutable_fence_done()->set_removed(1);
  t.mutable_fence_done()->set_problem("the resolver is down");
  EXPECT_EQ(said(view),
            "n1 carried out the rollback of epoch 3: 1 entry removed, resolver not flushed; problem: the "
            "resolver is "
            "down");
}

TEST(TransactionText, WhatIsErasedOrFromTomorrowIsSaid) {
  auto view = by("alice@n1", "why");
  EXPECT_EQ(said(view), "alice@n1 did something that this swarmctl does not know (version 1) - why");
  view.clear_transaction();
  view.set_erased(true);
  EXPECT_EQ(said(view), "n1 (erased)");
}

TEST(TransactionText, NoTextReachesTheTerminalAsACommand) {
  auto view = by("alice@n1", "\x1b[2Jgone\n");
  view.mutable_transaction()->mutable_note()->set_text("\x07ring");
  EXPECT_EQ(said(view), "alice@n1 noted: ?ring - ?[2Jgone?");
}

v1::BlockView block(uint64_t height, std::vector<v1::TransactionView> transactions) {
  v1::BlockView block;
  block.set_height(height);
  block.set_time_ms(kNow + height);
  for (auto& view : transactions) *block.add_transactions() = std::move(view);
  return block;
}
v1::TransactionView head(uint64_t mutations) {
  auto view = by("");
  view.mutable_transaction()->mutable_segment_head()->set_segment(5);
  view.mutable_transaction()->mutable_segment_head()->set_mutations(mutations);
  return view;
}
v1::TransactionView note(const std::string& text) {
  auto view = by("alice@n1");
  view.mutable_transaction()->mutable_note()->set_text(text);
  return view;
}

TEST(LogText, TellsTheStoryAndFoldsTheRest) {
  LogText log;
  log.newest = 1204;
  log.blocks = {block(1203, {note("b"), head(4)}), block(1202, {head(10), head(5)}), block(1201, {head(1)}),
                block(57, {note("a"), note("c")}), block(1, {note("first")})};
  log.blocks[0].add_refusals("n3: no such member");
  EXPECT_EQ(log_text(log, {}, Style()),
            "    :  1,204: 1 block with nothing but cache changes\n"
            "1,203  2026-11-22T17:10:01Z  alice@n1 noted: b\n"
            "1,203  2026-11-22T17:10:01Z  refused: n3: no such member\n"
            "    :  58 to 1,202: 1,145 blocks with nothing but cache changes\n"
            "   57  2026-11-22T17:10:00Z  alice@n1 noted: a\n"
            "   57  2026-11-22T17:10:00Z  alice@n1 noted: c\n"
            "    :  2 to 56: 55 blocks with nothing but cache changes\n"
            "    1  2026-11-22T17:10:00Z  alice@n1 noted: first\n");
}

TEST(LogText, CountsWhatItSawWhole) {
  LogText log;
  log.newest = 8;
  log.blocks = {block(8, {head(10), head(5)}), block(7, {head(1)}), block(6, {note("a")})};
  EXPECT_EQ(log_text(log, {}, Style()),
            ":  7 to 8: 2 blocks with nothing but cache changes, 16 of them\n"
            "6  2026-11-22T17:10:00Z  alice@n1 noted: a\n");
}

TEST(LogText, WithHeadsEveryLineIsThere) {
  LogText log;
  log.heads = true;
  log.blocks = {block(8, {head(10), note("a")}), block(7, {head(1)})};
  EXPECT_EQ(log_text(log, {}, Style()),
            "8  2026-11-22T17:10:00Z  n1: cache changes up to segment 5: 10 mutations\n"
            "8  2026-11-22T17:10:00Z  alice@n1 noted: a\n"
            "7  2026-11-22T17:10:00Z  n1: cache changes up to segment 5: 1 mutation\n");
}

TEST(LogText, AnErasedOrPrunedBodyIsNoCacheChange) {
  auto erased = by("");
  erased.clear_transaction();
  erased.set_erased(true);
  LogText log;
  log.blocks = {block(3, {erased}), block(2, {})};
  log.blocks[1].set_transaction_count(12);
  EXPECT_EQ(log_text(log, {}, Style()),
            "3  2026-11-22T17:10:00Z  n1 (erased)\n"
            "2  2026-11-22T17:10:00Z  12 transactions whose bodies are pruned\n");
  EXPECT_EQ(log_text({}, {}, Style()), "");
}

TEST(BlockText, ShowsEverything) {
  auto view = by("alice@n1", "why");
  view.set_leaf(3051);
  view.mutable_transaction()->set_made_ms(kNow + 1);
  view.mutable_transaction()->set_request_id("\x01\x02");
  auto* dead = view.mutable_transaction()->mutable_fence()->add_dead();
  dead->set_node(1);
  dead->set_first(1000);
  dead->set_last(2000);
  view.mutable_transaction()->mutable_fence()->set_to_height(50);
  auto document = by("bob@n1");
  document.set_leaf(3052);
  document.mutable_transaction()->mutable_config_changed()->set_document("all:\n  node: {}\n");
  v1::BlockView shown = block(57, {view, document});
  shown.set_hash("\xab");
  shown.set_previous("\xcd");
  shown.set_tree_size(3053);
  shown.set_tree_root("\xef");
  shown.set_state_root("\x12");
  shown.set_checkpointed(true);
  NodeNames names;
  names.learn(shown);
  EXPECT_EQ(
      block_text(shown, names, Style()),
      "block 57, 2026-11-22T17:10:00.057Z, cosigned by a majority\n"
      "  hash        ab\n"
      "  previous    cd\n"
      "  tree        3,053 leaves, root ef\n"
      "  state root  12\n"
      "\n"
      "leaf 3,051  alice@n1 rolled the caches back to block 50: epoch 0, 1 range of mutations is dead - why\n"
      "  by n1, made 2026-11-22T17:10:00.001Z, request 0102\n"
      "  dead: mutations 1,000 to 2,000 of n1\n"
      "\n"
      "leaf 3,052  bob@n1 changed the configuration of all nodes (2 lines)\n"
      "  by n1\n"
      "  | all:\n"
      "  |   node: {}\n");
}

}  // namespace
}  // namespace swarmdns::controlplane
