// The commands about the swarm itself.
#include <sys/stat.h>

#include "tests/unit/controlplane/cli/swarm_fixture.h"

namespace swarmdns::controlplane {
namespace {

const std::string kMe = "caller { principal: \"root@n1\" } ";

bool root() {
  return geteuid() == 0;
}

TEST_F(SwarmCli, InitKeepsTheRootKeyAndSaysWhatIsNext) {
  swarm_.made.set_node(1);
  swarm_.made.set_root_key("-----BEGIN PRIVATE KEY-----\nx\n");
  const std::string key = path("lab.key");
  EXPECT_EQ(run({"swarm", "init", "--name", "lab", "--root-key", key}), kExitOk) << err();
  EXPECT_EQ(contents(key), "-----BEGIN PRIVATE KEY-----\nx\n");
  struct stat info {};
  ASSERT_EQ(stat(key.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  EXPECT_EQ(
      out(),
      "The swarm \"lab\" is made; this node is its first member, number 1.\n"
      "\n"
      "  root key  " +
          key +
          "  (not encrypted)\n"
          "\n"
          "Take the root key off this node now. It is kept nowhere else. Whoever has it can let any machine "
          "into "
          "the\n"
          "swarm; without it the swarm's CA cannot be renewed (swarmctl swarm rotate-ca). Copy it to a safe "
          "place,\n"
          "then: shred -u " +
          key +
          "\n"
          "\n"
          "Next, for each node that is to join, on this node:\n"
          "  swarmctl swarm token --role primary      (and run on that node what it prints)\n"
          "Three primaries go on when one of them is lost. swarmctl nodes shows who is there;\n"
          "swarmctl ledger checkpoint --trust-file FILE writes what proofs are checked against.\n");
}

TEST_F(SwarmCli, InitNeverOverwritesAKeyAndNeverAsksForNothing) {
  const std::string key = file("lab.key", "precious");
  EXPECT_EQ(run({"swarm", "init", "--name", "lab", "--root-key", key}), kExitRefused);
  EXPECT_EQ(err(),
            "swarmctl: --root-key: " + key + " exists, and a key is never overwritten; name another file\n");
  EXPECT_EQ(contents(key), "precious");
  EXPECT_FALSE(swarm_.was_asked("init_swarm"));
  // Refused by the node: no empty key is left behind.
  swarm_.refusal = Refusal{Refusal::Kind::kPrecondition, "swarm.listen is not set; set it and restart"};
  EXPECT_EQ(run({"swarm", "init", "--name", "lab", "--root-key", path("new.key")}), kExitRefused);
  EXPECT_EQ(err(), "swarmctl: swarm.listen is not set; set it and restart\n");
  EXPECT_FALSE(std::filesystem::exists(path("new.key")));
}

TEST_F(SwarmCli, InitTakesAPassphraseAndJsonHasNoKey) {
  swarm_.made.set_root_key("SECRET");
  const std::string key = path("lab.key");
  EXPECT_EQ(run({"-o", "json", "swarm", "init", "--name", "lab", "--root-key", key, "--passphrase-file",
                 file("phrase", "open sesame\n")}),
            kExitOk)
      << err();
  EXPECT_NE(swarm_.last().find("passphrase: \"open sesame\""), std::string::npos) << swarm_.last();
  EXPECT_EQ(out().find("SECRET"), std::string::npos);
  EXPECT_NE(out().find("\"root_key_file\": \"" + key + "\",\n"), std::string::npos) << out();
  EXPECT_EQ(contents(key), "SECRET");
  EXPECT_EQ(
      run({"swarm", "init", "--name", "lab", "--root-key", path("b"), "--passphrase-file", path("none")}),
      kExitNotFound);
  EXPECT_EQ(run({"swarm", "init", "--name", ""}), kExitUsage);
  EXPECT_EQ(run({"swarm", "init"}), kExitUsage);
}

TEST_F(SwarmCli, TokenPrintsTheCommandForTheOtherNode) {
  swarm_.token.set_token("SW1.abc");
  swarm_.token.set_address("10.54.0.1:8453");
  swarm_.token.set_expires_ms(kNow + 60 * kMinute);
  EXPECT_EQ(run({"swarm", "token", "--role", "primary", "--region", "east"}), kExitOk) << err();
  EXPECT_EQ(
      out(),
      "A token for one primary node in region east, valid until 2026-11-22T18:10:00Z. On that node, once its "
      "configuration has swarm.listen:\n"
      "\n"
      "  swarmctl swarm join 10.54.0.1:8453 --token SW1.abc\n"
      "\n"
      "The token is a secret until then. --token-file FILE, or - for the standard input, keeps it out of the "
      "list of processes.\n");
  EXPECT_NE(swarm_.last().find("region: \"east\" ttl_s: 3600"), std::string::npos) << swarm_.last();
  EXPECT_EQ(run({"swarm", "token", "--role", "backup", "--ttl", "2d"}), kExitOk) << err();
  EXPECT_NE(swarm_.last().find("backup: true ttl_s: 172800"), std::string::npos) << swarm_.last();
  EXPECT_NE(out().find("A token for one backup node in this node's region, "), std::string::npos) << out();
  EXPECT_EQ(run({"swarm", "token"}), kExitUsage);
  EXPECT_EQ(run({"swarm", "token", "--role", "king"}), kExitUsage);
  EXPECT_EQ(run({"swarm", "token", "--role", "primary", "--ttl", "31d"}), kExitUsage);
  EXPECT_EQ(err(), "swarmctl: --ttl: must be 1m to 30d\n");
}

v1::Progress step(const std::string& text, bool done = false, const std::string& problem = "") {
  v1::Progress progress;
  progress.set_text(text);
  progress.set_done(done);
  progress.set_problem(problem);
  return progress;
}

TEST_F(SwarmCli, JoinShowsItsSteps) {
  swarm_.progress = {step("10.54.0.1:8453 answers, and is of the swarm the token is of"),
                     step("member n2, number 2"), step("", true)};
  EXPECT_EQ(run({"swarm", "join", "10.54.0.1", "--token", "T"}), kExitOk) << err();
  EXPECT_EQ(out(),
            "Joining through 10.54.0.1:8453\n"
            "  10.54.0.1:8453 answers, and is of the swarm the token is of\n"
            "  member n2, number 2\n"
            "Joined. swarmctl nodes shows the swarm.\n");
  EXPECT_NE(swarm_.last().find("address: \"10.54.0.1:8453\" token: \"T\""), std::string::npos)
      << swarm_.last();
  swarm_.progress = {step("asking"), step("", true, "the token was used already; swarm token gives another")};
  EXPECT_EQ(run({"swarm", "join", "10.54.0.1", "--token", "T"}), kExitFailed);
  EXPECT_EQ(err(), "swarmctl: joining failed: the token was used already; swarm token gives another\n");
  EXPECT_EQ(out(), "Joining through 10.54.0.1:8453\n  asking\n");
  swarm_.progress = {step("asking")};
  EXPECT_EQ(run({"swarm", "join", "10.54.0.1", "--token", "T"}), kExitFailed);
  EXPECT_NE(err().find("whether it was done is not known"), std::string::npos);
}

TEST_F(SwarmCli, JoinTakesTheTokenFromAFileOrTheInput) {
  swarm_.progress = {step("", true)};
  EXPECT_EQ(run({"swarm", "join", "n1.example", "--token-file", file("token", "T1\n")}), kExitOk) << err();
  EXPECT_NE(swarm_.last().find("token: \"T1\""), std::string::npos);
  EXPECT_EQ(run({"swarm", "join", "n1.example", "--token-file", "-"}, "T2\n"), kExitOk) << err();
  EXPECT_NE(swarm_.last().find("token: \"T2\""), std::string::npos);
  EXPECT_EQ(run({"-o", "json", "swarm", "join", "n1.example", "--token-file", "-"}, "T2\n"), kExitOk);
  EXPECT_EQ(out(), "{\n  \"text\": \"\",\n  \"done\": true,\n  \"problem\": \"\"\n}\n");
  EXPECT_EQ(run({"swarm", "join", "n1.example"}), kExitUsage);
  EXPECT_NE(err().find("needs --token T or --token-file F"), std::string::npos);
  EXPECT_EQ(run({"swarm", "join", "n1.example", "--token", "T", "--token-file", "F"}), kExitUsage);
  EXPECT_EQ(run({"swarm", "join", "n1:0", "--token", "T"}), kExitUsage);
  EXPECT_TRUE(swarm_.asked.empty());
}

TEST_F(SwarmCli, ChangesOfMembersSayWhereTheyStand) {
  if (!root()) GTEST_SKIP() << "expects root's name";
  EXPECT_EQ(run({"swarm", "remove", "n3", "--force", "--reason", "disk gone"}), kExitOk) << err();
  EXPECT_EQ(swarm_.last(),
            "remove_member caller { principal: \"root@n1\" reason: \"disk gone\" } node: \"n3\" force: true");
  EXPECT_EQ(swarm_.caller.request_id().size(), 16u);
  EXPECT_TRUE(out().starts_with("n3 is no member any more: block 57, 2026-11-22T17:10:00Z\n")) << out();
  swarm_.committed.set_note("n4 votes in its place");
  EXPECT_EQ(run({"swarm", "promote", "n4"}), kExitOk);
  EXPECT_EQ(swarm_.last(), "set_role " + kMe + "node: \"n4\"");
  EXPECT_EQ(out(),
            "n4 is a primary now, it votes as far as max_voters allows: block 57, 2026-11-22T17:10:00Z\n"
            "Note: n4 votes in its place\n");
  EXPECT_EQ(run({"swarm", "demote", "4"}), kExitOk);
  EXPECT_EQ(swarm_.last(), "set_role " + kMe + "node: \"4\" backup: true");
  swarm_.transferred.set_leader("n2");
  EXPECT_EQ(run({"swarm", "transfer-leader"}), kExitOk);
  EXPECT_EQ(out(), "n2 leads now\n");
  sudo_user_ = "alice";
  swarm_.progress = {step("the others agree"), step("", true)};
  EXPECT_EQ(run({"swarm", "leave"}), kExitOk);
  EXPECT_EQ(swarm_.last(), "leave_swarm caller { principal: \"root (sudo by alice)@n1\" }");
  EXPECT_TRUE(out().starts_with("  the others agree\nLeft. The node answers DNS on by itself")) << out();
}

TEST_F(SwarmCli, ACommandSaidTwiceHasTwoNumbers) {
  run({"swarm", "promote", "n4"});
  const std::string first = swarm_.caller.request_id();
  run({"swarm", "promote", "n4"});
  EXPECT_NE(swarm_.caller.request_id(), first);
}

TEST_F(SwarmCli, RecoverIsLoudAndAsksForTheName) {
  three_nodes();
  swarm_.recovered.mutable_made()->set_root_key("KEY");
  swarm_.recovered.set_incarnation(2);
  swarm_.recovered.add_left_behind("n2");
  swarm_.recovered.add_left_behind("n3");
  const std::string key = path("new.key");
  EXPECT_EQ(run({"swarm", "recover", "--root-key", key}, "lab\n"), kExitOk) << err();
  EXPECT_EQ(
      err(),
      "RECOVERING THE SWARM \"lab\" FROM THIS NODE ALONE\n"
      "\n"
      "Only when a majority of its voters is lost for good: machines that never come back. If they are just\n"
      "away, wait, or mend the network: DNS is answered all the while, only changes wait.\n"
      "\n"
      "  stays    the ledger up to block 1,204 (2026-11-22T17:10:00Z), as this node has it\n"
      "  lost     whatever the others committed after that\n"
      "  refused  n2, n3\n"
      "           for good: when they come back they are turned away, loudly, and each has to join anew\n"
      "  new      incarnation 2, a new CA with a new root key, new keys of this node\n"
      "\n"
      "Type the swarm's name to go on: ");
  EXPECT_TRUE(
      out().starts_with("The swarm \"lab\" goes on as incarnation 2; this node is its only member.\n"
                        "Refused from now on: n2, n3.\n"))
      << out();
  EXPECT_EQ(contents(key), "KEY");
  EXPECT_NE(swarm_.last().find("confirm: \"lab\""), std::string::npos);
}

TEST_F(SwarmCli, RecoverChangesNothingWithoutTheName) {
  three_nodes();
  const std::string key = path("new.key");
  EXPECT_EQ(run({"swarm", "recover", "--root-key", key}, "y\n"), kExitRefused);
  EXPECT_NE(err().find("the swarm's name is \"lab\", not \"y\"; nothing was changed\n"), std::string::npos)
      << err();
  EXPECT_EQ(run({"swarm", "recover", "--root-key", key}), kExitUsage);
  EXPECT_NE(err().find("give --confirm lab where that is meant. Nothing was changed\n"), std::string::npos)
      << err();
  EXPECT_EQ(run({"swarm", "recover", "--root-key", key, "--confirm", "lap"}), kExitRefused);
  EXPECT_FALSE(swarm_.was_asked("recover_swarm"));
  EXPECT_FALSE(std::filesystem::exists(key));
  EXPECT_EQ(run({"-o", "json", "swarm", "recover", "--root-key", key, "--confirm", "lab"}), kExitOk);
  EXPECT_NE(out().find("\"left_behind\": []"), std::string::npos) << out();
  swarm_.view.set_member(false);
  EXPECT_EQ(run({"swarm", "recover", "--confirm", "lab"}), kExitRefused);
}

TEST_F(SwarmCli, RotateReadsTheRootKeyAndKeepsANewOne) {
  *swarm_.rotated.mutable_committed() = committed();
  const std::string key = file("root.key", "OLD");
  EXPECT_EQ(run({"swarm", "rotate-ca", "--root-key", key}), kExitOk) << err();
  EXPECT_NE(swarm_.last().find("root_key: \"OLD\""), std::string::npos) << swarm_.last();
  EXPECT_EQ(out(),
            "A new issuing key is in force: block 57, 2026-11-22T17:10:00Z\n"
            "Every node renews its certificate by itself; no connection is dropped.\n");
  swarm_.rotated.set_root_key("NEW");
  EXPECT_EQ(run({"swarm", "rotate-ca", "--root-key", key, "--new-root"}), kExitOk) << err();
  EXPECT_NE(swarm_.last().find("new_root: true"), std::string::npos) << swarm_.last();
  EXPECT_EQ(contents(key), "OLD");
  EXPECT_EQ(contents(key + ".new"), "NEW");
  EXPECT_NE(out().find("Take the root key off this node now."), std::string::npos);
  EXPECT_EQ(run({"swarm", "rotate-ca", "--root-key", key, "--new-root"}),
            kExitRefused);  // root.key.new is there
  EXPECT_EQ(run({"swarm", "rotate-ca", "--root-key", path("none")}), kExitNotFound);
  EXPECT_EQ(run({"swarm", "rotate-ca"}), kExitUsage);
}

TEST_F(SwarmCli, AMajorityIsAskedFirstWhenThatIsWished) {
  three_nodes();
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"nodes"}, {"swarm", "status"}}) {
    EXPECT_EQ(run(command), kExitOk) << err();
    EXPECT_FALSE(swarm_.viewed.linearizable());
    std::vector<std::string> confirmed = command;
    confirmed.push_back("--confirmed");
    EXPECT_EQ(run(confirmed), kExitOk) << err();
    EXPECT_TRUE(swarm_.viewed.linearizable());
  }
}

TEST_F(SwarmCli, NodesAreATable) {
  three_nodes();
  swarm_.view.mutable_nodes(1)->mutable_report()->set_config_problem("no user \"x\"");
  EXPECT_EQ(run({"nodes"}), kExitOk) << err();
  EXPECT_EQ(out(),
            "#  NODE  REGION  ROLE     LOG     STATE        PHASE    LOAD   CACHE  QUERIES/S  BEHIND    SKEW "
            "      RTT  HEALTH\n"
            "1  n1 *  east    primary  leader  up           ready  12.3 %  25.0 %  1,234,567       0       - "
            "        -  good\n"
            "2  n2    east    primary  voter   up           ready  12.3 %  25.0 %  1,234,567       0  -12 ms "
            " 420.0 us  1 trouble\n"
            "3  n3    west    backup   voter   unreachable  -           -       -          -     104       - "
            "        -  no word for 5 min\n"
            "\n"
            "n2: degraded, keeps its last good configuration: no user \"x\"\n");
}

TEST_F(SwarmCli, StatusOfTheSwarmSaysWhetherItDecides) {
  three_nodes();
  EXPECT_EQ(run({"swarm", "status"}), kExitOk) << err();
  EXPECT_EQ(out(),
            "swarm lab, incarnation 1; this node is number 1, ready\n"
            "  quorum  without slack: 2 of 3 voters up, 2 needed; one more lost, and changes wait\n"
            "  leader  n1, term 4; this node: leader\n"
            "  ledger  block 1,204, 2026-11-22T17:10:00Z; cosigned up to 1,203\n"
            "  rules   version 1, fence epoch 2\n"
            "  cert    valid until 2026-11-23T17:10:00Z, renewed before by itself\n"
            "  address 10.54.0.1:8453\n"
            "  away    n3\n");
  swarm_.view.mutable_nodes(1)->set_state("unreachable");
  swarm_.view.set_leader(0);
  swarm_.view.set_log_state("no quorum");
  swarm_.view.add_troubles("disk almost full");
  EXPECT_EQ(run({"swarm", "status"}), kExitUnreachable);
  EXPECT_NE(out().find("  quorum  none: 1 of 3 voters up, 2 needed; DNS is answered, changes wait\n"
                       "  leader  nobody, term 4; this node: no quorum\n"),
            std::string::npos)
      << out();
  EXPECT_NE(out().find("  trouble disk almost full\n"), std::string::npos);
  EXPECT_EQ(run({"-o", "json", "swarm", "status"}), kExitUnreachable);
  EXPECT_EQ(run({"nodes"}), kExitOk);
  EXPECT_NE(out().find("\nquorum none: 1 of 3"), std::string::npos) << out();
}

TEST_F(SwarmCli, StatusOfTheSwarmSaysWhichConfigurationIsInForceHere) {
  three_nodes();
  const auto shown = [&](uint64_t agreed, uint64_t here) {
    swarm_.view.set_config_agreed(agreed);
    swarm_.view.set_config_height(here);
    EXPECT_EQ(run({"swarm", "status"}), kExitOk) << err();
    const std::string text = out();
    const size_t at = text.find("  config  ");
    return at == std::string::npos ? "" : text.substr(at, text.find('\n', at) - at);
  };
  EXPECT_EQ(shown(1040, 1040), "  config  that of block 1,040, in force here");
  EXPECT_EQ(shown(1040, 57), "  config  that of block 1,040, here still that of block 57");
  EXPECT_EQ(shown(1040, 0), "  config  that of block 1,040, not in force here");
  EXPECT_EQ(shown(0, 0), "");
}

TEST_F(SwarmCli, WithoutASwarmItSaysHowToGetOne) {
  for (const auto& command :
       std::vector<std::vector<std::string>>{{"nodes"}, {"swarm", "status"}, {"swarm", "settings"}}) {
    EXPECT_EQ(run(command), kExitNotFound);
    EXPECT_EQ(err(),
              "swarmctl: this node is in no swarm\n"
              "Make one here:          swarmctl swarm init --name NAME\n"
              "or join one: on one of its members swarmctl swarm token --role primary, and here what that "
              "prints\n");
    EXPECT_EQ(out(), "");
  }
  EXPECT_EQ(run({"-o", "json", "nodes"}), kExitNotFound);
  EXPECT_NE(out().find("\"member\": false"), std::string::npos);
}

TEST_F(SwarmCli, StatusOfTheNodeHasTheSwarmsPart) {
  EXPECT_EQ(run({"status"}), kExitUnreachable);  // of this node's data plane
  EXPECT_EQ(out().find("swarm"), std::string::npos) << out();
  three_nodes();
  run({"status"});
  EXPECT_NE(out().find("\nswarm lab, incarnation 1; this node is number 1, ready\n  quorum  "),
            std::string::npos)
      << out();
  run({"-o", "json", "status"});
  EXPECT_NE(out().find("\"warnings\": [],\n  \"swarm\": {\n"), std::string::npos) << out();
  EXPECT_TRUE(out().ends_with("}\n}\n")) << out();
  swarm_.refusal = Refusal{Refusal::Kind::kUnsupported, "not here"};
  run({"status"});
  EXPECT_EQ(err().find("swarm's part"), std::string::npos) << err();
  swarm_.refusal = Refusal{Refusal::Kind::kFailed, "the store is broken"};
  run({"status"});
  EXPECT_NE(err().find("swarmctl: the swarm's part cannot be shown: the store is broken\n"),
            std::string::npos)
      << err();
}

TEST_F(SwarmCli, SettingsAreShownAndChanged) {
  three_nodes();
  swarm_.view.mutable_settings()->set_max_voters(5);
  swarm_.view.mutable_settings()->set_sharing(v1::SHARE_REGION);
  EXPECT_EQ(run({"swarm", "settings"}), kExitOk) << err();
  EXPECT_TRUE(
      out().starts_with("SETTING           VALUE    MAY BE                 WHAT IT IS\n"
                        "max_voters        5        1, 3, 5, 7 or 9        members that vote"))
      << out();
  EXPECT_NE(out().find("\nretain_blocks     forever  1h on, or forever      older"), std::string::npos)
      << out();
  EXPECT_EQ(run({"swarm", "settings", "max_voters=3", "promote_after=30s", "--reason", "three sites"}),
            kExitOk)
      << err();
  EXPECT_NE(
      swarm_.last().find("reason: \"three sites\" } settings { max_voters: 3 promote_after_ms: 30000 }"),
      std::string::npos)
      << swarm_.last();
  EXPECT_EQ(out(), "set max_voters=3 promote_after=30s: block 57, 2026-11-22T17:10:00Z\n");
  EXPECT_EQ(run({"swarm", "settings", "max_voters=4"}), kExitUsage);
  EXPECT_EQ(err(), "swarmctl: max_voters: \"4\" must be 1, 3, 5, 7 or 9\n");
  EXPECT_TRUE(swarm_.asked.empty());
}

}  // namespace
}  // namespace swarmdns::controlplane
