#include "controlplane/ledger/merkle.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/unit/controlplane/ledger/naive_tree.h"

namespace swarmdns::controlplane {
namespace {

std::string numbered(std::uint64_t i) {
  return "leaf " + std::to_string(i);
}

MemoryTree tree_of(const naive::Leaves& leaves) {
  MemoryTree tree;
  for (const std::string& leaf : leaves) tree.append(merkle_leaf_hash(as_octets(leaf)));
  return tree;
}

naive::Leaves numbered_leaves(std::size_t count) {
  naive::Leaves leaves;
  for (std::size_t i = 0; i < count; ++i) leaves.push_back(numbered(i));
  return leaves;
}

// The leaves and roots that the reference code of Certificate Transparency is tested with.
const naive::Leaves kKnownLeaves = {
    "",
    std::string(1, '\0'),
    "\x10",
    "\x20\x21",
    "\x30\x31",
    "\x40\x41\x42\x43",
    "\x50\x51\x52\x53\x54\x55\x56\x57",
    "\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
};
constexpr const char* kKnownRoots[] = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

TEST(Merkle, KnownRoots) {
  CompactRange range;
  const MemoryTree all = tree_of(kKnownLeaves);
  for (std::size_t size = 0; size <= kKnownLeaves.size(); ++size) {
    EXPECT_EQ(to_hex(range.root()), kKnownRoots[size]) << size;
    EXPECT_EQ(to_hex(*merkle_root(all, size)), kKnownRoots[size]) << size;
    EXPECT_EQ(to_hex(naive::mth(naive::part(kKnownLeaves, 0, size))), kKnownRoots[size]) << size;
    if (size < kKnownLeaves.size()) range.append(merkle_leaf_hash(as_octets(kKnownLeaves[size])));
  }
}

TEST(Merkle, RootsAreThoseOfTheDefinition) {
  const naive::Leaves leaves = numbered_leaves(300);
  const MemoryTree all = tree_of(leaves);
  CompactRange range;
  for (std::size_t size = 0; size <= leaves.size(); ++size) {
    const Hash expected = naive::mth(naive::part(leaves, 0, size));
    EXPECT_EQ(range.root(), expected) << size;
    EXPECT_EQ(*merkle_root(all, size), expected) << size;
    const auto read = CompactRange::read(all, size);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->root(), expected) << size;
    EXPECT_EQ(read->size(), size);
    if (size < leaves.size()) range.append(merkle_leaf_hash(as_octets(leaves[size])));
  }
}

TEST(Merkle, AppendingTellsEveryCompleteSubtreeOnce) {
  std::vector<std::vector<Hash>> told(10);
  CompactRange range;
  const naive::Leaves leaves = numbered_leaves(300);
  for (const std::string& leaf : leaves) {
    range.append(merkle_leaf_hash(as_octets(leaf)),
                 [&](unsigned level, std::uint64_t index, const Hash& hash) {
                   ASSERT_LT(level, told.size());
                   EXPECT_EQ(index, told[level].size());
                   told[level].push_back(hash);
                 });
  }
  for (unsigned level = 0; level < told.size(); ++level) {
    ASSERT_EQ(told[level].size(), leaves.size() >> level);
    for (std::size_t i = 0; i < told[level].size(); ++i)
      EXPECT_EQ(told[level][i], naive::mth(naive::part(leaves, i << level, (i + 1) << level)));
  }
}

TEST(Merkle, InclusionPathsAreThoseOfTheDefinitionAndVerify) {
  const naive::Leaves leaves = numbered_leaves(300);
  const MemoryTree all = tree_of(leaves);
  for (std::size_t size = 1; size <= leaves.size(); ++size) {
    const naive::Leaves tree = naive::part(leaves, 0, size);
    const Hash root = *merkle_root(all, size);
    // Every index of the small trees, some of the others.
    const std::size_t step = size < 70 ? 1 : 1 + size / 13;
    for (std::size_t index = 0; index < size; index += step) {
      const auto path = inclusion_path(all, index, size);
      ASSERT_TRUE(path) << path.error();
      EXPECT_EQ(*path, naive::path(index, tree)) << index << " of " << size;
      const auto verified =
          verify_inclusion(merkle_leaf_hash(as_octets(leaves[index])), index, size, *path, root);
      EXPECT_TRUE(verified) << index << " of " << size << ": " << verified.error();
    }
  }
}

TEST(Merkle, ConsistencyPathsAreThoseOfTheDefinitionAndVerify) {
  const naive::Leaves leaves = numbered_leaves(300);
  const MemoryTree all = tree_of(leaves);
  for (std::size_t size = 1; size <= leaves.size(); ++size) {
    const naive::Leaves tree = naive::part(leaves, 0, size);
    const Hash root = *merkle_root(all, size);
    const std::size_t step = size < 70 ? 1 : 1 + size / 13;
    for (std::size_t old_size = 1; old_size <= size; old_size += step) {
      const auto path = consistency_path(all, old_size, size);
      ASSERT_TRUE(path) << path.error();
      EXPECT_EQ(*path, naive::proof(old_size, tree)) << old_size << " to " << size;
      const auto verified = verify_consistency(old_size, size, *path, *merkle_root(all, old_size), root);
      EXPECT_TRUE(verified) << old_size << " to " << size << ": " << verified.error();
    }
  }
}

TEST(Merkle, ProofsInLargeTreesVerify) {
  std::mt19937_64 random(4);
  MemoryTree all;
  for (std::uint64_t i = 0; i < 70'000; ++i) all.append(merkle_leaf_hash(as_octets(numbered(i))));
  for (int round = 0; round < 2000; ++round) {
    const std::uint64_t size = 1 + random() % all.size();
    const std::uint64_t index = random() % size;
    const std::uint64_t old_size = 1 + random() % size;
    const Hash root = *merkle_root(all, size);
    const Hash leaf = merkle_leaf_hash(as_octets(numbered(index)));
    auto path = *inclusion_path(all, index, size);
    ASSERT_TRUE(verify_inclusion(leaf, index, size, path, root)) << index << " of " << size;
    auto steps = *consistency_path(all, old_size, size);
    const Hash old_root = *merkle_root(all, old_size);
    ASSERT_TRUE(verify_consistency(old_size, size, steps, old_root, root)) << old_size << " to " << size;

    // Nothing of it may be changed, left out or added.
    if (!path.empty()) {
      Hash& hash = path[random() % path.size()];
      hash[random() % 32] ^= std::byte{0x40};
      EXPECT_FALSE(verify_inclusion(leaf, index, size, path, root));
    }
    if (!steps.empty()) {
      Hash& hash = steps[random() % steps.size()];
      hash[random() % 32] ^= std::byte{0x01};
      EXPECT_FALSE(verify_consistency(old_size, size, steps, old_root, root));
    }
  }
}

// The error of what must not verify; "" when it does.
std::string error_of(const std::expected<void, std::string>& result) {
  return result ? "" : result.error();
}

TEST(Merkle, MalformedInclusionProofsAreRefused) {
  const MemoryTree all = tree_of(numbered_leaves(21));
  for (std::uint64_t size = 1; size <= 21; ++size) {
    const Hash root = *merkle_root(all, size);
    for (std::uint64_t index = 0; index < size; ++index) {
      const Hash leaf = merkle_leaf_hash(as_octets(numbered(index)));
      const MerklePath good = *inclusion_path(all, index, size);
      MerklePath longer = good;
      longer.push_back(Hash{});
      EXPECT_NE(error_of(verify_inclusion(leaf, index, size, longer, root)), "");
      longer.back() = root;
      EXPECT_NE(error_of(verify_inclusion(leaf, index, size, longer, root)), "");
      if (!good.empty()) {
        EXPECT_NE(error_of(verify_inclusion(leaf, index, size, std::span(good).first(good.size() - 1), root)),
                  "");
        EXPECT_NE(error_of(verify_inclusion(leaf, index, size, std::span(good).subspan(1), root)), "");
      }
      for (std::uint64_t other = 0; other < size; ++other) {
        if (other != index) {
          EXPECT_NE(error_of(verify_inclusion(leaf, other, size, good, root)), "");
        }
      }
      EXPECT_NE(error_of(verify_inclusion(leaf, size, size, good, root)), "");
      EXPECT_NE(error_of(verify_inclusion(leaf, UINT64_MAX, size, good, root)), "");
    }
  }
  EXPECT_EQ(error_of(verify_inclusion(Hash{}, 0, 0, {}, merkle_empty_root())),
            "index 0 is not below the tree size 0");
  EXPECT_EQ(error_of(verify_inclusion(Hash{}, 0, 2, {}, Hash{})),
            "the audit path is shorter than the tree is high");
  EXPECT_EQ(error_of(verify_inclusion(Hash{}, 0, 1, MerklePath(1), Hash{})),
            "the audit path is longer than the tree is high");
  EXPECT_EQ(error_of(verify_inclusion(Hash{}, 0, 2, MerklePath(1), Hash{})),
            "the audit path leads to another root");
}

TEST(Merkle, MalformedConsistencyProofsAreRefused) {
  const MemoryTree all = tree_of(numbered_leaves(21));
  for (std::uint64_t size = 1; size <= 21; ++size) {
    const Hash root = *merkle_root(all, size);
    for (std::uint64_t old_size = 1; old_size <= size; ++old_size) {
      const Hash old_root = *merkle_root(all, old_size);
      const MerklePath good = *consistency_path(all, old_size, size);
      MerklePath longer = good;
      longer.push_back(root);
      EXPECT_NE(error_of(verify_consistency(old_size, size, longer, old_root, root)), "");
      if (!good.empty()) {
        EXPECT_NE(error_of(verify_consistency(old_size, size, std::span(good).first(good.size() - 1),
                                              old_root, root)),
                  "");
        EXPECT_NE(error_of(verify_consistency(old_size, size, std::span(good).subspan(1), old_root, root)),
                  "");
        EXPECT_NE(error_of(verify_consistency(old_size, size, good, root, root)), "");
        EXPECT_NE(error_of(verify_consistency(old_size, size, good, old_root, old_root)), "");
      }
    }
  }
  const Hash some = merkle_leaf_hash({});
  EXPECT_EQ(error_of(verify_consistency(0, 1, {}, merkle_empty_root(), some)),
            "an empty tree has no consistency proof");
  EXPECT_EQ(error_of(verify_consistency(0, 0, {}, merkle_empty_root(), merkle_empty_root())),
            "an empty tree has no consistency proof");
  EXPECT_EQ(error_of(verify_consistency(2, 1, {}, some, some)),
            "the old tree (2) is larger than the new one (1)");
  EXPECT_EQ(error_of(verify_consistency(1, 2, {}, some, some)), "the consistency path is empty");
  EXPECT_EQ(error_of(verify_consistency(1, 1, {}, some, Hash{})),
            "two trees of one size have different roots");
  EXPECT_EQ(error_of(verify_consistency(2, 2, MerklePath(1), some, some)),
            "trees of one size need no consistency path, but there is one");
}

TEST(Merkle, ProofsThatCannotBeAreNotMade) {
  const MemoryTree all = tree_of(numbered_leaves(5));
  EXPECT_FALSE(inclusion_path(all, 5, 5));
  EXPECT_FALSE(inclusion_path(all, 0, 0));
  EXPECT_FALSE(inclusion_path(all, 0, 6));  // the reader has no such tree
  EXPECT_FALSE(consistency_path(all, 0, 5));
  EXPECT_FALSE(consistency_path(all, 5, 4));
  EXPECT_FALSE(consistency_path(all, 5, 6));
  EXPECT_EQ(all.node(2, 1).error(), "the tree of 5 leaves has no node 1 at level 2");
}

}  // namespace
}  // namespace swarmdns::controlplane
