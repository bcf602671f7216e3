// config check, apply, history and rollback of the swarm's document.
#include "tests/unit/controlplane/cli/swarm_fixture.h"

namespace swarmdns::controlplane {
namespace {

const char* const kGood = "all:\n  dataplane: {cache: {max_ttl_s: 600}}\n";

void add_verdict(v1::ApplySwarmConfigResponse& response, const std::string& node, const std::string& verdict,
                 const std::string& problem = "") {
  auto* added = response.add_nodes();
  added->set_node(node);
  added->set_verdict(verdict);
  if (!problem.empty()) added->add_problems(problem);
}

TEST_F(SwarmCli, ApplyIsOneTransactionForAllNodes) {
  swarm_.applied.set_accepted(true);
  *swarm_.applied.mutable_committed() = committed();
  add_verdict(swarm_.applied, "n1", "in force");
  add_verdict(swarm_.applied, "n2", "in force");
  const std::string swarm_yaml = file("swarm.yaml", kGood);
  EXPECT_EQ(run({"config", "apply", swarm_yaml, "--reason", "shorter TTLs"}), kExitOk) << err();
  EXPECT_EQ(out(),
            "NODE  VERDICT   WHY\n"
            "n1    in force\n"
            "n2    in force\n" +
                swarm_yaml + ": agreed on, block 57, 2026-11-22T17:10:00Z\n");
  EXPECT_NE(swarm_.last().find("reason: \"shorter TTLs\""), std::string::npos) << swarm_.last();
  EXPECT_EQ(node_.yaml, "");  // the node's own file is not touched
}

TEST_F(SwarmCli, ApplyNamesWhoDoesNotFollow) {
  swarm_.applied.set_accepted(true);
  *swarm_.applied.mutable_committed() = committed();
  add_verdict(swarm_.applied, "n1", "in force");
  add_verdict(swarm_.applied, "n2", "silent");
  add_verdict(swarm_.applied, "n3", "degraded", "dataplane.cache.memory_mib: no memory");
  const std::string swarm_yaml = file("swarm.yaml", kGood);
  EXPECT_EQ(run({"config", "apply", swarm_yaml}), kExitPartly);
  EXPECT_EQ(out(),
            "NODE  VERDICT   WHY\n"
            "n1    in force\n"
            "n2    silent\n"
            "n3    degraded  dataplane.cache.memory_mib: no memory\n" +
                swarm_yaml + ": agreed on, block 57, 2026-11-22T17:10:00Z\n");
  EXPECT_EQ(err(),
            "swarmctl: no answer from n2; in force there when they are back\n"
            "swarmctl: degraded: n3; they keep their last good configuration until it is mended\n");
}

TEST_F(SwarmCli, ARefusedDocumentChangesNothing) {
  add_verdict(swarm_.applied, "n1", "refuses", "resolver.user: no such user");
  const std::string swarm_yaml = file("swarm.yaml", kGood);
  EXPECT_EQ(run({"config", "apply", swarm_yaml}), kExitRefused);
  EXPECT_EQ(out(),
            "NODE  VERDICT  WHY\n"
            "n1    refuses  resolver.user: no such user\n");
  EXPECT_EQ(err(), "swarmctl: " + swarm_yaml + " is refused; every node keeps the configuration it has\n");
  EXPECT_EQ(run({"-o", "json", "config", "apply", swarm_yaml}), kExitRefused);
  EXPECT_NE(out().find("\"accepted\": false"), std::string::npos);
}

TEST_F(SwarmCli, CheckTellsTheTwoKindsApart) {
  const std::string swarm_yaml = file("swarm.yaml", "all: {node: {name: x}}\n");
  EXPECT_EQ(run({"config", "check", swarm_yaml}), kExitRefused);
  EXPECT_NE(err().find(swarm_yaml + ":1: all.node.name: is what the node is found by"), std::string::npos)
      << err();
  EXPECT_TRUE(swarm_.asked.empty());  // what is wrong in itself needs no swarm
  swarm_.applied.set_accepted(true);
  add_verdict(swarm_.applied, "n1", "accepts");
  add_verdict(swarm_.applied, "n2", "silent");
  const std::string good = file("good.yaml", kGood);
  EXPECT_EQ(run({"config", "check", good}), kExitOk) << err();
  EXPECT_EQ(out(), "NODE  VERDICT  WHY\nn1    accepts\nn2    silent\n" + good + ": good\n");
  EXPECT_EQ(err(), "swarmctl: no answer from n2\n");
  EXPECT_NE(swarm_.last().find("check_only: true"), std::string::npos) << swarm_.last();
  // A node's own file goes to the node.
  EXPECT_EQ(run({"config", "apply", file("node.yaml", "node: {name: n1}\n")}), kExitRefused);
  EXPECT_EQ(node_.yaml, "node: {name: n1}\n");
  EXPECT_TRUE(swarm_.asked.empty());
  EXPECT_EQ(run({"config", "apply", path("node.yaml"), "--reason", "x"}), kExitUsage);
}

TEST_F(SwarmCli, CheckOfADocumentNeedsNoControlPlane) {
  server_->stop();
  const std::string good = file("good.yaml", kGood);
  EXPECT_EQ(run({"config", "check", good}), kExitOk) << err();
  EXPECT_EQ(out(), good + ": good\n");
  EXPECT_EQ(run({"config", "apply", good}), kExitUnreachable);
}

TEST_F(SwarmCli, HistoryListsVersionsAndPrintsOne) {
  EXPECT_EQ(run({"config", "history"}), kExitOk);
  EXPECT_TRUE(out().starts_with("The swarm has agreed on no configuration yet")) << out();
  for (const uint64_t height : {58, 57, 40}) {
    auto* version = swarm_.configs.add_versions();
    version->set_height(height);
    version->set_time_ms(kNow);
    version->set_principal("alice@n1");
    version->set_reason("why " + std::to_string(height));
    version->set_document("all: {} # " + std::to_string(height) + "\n");
    if (height == 58) version->set_restores_height(40);
  }
  EXPECT_EQ(run({"config", "history"}), kExitOk);
  EXPECT_EQ(out(),
            "     BLOCK  TIME                  WHO       WHAT                       REASON\n"
            "now     58  2026-11-22T17:10:00Z  alice@n1  restored that of block 40  why 58\n"
            "        57  2026-11-22T17:10:00Z  alice@n1  new                        why 57\n"
            "        40  2026-11-22T17:10:00Z  alice@n1  new                        why 40\n"
            "a document: swarmctl config history BLOCK; back to one: swarmctl config rollback --to BLOCK\n");
  EXPECT_EQ(run({"config", "history", "57"}), kExitOk);
  EXPECT_EQ(out(), "all: {} # 57\n");
  EXPECT_EQ(run({"config", "history", "56"}), kExitNotFound);
}

TEST_F(SwarmCli, RollbackOfTheConfiguration) {
  swarm_.applied.set_accepted(true);
  *swarm_.applied.mutable_committed() = committed();
  add_verdict(swarm_.applied, "n1", "in force");
  EXPECT_EQ(run({"config", "rollback", "--to", "40", "--reason", "TTLs"}), kExitOk) << err();
  EXPECT_NE(swarm_.last().find("to_height: 40"), std::string::npos) << swarm_.last();
  EXPECT_TRUE(out().ends_with("the configuration of block 40: agreed on, block 57, 2026-11-22T17:10:00Z\n"))
      << out();
  EXPECT_EQ(run({"ledger", "rollback", "--only", "config", "--to", "-10m", "--dry-run"}), kExitOk) << err();
  EXPECT_NE(swarm_.last().find("to_ms: 1795366800000 dry_run: true"), std::string::npos) << swarm_.last();
  EXPECT_TRUE(out().ends_with("the configuration of 2026-11-22T17:00:00Z: good\n")) << out();
  EXPECT_EQ(run({"config", "rollback", "--to", "noon"}), kExitUsage);
}

}  // namespace
}  // namespace swarmdns::controlplane
