#include "controlplane/ledger/verify.h"

#include <gtest/gtest.h>

#include "controlplane/ledger/segment.h"
#include "tests/unit/controlplane/ledger/samples.h"

namespace swarmdns::controlplane {
namespace {

const samples::Ledger& ledger() {
  static const samples::Ledger made;
  return made;
}

Verdict judge(const Proof& proof) {
  return verify_proof(format_proof(proof), format_trust(samples::trust()));
}

TEST(VerifyProof, SaysWhatIsProved) {
  Verdict verdict = judge(ledger().inclusion(7));
  EXPECT_TRUE(verdict.holds);
  EXPECT_EQ(verdict.sentence, "the transaction is leaf 7 of the ledger at height 20");
  EXPECT_EQ(verdict.steps,
            (std::vector<std::string>{"the checkpoint of height 20 with 40 leaves is cosigned by n1, n3",
                                      "the transaction is leaf 7 of the ledger"}));
  verdict = judge(ledger().inclusion(8, true));
  EXPECT_TRUE(verdict.holds);
  EXPECT_EQ(verdict.sentence, "an erased transaction is leaf 8 of the ledger at height 20");
  verdict = judge(ledger().consistency(13));
  EXPECT_TRUE(verdict.holds);
  EXPECT_TRUE(verdict.sentence.starts_with("the tree of 13 leaves with root ")) << verdict.sentence;
  verdict = judge(ledger().mutation(2, 3));
  EXPECT_TRUE(verdict.holds);
  EXPECT_EQ(verdict.sentence,
            "the mutation is number 3 of segment 2 of node 7, which the ledger has ordered by height 20");
  EXPECT_EQ(verdict.steps.size(), 4u);
}

TEST(VerifyProof, EveryLeafAndMutationHasItsProof) {
  for (std::uint64_t i = 0; i < 40; ++i) {
    EXPECT_TRUE(judge(ledger().inclusion(i)).holds) << i;
    EXPECT_TRUE(judge(ledger().inclusion(i, true)).holds) << i;
    EXPECT_TRUE(judge(ledger().consistency(i + 1)).holds) << i;
    EXPECT_TRUE(judge(ledger().consistency(i + 1, false)).holds) << i;
  }
  for (unsigned segment = 1; segment <= 5; ++segment) {
    for (unsigned i = 0; i < segment + 2; ++i) {
      EXPECT_TRUE(judge(ledger().mutation(segment, i)).holds) << segment << " " << i;
      EXPECT_TRUE(judge(ledger().mutation(segment, i, true)).holds) << segment << " " << i;
    }
  }
}

// The notes have no more cosignatures than are needed, so that not one octet of the file is idle.
TEST(VerifyProof, NotOneOctetMayChange) {
  const std::string trust = format_trust(samples::trust());
  for (const Proof& proof :
       {ledger().inclusion(7), ledger().inclusion(7, true), ledger().consistency(13),
        ledger().consistency(13, false), ledger().mutation(2, 3), ledger().mutation(4, 1, true)}) {
    const std::string file = format_proof(proof);
    ASSERT_TRUE(verify_proof(file, trust).holds);
    for (std::size_t i = 0; i < file.size(); ++i) {
      for (const int bit : {0x01, 0x02, 0x20, 0x80}) {
        std::string text = file;
        text[i] = static_cast<char>(text[i] ^ bit);
        const Verdict verdict = verify_proof(text, trust);
        EXPECT_FALSE(verdict.holds) << "octet " << i << " of\n" << file;
        EXPECT_FALSE(verdict.sentence.empty());
      }
      EXPECT_FALSE(verify_proof(file.substr(0, i), trust).holds);
      EXPECT_FALSE(verify_proof(file.substr(0, i) + file.substr(i + 1), trust).holds) << i;
    }
  }
}

TEST(VerifyProof, NamesWhatFailed) {
  const std::string trust = format_trust(samples::trust());
  Proof proof = ledger().inclusion(7);
  auto& inclusion = std::get<InclusionProof>(proof);
  inclusion.checkpoint = ledger().note(40, {1});
  EXPECT_EQ(judge(proof).sentence,
            "the checkpoint cannot be trusted: cosigned by 1 of 3 voters; 2 are needed");
  inclusion.checkpoint = ledger().note(39, {1, 2});
  EXPECT_EQ(judge(proof).sentence,
            "the transaction is not proved to be in the ledger: the audit path leads to another root");
  inclusion.checkpoint = ledger().note(7, {1, 2});
  EXPECT_EQ(judge(proof).sentence,
            "the transaction is not proved to be in the ledger: index 7 is not below the tree size 7");
  inclusion = std::get<InclusionProof>(ledger().inclusion(7));
  std::get<LeafBody>(inclusion.leaf.content).octets += "x";
  const Verdict verdict = judge(proof);
  EXPECT_EQ(verdict.sentence,
            "the transaction is not proved to be in the ledger: the audit path leads to another root");
  EXPECT_EQ(verdict.steps.size(), 1u);  // the checkpoint was good
  EXPECT_EQ(verify_proof("", trust).sentence,
            "this is no proof: its first line is not swarmdns/ledger-proof@v1");
  EXPECT_EQ(verify_proof(format_proof(ledger().inclusion(7)), "").sentence,
            "trust file: there is no line \"origin ORIGIN\"");
}

TEST(VerifyProof, OldTreesMustBeThoseOfTheirCheckpoints) {
  Proof proof = ledger().consistency(13);
  auto& consistency = std::get<ConsistencyProof>(proof);
  consistency.old_checkpoint = ledger().note(14, {1, 2});
  EXPECT_EQ(judge(proof).sentence, "the old checkpoint is of another tree than the proof");
  consistency.old_checkpoint = ledger().note(13, {1});
  EXPECT_EQ(judge(proof).sentence,
            "the old checkpoint cannot be trusted: cosigned by 1 of 3 voters; 2 are needed");
  consistency.old_checkpoint.reset();
  consistency.old_root = samples::filled<32>(1);
  EXPECT_EQ(judge(proof).sentence,
            "the old tree is not proved to be the beginning of the ledger: the consistency path leads to "
            "another old root");
  consistency.old_size = 0;
  EXPECT_EQ(judge(proof).sentence,
            "the old tree is not proved to be the beginning of the ledger: an empty tree has no consistency "
            "proof");
}

TEST(VerifyProof, ChainsOfSegmentsMustBeWhole) {
  Proof proof = ledger().mutation(2, 3);
  auto& mutation = std::get<MutationProof>(proof);
  const auto segments = mutation.segments;
  mutation.segments.pop_back();
  EXPECT_EQ(judge(proof).sentence, "the ledger's segment head is of another chain than the segments");
  mutation.segments = segments;
  mutation.segments.erase(mutation.segments.begin() + 1);
  EXPECT_EQ(judge(proof).sentence,
            "the chain of segments is broken: segment 4 names another segment before it");
  mutation.segments = segments;
  mutation.segments.erase(mutation.segments.begin());
  EXPECT_EQ(
      judge(proof).sentence,
      "the mutation is not proved to be in segment 3 of node 7: the audit path is shorter than the tree is "
      "high");
  mutation.segments = segments;
  // A head says whose chain it is the head of; another node's headers below it are no proof.
  v1::SegmentHeader header;
  ASSERT_TRUE(header.ParseFromString(segments.back()));
  header.set_node(8);
  const std::string stolen = header.SerializeAsString();
  v1::Transaction head;
  head.mutable_segment_head()->set_node(7);
  head.mutable_segment_head()->set_segment(5);
  head.mutable_segment_head()->set_hash(as_string(segment_hash(as_octets(stolen))));
  const auto headed = [&] {
    MemoryTree tree;
    const Salt salt = samples::filled<16>(5);
    const std::string octets = head.SerializeAsString();
    tree.append(merkle_leaf_hash(leaf_commitment(salt, as_octets(octets))));
    mutation.head = {0, LeafBody{salt, octets}, {}};
    mutation.checkpoint.checkpoint.tree_size = 1;
    mutation.checkpoint.checkpoint.tree_root = *merkle_root(tree, 1);
    mutation.checkpoint.note = {format_checkpoint(mutation.checkpoint.checkpoint), {}};
    for (const unsigned i : {1u, 2u})
      mutation.checkpoint.note.signatures.push_back(
          cosign(mutation.checkpoint.note.text, "n" + std::to_string(i), samples::keys(i), 1));
    return judge(proof).sentence;
  };
  const auto good = mutation.checkpoint;
  mutation.segments.back() = stolen;
  EXPECT_EQ(headed(),
            "the chain of segments is broken: where segment 5 of node 7 should stand is segment 5 of node 8");
  head.mutable_segment_head()->clear_node();
  EXPECT_EQ(headed(), "the segment head does not say whose chain it is the head of");
  mutation.segments = segments;
  mutation.checkpoint = good;
  mutation.head = ledger().leaf(19, 40);
  EXPECT_EQ(judge(proof).sentence, "the transaction is not a segment head");
  mutation.head = ledger().leaf(20, 40, true);
  EXPECT_EQ(judge(proof).sentence, "the head of the chain has no transaction, only a commitment");
  mutation.head = ledger().leaf(20, 40);
  mutation.head.index = 21;
  EXPECT_EQ(judge(proof).sentence,
            "the segment head is not proved to be in the ledger: the audit path leads to another root");
}

}  // namespace
}  // namespace swarmdns::controlplane
