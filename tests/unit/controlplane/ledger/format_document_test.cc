// The test vectors of docs/formats/ledger.md, which another program has made: this one must give the same
// octets.
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <sstream>

#include "controlplane/ledger/state_tree.h"
#include "controlplane/ledger/verify.h"
#include "tests/unit/controlplane/ledger/samples.h"

namespace swarmdns::controlplane {
namespace {

std::string document() {
  std::ifstream in(SWARMDNS_SOURCE_ROOT "/docs/formats/ledger.md");
  return {std::istreambuf_iterator<char>(in), {}};
}

struct Vector {
  std::string kind;  // hex, sha256
  std::string value;
};

// Lines "name kind value" between the marks.
std::map<std::string, Vector> vectors() {
  const std::string text = document();
  std::map<std::string, Vector> found;
  const std::size_t begin = text.find("<!-- vectors");
  std::istringstream lines(begin == std::string::npos ? "" : text.substr(begin));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name;
    Vector vector;
    if (words >> name >> vector.kind >> vector.value && (vector.kind == "hex" || vector.kind == "sha256"))
      found[name] = vector;
  }
  return found;
}

class MapState : public StateReader {
 public:
  explicit MapState(std::map<std::string, std::string> rows) {
    for (auto& [key, value] : rows) buckets_[state_bucket(as_octets(key))][key] = value;
  }
  std::expected<void, std::string> scan_bucket(std::uint16_t bucket, const Row& row) const override {
    const auto found = buckets_.find(bucket);
    if (found == buckets_.end()) return {};
    for (const auto& [key, value] : found->second) row(as_octets(key), sha256({as_octets(value)}));
    return {};
  }

 private:
  std::map<std::uint16_t, std::map<std::string, std::string>> buckets_;
};

Hash state_root_of(std::map<std::string, std::string> rows) {
  return StateTree::read(MapState(std::move(rows)))->root();
}

std::map<std::string, std::string> many_rows() {
  std::map<std::string, std::string> rows;
  for (int i = 0; i < 10'000; ++i) rows["key " + std::to_string(i)] = "value " + std::to_string(i * i);
  return rows;
}

// What this program has for the names of the document.
std::map<std::string, std::string> ours() {
  const samples::Ledger ledger;
  const auto text = [](const auto& octets) { return as_string(octets); };
  std::vector<Hash> commitments;
  for (std::uint64_t i = 0; i < 4; ++i)
    commitments.push_back(leaf_commitment(samples::salt(i), as_octets(ledger.transactions[i])));
  const BundleId bundle{.swarm = samples::kSwarm, .incarnation = 1, .node = 2, .number = 3};
  const BlockHeader block{.swarm = samples::kSwarm,
                          .incarnation = 1,
                          .height = 2,
                          .previous = samples::filled<32>(1),
                          .time_ms = 1'700'000'000'000,
                          .first_leaf = 1,
                          .leaf_count = 3,
                          .tree_size = 4,
                          .tree_root = *merkle_root(ledger.tree, 4),
                          .state_root = state_root_of({{"a", "1"}, {"b", "2"}})};
  const Salt salt_of_mutation = mutation_salt(samples::Chain::seed(2), 3);
  const Hash commitment = leaf_commitment(samples::salt(7), as_octets(ledger.transactions[7]));
  std::map<std::string, std::string> all = {
      {"swarm", text(samples::kSwarm)},
      {"salt", text(samples::salt(7))},
      {"transaction", ledger.transactions[7]},
      {"leaf.commitment", text(commitment)},
      {"leaf.hash", text(merkle_leaf_hash(commitment))},
      {"bundle.octets", bundle_octets(bundle, commitments)},
      {"bundle.key", text(samples::keys(1).public_key)},
      {"bundle.signature", text(sign_bundle(bundle, commitments, samples::keys(1).secret_key))},
      {"state.root.empty", text(state_root_of({}))},
      {"state.root.a1.b2", text(state_root_of({{"a", "1"}, {"b", "2"}}))},
      {"state.root.many", text(state_root_of(many_rows()))},
      {"block.octets", encode_block_header(block)},
      {"block.hash", text(block_hash(block))},
      {"mutation.salt", text(salt_of_mutation)},
      {"mutation.commitment",
       text(mutation_commitment(salt_of_mutation, as_octets(ledger.chain.mutations[1][3])))},
      {"segment.root", text(ledger.chain.tree(2).root())},
      {"segment.header", ledger.chain.headers[1]},
      {"segment.hash", text(segment_hash(as_octets(ledger.chain.headers[1])))},
      {"vkey", format_vkey(samples::vkey(1))},
      {"note", format_note(ledger.note(40, {1, 2, 3}).note)},
      {"proof.inclusion", format_proof(ledger.inclusion(7))},
      {"proof.erased", format_proof(ledger.inclusion(7, true))},
      {"proof.consistency", format_proof(ledger.consistency(13))},
      {"proof.mutation", format_proof(ledger.mutation(2, 3))},
      {"trust", format_trust(samples::trust())},
  };
  for (const std::uint64_t size : {0, 1, 2, 3, 4, 5, 6, 7, 8, 40})
    all["tree.root." + std::to_string(size)] = text(*merkle_root(ledger.tree, size));
  return all;
}

TEST(LedgerFormat, VectorsOfTheDocumentAreOurs) {
  const auto made = ours();
  const auto written = vectors();
  EXPECT_EQ(written.size(), made.size());
  for (const auto& [name, vector] : written) {
    const auto found = made.find(name);
    ASSERT_NE(found, made.end()) << name << " is in the document only";
    const std::string octets =
        vector.kind == "hex" ? found->second : as_string(sha256({as_octets(found->second)}));
    EXPECT_EQ(to_hex(as_octets(octets)), vector.value) << name;
  }
}

// The text between the line "`name`:" and the end of the block behind it.
std::string example(const std::string& name) {
  const std::string text = document();
  const std::string mark = "\n`" + name + "`:\n\n```\n";
  const std::size_t at = text.find(mark);
  if (at == std::string::npos) return "";
  const std::size_t begin = at + mark.size();
  return text.substr(begin, text.find("```\n", begin) - begin);
}

TEST(LedgerFormat, ExampleOfTheDocumentVerifies) {
  const Verdict verdict = verify_proof(example("proof.inclusion"), example("trust"));
  EXPECT_TRUE(verdict.holds) << verdict.sentence;
  EXPECT_EQ(verdict.sentence, "the transaction is leaf 7 of the ledger at height 20");
}

}  // namespace
}  // namespace swarmdns::controlplane
