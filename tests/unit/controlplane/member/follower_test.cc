// A node that gets its ledger by blocks, from whoever has it.
#include "controlplane/member/follower.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controlplane/membership/directory.h"
#include "controlplane/state/keys.h"
#include "tests/unit/controlplane/support/chain_node.h"
#include "tests/unit/controlplane/support/member_node.h"

namespace swarmdns::controlplane {
namespace {

using testing::Contains;
using testing::HasSubstr;

// Nodes 1 and 2 are in the log; 3 is a member and gets nothing of it.
class FollowerTest : public testing::Test {
 protected:
  FollowerTest() {
    reactor.wall_offset_ms = 0;
    log.at_once = true;
    log.members = {{1, "10.54.0.1:8453", LogRole::kVoter}};
    start(1);
    start(2);
    log.lead(1);
    EXPECT_TRUE(reactor.run_until([&] { return at(1).chain().height() > 0; }));
    log.hold_changes = true;  // the log stays as it is
    add(2);
    add(3);
  }
  void start(NodeId id) {
    nodes[id] = std::make_unique<MemberNode>(reactor, net, log, id, test_keys(static_cast<int>(id)),
                                             id == 1 ? test_genesis() : v1::Transaction());
  }
  // Its link before it knows of anybody: as whoever joined it knows them.
  void start_follower() {
    log.add(3, nullptr).held = true;
    start(3);
    log.node(3).believed_leader = 0;
    net.link(3).set_peers({{1, "a", ""}, {2, "b", ""}});
    at(3).core->roster().set_members({1, 2});
  }
  MemberNode& at(NodeId id) { return *nodes.at(id); }
  Follower& follower() { return at(3).core->follower(); }
  bool order(NodeId by, v1::Transaction transaction) {
    std::optional<bool> done;
    at(by).core->submitter().submit(std::move(transaction), [&](const auto& outcome) {
      EXPECT_TRUE(outcome) << outcome.error().text;
      done = outcome.has_value();
    });
    EXPECT_TRUE(reactor.run_until([&] { return done.has_value(); }));
    return done.value_or(false);
  }
  void add(int node) {
    const std::string hash(32, static_cast<char>('a' + node));
    v1::Transaction added;
    *added.mutable_member_added() = test_member(node);
    added.mutable_member_added()->set_token_hash(hash);
    EXPECT_TRUE(order(1, token_for(hash)));
    EXPECT_TRUE(order(1, added));
  }
  bool level() {
    return reactor.run_until([&] { return at(3).chain().tip_hash() == at(1).chain().tip_hash(); }, 30'000);
  }

  TestReactor reactor;
  TestNet net{reactor};
  FakeLog log{reactor};
  std::map<NodeId, std::unique_ptr<MemberNode>> nodes;
};

TEST_F(FollowerTest, FollowsFromTheFirstBlockOn) {
  start_follower();
  ASSERT_TRUE(level());
  EXPECT_TRUE(follower().following());
  EXPECT_FALSE(follower().in_log());
  EXPECT_EQ(at(3).chain().applied_index(), at(1).chain().applied_index());
  EXPECT_EQ(at(3).core->cosigner().height(), at(1).chain().height());
  // Whatever comes is there at once, without being asked for.
  reactor.run_for(1000);
  ASSERT_TRUE(order(1, note("news")));
  reactor.run_for(200);
  EXPECT_EQ(at(3).chain().tip_hash(), at(1).chain().tip_hash());
  EXPECT_GT(net.count(v1::PeerMessage::kBlocksResponse), 0U);
}

TEST_F(FollowerTest, OrdersByWayOfTheLeader) {
  start_follower();
  ASSERT_TRUE(level());
  reactor.run_for(2000);
  EXPECT_EQ(follower().leader(), 1U);
  EXPECT_EQ(at(3).core->log_status().leader, 1U);
  ASSERT_TRUE(order(3, note("of one that follows")));
  EXPECT_EQ(at(3).chain().tip_hash(), at(1).chain().tip_hash());
}

TEST_F(FollowerTest, TheVotersOfTheCheckpointAreThoseOfItsHeight) {
  start_follower();
  ASSERT_TRUE(level());
  net.cut(3);
  // Two voters: 1 alone is no majority any more.
  ASSERT_TRUE(order(1, voters({1, 2})));
  ASSERT_TRUE(order(1, note("behind")));
  reactor.run_for(500);
  EXPECT_EQ(at(1).core->cosigner().height(), at(1).chain().height());
  net.mend(3);
  ASSERT_TRUE(level());
  EXPECT_EQ(voters_in(at(3).chain().state()).size(), 2U);
}

// A peer that is asked for blocks and says something else.
TEST_F(FollowerTest, WhatNoMajorityVouchesForIsNotTaken) {
  start_follower();
  ASSERT_TRUE(level());
  const std::uint64_t height = at(3).chain().height();
  // What the peers really say of the ledger does not arrive.
  net.lose = [](NodeId, NodeId to, const v1::PeerMessage& message) {
    return to == 3 && (message.has_blocks_response() || message.has_checkpoint());
  };
  ASSERT_TRUE(order(1, note("more")));
  reactor.run_for(500);
  v1::PeerMessage genuine;
  const auto block = at(1).store.block(height + 1);
  v1::FullBlock& full = *genuine.mutable_blocks_response()->add_blocks();
  *full.mutable_record() = **block;
  const auto header = *decode_block_header(as_octets(full.record().header()));
  for (std::uint64_t i = 0; i < header.leaf_count; ++i)
    *full.add_leaves() = **at(1).store.leaf(header.first_leaf + i);
  genuine.mutable_blocks_response()->set_height(height + 1);
  genuine.mutable_blocks_response()->set_checkpoint(at(1).core->cosigner().note());

  const auto refused = [&](const std::function<void(v1::BlocksResponse&)>& spoil) {
    // Whom it listens to.
    NodeId source = 0;
    for (const auto& each : net.sent) {
      if (each.from == 3 && each.message.has_blocks_request()) source = each.to;
    }
    v1::PeerMessage message = genuine;
    spoil(*message.mutable_blocks_response());
    const std::uint64_t before = follower().counters().refused;
    at(3).core->receive(source, Channel::kBulk, message);
    const bool was = follower().counters().refused > before;
    // It asks somebody else.
    const std::size_t asked = net.count(v1::PeerMessage::kBlocksRequest);
    EXPECT_TRUE(
        reactor.run_until([&] { return net.count(v1::PeerMessage::kBlocksRequest) > asked; }, 20'000));
    return was;
  };
  EXPECT_TRUE(refused([](v1::BlocksResponse& response) {
    std::string& note = *response.mutable_checkpoint();
    note[note.size() - 10] = note[note.size() - 10] == 'A' ? 'B' : 'A';  // in the signature
  }));
  EXPECT_TRUE(refused([&](v1::BlocksResponse& response) {
    BlockHeader other = header;
    ++other.time_ms;
    response.mutable_blocks(0)->mutable_record()->set_header(encode_block_header(other));
  }));
  EXPECT_TRUE(refused([&](v1::BlocksResponse& response) {
    BlockHeader other = header;
    other.previous = Hash{};
    response.mutable_blocks(0)->mutable_record()->set_header(encode_block_header(other));
  }));
  EXPECT_EQ(at(3).chain().height(), height);
  // Without a checkpoint it waits for one.
  EXPECT_FALSE(refused([](v1::BlocksResponse& response) { response.clear_checkpoint(); }));
  EXPECT_EQ(at(3).chain().height(), height);
  net.lose = nullptr;
  EXPECT_TRUE(level());
}

TEST_F(FollowerTest, OfBlocksThatAreNotKeptItFetchesTheState) {
  at(1).store.blocks.erase(1);
  at(2).store.blocks.erase(1);
  start_follower();
  ASSERT_TRUE(reactor.run_until([&] { return at(3).installer.done != nullptr; }, 30'000));
  EXPECT_THAT(at(3).said, Contains(HasSubstr("are not kept")));
  // As a copy of the state would leave it.
  at(3).store = at(1).store;
  const auto done = std::exchange(at(3).installer.done, nullptr);
  done({});
  EXPECT_EQ(at(3).replaced, 1);
  ASSERT_TRUE(order(1, note("after the copy")));
  EXPECT_TRUE(level());
}

TEST_F(FollowerTest, OfErasedTransactionsItFetchesTheState) {
  at(1).store.leaves[1] = v1::Leaf();
  at(2).store.leaves[1] = v1::Leaf();
  start_follower();
  EXPECT_TRUE(reactor.run_until([&] { return at(3).installer.done != nullptr; }, 30'000));
}

TEST_F(FollowerTest, ASilentPeerIsLeftForAnother) {
  start_follower();
  ASSERT_TRUE(level());
  NodeId source = 0;
  for (const auto& each : net.sent) {
    if (each.from == 3 && each.message.has_blocks_request()) source = each.to;
  }
  // It reports still, and gives no blocks.
  net.lose = [source](NodeId from, NodeId, const v1::PeerMessage& message) {
    return from == source && message.has_blocks_response();
  };
  ASSERT_TRUE(order(1, note("by way of the other")));
  EXPECT_TRUE(level());
}

// Nothing reaches it for a while, but what the leader says to its question.
TEST_F(FollowerTest, AReadWaitsForWhatWasAcknowledgedBefore) {
  start_follower();
  ASSERT_TRUE(level());
  bool blocks = false;
  net.lose = [&](NodeId, NodeId to, const v1::PeerMessage& message) {
    return to == 3 && message.has_blocks_response() && !blocks;
  };
  ASSERT_TRUE(order(1, note("acknowledged")));
  const std::uint64_t acknowledged = at(1).chain().height();
  std::optional<std::expected<void, std::string>> read;
  std::uint64_t seen = 0;
  at(3).core->fresh().read([&](std::expected<void, std::string> result) {
    read = std::move(result);
    seen = at(3).chain().height();
  });
  reactor.run_for(FreshRead::kPatienceMs / 2);
  EXPECT_FALSE(read.has_value());
  EXPECT_LT(at(3).chain().height(), acknowledged);
  blocks = true;
  ASSERT_TRUE(reactor.run_until([&] { return read.has_value(); }, 30'000));
  EXPECT_TRUE(*read) << read->error();
  EXPECT_GE(seen, acknowledged);
}

TEST_F(FollowerTest, AReadThatNobodyAnswersFails) {
  start_follower();
  ASSERT_TRUE(level());
  net.lose = [](NodeId, NodeId, const v1::PeerMessage& message) { return message.has_height_response(); };
  std::optional<std::expected<void, std::string>> read;
  at(3).core->fresh().read([&](std::expected<void, std::string> result) { read = std::move(result); });
  ASSERT_TRUE(reactor.run_until([&] { return read.has_value(); }, 30'000));
  ASSERT_FALSE(*read);
  EXPECT_THAT(read->error(), HasSubstr("did not answer"));
}

}  // namespace
}  // namespace swarmdns::controlplane
