#include "controlplane/membership/quorum.h"

#include <gtest/gtest.h>

namespace swarmdns::controlplane {
namespace {

const std::vector<LogMember> kLog = {{1, "a", LogRole::kVoter},
                                     {2, "b", LogRole::kVoter},
                                     {3, "c", LogRole::kVoter},
                                     {4, "d", LogRole::kStandBy}};

TEST(Quorum, CountsVotersThatAreHeard) {
  std::map<NodeId, MemberHealth> health{{2, {0, 5000}}, {3, {9000, 0}}, {4, {0, 5000}}};
  EXPECT_TRUE(heard_voters(kLog, health, 1).quorum());
  health[2] = {4000, 0};
  EXPECT_FALSE(heard_voters(kLog, health, 1).quorum());
  EXPECT_EQ(heard_voters(kLog, health, 1).heard, std::vector<NodeId>{1});
}

// One that does not vote is no part of the quorum, and may see it all the same.
TEST(Quorum, OfOneThatStandsBy) {
  const std::map<NodeId, MemberHealth> health{{1, {0, 5000}}, {2, {0, 5000}}};
  const HeardVoters voters = heard_voters(kLog, health, 4);
  EXPECT_TRUE(voters.quorum());
  EXPECT_EQ(voters.voters, 3U);
  EXPECT_FALSE(heard_voters(kLog, {{1, {0, 5000}}}, 4).quorum());
}

TEST(Quorum, NobodyIsNone) {
  EXPECT_FALSE(heard_voters({}, {}, 1).quorum());
}

}  // namespace
}  // namespace swarmdns::controlplane
