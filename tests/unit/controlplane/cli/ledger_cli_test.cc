// The commands about the ledger.
#include "tests/unit/controlplane/cli/swarm_fixture.h"
#include "tests/unit/controlplane/ledger/samples.h"

namespace swarmdns::controlplane {
namespace {

const std::string kWww("\3www\7example\0", 13);

v1::Mutation learned() {
  v1::Mutation mutation;
  mutation.set_sequence(88123);
  mutation.set_kind(v1::MUTATION_INSERT);
  mutation.set_wall_ms(kNow + 42);
  mutation.set_upstream("192.0.2.53@53");
  auto& entry = *mutation.mutable_entry();
  entry.mutable_key()->set_qname(kWww);
  entry.mutable_key()->set_qtype(1);
  std::string record("\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\xc0\0\2\1", 16);
  entry.set_sections(record);
  record.back() = 2;
  *entry.mutable_sections() += record;
  entry.set_answers(2);
  return mutation;
}

v1::MutationView at_place(uint64_t position, const v1::Mutation* mutation, uint64_t height) {
  v1::MutationView view;
  view.set_node(1);
  view.set_node_name("n1");
  view.set_segment(57);
  view.set_position(static_cast<uint32_t>(position));
  view.set_ordered_height(height);
  if (mutation != nullptr) view.set_mutation(mutation->SerializeAsString());
  return view;
}

TEST_F(SwarmCli, LogTellsAStory) {
  three_nodes();
  for (const uint64_t height : {57, 12}) {
    auto* block = swarm_.listed.add_blocks();
    block->set_height(height);
    block->set_time_ms(kNow);
    auto* view = block->add_transactions();
    view->set_node(1);
    view->set_node_name("n1");
    view->mutable_transaction()->set_principal("alice@n1");
    view->mutable_transaction()->set_reason(height == 57 ? "second site" : "");
    auto* added = view->mutable_transaction()->mutable_member_added();
    added->set_name(height == 57 ? "n2" : "n3");
    added->set_address("10.54.0.2:8453");
    added->set_region("east");
  }
  EXPECT_EQ(run({"ledger", "log"}), kExitOk) << err();
  EXPECT_EQ(out(),
            "    :  58 to 1,204: 1,147 blocks with nothing but cache changes\n"
            "   57  2026-11-22T17:10:00Z  alice@n1 added n2 (10.54.0.2:8453, region east) - second site\n"
            "    :  13 to 56: 44 blocks with nothing but cache changes\n"
            "   12  2026-11-22T17:10:00Z  alice@n1 added n3 (10.54.0.2:8453, region east)\n"
            "older: swarmctl ledger log --from 11\n");
  EXPECT_EQ(swarm_.asked.front(), "blocks limit: 20");
  EXPECT_EQ(run({"ledger", "log", "--from", "60", "--limit", "5", "--heads"}), kExitOk);
  EXPECT_EQ(swarm_.asked.front(), "blocks from_height: 60 limit: 5 heads_too: true");
  EXPECT_EQ(run({"-o", "json", "ledger", "log"}), kExitOk);
  EXPECT_NE(out().find("\"principal\": \"alice@n1\""), std::string::npos);
  EXPECT_EQ(run({"ledger", "log", "--limit", "1001"}), kExitUsage);
}

TEST_F(SwarmCli, ShowAndDiff) {
  swarm_.shown.set_height(57);
  EXPECT_EQ(run({"ledger", "show", "57"}), kExitOk) << err();
  EXPECT_TRUE(out().starts_with("block 57, ")) << out();
  EXPECT_EQ(run({"ledger", "show", "0"}), kExitUsage);
  EXPECT_EQ(run({"ledger", "diff", "1", "2"}), kExitOk);
  EXPECT_EQ(out(), "nothing differs\n");
  swarm_.difference.add_lines("+ member n4");
  swarm_.difference.add_lines("~ config");
  EXPECT_EQ(run({"ledger", "diff", "40", "57"}), kExitOk);
  EXPECT_EQ(out(), "+ member n4\n~ config\n");
  EXPECT_EQ(run({"ledger", "diff", "57", "40"}), kExitUsage);
  swarm_.refusal = Refusal{Refusal::Kind::kNotFound, "block 9 is pruned; 40 is the oldest"};
  EXPECT_EQ(run({"ledger", "show", "9"}), kExitNotFound);
  EXPECT_EQ(err(), "swarmctl: block 9 is pruned; 40 is the oldest\n");
}

TEST_F(SwarmCli, HistorySaysWhoLearnedWhatFromWhom) {
  const v1::Mutation mutation = learned();
  v1::Mutation removed;
  removed.set_kind(v1::MUTATION_REMOVE);
  removed.set_wall_ms(kNow);
  removed.mutable_entry()->mutable_key()->set_qname(kWww);
  removed.mutable_entry()->mutable_key()->set_qtype(1);
  v1::Mutation nothing = mutation;
  nothing.mutable_entry()->clear_sections();
  nothing.mutable_entry()->set_answers(0);
  nothing.mutable_entry()->set_rcode(3);
  *swarm_.past.add_mutations() = at_place(12, &mutation, 0);
  *swarm_.past.add_mutations() = at_place(11, &removed, 1203);
  *swarm_.past.add_mutations() = at_place(3, &nothing, 1203);
  *swarm_.past.add_mutations() = at_place(2, nullptr, 1203);
  EXPECT_EQ(run({"ledger", "history", "WWW.example", "a"}), kExitOk) << err();
  EXPECT_EQ(out(),
            "TIME                      NODE  DID       TYPE  ANSWER                TTL  UPSTREAM       "
            "SEGMENT  POSITION  "
            "  BLOCK\n"
            "2026-11-22T17:10:00.042Z  n1    learned   A     192.0.2.1, 192.0.2.2  300  192.0.2.53@53       "
            "57        12  "
            "not yet\n"
            "2026-11-22T17:10:00.000Z  n1    removed   A                                                    "
            "57        11  "
            "  1,203\n"
            "2026-11-22T17:10:00.042Z  n1    learned   A     NXDOMAIN                   192.0.2.53@53       "
            "57         3  "
            "  1,203\n"
            "-                         n1    (erased)                                                       "
            "57         2  "
            "  1,203\n"
            "proof of a line: swarmctl ledger prove mutation NODE SEGMENT POSITION\n");
  EXPECT_NE(swarm_.last().find("qtype: 1 limit: 100"), std::string::npos) << swarm_.last();
  EXPECT_EQ(run({"-o", "json", "ledger", "history", "www.example"}), kExitOk);
  EXPECT_NE(out().find("\"upstream\": \"192.0.2.53@53\",\n      \"records\": [\n        {\"section\": "
                       "\"answer\", \"name\": "
                       "\"www.example.\", \"ttl\": 300, \"type\": \"A\", \"rdata\": \"192.0.2.1\"},"),
            std::string::npos)
      << out();
  EXPECT_NE(out().find("\"erased\": true\n    }\n  ],\n  \"silent\": []\n}\n"), std::string::npos) << out();
}

TEST_F(SwarmCli, HistoryOfNothingAndOfSilentNodes) {
  EXPECT_EQ(run({"ledger", "history", "www.example"}), kExitNotFound);
  EXPECT_EQ(out(), "");
  EXPECT_TRUE(err().starts_with("swarmctl: nothing is known of www.example;")) << err();
  swarm_.past.add_silent("n3");
  EXPECT_EQ(run({"ledger", "history", "www.example"}), kExitPartly);
  EXPECT_NE(err().find("swarmctl: no answer from n3: what only they know is missing here\n"),
            std::string::npos)
      << err();
  EXPECT_EQ(run({"-o", "json", "ledger", "history", "www.example"}), kExitPartly);
  EXPECT_EQ(out(), "{\n  \"mutations\": [],\n  \"silent\": [\"n3\"]\n}\n");
  EXPECT_EQ(run({"ledger", "history", "a..b"}), kExitUsage);
  EXPECT_EQ(run({"ledger", "history", "a", "NOTYPE"}), kExitUsage);
  EXPECT_TRUE(swarm_.asked.empty());
}

TEST_F(SwarmCli, AtTakesTimesAsPeopleSayThem) {
  const v1::Mutation mutation = learned();
  *swarm_.standing.add_standing() = at_place(12, &mutation, 1203);
  EXPECT_EQ(run({"ledger", "at", "17:05", "www.example"}), kExitOk) << err();
  EXPECT_TRUE(out().starts_with("At 2026-11-22T17:05:00Z the caches held of www.example:\nTIME ")) << out();
  EXPECT_NE(swarm_.last().find("time_ms: 1795367100000"), std::string::npos) << swarm_.last();
  EXPECT_EQ(run({"ledger", "at", "-10m", "www.example", "A"}), kExitOk) << err();
  EXPECT_NE(swarm_.last().find("time_ms: 1795366800000"), std::string::npos) << swarm_.last();
  swarm_.standing.clear_standing();
  EXPECT_EQ(run({"ledger", "at", "17:05", "www.example"}), kExitNotFound);
  EXPECT_EQ(err(), "swarmctl: at 2026-11-22T17:05:00Z no cache that answered held www.example\n");
  EXPECT_EQ(run({"ledger", "at", "later", "www.example"}), kExitUsage);
}

TEST_F(SwarmCli, ProofsGoToAFileOrTheOutput) {
  three_nodes();
  swarm_.proof.set_file("swarmdns/ledger-proof@v1\n");
  EXPECT_EQ(run({"ledger", "prove", "leaf", "0"}), kExitOk) << err();
  EXPECT_EQ(out(), "swarmdns/ledger-proof@v1\n");
  EXPECT_NE(swarm_.last().find("leaf: 0"), std::string::npos) << swarm_.last();
  const std::string proof = path("proof");
  EXPECT_EQ(run({"ledger", "prove", "mutation", "n3", "57", "12", "--out", proof}), kExitOk) << err();
  EXPECT_NE(swarm_.last().find("mutation { node: 3 segment: 57 position: 12 }"), std::string::npos)
      << swarm_.last();
  EXPECT_EQ(contents(proof), "swarmdns/ledger-proof@v1\n");
  EXPECT_NE(out().find("  swarmctl ledger verify " + proof + " --trust TRUSTFILE\n"), std::string::npos)
      << out();
  EXPECT_EQ(run({"ledger", "prove", "mutation", "9", "57", "12"}), kExitOk);  // a former member
  EXPECT_NE(swarm_.last().find("node: 9"), std::string::npos);
  EXPECT_EQ(run({"ledger", "prove", "mutation", "n9", "57", "12"}), kExitNotFound);
  EXPECT_EQ(
      err(),
      "swarmctl: no member is called \"n9\"; there are: n1, n2, n3. A former member goes by its number\n");
  EXPECT_EQ(run({"ledger", "prove", "consistency", "3000"}), kExitOk);
  EXPECT_NE(swarm_.last().find("from_size: 3000"), std::string::npos);
  EXPECT_EQ(run({"ledger", "prove", "consistency", "0"}), kExitUsage);
  EXPECT_EQ(run({"ledger", "prove"}), kExitUsage);
}

TEST_F(SwarmCli, VerifyOfAFileNeedsNoNode) {
  server_->stop();
  const samples::Ledger ledger;
  const std::string trust = file("trust", format_trust(samples::trust()));
  const std::string proof = file("proof", format_proof(ledger.inclusion(7)));
  EXPECT_EQ(run({"ledger", "verify", proof, "--trust", trust}), kExitOk) << err();
  EXPECT_EQ(out(),
            "  ok  the checkpoint of height 20 with 40 leaves is cosigned by n1, n3\n"
            "  ok  the transaction is leaf 7 of the ledger\n"
            "verified: the transaction is leaf 7 of the ledger at height 20\n"
            "it says: alice@n1 noted: mark 7 (made 2023-11-14T22:13:20.007Z)\n");
  EXPECT_EQ(run({"-o", "json", "ledger", "verify", proof, "--trust", trust}), kExitOk);
  EXPECT_TRUE(out().starts_with("{\"holds\": true, \"sentence\": \"the transaction is leaf 7")) << out();
  EXPECT_EQ(run({"ledger", "verify", file("other", format_proof(ledger.consistency(13))), "--trust", trust}),
            kExitOk);
  std::string forged = format_proof(ledger.inclusion(7));
  forged[forged.size() / 2] ^= 1;
  EXPECT_EQ(run({"ledger", "verify", file("forged", forged), "--trust", trust}), kExitRefused);
  EXPECT_NE(err().find("forged proves nothing: "), std::string::npos) << err();
  EXPECT_EQ(run({"-o", "json", "ledger", "verify", path("forged"), "--trust", trust}), kExitRefused);
  EXPECT_TRUE(out().starts_with("{\"holds\": false, ")) << out();
  EXPECT_EQ(run({"ledger", "verify", path("none"), "--trust", trust}), kExitNotFound);
  EXPECT_EQ(run({"ledger", "verify", proof, "--trust", path("none")}), kExitNotFound);
  EXPECT_EQ(run({"ledger", "verify", proof}), kExitUsage);
  EXPECT_EQ(run({"ledger", "verify", "--trust", trust}), kExitUsage);
  EXPECT_EQ(run({"ledger", "verify"}), kExitUnreachable);
}

TEST_F(SwarmCli, VerifyOfTheStoreNamesWhatIsWrong) {
  swarm_.verified.resize(2);
  swarm_.verified[0].set_height(600);
  swarm_.verified[1].set_height(1204);
  swarm_.verified[1].set_done(true);
  EXPECT_EQ(run({"ledger", "verify"}), kExitOk) << err();
  EXPECT_TRUE(out().starts_with("verified: 1,204 blocks, ")) << out();
  swarm_.verified[1].set_finding("block 611: the body of leaf 1,933 does not match its commitment");
  EXPECT_EQ(run({"ledger", "verify"}), kExitRefused);
  EXPECT_EQ(err(),
            "swarmctl: this node's ledger is not what the swarm agreed on: block 611: the body of leaf 1,933 "
            "does not "
            "match its commitment\n");
  swarm_.verified.resize(1);
  EXPECT_EQ(run({"ledger", "verify"}), kExitFailed);
  EXPECT_EQ(err(), "swarmctl: the check broke off at block 600\n");
}

TEST_F(SwarmCli, CheckpointIsANoteAndATrustFile) {
  swarm_.newest.set_note("swarmdns/ab/1\n40\n");
  swarm_.newest.set_height(20);
  swarm_.newest.set_trust_file("TRUST\n");
  EXPECT_EQ(run({"ledger", "checkpoint"}), kExitOk);
  EXPECT_EQ(out(), "swarmdns/ab/1\n40\n");
  EXPECT_EQ(run({"ledger", "checkpoint", "--trust-file", path("trust")}), kExitOk);
  EXPECT_EQ(contents(path("trust")), "TRUST\n");
  EXPECT_EQ(out(), "swarmdns/ab/1\n40\n");
  EXPECT_EQ(run({"ledger", "checkpoint", "--trust-file", path("none/trust")}), kExitFailed);
}

// --- rollback ---

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
  EXPECT_EQ(run({"-o", "json", "ledger", "rollback", "--only", "cache", "--to", "17:05"}), kExitUsage);
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

// --- erase, export ---

TEST_F(SwarmCli, EraseAsksAndNamesWhoHasNotConfirmed) {
  swarm_.erased.set_mutations(1204);
  *swarm_.erased.mutable_committed() = committed();
  EXPECT_EQ(run({"ledger", "erase", "www.example", "--reason", "request 4711"}, "yes\n"), kExitOk) << err();
  EXPECT_EQ(out(), "Erased www.example: 1,204 mutations, block 57, 2026-11-22T17:10:00Z\n");
  EXPECT_EQ(
      err(),
      "What every node has written down of www.example is destroyed: who learned it, when, from whom, what "
      "it "
      "was.\n"
      "That cannot be undone. That something stood there can still be proved, and so can all the rest.\n"
      "The caches themselves are not touched (swarmctl cache flush).\n"
      "Erase it? [y/N] ");
  swarm_.erased.add_silent("n3");
  EXPECT_EQ(run({"ledger", "erase", "www.example", "--yes"}), kExitPartly);
  EXPECT_EQ(err(), "swarmctl: not confirmed yet by n3; they erase it when they are back\n");
  EXPECT_EQ(run({"ledger", "erase", "www.example"}), kExitUsage);
  EXPECT_EQ(run({"ledger", "erase", "www.example"}, "no\n"), kExitRefused);
  EXPECT_TRUE(swarm_.asked.empty());
}

TEST_F(SwarmCli, ExportIsWholeOrNotThere) {
  swarm_.pieces.resize(2);
  swarm_.pieces[0].set_data("abc");
  swarm_.pieces[1].set_data("def");
  const std::string blocks = path("blocks");
  EXPECT_EQ(run({"ledger", "export", "--from", "1", "--to", "57", "--bodies", blocks}), kExitOk) << err();
  EXPECT_EQ(contents(blocks), "abcdef");
  EXPECT_EQ(out(), "blocks 1 to 57, 6 B, in " + blocks + "; it holds names\n");
  EXPECT_NE(swarm_.last().find("from: 1 to: 57 bodies: true"), std::string::npos) << swarm_.last();
  swarm_.refusal = Refusal{Refusal::Kind::kFailed, "the store is broken"};
  EXPECT_EQ(run({"ledger", "export", "--from", "1", "--to", "57", path("more")}), kExitFailed);
  EXPECT_FALSE(std::filesystem::exists(path("more")));
  EXPECT_FALSE(std::filesystem::exists(path("more.partial")));
  EXPECT_EQ(run({"ledger", "export", "--from", "2", "--to", "1", path("more")}), kExitUsage);
  EXPECT_EQ(run({"ledger", "export", "--from", "1", "--to", "2", path("none/more")}), kExitFailed);
}

TEST_F(SwarmCli, EveryRefusalHasItsExitCode) {
  const std::pair<Refusal::Kind, int> cases[] = {
      {Refusal::Kind::kInvalid, 4},     {Refusal::Kind::kNotFound, 5},  {Refusal::Kind::kPrecondition, 4},
      {Refusal::Kind::kUnavailable, 3}, {Refusal::Kind::kForbidden, 6}, {Refusal::Kind::kFailed, 1},
      {Refusal::Kind::kUnsupported, 7}};
  for (const auto& [kind, code] : cases) {
    swarm_.refusal = Refusal{kind, "because"};
    for (const auto& command : std::vector<std::vector<std::string>>{{"nodes"},
                                                                     {"swarm", "leave"},
                                                                     {"swarm", "recover", "--confirm", "lab"},
                                                                     {"ledger", "log"},
                                                                     {"ledger", "verify"},
                                                                     {"ledger", "erase", "a", "--yes"},
                                                                     {"config", "history"}}) {
      EXPECT_EQ(run(command), code) << command[1];
      EXPECT_EQ(err(), "swarmctl: because\n");
      EXPECT_EQ(out(), "");
    }
  }
}

TEST_F(SwarmCli, EveryCommandExplainsItselfWithAnExample) {
  for (const auto& command : std::vector<std::vector<std::string>>{{"nodes"},
                                                                   {"swarm", "init"},
                                                                   {"swarm", "token"},
                                                                   {"swarm", "join"},
                                                                   {"swarm", "leave"},
                                                                   {"swarm", "remove"},
                                                                   {"swarm", "promote"},
                                                                   {"swarm", "demote"},
                                                                   {"swarm", "transfer-leader"},
                                                                   {"swarm", "recover"},
                                                                   {"swarm", "rotate-ca"},
                                                                   {"swarm", "status"},
                                                                   {"swarm", "settings"},
                                                                   {"ledger", "log"},
                                                                   {"ledger", "show"},
                                                                   {"ledger", "history"},
                                                                   {"ledger", "at"},
                                                                   {"ledger", "diff"},
                                                                   {"ledger", "prove", "leaf"},
                                                                   {"ledger", "prove", "mutation"},
                                                                   {"ledger", "prove", "consistency"},
                                                                   {"ledger", "verify"},
                                                                   {"ledger", "checkpoint"},
                                                                   {"ledger", "rollback"},
                                                                   {"ledger", "erase"},
                                                                   {"ledger", "export"},
                                                                   {"config", "apply"},
                                                                   {"config", "history"},
                                                                   {"config", "rollback"}}) {
    auto arguments = command;
    std::string words = "swarmctl";
    for (const std::string& word : command) words += " " + word;
    arguments.emplace_back("--help");
    EXPECT_EQ(run(arguments), kExitOk) << words;
    EXPECT_NE(out().find("Example: " + words), std::string::npos) << out();
  }
}

}  // namespace
}  // namespace swarmdns::controlplane
