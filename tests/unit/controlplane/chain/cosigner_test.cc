#include "controlplane/chain/cosigner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/controlplane/support/chain_node.h"
#include "tests/unit/controlplane/support/test_net.h"
#include "tests/unit/controlplane/support/test_reactor.h"

namespace swarmdns::controlplane {
namespace {

using testing::HasSubstr;

// A swarm whose blocks are the same everywhere, as the log would have it; nodes may be held behind.
class CosignerTest : public testing::Test {
 protected:
  struct Node : ChainNode {
    std::optional<Cosigner> cosigner;
    std::size_t applied = 0;
    bool behind = false;
  };

  void begin(int members, int voting) {
    for (int id = 1; id <= members; ++id) start(static_cast<NodeId>(id));
    for (const std::string& entry : beginning(members, voting)) apply(entry);
  }
  void start(NodeId id) {
    Node& node = nodes[id];
    node.cosigner.reset();
    node.chain = std::move(*Chain::open(node.store));
    node.cosigner.emplace(reactor, net.add(id), *node.chain,
                          Cosigner::Options{id, test_keys(static_cast<int>(id))});
    net.link(id).on_message([&node](NodeId from, Channel, const v1::PeerMessage& message) {
      if (message.has_cosign_request())
        node.cosigner->receive(from, message.request(), message.cosign_request());
      if (message.has_cosign_response()) node.cosigner->receive(from, message.cosign_response());
      if (message.has_checkpoint()) node.cosigner->receive(from, message.checkpoint());
    });
  }
  void apply(const std::string& entry) {
    entries.push_back(entry);
    for (auto& [id, node] : nodes) catch_up(node);
  }
  void catch_up(Node& node) {
    while (!node.behind && node.applied < entries.size()) node.take(entries[node.applied++]);
  }
  void write(const std::string& text) { apply(entry_of({bundle_of(++number, {note(text)})})); }
  Cosigner& at(NodeId id) { return *nodes.at(id).cosigner; }
  std::uint64_t height() { return nodes.at(1).chain->height(); }
  std::size_t signers(const std::string& text) { return parse_checkpoint_note(text)->note.signatures.size(); }
  void tell(NodeId to, const std::string& text) {
    v1::CheckpointNotice notice;
    notice.set_note(text);
    at(to).receive(2, notice);
  }

  TestReactor reactor;
  TestNet net{reactor};
  std::map<NodeId, Node> nodes;
  std::vector<std::string> entries;
  std::uint64_t number = 10;
};

TEST_F(CosignerTest, OneVoterIsItsOwnMajority) {
  begin(1, 1);
  at(1).set_leader(true);
  EXPECT_EQ(at(1).height(), 2U);
  const auto parsed = parse_checkpoint_note(at(1).note());
  ASSERT_TRUE(parsed) << parsed.error();
  EXPECT_EQ(parsed->checkpoint, checkpoint_of(*nodes.at(1).chain->tip()));
  EXPECT_TRUE(check_cosigned(parsed->note, *at(1).voters_at(2), 1));
  EXPECT_EQ(nodes.at(1).store.checkpoints.at(2), at(1).note());
}

class Majorities : public CosignerTest, public testing::WithParamInterface<std::pair<int, int>> {};

// Of so many voters, so many can be missed.
TEST_P(Majorities, AreNeededAndAreEnough) {
  const auto [voting, missing] = GetParam();
  begin(voting + 1, voting);
  for (int i = 0; i <= missing; ++i) net.cut(static_cast<NodeId>(voting - i));
  at(1).set_leader(true);
  reactor.run_for(3000);
  EXPECT_EQ(at(1).height(), 0U);
  net.mend(static_cast<NodeId>(voting - missing));
  ASSERT_TRUE(reactor.run_until([&] { return at(1).height() == height(); }));
  EXPECT_EQ(signers(at(1).note()), static_cast<std::size_t>(voting - missing));
  // Everybody hears of it, also who does not vote.
  reactor.run_for(5);
  EXPECT_EQ(at(static_cast<NodeId>(voting + 1)).note(), at(1).note());
}
INSTANTIATE_TEST_SUITE_P(OfVoters, Majorities, testing::Values(std::pair(3, 1), std::pair(5, 2)));

TEST_F(CosignerTest, AVoterThatIsBehindAnswersWhenItHasApplied) {
  begin(3, 3);
  nodes.at(2).behind = true;
  net.cut(3);
  write("a");
  at(1).set_leader(true);
  reactor.run_for(500);
  EXPECT_EQ(at(1).height(), 0U);
  nodes.at(2).behind = false;
  catch_up(nodes.at(2));
  reactor.run_for(5);
  EXPECT_EQ(at(1).height(), height());
}

TEST_F(CosignerTest, RoundsKeepTheirPaceAndTakeTheNewestBlock) {
  begin(3, 3);
  at(1).set_leader(true);
  reactor.run_for(10);
  ASSERT_EQ(at(1).height(), 2U);
  for (int i = 0; i < 5; ++i) write("n" + std::to_string(i));
  reactor.run_for(50);
  EXPECT_EQ(at(1).height(), 2U);
  reactor.run_for(60);
  EXPECT_EQ(at(1).height(), 7U);
  EXPECT_EQ(at(1).counters().rounds, 2U);
}

TEST_F(CosignerTest, ARoundWithoutMajorityIsBegunAnewAtTheNewestBlock) {
  begin(3, 3);
  net.cut(2);
  net.cut(3);
  at(1).set_leader(true);
  reactor.run_for(500);
  write("later");
  net.mend(2);
  ASSERT_TRUE(reactor.run_until([&] { return at(1).height() == height(); }));
  EXPECT_EQ(at(1).counters().checkpoints, 1U);
}

TEST_F(CosignerTest, WhoDoesNotLeadAsksNobody) {
  begin(3, 3);
  at(1).set_leader(true);
  at(1).set_leader(false);
  write("a");
  reactor.run_for(3000);
  EXPECT_EQ(std::ranges::count_if(net.sent,
                                  [](const TestNet::Passed& each) {
                                    return each.message.has_cosign_request() &&
                                           each.message.cosign_request().height() == 3;
                                  }),
            0);
}

TEST_F(CosignerTest, AVoterSignsOnlyItsOwnBlocks) {
  begin(3, 2);
  v1::CosignRequest request;
  request.set_height(2);
  request.set_block_hash(std::string(32, 'x'));
  at(2).receive(1, 7, request);
  EXPECT_EQ(net.sent.back().message.request(), 7U);
  EXPECT_THAT(net.sent.back().message.cosign_response().text(), HasSubstr("another one here"));
  request.set_block_hash(as_string(nodes.at(1).chain->tip_hash()));
  at(3).receive(1, 8, request);  // no voter
  EXPECT_THAT(net.sent.back().message.cosign_response().text(), HasSubstr("no voter"));
  EXPECT_EQ(net.sent.back().message.cosign_response().signature_line(), "");
}

TEST_F(CosignerTest, ForgedSignaturesDoNotCount) {
  begin(3, 3);
  net.cut(2);
  net.cut(3);
  at(1).set_leader(true);
  const std::string text = format_checkpoint(checkpoint_of(*nodes.at(1).chain->tip()));
  const auto answer = [&](NodeId from, const std::string& name, int signer, const std::string& signed_text) {
    v1::CosignResponse response;
    response.set_height(2);
    response.set_signature_line(
        format_note({text, {cosign(signed_text, name, test_keys(signer), 1'000'000)}}));
    at(1).receive(from, response);
  };
  answer(2, "n2", 3, text);             // another's key
  answer(2, "n3", 3, text);             // another's signature
  answer(2, "n2", 2, text + "more\n");  // over another text
  answer(4, "n4", 4, text);             // no voter
  answer(1, "n1", 1, text);             // the leader's own once more
  v1::CosignResponse nothing;
  nothing.set_height(2);
  at(1).receive(2, nothing);
  nothing.set_signature_line("nonsense");
  at(1).receive(2, nothing);
  EXPECT_EQ(at(1).counters().refused, 7U);
  EXPECT_EQ(at(1).height(), 0U);
  answer(2, "n2", 2, text);
  EXPECT_EQ(at(1).height(), 2U);
}

class NoteTest : public CosignerTest {
 protected:
  // Of the newest block, by these.
  std::string note_by(std::vector<int> signers) {
    const std::string text = format_checkpoint(checkpoint_of(*nodes.at(1).chain->tip()));
    Note made{text, {}};
    for (const int signer : signers)
      made.signatures.push_back(cosign(text, "n" + std::to_string(signer), test_keys(signer), 1'000'000));
    return format_note(made);
  }
};

TEST_F(NoteTest, IsBelievedWithAMajorityOnly) {
  begin(4, 3);
  tell(4, "nonsense");
  tell(4, note_by({1}));
  tell(4, note_by({1, 4}));  // one of whom does not vote
  EXPECT_EQ(at(4).height(), 0U);
  EXPECT_EQ(at(4).counters().refused, 3U);
  std::uint64_t told = 0;
  at(4).on_checkpoint([&](std::uint64_t height, const std::string&) { told = height; });
  tell(4, note_by({1, 3}));
  EXPECT_EQ(at(4).height(), 2U);
  EXPECT_EQ(told, 2U);
}

TEST_F(NoteTest, OfAnotherBlockIsRefused) {
  begin(3, 3);
  Checkpoint other = checkpoint_of(*nodes.at(1).chain->tip());
  other.state_root[0] ^= std::byte{1};
  const std::string text = format_checkpoint(other);
  Note made{text, {cosign(text, "n1", test_keys(1), 1), cosign(text, "n3", test_keys(3), 1)}};
  tell(2, format_note(made));
  EXPECT_EQ(at(2).height(), 0U);
  EXPECT_EQ(at(2).counters().refused, 1U);
}

TEST_F(NoteTest, OfAHeightAheadWaitsForItsBlock) {
  begin(3, 3);
  nodes.at(3).behind = true;
  write("a");
  const std::string third = note_by({1, 2});
  tell(3, third);
  EXPECT_EQ(at(3).height(), 0U);
  nodes.at(3).behind = false;
  catch_up(nodes.at(3));
  EXPECT_EQ(at(3).note(), third);
}

// One that is always a little behind gets checkpoints all the same; and a note from far ahead, true or not,
// does not keep the others out.
TEST_F(NoteTest, ANewerOneAheadDoesNotDisplaceThoseBefore) {
  begin(3, 3);
  nodes.at(3).behind = true;
  Checkpoint far = checkpoint_of(*nodes.at(1).chain->tip());
  far.height = 1'000'000;
  const std::string text = format_checkpoint(far);
  tell(3, format_note({text, {cosign(text, "n1", test_keys(1), 1), cosign(text, "n2", test_keys(2), 1)}}));
  write("a");
  const std::string third = note_by({1, 2});
  tell(3, third);
  write("b");
  tell(3, note_by({1, 2}));
  nodes.at(3).take(entries[2]);
  EXPECT_EQ(at(3).note(), third);
  nodes.at(3).take(entries[3]);
  EXPECT_EQ(at(3).height(), 4U);
}

TEST_F(CosignerTest, ARestartFindsTheNewest) {
  begin(3, 3);
  at(1).set_leader(true);
  ASSERT_TRUE(reactor.run_until([&] { return at(2).height() == 2; }));
  const std::string newest = at(2).note();
  net.cut(2);
  write("a");
  start(2);
  EXPECT_EQ(at(2).height(), 2U);
  EXPECT_EQ(at(2).note(), newest);
  // It votes again, for the block at which it stands.
  net.mend(2);
  net.cut(3);
  ASSERT_TRUE(reactor.run_until([&] { return at(1).height() == 3; }));
}

TEST_F(CosignerTest, ChangedVotersCountFromTheirBlockOn) {
  begin(3, 3);
  net.cut(2);
  net.cut(3);
  apply(entry_of({bundle_of(++number, {voters({1})})}));
  at(1).set_leader(true);
  EXPECT_EQ(at(1).height(), 3U);
  EXPECT_EQ(signers(at(1).note()), 1U);
  EXPECT_EQ(at(1).voters_at(2)->size(), 3U);
  EXPECT_EQ(at(1).voters_at(3)->size(), 1U);
  EXPECT_FALSE(at(1).voters_at(4));
  // By itself it could not have vouched for the block before.
  EXPECT_FALSE(nodes.at(1).store.checkpoints.contains(2));
}

TEST_F(CosignerTest, AfterTheStoreWasReplacedItStandsWhereThatDoes) {
  begin(4, 3);
  Node& joined = nodes[5];
  joined.behind = true;
  start(5);
  at(1).set_leader(true);
  write("a");
  ASSERT_TRUE(reactor.run_until([&] { return at(1).height() == 3; }));
  apply(entry_of({bundle_of(++number, {voters({1, 2, 4})})}));
  ASSERT_TRUE(reactor.run_until([&] { return at(4).height() == 4; }));
  Node& from = nodes.at(4);
  joined.applied = entries.size();
  nodes.at(5).store = from.store;
  ASSERT_TRUE(joined.chain->reopen());
  joined.cosigner->reopened();
  EXPECT_EQ(at(5).note(), at(1).note());
  ASSERT_TRUE(at(5).voters_at(4));
  EXPECT_EQ(at(5).voters_at(4)->back().name, "n4");
}

}  // namespace
}  // namespace swarmdns::controlplane
