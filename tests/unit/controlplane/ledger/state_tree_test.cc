#include "controlplane/ledger/state_tree.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "tests/unit/controlplane/ledger/naive_tree.h"

namespace swarmdns::controlplane {
namespace {

class MapState : public StateReader {
 public:
  std::expected<void, std::string> scan_bucket(std::uint16_t bucket, const Row& row) const override {
    ++scans;
    if (bucket == broken) return std::unexpected("bucket cannot be read");
    for (const auto& [key, value] : rows) {
      if (state_bucket(as_octets(key)) == bucket && !row(as_octets(key), sha256({as_octets(value)}))) break;
    }
    return {};
  }
  std::map<std::string, std::string> rows;
  int broken = -1;
  mutable unsigned scans = 0;
};

// The definition, level by level, with another SHA-256.
Hash naive_root(const std::map<std::string, std::string>& rows) {
  std::map<unsigned, std::string> buckets;
  for (const auto& [key, value] : rows) {
    const Hash hash = naive::hash_of(key);
    const unsigned bucket = std::to_integer<unsigned>(hash[0]) * 16 + std::to_integer<unsigned>(hash[1]) / 16;
    std::string& octets = buckets.try_emplace(bucket, 1, '\2').first->second;
    for (int shift = 24; shift >= 0; shift -= 8) octets += static_cast<char>(key.size() >> shift);
    octets += key + naive::text_of(naive::hash_of(value));
  }
  std::vector<std::string> level(4096, std::string(32, '\0'));
  for (const auto& [bucket, octets] : buckets) level[bucket] = naive::text_of(naive::hash_of(octets));
  while (level.size() > 1) {
    std::vector<std::string> above;
    for (std::size_t i = 0; i < level.size(); i += 2)
      above.push_back(naive::text_of(naive::hash_of("\3" + level[i] + level[i + 1])));
    level = above;
  }
  return *array_from<32>(level[0]);
}

TEST(StateTree, EmptyStateHasTheRootOfZeros) {
  EXPECT_EQ(StateTree().root(), naive_root({}));
  EXPECT_EQ(StateTree::read(MapState())->root(), naive_root({}));
}

TEST(StateTree, RootsAreThoseOfTheDefinition) {
  MapState state;
  StateTree tree;
  std::mt19937 random(3);
  for (int round = 0; round < 60; ++round) {
    std::set<std::uint16_t> touched;
    for (unsigned i = random() % 8; i-- > 0;) {
      const std::string key = "key " + std::to_string(random() % 40);
      touched.insert(state_bucket(as_octets(key)));
      if (random() % 3 == 0)
        state.rows.erase(key);
      else
        state.rows[key] = "value " + std::to_string(random());
    }
    const Hash before = tree.root();
    const auto change = tree.prepare(state, touched);
    ASSERT_TRUE(change) << change.error();
    EXPECT_EQ(tree.root(), before);
    tree.commit(*change);
    EXPECT_EQ(tree.root(), change->root);
    EXPECT_EQ(tree.root(), naive_root(state.rows));
  }
  EXPECT_EQ(StateTree::read(state)->root(), tree.root());
}

TEST(StateTree, HashesTouchedBucketsOnly) {
  MapState state;
  for (int i = 0; i < 100; ++i) state.rows["key " + std::to_string(i)] = "value";
  StateTree tree = *StateTree::read(state);
  state.scans = 0;
  state.rows["key 1"] = "another";
  const auto change =
      tree.prepare(state, {state_bucket(as_octets("key 1")), state_bucket(as_octets("key 2"))});
  ASSERT_TRUE(change);
  EXPECT_EQ(state.scans, 2u);
  EXPECT_EQ(change->nodes.size(), 13u);  // one bucket and 12 levels: the other bucket is as it was
  EXPECT_NE(change->root, tree.root());
}

TEST(StateTree, KeyAndValueDoNotRunTogether) {
  EXPECT_NE(naive_root({{"ab", "c"}}), naive_root({{"a", "bc"}}));
  MapState one;
  one.rows = {{"", ""}};
  MapState other;
  other.rows = {{"", std::string(1, '\0')}};
  EXPECT_NE(StateTree::read(one)->root(), StateTree::read(other)->root());
  EXPECT_EQ(StateTree::read(one)->root(), naive_root(one.rows));
}

TEST(StateTree, ABucketThatCannotBeReadIsAnError) {
  MapState state;
  state.rows["key"] = "value";
  state.broken = state_bucket(as_octets("key"));
  const StateTree tree;
  EXPECT_EQ(tree.prepare(state, {state_bucket(as_octets("key"))}).error(), "bucket cannot be read");
  EXPECT_FALSE(StateTree::read(state));
}

}  // namespace
}  // namespace swarmdns::controlplane
