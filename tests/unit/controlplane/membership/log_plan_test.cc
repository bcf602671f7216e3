#include "controlplane/membership/log_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "controlplane/state/apply.h"

namespace swarmdns::controlplane {
namespace {

using testing::HasSubstr;

// A log whose members change as planned, and in which no change may leave the voters without a majority that
// is heard.
class World {
 public:
  World() {
    input.leader = 1;
    input.settings = with_defaults({});
    input.log = {{1, "a1", LogRole::kVoter}};
  }

  void add(NodeId id, bool backup = false) {
    v1::MemberRecord record;
    record.set_id(id);
    record.set_name("n" + std::to_string(id));
    record.set_address("a" + std::to_string(id));
    record.set_backup(backup);
    input.members.push_back(record);
    well(id);
  }
  void remove(NodeId id) {
    std::erase_if(input.members, [&](const v1::MemberRecord& record) { return record.id() == id; });
  }
  void well(NodeId id, std::uint64_t for_ms = 3'600'000) { input.health[id] = {0, for_ms}; }
  void lose(NodeId id, std::uint64_t for_ms = 3'600'000) { input.health[id] = {for_ms, 0}; }

  // Everything that is to be done, one after the other.
  std::vector<std::string> settle() {
    std::vector<std::string> done;
    while (const auto change = next_log_change(input)) {
      done.push_back(change->why);
      carry_out(*change);
      if (done.size() > 50) {
        ADD_FAILURE() << "it never settles";
        break;
      }
    }
    return done;
  }

  std::string roles() const {
    std::vector<LogMember> sorted = input.log;
    std::ranges::sort(sorted, {}, &LogMember::id);
    std::string text;
    for (const LogMember& each : sorted) {
      text += (text.empty() ? "" : " ") + std::to_string(each.id) +
              (each.role == LogRole::kVoter     ? "v"
               : each.role == LogRole::kStandBy ? "s"
                                                : "-");
    }
    return text;
  }

  LogPlanInput input;

 private:
  void carry_out(const LogChange& change) {
    const auto at = std::ranges::find(input.log, change.id, &LogMember::id);
    switch (change.kind) {
      case LogChange::Kind::kAdd:
        ASSERT_EQ(at, input.log.end());
        input.log.push_back({change.id, change.address, LogRole::kSpare});
        break;
      case LogChange::Kind::kAssign:
        ASSERT_NE(at, input.log.end());
        ASSERT_NE(at->role, change.role);
        at->role = change.role;
        break;
      case LogChange::Kind::kRemove:
        ASSERT_NE(change.id, input.leader);
        input.log.erase(at);
        break;
      case LogChange::Kind::kHandOver: {
        const auto next = std::ranges::find_if(input.log, [&](const LogMember& each) {
          return each.role == LogRole::kVoter && each.id != input.leader &&
                 input.health[each.id].lost_ms == 0;
        });
        ASSERT_NE(next, input.log.end());
        well(input.leader);
        input.leader = next->id;
        break;
      }
    }
    std::size_t voters = 0;
    std::size_t heard = 0;
    for (const LogMember& each : input.log) {
      if (each.role != LogRole::kVoter) continue;
      ++voters;
      if (each.id == input.leader || input.health[each.id].lost_ms == 0) ++heard;
    }
    EXPECT_GE(heard, voters / 2 + 1) << change.why;
  }
};

TEST(LogPlan, GrowsToOddNumbersOfVoters) {
  World world;
  world.add(1);
  EXPECT_TRUE(world.settle().empty());
  world.add(2);
  world.settle();
  EXPECT_EQ(world.roles(), "1v 2s");
  world.add(3);
  world.settle();
  EXPECT_EQ(world.roles(), "1v 2v 3v");
  world.add(4);
  world.settle();
  EXPECT_EQ(world.roles(), "1v 2v 3v 4s");
  world.add(5);
  world.settle();
  EXPECT_EQ(world.roles(), "1v 2v 3v 4v 5v");
}

TEST(LogPlan, BackupsStandByAndTheRestFollow) {
  World world;
  world.add(1);
  for (NodeId id = 2; id <= 3; ++id) world.add(id);
  for (NodeId id = 4; id <= 9; ++id) world.add(id, true);
  world.settle();
  EXPECT_EQ(world.roles(), "1v 2v 3v 4s 5s 6s");
}

TEST(LogPlan, ALostVotersPlaceIsTakenAndGivenBack) {
  World world;
  for (NodeId id = 1; id <= 3; ++id) world.add(id);
  world.add(4, true);
  world.settle();
  ASSERT_EQ(world.roles(), "1v 2v 3v 4s");
  world.lose(2, world.input.settings.promote_after_ms() - 1);
  EXPECT_TRUE(world.settle().empty());
  world.lose(2, world.input.settings.promote_after_ms());
  EXPECT_THAT(world.settle(), testing::ElementsAre("n4 votes", "n2 is lost; it stands by until it is back"));
  EXPECT_EQ(world.roles(), "1v 2s 3v 4v");
  world.well(2, world.input.settings.demote_after_ms() - 1);
  EXPECT_TRUE(world.settle().empty());
  world.well(2, world.input.settings.demote_after_ms());
  world.settle();
  EXPECT_EQ(world.roles(), "1v 2v 3v 4s");
}

TEST(LogPlan, NobodyTakesThePlaceWhenNobodyIsThere) {
  World world;
  for (NodeId id = 1; id <= 3; ++id) world.add(id);
  world.settle();
  world.lose(2);
  EXPECT_TRUE(world.settle().empty());
  EXPECT_EQ(world.roles(), "1v 2v 3v");
}

TEST(LogPlan, ARemovedMemberLeavesAndTheLeaderHandsOverFirst) {
  World world;
  for (NodeId id = 1; id <= 3; ++id) world.add(id);
  world.settle();
  world.remove(1);
  const auto done = world.settle();
  ASSERT_FALSE(done.empty());
  EXPECT_THAT(done.front(), HasSubstr("hands over"));
  EXPECT_THAT(world.roles(), testing::Not(HasSubstr("1")));
  // Of two primaries one votes.
  EXPECT_EQ(world.input.log.size(), 2U);
}

TEST(LogPlan, AVoterIsNotRemovedWhenTheRestWouldBeNoMajority) {
  World world;
  for (NodeId id = 1; id <= 3; ++id) world.add(id);
  world.settle();
  world.lose(2);
  world.lose(3);
  world.remove(2);
  EXPECT_TRUE(world.settle().empty());
  world.well(3);
  world.settle();
  EXPECT_THAT(world.roles(), testing::Not(HasSubstr("2")));
}

TEST(LogPlan, AnyCourseOfEventsSettlesSafely) {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    World world;
    world.add(1);
    NodeId next = 2;
    for (int step = 0; step < 40; ++step) {
      const unsigned what = random() % 6;
      const auto& members = world.input.members;
      const NodeId some = members[random() % members.size()].id();
      if (what <= 1 && members.size() < 9) {
        world.add(next++, random() % 3 == 0);
      } else if (what == 2 && members.size() > 1) {
        world.remove(some);
      } else if (what == 3 && some != world.input.leader) {
        // Not more than the quorum bears: without one there is no leader who would plan.
        world.lose(some);
        std::size_t voters = 0;
        std::size_t heard = 0;
        for (const LogMember& each : world.input.log) {
          if (each.role != LogRole::kVoter) continue;
          ++voters;
          if (each.id == world.input.leader || world.input.health[each.id].lost_ms == 0) ++heard;
        }
        if (heard < voters / 2 + 1) world.well(some);
      } else {
        world.well(some);
      }
      world.settle();
      if (testing::Test::HasFailure()) return;
    }
    for (const v1::MemberRecord& record : world.input.members) world.well(record.id());
    world.settle();
    std::size_t primaries = 0;
    for (const v1::MemberRecord& record : world.input.members) primaries += record.backup() ? 0 : 1;
    std::size_t wanted = std::min<std::size_t>(std::max<std::size_t>(primaries, 1), 5);
    if (wanted % 2 == 0) --wanted;
    EXPECT_EQ(std::ranges::count(world.input.log, LogRole::kVoter, &LogMember::role),
              static_cast<std::ptrdiff_t>(wanted))
        << world.roles();
  }
}

// Voters first; stand-bys have what is left of the places.
TEST(LogPlan, SoManyAreInTheLogAndTheOthersFollow) {
  World world;
  world.input.settings.set_max_voters(3);
  world.input.settings.set_max_log_members(3);
  for (NodeId id = 1; id <= 5; ++id) world.add(id);
  world.settle();
  EXPECT_EQ(world.roles(), "1v 2v 3v");
  world.input.settings.set_max_log_members(4);
  world.settle();
  EXPECT_EQ(world.roles(), "1v 2v 3v 4s");
  // A voter is lost and nobody stands by: one that follows comes into the log.
  world.input.settings.set_max_log_members(3);
  world.settle();
  EXPECT_EQ(world.roles(), "1v 2v 3v");
  world.lose(2);
  world.settle();
  EXPECT_EQ(world.roles(), "1v 3v 4v");
  // Fewer places than voters were to be.
  world.well(2);
  world.input.settings.set_max_log_members(2);
  world.settle();
  EXPECT_EQ(std::ranges::count(world.input.log, LogRole::kVoter, &LogMember::role), 1);
  EXPECT_EQ(world.input.log.size(), 2U);
}

}  // namespace
}  // namespace swarmdns::controlplane
