#include "controlplane/membership/log_keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controlplane/state/keys.h"
#include "tests/unit/controlplane/support/chain_node.h"
#include "tests/unit/controlplane/support/fake_log.h"
#include "tests/unit/controlplane/support/test_net.h"
#include "tests/unit/controlplane/support/test_reactor.h"

namespace swarmdns::controlplane {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Change = FakeLog::Change;

// The leader of a swarm of three; the log begins with itself alone.
class LogKeeperTest : public testing::Test, protected ChainNode {
 protected:
  LogKeeperTest() {
    for (const std::string& entry : beginning(3, 1)) log.entries.push_back({log.entries.size() + 1, entry});
    log.members = {{1, "10.54.0.1:8453", LogRole::kVoter}};
    log.at_once = true;
    log.add(1, this).catch_up();
    log.lead(1);
    roster.set_members({2, 3});
    hear();
  }
  void members(std::uint64_t, const std::vector<LogMember>& now) override {
    reactor.post([this, now] { keeper.members(now); });
  }
  void hear() {
    for (const NodeId id : {NodeId{2}, NodeId{3}}) roster.receive(id, {});
  }
  // Everybody is heard of all the while.
  void run_for(std::uint64_t ms) {
    for (std::uint64_t gone = 0; gone < ms; gone += 100) {
      hear();
      reactor.run_for(100);
    }
  }
  std::vector<std::uint64_t> recorded_voters() {
    const auto record = read<v1::LogMembers>(chain->state(), keys::kLogMembers);
    return {record->voters().begin(), record->voters().end()};
  }

  TestReactor reactor;
  TestNet net{reactor};
  FakeLog log{reactor};
  Sequencer sequencer{reactor, log.add(1, nullptr), {}};
  Submitter submitter{reactor, net.add(1), log.node(1), sequencer, *chain, {1, test_keys(1).secret_key}};
  Roster roster{reactor, net.link(1), 1, [] { return v1::NodeReport(); }};
  std::vector<std::string> said;
  LogKeeper keeper{
      reactor, log.node(1), *chain, submitter, roster, NodeId{1}, [this](const std::string& text) {
        said.push_back(text);
      }};
};

TEST_F(LogKeeperTest, GrowsTheLogAndRecordsIt) {
  keeper.set_leader(true);
  run_for(5000);
  EXPECT_THAT(log.changes, ElementsAre(Change{'a', 2}, Change{'s', 2}, Change{'v', 2}, Change{'a', 3},
                                       Change{'s', 3}, Change{'v', 3}));
  EXPECT_THAT(recorded_voters(), ElementsAre(1, 2, 3));
  EXPECT_THAT(said, Contains(HasSubstr("n3 votes")));
  // And then it is content.
  const std::uint64_t height = chain->height();
  run_for(5000);
  EXPECT_EQ(log.changes.size(), 6U);
  EXPECT_EQ(chain->height(), height);
}

TEST_F(LogKeeperTest, OneChangeAtATime) {
  log.hold_changes = true;
  keeper.set_leader(true);
  run_for(5000);
  EXPECT_THAT(log.changes, ElementsAre(Change{'a', 2}));
  log.finish_change();
  run_for(1000);
  EXPECT_THAT(log.changes, ElementsAre(Change{'a', 2}, Change{'s', 2}));
}

TEST_F(LogKeeperTest, TriesAgainAfterAFailureButNotAtOnce) {
  log.next_change_fault = LogFault::kTimedOut;
  keeper.set_leader(true);
  run_for(1500);
  EXPECT_THAT(log.changes, IsEmpty());
  EXPECT_THAT(said, Contains(HasSubstr("tried again")));
  EXPECT_EQ(said.size(), 2U);  // what it would do, and that it failed
  run_for(5000);
  EXPECT_THAT(recorded_voters(), ElementsAre(1, 2, 3));
}

TEST_F(LogKeeperTest, DoesNothingUnlessItLeads) {
  run_for(2000);
  EXPECT_THAT(log.changes, IsEmpty());
  log.hold_changes = true;
  keeper.set_leader(true);
  run_for(500);
  keeper.set_leader(false);
  log.finish_change();
  run_for(3000);
  EXPECT_THAT(log.changes, ElementsAre(Change{'a', 2}));
}

TEST_F(LogKeeperTest, ASecondReignIsNotConfusedByTheFirst) {
  log.hold_changes = true;
  keeper.set_leader(true);
  run_for(500);
  keeper.set_leader(false);
  keeper.set_leader(true);
  run_for(1000);
  // The log itself says that a change is under way.
  EXPECT_THAT(log.changes, ElementsAre(Change{'a', 2}));
  log.hold_changes = false;
  log.finish_change();
  run_for(5000);
  EXPECT_THAT(recorded_voters(), ElementsAre(1, 2, 3));
}

TEST_F(LogKeeperTest, ARecordThatWasLostIsWrittenAgain) {
  log.at_once = false;
  keeper.set_leader(true);
  run_for(3000);
  EXPECT_THAT(recorded_voters(), ElementsAre(1));
  log.lose();
  log.at_once = true;
  run_for(15'000);
  EXPECT_THAT(recorded_voters(), ElementsAre(1, 2, 3));
}

TEST_F(LogKeeperTest, AMemberThatWasRemovedLeavesTheLog) {
  keeper.set_leader(true);
  run_for(5000);
  v1::Transaction removed;
  removed.mutable_member_removed()->set_id(3);
  submitter.submit(removed, [](const auto&) {});
  run_for(5000);
  EXPECT_THAT(log.changes, Contains(Change{'r', 3}));
  for (const std::uint64_t voter : recorded_voters()) EXPECT_NE(voter, 3U);
}

TEST_F(LogKeeperTest, SilentMembersDoNotComeIn) {
  reactor.run_for(10'000);
  keeper.set_leader(true);
  reactor.run_for(5000);
  EXPECT_THAT(log.changes, IsEmpty());
}

}  // namespace
}  // namespace swarmdns::controlplane
