#include "controlplane/consensus/engine.h"

#include <gtest/gtest.h>

#include "tests/unit/controlplane/consensus/cluster.h"

namespace swarmdns::controlplane {
namespace {

using test::Cluster;

std::string random_entry(std::mt19937& random, std::size_t max) {
  std::string entry(std::uniform_int_distribution<std::size_t>(0, max)(random), '\0');
  for (char& c : entry) c = static_cast<char>(random());
  return entry;
}

// Keeps the leader busy until `count` are applied; the entries in the order of their numbers.
std::map<std::uint64_t, std::string> propose_many(Cluster& cluster, NodeId leader, int count, std::size_t max,
                                                  unsigned seed) {
  struct Shared {
    std::mt19937 random;
    std::map<std::uint64_t, std::string> done;
    int proposed = 0;
    int failed = 0;
    std::function<void()> more;
    std::function<void(const std::string&)> propose;
  };
  const auto shared = std::make_shared<Shared>();
  shared->random.seed(seed);
  // A disk that falls behind, as a busy machine's does, is asked again a little later.
  shared->propose = [&cluster, leader, shared](const std::string& entry) {
    cluster.nodes[leader].engine->propose(
        entry, [&cluster, shared, entry](std::expected<std::uint64_t, LogFault> result) {
          if (result) {
            shared->done[*result] = entry;
          } else if (result.error() == LogFault::kNoSpace || result.error() == LogFault::kBusy) {
            cluster.reactor.after(5, [shared, entry] {
              if (shared->propose) shared->propose(entry);
            });
          } else {
            ++shared->failed;
          }
        });
  };
  shared->more = [&cluster, leader, count, max, shared] {
    while (shared->proposed < count) {
      ++shared->proposed;
      std::string entry = random_entry(shared->random, max);
      bool busy = cluster.nodes[leader].engine->status().in_flight_entries > 200;
      shared->propose(entry);
      if (busy) {
        cluster.reactor.after(1, [shared] {
          if (shared->more) shared->more();
        });
        return;
      }
    }
  };
  cluster.reactor.run([&] { shared->more(); });
  EXPECT_TRUE(
      cluster.wait_for([&] { return shared->failed + static_cast<int>(shared->done.size()) == count; }));
  EXPECT_EQ(shared->failed, 0);
  cluster.reactor.run([&] {
    shared->more = nullptr;
    shared->propose = nullptr;
  });
  return shared->done;
}

TEST(Engine, OneNodeElectsItselfAndApplies) {
  Cluster cluster;
  cluster.bootstrap(1);
  cluster.start(1);
  ASSERT_EQ(cluster.leader(), 1u);
  const auto first = cluster.propose(1, "one");
  const auto second = cluster.propose(1, "");
  ASSERT_TRUE(first && second);
  EXPECT_LT(*first, *second);
  const test::Recorder::State expected{{{*first, "one"}, {*second, ""}}};
  EXPECT_EQ(cluster.nodes[1].recorder->state, expected);
  const LogStatus status = cluster.status(1);
  EXPECT_EQ(status.state, LogState::kLeader);
  EXPECT_EQ(status.applied_index, *second);
  EXPECT_EQ(status.trouble, "");
  EXPECT_EQ(status.members, (std::vector<LogMember>{{1, Cluster::address(1), LogRole::kVoter}}));
  EXPECT_EQ(cluster.nodes[1].recorder->told, status.members);
}

// The only voter makes itself leader again without an election: a stand-by may hold entries of the term
// before that it never got onto its disk.
TEST(Engine, TheOnlyVoterTakesANewTermEachTime) {
  Cluster cluster;
  cluster.bootstrap(1);
  cluster.start(1);
  cluster.leader();
  const std::uint64_t before = cluster.status(1).term;
  cluster.stop(1);
  cluster.start(1);
  cluster.leader();
  EXPECT_GT(cluster.status(1).term, before);
}

TEST(Engine, ThreeNodesApplyTenThousandEntriesEqually) {
  Cluster cluster;
  cluster.options.profile = LogProfile::kWan;  // no election because this machine was busy for a moment
  cluster.grow_to(3);
  const NodeId leader = cluster.leader();
  const auto proposed = propose_many(cluster, leader, 10'000, 2000, 1);
  ASSERT_TRUE(cluster.all_equal());
  cluster.reactor.run([&] {
    EXPECT_EQ(std::map(cluster.nodes[leader].recorder->state.entries.begin(),
                       cluster.nodes[leader].recorder->state.entries.end()),
              proposed);
    EXPECT_EQ(cluster.nodes[leader].engine->status().in_flight_entries, 0u);
    EXPECT_EQ(cluster.nodes[leader].engine->status().in_flight_bytes, 0u);
    for (auto& [id, node] : cluster.nodes)
      EXPECT_EQ(node.engine->refused_messages(), 0u) << node.engine->last_refusal();
  });
}

// Longer than one message may be, and than what a message is filled with.
TEST(Engine, LargeEntriesReachFollowersInParts) {
  Cluster cluster;
  cluster.grow_to(3);
  const NodeId leader = cluster.leader();
  cluster.reactor.run([&] { cluster.network.cut(leader == 1 ? 2 : 1, true); });
  propose_many(cluster, leader, 60, 300'000, 2);
  ASSERT_TRUE(cluster.propose(leader, std::string(std::size_t{4} << 20, 'x')));
  EXPECT_EQ(cluster.propose(leader, std::string((std::size_t{4} << 20) + 1, 'x')).error(),
            LogFault::kTooLarge);
  cluster.reactor.run([&] { cluster.network.cut(leader == 1 ? 2 : 1, false); });
  EXPECT_TRUE(cluster.all_equal());
}

TEST(Engine, BackPressureBoundsWhatIsInFlight) {
  Cluster cluster;
  cluster.options.max_in_flight_entries = 10;
  cluster.options.max_in_flight_bytes = 1000;
  cluster.bootstrap(1);
  cluster.start(1);
  cluster.leader();
  std::vector<std::expected<std::uint64_t, LogFault>> results;
  const auto burst = [&](std::size_t bytes) {
    results.clear();
    cluster.reactor.run([&] {
      for (int i = 0; i < 30; ++i)
        cluster.nodes[1].engine->propose(std::string(bytes, 'x'),
                                         [&](auto result) { results.push_back(result); });
      EXPECT_LE(cluster.nodes[1].engine->status().in_flight_entries, 10u);
      EXPECT_LE(cluster.nodes[1].engine->status().in_flight_bytes, 1000u);
    });
    EXPECT_TRUE(cluster.wait_for([&] { return results.size() == 30; }));
    return std::ranges::count(results,
                              std::expected<std::uint64_t, LogFault>(std::unexpected(LogFault::kBusy)));
  };
  EXPECT_EQ(burst(1), 20);
  EXPECT_EQ(burst(400), 28);
  EXPECT_EQ(burst(1), 20);
}

TEST(Engine, TwentyFiveLeadersSwitchedOffLoseNothing) {
  Cluster cluster;
  cluster.options.snapshot_entries = 400;
  cluster.options.trailing_entries = 50;
  cluster.grow_to(3);
  std::mt19937 random(7);
  std::map<std::uint64_t, std::string> acknowledged;
  for (int round = 0; round < 25; ++round) {
    const NodeId leader = cluster.leader();
    ASSERT_NE(leader, 0u);
    // Some wait until applied, some are on their way when the leader goes.
    std::map<std::uint64_t, std::string> now;
    int open = 0;
    cluster.reactor.run([&] {
      for (int i = 0; i < 60; ++i) {
        std::string entry = std::to_string(round) + "/" + std::to_string(i) + random_entry(random, 3000);
        ++open;
        cluster.nodes[leader].engine->propose(entry,
                                              [&, entry](std::expected<std::uint64_t, LogFault> result) {
                                                --open;
                                                if (result) now[*result] = entry;
                                              });
      }
    });
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 8000));
    cluster.stop(leader);
    ASSERT_TRUE(cluster.wait_for([&] { return open == 0; }));
    acknowledged.merge(now);
    const std::uint64_t between = cluster.propose_anywhere("between");
    acknowledged[between] = "between";
    cluster.start(leader);
  }
  cluster.propose_anywhere("end");
  ASSERT_TRUE(cluster.all_equal());
  cluster.reactor.run([&] {
    const auto& entries = cluster.nodes[1].recorder->state.entries;
    const std::map<std::uint64_t, std::string> have(entries.begin(), entries.end());
    for (const auto& [index, entry] : acknowledged) {
      ASSERT_TRUE(have.contains(index)) << index;
      EXPECT_EQ(have.at(index), entry) << index;
    }
  });
}

TEST(Engine, MembersAreAddedPromotedDemotedAndRemoved) {
  Cluster cluster;
  cluster.bootstrap(1);
  cluster.start(1);
  cluster.start(2);
  ASSERT_EQ(cluster.leader(), 1u);
  EXPECT_EQ(cluster.assign(2, LogRole::kVoter).error(), LogFault::kBadMember);
  EXPECT_EQ(cluster.remove(2).error(), LogFault::kBadMember);
  EXPECT_EQ(cluster.remove(1).error(), LogFault::kBadMember) << "the last voter";
  EXPECT_EQ(cluster.assign(1, LogRole::kStandBy).error(), LogFault::kBadMember) << "the last voter";
  EXPECT_TRUE(cluster.add(2));
  EXPECT_EQ(cluster.add(2).error(), LogFault::kBadMember);
  EXPECT_EQ(cluster.assign(2, LogRole::kSpare).error(), LogFault::kBadMember) << "it is one";
  EXPECT_TRUE(cluster.assign(2, LogRole::kStandBy));
  ASSERT_TRUE(cluster.propose(1, "to a stand-by"));
  EXPECT_TRUE(cluster.all_equal());
  EXPECT_TRUE(cluster.assign(2, LogRole::kVoter));
  EXPECT_TRUE(cluster.transfer(2));
  ASSERT_EQ(cluster.leader(), 2u);
  EXPECT_EQ(cluster.propose(1, "not here").error(), LogFault::kNotLeader);
  ASSERT_TRUE(cluster.assign(1, LogRole::kStandBy));
  EXPECT_TRUE(cluster.assign(1, LogRole::kVoter));
  // A leader that is to be removed hands over; the next one removes it.
  EXPECT_EQ(cluster.remove(2).error(), LogFault::kNotLeader);
  ASSERT_EQ(cluster.leader(), 1u);
  EXPECT_TRUE(cluster.remove(2));
  ASSERT_TRUE(cluster.propose(1, "alone again"));
  EXPECT_EQ(cluster.status(1).members, (std::vector<LogMember>{{1, Cluster::address(1), LogRole::kVoter}}));
  EXPECT_TRUE(cluster.wait_for([&] { return cluster.nodes[1].recorder->told.size() == 1; }));
}

TEST(Engine, OneChangeOfMembersAtATime) {
  Cluster cluster;
  cluster.grow_to(2);
  const NodeId leader = cluster.leader();
  std::vector<std::expected<void, LogFault>> results;
  cluster.reactor.run([&] {
    cluster.nodes[leader].engine->add(7, "seven:1", [&](auto result) { results.push_back(result); });
    cluster.nodes[leader].engine->add(8, "eight:1", [&](auto result) { results.push_back(result); });
    EXPECT_TRUE(cluster.nodes[leader].engine->status().changing);
  });
  ASSERT_TRUE(cluster.wait_for([&] { return results.size() == 2; }));
  EXPECT_EQ(results[0], (std::expected<void, LogFault>(std::unexpected(LogFault::kChanging))));
  EXPECT_TRUE(results[1]);
}

TEST(Engine, ANodeFarBehindInstallsTheState) {
  Cluster cluster;
  cluster.options.snapshot_entries = 100;
  cluster.options.trailing_entries = 10;
  cluster.bootstrap(1);
  cluster.start(1);
  cluster.leader();
  propose_many(cluster, 1, 1000, 100, 3);
  ASSERT_TRUE(cluster.wait_for([&] { return cluster.nodes[1].recorder->manifests_kept > 0; }));
  cluster.start(2);
  // Long enough for several heartbeats: the leader must neither send it again and again nor give up.
  cluster.reactor.run([&] { cluster.nodes[2].recorder->install_ms = 1500; });
  ASSERT_TRUE(cluster.add(2));
  const std::uint64_t term = cluster.status(1).term;
  ASSERT_TRUE(cluster.assign(2, LogRole::kStandBy));
  ASSERT_TRUE(cluster.wait_for([&] { return cluster.nodes[2].recorder->installing; }));
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(cluster.propose(1, "meanwhile"));
  ASSERT_TRUE(cluster.all_equal());
  // More than once when the leader had written a newer one by then.
  EXPECT_GE(cluster.nodes[2].recorder->installed, 1);
  EXPECT_LE(cluster.nodes[2].recorder->installed, 10);
  EXPECT_GE(cluster.nodes[2].recorder->restored, 1);
  EXPECT_EQ(cluster.status(1).term, term) << "an election";
  // Not with every heartbeat, which would be fifty and more.
  cluster.reactor.run([&] { EXPECT_LE(cluster.network.installs, 25u); });
  // And it is in its log: it survives a restart.
  cluster.stop(2);
  cluster.start(2);
  ASSERT_TRUE(cluster.propose(1, "after"));
  EXPECT_TRUE(cluster.all_equal());
}

TEST(Engine, AnInstallationThatFailsIsRepeated) {
  Cluster cluster;
  cluster.options.snapshot_entries = 100;
  cluster.options.trailing_entries = 10;
  cluster.options.retry_ms = 200;
  cluster.bootstrap(1);
  cluster.start(1);
  cluster.leader();
  propose_many(cluster, 1, 500, 100, 4);
  cluster.start(2);
  cluster.reactor.run([&] { cluster.nodes[2].recorder->failed_installs = 2; });
  ASSERT_TRUE(cluster.add(2));
  ASSERT_TRUE(cluster.assign(2, LogRole::kStandBy));
  EXPECT_TRUE(cluster.wait_for([&] { return cluster.status_text(2).contains("the peer went away"); }));
  ASSERT_TRUE(cluster.all_equal());
  EXPECT_EQ(cluster.status(2).trouble, "");
}

TEST(Engine, ReadsSeeEverythingBeforeThem) {
  Cluster cluster;
  cluster.grow_to(3);
  for (int i = 0; i < 50; ++i) {
    const std::uint64_t index = cluster.propose_anywhere("entry");
    const NodeId node = 1 + static_cast<NodeId>(i % 3);
    const auto read = cluster.read(node);
    ASSERT_TRUE(read);
    EXPECT_GE(*read, index);
    cluster.reactor.run([&] { EXPECT_GE(cluster.nodes[node].recorder->last(), index); });
  }
}

TEST(Engine, ALeaderThatIsCutOffDoesNotServeReads) {
  Cluster cluster;
  cluster.options.read_timeout_ms = 700;
  cluster.grow_to(3);
  const NodeId old = cluster.leader();
  cluster.reactor.run([&] { cluster.network.cut(old, true); });
  const auto read = cluster.read(old);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error(), LogFault::kTimedOut);
  ASSERT_TRUE(cluster.wait_for([&] { return !cluster.nodes[old].engine->is_leader(); }));
  const std::uint64_t index = cluster.propose_anywhere("by another");
  cluster.reactor.run([&] { cluster.network.cut(old, false); });
  ASSERT_TRUE(cluster.wait_for([&] { return cluster.nodes[old].engine->status().leader != 0; }));
  const auto later = cluster.read(old);
  ASSERT_TRUE(later);
  EXPECT_GE(*later, index);
}

TEST(Engine, AConsumerThatFailsHaltsItsNodeAndLosesNothing) {
  Cluster cluster;
  cluster.options.retry_ms = 100;
  cluster.grow_to(3);
  const NodeId leader = cluster.leader();
  const NodeId follower = leader == 1 ? 2 : 1;
  cluster.reactor.run([&] { cluster.nodes[follower].recorder->failing = true; });
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(cluster.propose(leader, "entry " + std::to_string(i)));
  ASSERT_TRUE(cluster.wait_for([&] { return cluster.status_text(follower).contains("the test says no"); }));
  EXPECT_LT(cluster.status(follower).applied_index, cluster.status(leader).applied_index);
  cluster.reactor.run([&] { cluster.nodes[follower].recorder->failing = false; });
  ASSERT_TRUE(cluster.all_equal());
  EXPECT_TRUE(cluster.wait_for([&] { return cluster.status_text(follower).empty(); }));

  // A leader that cannot apply hands over.
  cluster.reactor.run([&] { cluster.nodes[leader].recorder->failing = true; });
  bool answered = false;
  cluster.reactor.run([&] { cluster.nodes[leader].engine->propose("x", [&](auto) { answered = true; }); });
  ASSERT_TRUE(cluster.wait_for([&] { return answered && !cluster.nodes[leader].engine->is_leader(); }));
  cluster.propose_anywhere("y");
  cluster.reactor.run([&] { cluster.nodes[leader].recorder->failing = false; });
  EXPECT_TRUE(cluster.all_equal());
}

// More than it keeps aside: the log is closed, and played again once the consumer works.
TEST(Engine, ALongFailureOfTheConsumerClosesTheLog) {
  Cluster cluster;
  cluster.options.retry_ms = 100;
  cluster.options.max_backlog_bytes = 100'000;
  cluster.grow_to(3);
  const NodeId leader = cluster.leader();
  const NodeId follower = leader == 1 ? 2 : 1;
  cluster.reactor.run([&] { cluster.nodes[follower].recorder->failing = true; });
  propose_many(cluster, leader, 300, 2000, 5);
  ASSERT_TRUE(
      cluster.wait_for([&] { return cluster.nodes[follower].engine->status().state == LogState::kFailed; }));
  propose_many(cluster, leader, 100, 2000, 6);
  cluster.reactor.run([&] { cluster.nodes[follower].recorder->failing = false; });
  ASSERT_TRUE(cluster.all_equal());
  EXPECT_TRUE(cluster.wait_for([&] { return cluster.status_text(follower).empty(); }));
}

TEST(Engine, StopAnswersWhatIsOpen) {
  Cluster cluster;
  cluster.grow_to(2);
  const NodeId leader = cluster.leader();
  cluster.reactor.run([&] { cluster.network.cut(leader == 1 ? 2 : 1, true); });
  int answers = 0;
  cluster.reactor.run([&] {
    cluster.nodes[leader].engine->propose("x", [&](auto result) { answers += result ? 0 : 1; });
    cluster.nodes[leader].engine->read([&](auto result) { answers += result ? 0 : 1; });
    cluster.nodes[leader].engine->add(9, "nine:1", [&](auto result) { answers += result ? 0 : 1; });
  });
  cluster.stop(leader);
  EXPECT_TRUE(cluster.wait_for([&] { return answers == 3; }));
}

}  // namespace
}  // namespace swarmdns::controlplane
