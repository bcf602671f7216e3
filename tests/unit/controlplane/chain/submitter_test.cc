#include "controlplane/chain/submitter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controlplane/state/keys.h"
#include "tests/unit/controlplane/support/chain_node.h"
#include "tests/unit/controlplane/support/fake_log.h"
#include "tests/unit/controlplane/support/test_net.h"
#include "tests/unit/controlplane/support/test_reactor.h"

namespace swarmdns::controlplane {
namespace {

using testing::HasSubstr;

// Three members; the first leads.
class SubmitterTest : public testing::Test {
 protected:
  struct Node : ChainNode {
    std::optional<Sequencer> sequencer;
    std::optional<Submitter> submitter;
  };
  struct Asked {
    std::optional<std::expected<Receipt, SubmitError>> outcome;
    int answers = 0;
  };

  SubmitterTest() {
    log.at_once = true;
    log.lead(1);
    for (const std::string& entry : beginning(3, 3)) log.entries.push_back({log.entries.size() + 1, entry});
    for (NodeId id = 1; id <= 3; ++id) start(id, {});
  }
  void start(NodeId id, Submitter::Options options) {
    Node& node = nodes[id];
    node.submitter.reset();
    node.sequencer.reset();
    node.chain = std::move(*Chain::open(node.store));
    options.self = id;
    options.key = test_keys(static_cast<int>(id)).secret_key;
    log.add(id, &node).catch_up();
    node.sequencer.emplace(reactor, log.node(id), Sequencer::Limits{});
    node.submitter.emplace(reactor, net.add(id), log.node(id), *node.sequencer, *node.chain, options);
    net.link(id).on_message([this, id, &node](NodeId from, Channel, const v1::PeerMessage& message) {
      if (message.has_forward_response())
        return node.submitter->answered(message.request(), message.forward_response());
      v1::PeerMessage answer;
      answer.set_request(message.request());
      *answer.mutable_forward_response() = node.submitter->take(message.forward_request().bundle());
      net.link(id).send(from, Channel::kConsensus, answer);
    });
  }
  std::shared_ptr<Asked> ask(NodeId id, v1::Transaction transaction) {
    auto asked = std::make_shared<Asked>();
    nodes[id].submitter->submit(std::move(transaction), [asked](std::expected<Receipt, SubmitError> outcome) {
      asked->outcome = std::move(outcome);
      ++asked->answers;
    });
    return asked;
  }
  bool answered(const std::shared_ptr<Asked>& asked) {
    return reactor.run_until([&] { return asked->answers > 0; });
  }
  // How often a note with that text is in the ledger.
  int written(const std::string& text) {
    int count = 0;
    for (const auto& [index, leaf] : nodes[1].store.leaves) {
      v1::Transaction transaction;
      if (transaction.ParseFromString(leaf.transaction()) && transaction.note().text() == text) ++count;
    }
    return count;
  }

  TestReactor reactor;
  TestNet net{reactor};
  FakeLog log{reactor};
  std::map<NodeId, Node> nodes;
};

TEST_F(SubmitterTest, WhatIsSubmittedTogetherIsOneBundle) {
  std::vector<std::shared_ptr<Asked>> all;
  for (int i = 0; i < 5; ++i) all.push_back(ask(1, note("n" + std::to_string(i))));
  EXPECT_EQ(all[0]->answers, 0);  // never from within the call
  for (const auto& asked : all) ASSERT_TRUE(answered(asked));
  ASSERT_EQ(log.entries.size(), 3U);
  EXPECT_EQ(nodes[1].store.blocks.at(3).bundles_size(), 1);
  for (std::size_t i = 0; i < all.size(); ++i) {
    ASSERT_TRUE(*all[i]->outcome);
    EXPECT_EQ((*all[i]->outcome)->height, 3U);
    EXPECT_EQ((*all[i]->outcome)->leaf, nodes[1].chain->tip()->first_leaf + i);
    EXPECT_EQ((*all[i]->outcome)->time_ms, nodes[1].chain->tip()->time_ms);
  }
  EXPECT_TRUE(nodes[1].submitter->idle());
  v1::Transaction first;
  ASSERT_TRUE(first.ParseFromString(nodes[1].store.leaves.at((*all[0]->outcome)->leaf).transaction()));
  EXPECT_EQ(first.version(), 1U);
  EXPECT_NE(first.made_ms(), 0U);
}

TEST_F(SubmitterTest, ABundleIsBounded) {
  start(1, {.bundle_bytes = 1000});
  std::vector<std::shared_ptr<Asked>> all;
  for (int i = 0; i < 5; ++i) all.push_back(ask(1, note(std::string(400, 'x'))));
  const auto large = ask(1, note(std::string(3000, 'y')));
  for (const auto& asked : all) ASSERT_TRUE(answered(asked));
  ASSERT_TRUE(answered(large));
  EXPECT_TRUE(*large->outcome);
  EXPECT_EQ(nodes[1].chain->counters().refused_bundles, 0U);
  std::vector<std::uint32_t> counts;
  for (const auto& [height, block] : nodes[1].store.blocks) {
    if (height < 3) continue;
    for (const v1::BundleRecord& bundle : block.bundles()) counts.push_back(bundle.count());
  }
  EXPECT_THAT(counts, testing::ElementsAre(2, 2, 1, 1));
}

TEST_F(SubmitterTest, AFollowerForwardsToTheLeader) {
  const auto asked = ask(2, note("from afar"));
  ASSERT_TRUE(answered(asked));
  EXPECT_TRUE(*asked->outcome);
  EXPECT_EQ(written("from afar"), 1);
  EXPECT_EQ(net.count(v1::PeerMessage::kForwardRequest), 1U);
  EXPECT_EQ(net.sent[0].to, 1U);
}

TEST_F(SubmitterTest, SendsAgainWhatWasLost) {
  int lost = 0;
  net.lose = [&](NodeId, NodeId, const v1::PeerMessage&) { return lost++ < 2; };
  const auto asked = ask(2, note("again"));
  ASSERT_TRUE(answered(asked));
  EXPECT_TRUE(*asked->outcome);
  EXPECT_EQ(net.count(v1::PeerMessage::kForwardRequest), 3U);
  EXPECT_EQ(written("again"), 1);
}

TEST_F(SubmitterTest, SentTwiceItIsTakenOnce) {
  log.at_once = false;
  const auto asked = ask(2, note("once"));
  reactor.run_for(1500);  // both have come to the leader
  EXPECT_EQ(net.count(v1::PeerMessage::kForwardRequest), 2U);
  log.commit();
  reactor.run_for(10);
  log.commit();
  reactor.run_for(10);
  EXPECT_EQ(asked->answers, 1);
  EXPECT_TRUE(*asked->outcome);
  EXPECT_EQ(written("once"), 1);
  EXPECT_EQ(nodes[1].chain->counters().refused_bundles, 1U);
}

TEST_F(SubmitterTest, GoesToTheNewLeader) {
  net.cut(1);
  const auto asked = ask(2, note("moved"));
  reactor.run_for(10);
  log.lead(3);
  nodes[2].submitter->leader_changed();
  reactor.run_for(10);
  ASSERT_EQ(asked->answers, 1);
  EXPECT_TRUE(*asked->outcome);
  EXPECT_EQ(net.sent.front().to, 1U);
  EXPECT_EQ(std::ranges::count(net.sent, NodeId{3}, &TestNet::Passed::to), 1);
  EXPECT_EQ(written("moved"), 1);
}

TEST_F(SubmitterTest, TriesAgainWhereNobodyLeads) {
  log.lead(0);
  const auto asked = ask(2, note("patience"));
  reactor.run_for(3000);
  EXPECT_EQ(asked->answers, 0);
  EXPECT_TRUE(net.sent.empty());
  log.lead(2);
  ASSERT_TRUE(answered(asked));
  EXPECT_TRUE(*asked->outcome);
}

TEST_F(SubmitterTest, RefusalsReachWhoeverAsked) {
  v1::Transaction bad;
  bad.mutable_member_removed()->set_id(9);
  const auto good = ask(2, note("good"));
  const auto refused = ask(2, bad);
  const auto also_good = ask(2, note("also good"));
  ASSERT_TRUE(answered(refused));
  ASSERT_TRUE(answered(also_good));
  EXPECT_TRUE(*good->outcome);
  EXPECT_TRUE(*also_good->outcome);
  EXPECT_EQ((*also_good->outcome)->leaf, (*good->outcome)->leaf + 1);
  ASSERT_FALSE(*refused->outcome);
  EXPECT_EQ(refused->outcome->error().kind, SubmitError::Kind::kRefused);
  EXPECT_THAT(refused->outcome->error().text, HasSubstr("9 is no member"));
}

TEST_F(SubmitterTest, WhatTheLeaderRefusesIsRefused) {
  for (const NodeId id : {NodeId{1}, NodeId{2}}) {
    const auto asked = ask(id, note(std::string(std::size_t{3} << 20, 'x')));
    ASSERT_TRUE(answered(asked));
    ASSERT_FALSE(*asked->outcome);
    EXPECT_EQ(asked->outcome->error().kind, SubmitError::Kind::kRefused);
    EXPECT_THAT(asked->outcome->error().text, HasSubstr("taken at once"));
    EXPECT_TRUE(nodes[id].submitter->idle());
  }
}

TEST_F(SubmitterTest, WhatIsNotConfirmedInTimeHasAnUnknownOutcome) {
  net.cut(2);
  const auto asked = ask(2, note("lost"));
  reactor.run_for(9'500);
  EXPECT_EQ(asked->answers, 0);
  reactor.run_for(1'000);
  ASSERT_EQ(asked->answers, 1);
  ASSERT_FALSE(*asked->outcome);
  EXPECT_EQ(asked->outcome->error().kind, SubmitError::Kind::kUnknown);
  EXPECT_TRUE(nodes[2].submitter->idle());
  // Whatever comes of it later is nobody's any more.
  net.mend(2);
  reactor.run_for(20'000);
  EXPECT_EQ(asked->answers, 1);
}

TEST_F(SubmitterTest, WhatWasNeverSentIsBusy) {
  start(2, {.bundles_in_flight = 1});
  net.cut(2);
  const auto sent = ask(2, note("sent"));
  reactor.settle();
  const auto waits = ask(2, note("waits"));
  reactor.run_for(10'300);
  ASSERT_EQ(sent->answers, 1);
  EXPECT_EQ(sent->outcome->error().kind, SubmitError::Kind::kUnknown);
  ASSERT_EQ(waits->answers, 1);
  ASSERT_FALSE(*waits->outcome);
}

// Nobody led all the while: it cannot have been done, and may be asked for again.
TEST_F(SubmitterTest, WhatHadNobodyToBeSentToIsBusy) {
  log.node(2).believed_leader = 0;
  const auto asked = ask(2, note("to nobody"));
  reactor.run_for(10'500);
  ASSERT_EQ(asked->answers, 1);
  ASSERT_FALSE(*asked->outcome);
  EXPECT_EQ(asked->outcome->error().kind, SubmitError::Kind::kBusy);
  EXPECT_THAT(asked->outcome->error().text, HasSubstr("nothing was sent"));
}

TEST_F(SubmitterTest, SaysThatTooMuchWaits) {
  start(2, {.bundles_in_flight = 1, .waiting_most = 2});
  net.cut(2);
  ask(2, note("on its way"));
  reactor.settle();
  const auto first = ask(2, note("1"));
  const auto second = ask(2, note("2"));
  const auto third = ask(2, note("3"));
  EXPECT_EQ(third->answers, 0);
  reactor.settle();
  ASSERT_EQ(third->answers, 1);
  EXPECT_EQ(third->outcome->error().kind, SubmitError::Kind::kBusy);
  EXPECT_EQ(nodes[2].submitter->waiting(), 2U);
  net.mend(2);
  ASSERT_TRUE(answered(second));
  EXPECT_TRUE(*first->outcome);
  EXPECT_EQ(written("3"), 0);
}

TEST_F(SubmitterTest, ABusyLeaderIsAskedAgainSoon) {
  net.link(1).on_message([this](NodeId from, Channel, const v1::PeerMessage& message) {
    v1::PeerMessage answer;
    answer.set_request(message.request());
    answer.mutable_forward_response()->set_verdict(v1::ForwardResponse::BUSY);
    net.link(1).send(from, Channel::kConsensus, answer);
  });
  ask(2, note("x"));
  reactor.run_for(900);  // less than the time after which a lost one is sent again
  EXPECT_GE(net.count(v1::PeerMessage::kForwardRequest), 4U);
}

TEST_F(SubmitterTest, ARestartSkipsNumbers) {
  ASSERT_TRUE(answered(ask(2, note("before"))));
  const auto highest = [this] {
    return read<v1::BundleWindow>(nodes[1].chain->state(), keys::of(keys::kBundles, 2))->highest();
  };
  const std::uint64_t before = highest();
  start(2, {});
  const auto asked = ask(2, note("after"));
  ASSERT_TRUE(answered(asked));
  EXPECT_TRUE(*asked->outcome);
  EXPECT_GT(highest(), before + 1024);
}

// Both lives begin to count from the same block, so their bundles have the same number.
TEST_F(SubmitterTest, WhatAnEarlierLifeHadOnItsWayIsNotTakenForItsOwn) {
  log.at_once = false;
  ask(2, note("before"));
  reactor.run_for(50);
  ASSERT_EQ(log.waiting(), 1U);
  start(2, {});
  const auto asked = ask(2, note("after"));
  reactor.run_for(50);
  log.at_once = true;
  log.commit();
  ASSERT_TRUE(answered(asked));
  ASSERT_TRUE(*asked->outcome);
  EXPECT_EQ(written("before"), 1);
  EXPECT_EQ(written("after"), 1);
  v1::Transaction there;
  ASSERT_TRUE(there.ParseFromString(nodes[1].store.leaves.at((*asked->outcome)->leaf).transaction()));
  EXPECT_EQ(there.note().text(), "after");
}

TEST_F(SubmitterTest, WaitsForTheLedgerToBegin) {
  nodes.erase(2);
  log.add(2, &nodes[2]).held = true;
  start(2, {});
  const auto asked = ask(2, note("early"));
  reactor.run_for(500);
  EXPECT_TRUE(net.sent.empty());
  log.node(2).held = false;
  log.node(2).catch_up();
  ASSERT_TRUE(answered(asked));
  EXPECT_TRUE(*asked->outcome);
}

}  // namespace
}  // namespace swarmdns::controlplane
