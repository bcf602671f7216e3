#include "controlplane/ledger/checkpoint.h"

#include <gtest/gtest.h>

#include "tests/unit/controlplane/ledger/samples.h"

namespace swarmdns::controlplane {
namespace {

const samples::Ledger& ledger() {
  static const samples::Ledger made;
  return made;
}

TEST(Checkpoint, GoesThereAndBack) {
  const Checkpoint checkpoint = ledger().checkpoint(40);
  const std::string text = format_checkpoint(checkpoint);
  EXPECT_TRUE(text.starts_with("swarmdns/a0a1a2a3a4a5a6a7a8a9aaabacadaeaf/1\n40\n")) << text;
  const auto again = parse_checkpoint(text);
  ASSERT_TRUE(again) << again.error();
  EXPECT_EQ(*again, checkpoint);
}

// Whatever parses is written again as it was: no octet is without a meaning.
TEST(Checkpoint, ParsingIsStrict) {
  const std::string good = format_checkpoint(ledger().checkpoint(40));
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const char other : {'\0', '\n', ' ', '0', 'A', '/', '+', '='}) {
      std::string text = good;
      text[i] = other;
      if (const auto checkpoint = parse_checkpoint(text)) {
        EXPECT_EQ(format_checkpoint(*checkpoint), text);
      }
      text.insert(i, 1, other);
      if (const auto checkpoint = parse_checkpoint(text)) {
        EXPECT_EQ(format_checkpoint(*checkpoint), text);
      }
    }
    EXPECT_FALSE(parse_checkpoint(good.substr(0, i)));
  }
  EXPECT_FALSE(parse_checkpoint(good + "extension\n"));
  EXPECT_FALSE(parse_checkpoint(good + "\n"));
}

TEST(Checkpoint, ErrorsNameTheLine) {
  const auto error = [](std::string text, const std::string& from, const std::string& to) {
    text.replace(text.find(from), from.size(), to);
    return parse_checkpoint(text).error();
  };
  const std::string good = format_checkpoint(ledger().checkpoint(40));
  EXPECT_TRUE(error(good, "a0a1", "A0A1").starts_with("checkpoint, line 1:"));
  EXPECT_TRUE(error(good, "af/1\n", "af/0\n").starts_with("checkpoint, line 1:"));
  EXPECT_TRUE(error(good, "af/1\n", "af/4294967296\n").starts_with("checkpoint, line 1:"));
  EXPECT_TRUE(error(good, "\n40\n", "\n040\n").starts_with("checkpoint, line 2:"));
  EXPECT_TRUE(error(good, "height ", "Height ").starts_with("checkpoint, line 4:"));
  EXPECT_TRUE(error(good, "height 20", "height -20").starts_with("checkpoint, line 4:"));
  EXPECT_TRUE(error(good, "block ", "state ").starts_with("checkpoint, line 5:"));
  EXPECT_TRUE(error(good, "state ", "state  ").starts_with("checkpoint, line 6:"));
}

TEST(Checkpoint, OfABlockHasItsHash) {
  const BlockHeader block{.swarm = samples::kSwarm,
                          .incarnation = 2,
                          .height = 9,
                          .leaf_count = 4,
                          .tree_size = 4,
                          .tree_root = samples::filled<32>(9),
                          .state_root = samples::filled<32>(8)};
  const Checkpoint checkpoint = checkpoint_of(block);
  EXPECT_EQ(checkpoint.block, block_hash(block));
  EXPECT_EQ(checkpoint.height, 9u);
  EXPECT_EQ(checkpoint.tree_size, 4u);
  EXPECT_EQ(checkpoint.tree_root, block.tree_root);
  EXPECT_EQ(checkpoint.state_root, block.state_root);
  EXPECT_EQ(checkpoint.incarnation, 2u);
}

TEST(Cosignature, VerifiesForItsTextAndKeyOnly) {
  const std::string text = format_checkpoint(ledger().checkpoint(40));
  const NoteSignature signature = cosign(text, "n1", samples::keys(1), 1'700'000'000);
  EXPECT_EQ(signature.octets.size(), 72u);
  EXPECT_EQ(*verify_cosignature(text, signature, samples::vkey(1)), 1'700'000'000u);
  EXPECT_EQ(verify_cosignature(text, signature, samples::vkey(2)).error(),
            "the signature is not of the key n2");
  EXPECT_EQ(verify_cosignature(text + "x", signature, samples::vkey(1)).error(),
            "the signature of n1 does not verify");
  for (std::size_t i = 0; i < signature.octets.size(); ++i) {  // the time too
    NoteSignature changed = signature;
    changed.octets[i] = static_cast<char>(changed.octets[i] ^ 0x20);
    EXPECT_FALSE(verify_cosignature(text, changed, samples::vkey(1))) << i;
  }
  NoteSignature shorter = signature;
  shorter.octets.pop_back();
  EXPECT_EQ(verify_cosignature(text, shorter, samples::vkey(1)).error(),
            "the signature of n1 is no timestamped Ed25519 cosignature");
  EXPECT_FALSE(verify_cosignature(text, cosign(text, "n1", samples::keys(1), std::uint64_t{1} << 63),
                                  samples::vkey(1)));
}

TEST(Cosignature, SignedMessageIsThatOfTheSpecification) {
  const std::string text = format_checkpoint(ledger().checkpoint(40));
  const NoteSignature signature = cosign(text, "n1", samples::keys(1), 1679315147);
  OctetReader reader(as_octets(signature.octets));
  EXPECT_EQ(reader.be64(), 1679315147u);
  EXPECT_TRUE(verify_signature(as_octets("cosignature/v1\ntime 1679315147\n" + text), reader.array<64>(),
                               samples::keys(1).public_key));
}

TEST(Majority, IsMoreThanHalf) {
  EXPECT_EQ(majority_of(1), 1u);
  EXPECT_EQ(majority_of(2), 2u);
  EXPECT_EQ(majority_of(3), 2u);
  EXPECT_EQ(majority_of(4), 3u);
  EXPECT_EQ(majority_of(5), 3u);
}

TEST(Majority, CountsEachVoterOnceAndNobodyElse) {
  const auto three = samples::voters(3);
  EXPECT_EQ(*check_cosigned(ledger().note(40, {1, 3}).note, three, 2),
            (std::vector<std::string>{"n1", "n3"}));
  EXPECT_EQ(check_cosigned(ledger().note(40, {2}).note, three, 2).error(),
            "cosigned by 1 of 3 voters; 2 are needed");
  EXPECT_FALSE(check_cosigned(ledger().note(40, {2, 2, 2}).note, three, 2));
  EXPECT_FALSE(check_cosigned(ledger().note(40, {2, 4, 5}).note, three, 2));
  EXPECT_TRUE(check_cosigned(ledger().note(40, {4, 2, 5, 1}).note, three, 2));
  EXPECT_FALSE(check_cosigned(ledger().note(40, {1}).note, three, 0));
  EXPECT_FALSE(check_cosigned(ledger().note(40, {}).note, {}, 1));
}

TEST(Majority, ABadSignatureOfAVoterSpoilsTheNote) {
  CheckpointNote note = ledger().note(40, {1, 2, 3});
  note.note.signatures[2].octets[20] = static_cast<char>(note.note.signatures[2].octets[20] ^ 1);
  EXPECT_EQ(check_cosigned(note.note, samples::voters(3), 2).error(), "the signature of n3 does not verify");
  EXPECT_TRUE(check_cosigned(note.note, samples::voters(2), 2));  // n3 is no voter: ignored
}

TEST(Majority, AKeyVotesUnderOneNameOnly) {
  auto voters = samples::voters(2);
  voters.push_back({"n9", voters[0].key});
  CheckpointNote note = ledger().note(40, {1});
  note.note.signatures.push_back(cosign(note.note.text, "n9", samples::keys(1), 1));
  EXPECT_EQ(check_cosigned(note.note, voters, 2).error(), "the key of voter n9 is listed twice");
}

}  // namespace
}  // namespace swarmdns::controlplane
