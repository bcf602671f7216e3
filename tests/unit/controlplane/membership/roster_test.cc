#include "controlplane/membership/roster.h"

#include <gtest/gtest.h>

#include "tests/unit/controlplane/support/test_net.h"
#include "tests/unit/controlplane/support/test_reactor.h"

namespace swarmdns::controlplane {
namespace {

// Nodes 1 to 3, each with a roster of the others.
class RosterTest : public testing::Test {
 protected:
  void start(NodeId id) {
    rosters[id] = std::make_unique<Roster>(reactor, net.add(id), id, [id] {
      v1::NodeReport report;
      report.set_name("n" + std::to_string(id));
      report.set_node(99);  // the roster knows better
      return report;
    });
    net.link(id).on_message([this, id](NodeId from, Channel, const v1::PeerMessage& message) {
      rosters[id]->receive(from, message.report());
    });
    rosters[id]->set_members({1, 2, 3});
    rosters[id]->start();
  }
  void start_all() {
    for (NodeId id = 1; id <= 3; ++id) start(id);
  }
  Roster& at(NodeId id) { return *rosters.at(id); }

  TestReactor reactor;
  TestNet net{reactor};
  std::map<NodeId, std::unique_ptr<Roster>> rosters;
};

TEST_F(RosterTest, MembersHearOfEachOther) {
  start_all();
  reactor.run_for(2500);
  const auto heard = at(1).heard(2);
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->report.name(), "n2");
  EXPECT_EQ(heard->report.node(), 2U);
  EXPECT_LE(heard->ago_ms, Roster::kIntervalMs);
  ASSERT_TRUE(heard->skew);
  EXPECT_LE(heard->skew->round_trip_ms, 5U);
  EXPECT_FALSE(at(1).heard(1));  // not of itself
  EXPECT_FALSE(at(1).heard(4));
  EXPECT_EQ(at(1).health().size(), 2U);
  EXPECT_EQ(at(1).health()[2].lost_ms, 0U);
  EXPECT_GE(at(1).health()[2].well_ms, 2000U);
}

TEST_F(RosterTest, SilenceIsLossAndComingBackIsCountedAnew) {
  start_all();
  reactor.run_for(10'000);
  net.cut(3);
  reactor.run_for(Roster::kSilenceMs - 1100);
  EXPECT_EQ(at(1).health()[3].lost_ms, 0U);
  reactor.run_for(2000);
  EXPECT_GT(at(1).health()[3].lost_ms, Roster::kSilenceMs);
  EXPECT_EQ(at(1).health()[3].well_ms, 0U);
  EXPECT_EQ(at(1).health()[2].lost_ms, 0U);
  EXPECT_TRUE(at(1).heard(3));  // of what it was
  net.mend(3);
  reactor.run_for(1500);
  EXPECT_EQ(at(1).health()[3].lost_ms, 0U);
  EXPECT_LT(at(1).health()[3].well_ms, 1600U);
  EXPECT_GT(at(1).health()[2].well_ms, 10'000U);
}

TEST_F(RosterTest, StrangersAreNotHeard) {
  start_all();
  int told = 0;
  at(1).on_report([&](NodeId, const v1::NodeReport&) { ++told; });
  at(1).receive(7, {});
  EXPECT_EQ(told, 0);
  EXPECT_FALSE(at(1).heard(7));
  at(1).receive(2, {});
  EXPECT_EQ(told, 1);
}

TEST_F(RosterTest, WhoIsNoMemberAnyMoreIsForgottenAndToldNothing) {
  start_all();
  reactor.run_for(1500);
  at(1).set_members({1, 2});
  net.sent.clear();
  reactor.run_for(3000);
  EXPECT_FALSE(at(1).heard(3));
  EXPECT_TRUE(at(1).heard(2));
  EXPECT_FALSE(at(1).health().contains(3));
  EXPECT_TRUE(std::ranges::none_of(
      net.sent, [](const TestNet::Passed& each) { return each.from == 1 && each.to == 3; }));
}

TEST_F(RosterTest, NobodyIsLostForLongerThanItHasBeenListenedFor) {
  start(1);
  reactor.run_for(1000);
  EXPECT_GT(at(1).health()[2].lost_ms, 0U);  // never heard of: not well
  EXPECT_LE(at(1).health()[2].lost_ms, 1000U);
  // Nor one that came into the swarm later.
  reactor.run_for(60'000);
  at(1).set_members({1, 2, 3, 4});
  reactor.run_for(500);
  EXPECT_GT(at(1).health()[2].lost_ms, 60'000U);
  EXPECT_LE(at(1).health()[4].lost_ms, 500U);
  EXPECT_EQ(at(1).health()[4].well_ms, 0U);
}

}  // namespace
}  // namespace swarmdns::controlplane
