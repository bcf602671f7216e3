// ledger rollback.
#include "tests/unit/controlplane/cli/swarm_fixture.h"

namespace swarmdns::controlplane {
namespace {

class RollbackCli : public SwarmCli {
 protected:
  void SetUp() override {
    SwarmCli::SetUp();
    three_nodes();
    auto* range = swarm_.plan.add_dead();
    range->set_node(1);
    range->set_first(88000);
    range->set_last(88123);
    swarm_.plan.set_mutations(124);
    swarm_.plan.set_done(true);
    v1::RollbackProgress progress;
    *progress.mutable_committed() = committed();
    swarm_.rollback.push_back(progress);
    for (const char* name : {"n1", "n2"}) {
      auto* node = progress.add_nodes();
      node->set_node(name);
      node->set_acknowledged(true);
      node->set_removed(124);
      node->set_resolver_flushed(true);
      node->set_after_ms(12);
      swarm_.rollback.push_back(progress);
    }
    swarm_.rollback.back().set_done(true);
  }
  const std::string plan_ =
      "The caches of all nodes go back to 2026-11-22T17:05:00Z.\n"
      "LEARNED ON    FROM      TO  MUTATIONS\n"
      "n1          88,000  88,123        124\n"
      "124 mutations are taken back on every node that has them, and every resolver's cache is flushed.\n"
      "What was current then is asked for anew (--readmit puts it back in).\n";
};

TEST_F(RollbackCli, ShowsAsksAndFollows) {
  EXPECT_EQ(run({"ledger", "rollback", "--only", "cache", "--to", "17:05", "--reason", "poisoned"}, "y\n"),
            kExitOk)
      << err();
  EXPECT_EQ(out(), plan_ +
                       "ordered: block 57, 2026-11-22T17:10:00Z\n"
                       "  n1  done after 12 ms: 124 entries removed, resolver flushed\n"
                       "  n2  done after 12 ms: 124 entries removed, resolver flushed\n"
                       "done on every node\n");
  EXPECT_EQ(err(), "Go on? [y/N] ");
  EXPECT_NE(swarm_.last().find("reason: \"poisoned\" } to_ms: 1795367100000"), std::string::npos)
      << swarm_.last();
  EXPECT_EQ(swarm_.last().find("dry_run"), std::string::npos);
}

TEST_F(RollbackCli, NothingHappensWithoutAWord) {
  const auto only_planned = [this] {
    return swarm_.asked.size() == 2 && swarm_.asked[0].find("dry_run: true") != std::string::npos;
  };
  for (const char* typed : {"n\n", "\n", ""}) {
    EXPECT_EQ(run({"ledger", "rollback", "--only", "cache", "--to", "17:05"}, typed), kExitRefused);
    EXPECT_TRUE(only_planned()) << swarm_.last();
    EXPECT_NE(err().find("swarmctl: nothing was changed\n"), std::string::npos);
  }
  EXPECT_EQ(run({"ledger", "rollback", "--only", "cache", "--to", "17:05"}), kExitUsage);
  EXPECT_EQ(err(), "swarmctl: there is nobody to ask; give --yes where that is meant. Nothing was changed\n");
  EXPECT_TRUE(only_planned());
  EXPECT_EQ(run({"ledger", "rollback", "--only", "cache", "--to", "17:05", "--dry-run"}), kExitOk);
  EXPECT_EQ(out(), plan_ + "Nothing was changed (--dry-run).\n");
  EXPECT_TRUE(only_planned());
  EXPECT_EQ(run({"-o", "json", "ledger", "rollback", "--only", "cache", "--to", "17:05"}, "y\n"), kExitUsage);
  EXPECT_TRUE(swarm_.asked.empty());
}

TEST_F(RollbackCli, NamesTheNodesThatAreAwayOrInTrouble) {
  auto& last = swarm_.rollback.back();
  last.add_nodes()->set_node("n3");
  EXPECT_EQ(run({"ledger", "rollback", "--only", "cache", "--to", "50", "--yes", "--readmit"}), kExitPartly);
  EXPECT_EQ(err(),
            "swarmctl: no word yet from n3. It is ordered: each of them carries it out before it answers "
            "from shared "
            "entries again.\n");
  EXPECT_NE(swarm_.last().find("to_height: 50 readmit: true"), std::string::npos) << swarm_.last();
  last.mutable_nodes(2)->set_acknowledged(true);
  last.mutable_nodes(2)->set_problem("unbound-control timed out");
  EXPECT_EQ(run({"ledger", "rollback", "--only", "cache", "--to", "50", "--yes"}), kExitPartly);
  EXPECT_NE(
      out().find(
          "  n3  problem after 0 ms: 0 entries removed, resolver not flushed; unbound-control timed out\n"),
      std::string::npos)
      << out();
  EXPECT_EQ(run({"-o", "json", "ledger", "rollback", "--only", "cache", "--to", "50", "--yes"}), kExitPartly);
  EXPECT_EQ(swarm_.asked.size(), 1u);
}

TEST_F(RollbackCli, WhatCannotBeIsSaid) {
  swarm_.plan.set_problem("block 9 is pruned; 40 is the oldest");
  EXPECT_EQ(run({"ledger", "rollback", "--only", "cache", "--to", "9", "--yes"}), kExitRefused);
  EXPECT_EQ(err(), "swarmctl: block 9 is pruned; 40 is the oldest\n");
  EXPECT_EQ(swarm_.asked.size(), 1u);
  swarm_.rollback = {v1::RollbackProgress()};
  swarm_.rollback[0].set_problem("no quorum");
  swarm_.plan.clear_problem();
  EXPECT_EQ(run({"ledger", "rollback", "--only", "cache", "--to", "9", "--yes"}), kExitFailed);
  EXPECT_EQ(err(), "swarmctl: no quorum\n");
  EXPECT_EQ(run({"ledger", "rollback", "--only", "zones", "--to", "9"}), kExitUnsupported);
  EXPECT_EQ(err(), "swarmctl: this version of SwarmDNS has no zones of its own; nothing was changed\n");
  EXPECT_EQ(run({"ledger", "rollback", "--only", "config", "--to", "9", "--readmit"}), kExitUsage);
  EXPECT_EQ(run({"ledger", "rollback", "--only", "everything", "--to", "9"}), kExitUsage);
  EXPECT_EQ(run({"ledger", "rollback", "--to", "9"}), kExitUsage);
}

}  // namespace
}  // namespace swarmdns::controlplane
