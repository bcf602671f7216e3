#include "controlplane/ledger/proof_file.h"

#include <gtest/gtest.h>

#include "tests/unit/controlplane/ledger/samples.h"

namespace swarmdns::controlplane {
namespace {

const samples::Ledger& ledger() {
  static const samples::Ledger made;
  return made;
}

std::vector<std::string> sample_files() {
  std::vector<std::string> files;
  for (const Proof& proof : {ledger().inclusion(7), ledger().inclusion(7, true), ledger().consistency(13),
                             ledger().consistency(13, false), ledger().consistency(40),
                             ledger().mutation(2, 3), ledger().mutation(5, 0, true)})
    files.push_back(format_proof(proof));
  return files;
}

TEST(ProofFile, IsWrittenAgainOctetForOctet) {
  for (const std::string& file : sample_files()) {
    const auto proof = parse_proof(file);
    ASSERT_TRUE(proof) << proof.error() << "\n" << file;
    EXPECT_EQ(format_proof(*proof), file);
  }
}

TEST(ProofFile, KeepsWhatItSays) {
  const auto proof = parse_proof(format_proof(ledger().mutation(2, 3)));
  ASSERT_TRUE(proof);
  const auto& mutation = std::get<MutationProof>(*proof);
  EXPECT_EQ(mutation.mutation.index, 3u);
  EXPECT_EQ(std::get<LeafBody>(mutation.mutation.content).octets, "mutation 2 3");
  EXPECT_EQ(mutation.segments.size(), 4u);
  EXPECT_EQ(mutation.head.index, 20u);
  EXPECT_EQ(mutation.checkpoint.checkpoint.height, 20u);
}

TEST(ProofFile, NoLineIsSpareAndNoneMayCome) {
  for (const std::string& file : sample_files()) {
    for (std::size_t begin = 0; begin < file.size();) {
      const std::size_t end = file.find('\n', begin) + 1;
      const std::string line = file.substr(begin, end - begin);
      const std::string without = file.substr(0, begin) + file.substr(end);
      // Without a line of a path, a signature or the old checkpoint it is another proof; never the same.
      if (const auto proof = parse_proof(without)) {
        EXPECT_EQ(format_proof(*proof), without);
        EXPECT_TRUE(line.starts_with("path ") || line.starts_with("segment ") || line.starts_with("—"))
            << line;
      }
      EXPECT_FALSE(parse_proof(file.substr(0, begin) + "extra\n" + file.substr(begin))) << file << line;
      EXPECT_FALSE(parse_proof(file.substr(0, begin) + "\n" + file.substr(begin))) << file << line;
      begin = end;
    }
    EXPECT_FALSE(parse_proof(file + "\n"));
    EXPECT_FALSE(parse_proof(file + "x"));
    EXPECT_FALSE(parse_proof(file.substr(0, file.size() - 1)));
  }
}

TEST(ProofFile, ErrorsNameTheLine) {
  const std::string file = format_proof(ledger().inclusion(7));
  const auto error = [&](const std::string& from, const std::string& to) {
    std::string text = file;
    text.replace(text.find(from), from.size(), to);
    const auto proof = parse_proof(text);
    return proof ? "" : proof.error();
  };
  EXPECT_EQ(error("@v1", "@v2"), "this is no proof: its first line is not swarmdns/ledger-proof@v1");
  EXPECT_EQ(error("\ninclusion", "\nexclusion"),
            "proof, line 2: the kind is inclusion, consistency or mutation");
  EXPECT_EQ(error("index 7", "index 07"), "proof, line 4: not \"index\" and a number");
  EXPECT_EQ(error("index 7", "Index 7"), "proof, line 3: not \"index\" and a number");
  EXPECT_EQ(error("salt ", "sals "), "proof, line 4: not \"salt\" and 16 octets in base64, nor a commitment");
  EXPECT_EQ(error("transaction ", "mutation "), "proof, line 5: not \"transaction\" and base64");
  EXPECT_EQ(error("path ", "path x"), "proof, line 7: not a hash of the path");
  EXPECT_EQ(error("\nheight", "\nheigth"), "proof: checkpoint, line 4: not \"height\" and a height");
  EXPECT_EQ(parse_proof("").error(), "this is no proof: its first line is not swarmdns/ledger-proof@v1");
}

TEST(ProofFile, PathsAndChainsAreLimited) {
  Proof proof = ledger().inclusion(7);
  std::get<InclusionProof>(proof).leaf.path.resize(128);
  EXPECT_TRUE(parse_proof(format_proof(proof)));
  std::get<InclusionProof>(proof).leaf.path.resize(129);
  EXPECT_FALSE(parse_proof(format_proof(proof)));
  proof = ledger().mutation(2, 3);
  std::get<MutationProof>(proof).segments.resize(kProofSegmentsMost + 1);
  EXPECT_FALSE(parse_proof(format_proof(proof)));
}

}  // namespace
}  // namespace swarmdns::controlplane
