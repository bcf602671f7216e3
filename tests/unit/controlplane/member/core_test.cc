#include "controlplane/member/core.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "controlplane/membership/directory.h"
#include "controlplane/state/keys.h"
#include "tests/unit/controlplane/support/chain_node.h"
#include "tests/unit/controlplane/support/member_node.h"

namespace swarmdns::controlplane {
namespace {

using testing::HasSubstr;
using testing::UnorderedElementsAre;

// Three nodes; the first founds the swarm.
class CoreTest : public testing::Test {
 protected:
  CoreTest() {
    reactor.wall_offset_ms = 0;  // so that the tokens of test members are good
    log.at_once = true;
    log.members = {{1, "10.54.0.1:8453", LogRole::kVoter}};
    for (NodeId id = 1; id <= 3; ++id) start(id);
  }
  void start(NodeId id, MemoryStore kept = {}) {
    const int number = static_cast<int>(id);
    nodes[id] = std::make_unique<MemberNode>(reactor, net, log, id, test_keys(number),
                                             id == 1 ? test_genesis() : v1::Transaction(), std::move(kept));
  }
  MemberNode& at(NodeId id) { return *nodes.at(id); }
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
    ASSERT_TRUE(order(1, token_for(hash)));
    ASSERT_TRUE(order(1, added));
  }
  void found() {
    log.lead(1);
    ASSERT_TRUE(reactor.run_until([&] { return at(1).chain().height() > 0; }));
  }
  std::vector<NodeId> peers_of(NodeId id) {
    std::vector<NodeId> ids;
    for (const PeerAddress& peer : net.link(id).peers) ids.push_back(peer.id);
    return ids;
  }

  TestReactor reactor;
  TestNet net{reactor};
  FakeLog log{reactor};
  std::map<NodeId, std::unique_ptr<MemberNode>> nodes;
};

TEST_F(CoreTest, TheFounderOrdersTheGenesisAndVouchesForIt) {
  reactor.run_for(2000);
  EXPECT_EQ(at(1).chain().height(), 0U);
  found();
  reactor.run_for(100);
  EXPECT_EQ(at(3).chain().tip_hash(), at(1).chain().tip_hash());
  EXPECT_EQ(at(1).chain().swarm_id(), test_swarm());
  EXPECT_TRUE(at(1).core->leads());
  EXPECT_EQ(at(1).core->cosigner().height(), 1U);
  ASSERT_TRUE(at(2).settings);
  EXPECT_EQ(at(2).settings->max_voters(), 5U);
  // Led anew it is not founded anew.
  log.lead(0);
  log.lead(1);
  reactor.run_for(5000);
  EXPECT_EQ(at(1).chain().counters().refused_transactions, 0U);
}

TEST_F(CoreTest, AGenesisThatTheLogDidNotTakeIsOrderedAgain) {
  log.next_fault = LogFault::kNoSpace;
  found();
  EXPECT_EQ(log.entries.size(), 1U);
}

TEST_F(CoreTest, MembersMeetAndTheLogGrows) {
  found();
  add(2);
  add(3);
  ASSERT_TRUE(reactor.run_until([&] {
    const auto record = read<v1::LogMembers>(at(1).chain().state(), keys::kLogMembers);
    return record && record->voters_size() == 3;
  }));
  EXPECT_THAT(peers_of(1), UnorderedElementsAre(2, 3));
  EXPECT_THAT(peers_of(2), UnorderedElementsAre(1, 3));
  EXPECT_THAT(peers_of(3), UnorderedElementsAre(1, 2));
  EXPECT_EQ(net.link(3).peers[1].address, test_member(2).address());
  EXPECT_EQ(net.link(3).peers[1].pin, test_member(2).tls_pin());
  reactor.run_for(2000);
  const auto heard = at(3).core->roster().heard(1);
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->report.height(), at(1).chain().height());
  EXPECT_EQ(heard->report.version_max(), 1U);
  // A majority of the three vouches now, and all know.
  for (NodeId id = 1; id <= 3; ++id) {
    EXPECT_EQ(at(id).core->cosigner().height(), at(1).chain().height()) << id;
    EXPECT_GE(parse_checkpoint_note(at(id).core->cosigner().note())->note.signatures.size(), 2U);
  }
}

TEST_F(CoreTest, WhoIsOnTheWayInSpeaksWithThoseWhoLetItIn) {
  nodes.erase(3);
  nodes[3] = std::make_unique<MemberNode>(
      reactor, net, log, 3, test_keys(3), v1::Transaction(), MemoryStore(),
      std::vector<PeerAddress>{{1, test_member(1).address(), test_member(1).tls_pin()}});
  found();
  add(2);
  // The third has the ledger from before it was let in, and needs the rest.
  EXPECT_GT(at(3).chain().height(), 0U);
  EXPECT_THAT(peers_of(3), UnorderedElementsAre(1));
  add(3);
  reactor.run_for(100);
  EXPECT_THAT(peers_of(3), UnorderedElementsAre(1, 2));
}

TEST_F(CoreTest, AnyMemberMayOrder) {
  found();
  add(2);
  reactor.run_for(500);
  EXPECT_TRUE(order(2, note("of a follower")));
  EXPECT_EQ(at(1).chain().tip_hash(), at(2).chain().tip_hash());
}

TEST_F(CoreTest, ANewLeaderTakesWhatIsOnItsWay) {
  found();
  add(2);
  add(3);
  reactor.run_for(500);
  net.cut(1);
  bool done = false;
  at(2).core->submitter().submit(note("on its way"),
                                 [&](const auto& outcome) { done = outcome.has_value(); });
  reactor.run_for(20);
  EXPECT_FALSE(done);
  log.lead(3);
  reactor.run_for(100);  // sooner than one that was lost
  EXPECT_TRUE(done);
}

TEST_F(CoreTest, ARemovedNodeSpeaksWithNobody) {
  found();
  add(2);
  add(3);
  reactor.run_for(3000);
  v1::Transaction removed;
  removed.mutable_member_removed()->set_id(3);
  ASSERT_TRUE(order(2, removed));
  reactor.run_for(100);
  EXPECT_THAT(peers_of(1), UnorderedElementsAre(2));
  EXPECT_THAT(peers_of(2), UnorderedElementsAre(1));
  EXPECT_TRUE(peers_of(3).empty());
  net.sent.clear();
  reactor.run_for(5000);
  EXPECT_TRUE(std::ranges::none_of(
      net.sent, [](const TestNet::Passed& each) { return each.from == 3 || each.to == 3; }));
  EXPECT_FALSE(net.sent.empty());
}

TEST_F(CoreTest, NobodySpeaksForAnother) {
  found();
  add(2);
  v1::PeerMessage message;
  message.set_request(5);
  *message.mutable_forward_request()->mutable_bundle() = bundle_of(7, {note("x")}, 3);
  net.sent.clear();
  at(1).core->receive(2, Channel::kConsensus, message);
  ASSERT_EQ(net.sent.size(), 1U);
  const auto& answer = net.sent.back();
  EXPECT_EQ(answer.to, 2U);
  EXPECT_EQ(answer.message.request(), 5U);
  EXPECT_EQ(answer.message.forward_response().verdict(), v1::ForwardResponse::REFUSED);
}

TEST_F(CoreTest, MessagesOfOthersAreHandedOn) {
  std::vector<v1::PeerMessage::BodyCase> handed;
  at(1).core->on_other(
      [&](NodeId, const v1::PeerMessage& message) { handed.push_back(message.body_case()); });
  v1::PeerMessage message;
  message.mutable_renew_request();
  at(1).core->receive(2, Channel::kConsensus, message);
  message.mutable_raft();
  at(1).core->receive(2, Channel::kConsensus, message);
  EXPECT_THAT(handed, testing::ElementsAre(v1::PeerMessage::kRenewRequest));
  EXPECT_EQ(log.node(1).received, 1U);
}

TEST_F(CoreTest, AManifestNamesTheStateAndIsHeldAgainstIt) {
  EXPECT_FALSE(at(1).core->manifest());
  found();
  const auto text = at(1).core->manifest();
  ASSERT_TRUE(text);
  v1::Manifest manifest;
  ASSERT_TRUE(manifest.ParseFromString(*text));
  EXPECT_EQ(manifest.height(), 1U);
  EXPECT_EQ(manifest.block_hash(), as_string(at(1).chain().tip_hash()));
  EXPECT_TRUE(at(1).core->restore(*text));
  manifest.set_log_index(manifest.log_index() + 1);
  EXPECT_THAT(at(1).core->restore(manifest.SerializeAsString()).error(),
              HasSubstr("it is fetched from another member"));
  EXPECT_FALSE(at(1).core->restore("\xff"));
}

TEST_F(CoreTest, AFetchedStateIsTakenUpWhole) {
  log.node(3).held = true;
  found();
  add(2);
  add(3);
  reactor.run_for(3000);
  const std::string manifest = *at(1).core->manifest();
  std::optional<bool> done;
  at(3).core->install(1, manifest,
                      [&](std::expected<void, std::string> result) { done = result.has_value(); });
  EXPECT_EQ(at(3).installer.from, 1U);
  ASSERT_TRUE(at(3).installer.done);
  at(3).store = at(1).store;
  at(3).installer.done({});
  EXPECT_EQ(done, true);
  EXPECT_EQ(at(3).chain().tip_hash(), at(1).chain().tip_hash());
  EXPECT_THAT(peers_of(3), UnorderedElementsAre(1, 2));
  EXPECT_EQ(at(3).replaced, 1);
  EXPECT_EQ(at(3).core->cosigner().note(), at(1).core->cosigner().note());
  EXPECT_TRUE(at(3).core->cosigner().voters_at(at(3).chain().height()));
  // What it has is not fetched again.
  at(3).installer.done = nullptr;
  done.reset();
  at(3).core->install(1, manifest,
                      [&](std::expected<void, std::string> result) { done = result.has_value(); });
  reactor.settle();
  EXPECT_EQ(done, true);
  EXPECT_FALSE(at(3).installer.done);
}

TEST_F(CoreTest, AFetchThatFailsOrIsGivenUpChangesNothing) {
  log.node(3).held = true;
  found();
  std::string problem;
  const auto done = [&](std::expected<void, std::string> result) { problem = result ? "" : result.error(); };
  at(3).core->install(1, *at(1).core->manifest(), done);
  at(3).installer.done(std::unexpected("cut"));
  EXPECT_EQ(problem, "cut");
  EXPECT_EQ(at(3).chain().height(), 0U);
  at(3).core->install(1, *at(1).core->manifest(), done);
  at(3).core->cancel_install();
  EXPECT_FALSE(at(3).installer.done);
  at(3).core->install(1, "\xff", done);
  reactor.settle();
  EXPECT_THAT(problem, HasSubstr("cannot be read"));
}

TEST_F(CoreTest, WhoThereIsIsKeptForWhenTheLedgerIsLost) {
  found();
  ASSERT_TRUE(at(1).kept_peers);
  EXPECT_EQ(at(1).kept_peers->members_size(), 0);
  add(2);
  add(3);
  ASSERT_TRUE(reactor.run_until([&] { return at(2).kept_peers->voters_size() == 3; }));
  const v1::KeptPeers& kept = *at(2).kept_peers;
  ASSERT_EQ(kept.members_size(), 2);
  EXPECT_EQ(kept.members(0).id(), 1U);
  EXPECT_EQ(kept.members(1).address(), test_member(3).address());
  EXPECT_EQ(kept.members(1).tls_pin(), test_member(3).tls_pin());
  EXPECT_EQ(kept.voters(2).ledger_key(), test_member(3).ledger_key());
  EXPECT_LE(kept.height(), at(2).chain().height());
  EXPECT_EQ(kept.block().size(), 32U);
}

TEST_F(CoreTest, ADamagedLedgerIsVouchedForNoMoreAndFetchedAnew) {
  found();
  add(2);
  add(3);
  reactor.run_for(3000);
  log.changes.clear();
  at(1).store.found = "file 7";  // of the leader
  reactor.run_for(300);
  EXPECT_THAT(log.changes, testing::Contains(FakeLog::Change{'h', 0}));
  EXPECT_THAT(at(1).core->healer().trouble(), HasSubstr("damaged: file 7"));
  ASSERT_TRUE(at(1).installer.done);
  EXPECT_NE(at(1).installer.from, 0U);
  EXPECT_EQ(at(1).installer.manifest.log_index(), at(1).chain().applied_index());
  EXPECT_FALSE(at(1).core->manifest());
  // What is committed meanwhile waits for the copy, and nothing is cosigned here.
  log.lead(2);
  const std::uint64_t height = at(1).chain().height();
  const std::uint64_t cosigned = at(1).core->cosigner().height();
  ASSERT_TRUE(order(2, note("meanwhile")));
  reactor.run_for(500);
  EXPECT_EQ(at(1).chain().height(), height);
  const auto checkpoint = parse_checkpoint_note(at(2).core->cosigner().note());
  ASSERT_GT(checkpoint->checkpoint.height, cosigned);
  for (const NoteSignature& signature : checkpoint->note.signatures) EXPECT_NE(signature.name, "n1");
  at(1).store = at(2).store;
  at(1).installer.done({});
  EXPECT_EQ(at(1).core->healer().trouble(), "");
  log.node(1).catch_up();
  EXPECT_EQ(at(1).chain().tip_hash(), at(2).chain().tip_hash());
  ASSERT_TRUE(order(2, note("afterwards")));
  EXPECT_EQ(at(1).chain().tip_hash(), at(2).chain().tip_hash());
}

TEST_F(CoreTest, ADamagedLedgerGoesOnAsLongAsNoCopyIsOnItsWay) {
  found();
  at(1).store.found = "file 7";
  reactor.run_for(1000);
  EXPECT_FALSE(at(1).installer.done);
  EXPECT_THAT(at(1).core->healer().trouble(), HasSubstr("there is no other member to fetch it from"));
  EXPECT_TRUE(order(1, note("on")));
}

TEST_F(CoreTest, AnotherMemberIsAskedWhenOneCannotGiveIt) {
  found();
  add(2);
  add(3);
  reactor.run_for(3000);
  at(3).store.found = "file 7";
  reactor.run_for(300);
  std::set<NodeId> asked;
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(at(3).installer.done);
    asked.insert(at(3).installer.from);
    const auto done = std::move(at(3).installer.done);
    at(3).installer.done = nullptr;
    done(std::unexpected("the peer says: busy"));
    EXPECT_THAT(at(3).core->healer().trouble(), HasSubstr("busy"));
    EXPECT_TRUE(at(3).core->apply(1, {}));  // the log is not held up between two tries
    reactor.run_for(Healer::kAgainMs + Healer::kLookMs);
  }
  EXPECT_EQ(asked, (std::set<NodeId>{1, 2}));
}

TEST_F(CoreTest, ALostLedgerIsFetchedFromThoseThatWereKept) {
  found();
  add(2);
  add(3);
  reactor.run_for(3000);
  const std::string manifest = *at(1).core->manifest();
  std::vector<PeerAddress> kept;
  for (const v1::JoinMember& known : at(1).kept_peers->members())
    kept.push_back({known.id(), known.address(), known.tls_pin()});
  const std::uint64_t height = at(1).kept_peers->height();
  log.lead(2);
  nodes[1].reset();
  log.node(1).held = true;  // as an engine that does not open
  nodes[1] = std::make_unique<MemberNode>(reactor, net, log, 1, test_keys(1), test_genesis(), MemoryStore(),
                                          kept, height);
  EXPECT_THAT(peers_of(1), UnorderedElementsAre(2, 3));
  EXPECT_FALSE(at(1).core->restore(manifest));
  ASSERT_TRUE(reactor.run_until([&] { return at(1).installer.done != nullptr; }));
  v1::Manifest wanted;
  ASSERT_TRUE(wanted.ParseFromString(manifest));
  EXPECT_EQ(at(1).installer.manifest.log_index(), wanted.log_index());
  at(1).store = at(2).store;
  at(1).installer.done({});
  EXPECT_TRUE(at(1).core->restore(manifest));
  EXPECT_EQ(at(1).core->healer().trouble(), "");
  log.node(1).held = false;
  log.node(1).catch_up();
  EXPECT_EQ(at(1).chain().tip_hash(), at(2).chain().tip_hash());
}

// The first blocks tell of fewer members than there are: those that were kept stay until the ledger is there.
TEST_F(CoreTest, ALedgerMadeAnewFromTheLogDoesNotForgetThePeers) {
  found();
  log.node(1).held = true;
  nodes[1].reset();
  nodes[1] = std::make_unique<MemberNode>(
      reactor, net, log, 1, test_keys(1), test_genesis(), MemoryStore(),
      std::vector<PeerAddress>{{7, test_member(7).address(), test_member(7).tls_pin()}}, 2);
  log.node(1).held = false;
  log.node(1).catch_up();
  EXPECT_EQ(at(1).chain().height(), 1U);
  EXPECT_THAT(peers_of(1), UnorderedElementsAre(7));
  EXPECT_FALSE(at(1).kept_peers);
}

TEST_F(CoreTest, ARestartGoesOnWhereItWas) {
  found();
  add(2);
  reactor.run_for(1000);
  const MemoryStore kept = at(2).store;
  nodes[2].reset();
  ASSERT_TRUE(order(1, note("meanwhile")));
  start(2, kept);
  reactor.run_for(100);
  EXPECT_TRUE(order(2, note("after")));
  EXPECT_EQ(at(2).chain().tip_hash(), at(1).chain().tip_hash());
}

}  // namespace
}  // namespace swarmdns::controlplane
