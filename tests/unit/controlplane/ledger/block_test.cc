#include "controlplane/ledger/block.h"

#include <gtest/gtest.h>

#include "tests/unit/controlplane/ledger/samples.h"

namespace swarmdns::controlplane {
namespace {

BlockHeader first() {
  return {.swarm = samples::kSwarm,
          .incarnation = 1,
          .height = 1,
          .previous = {},
          .time_ms = 1'700'000'000'000,
          .first_leaf = 0,
          .leaf_count = 1,
          .tree_size = 1,
          .tree_root = samples::filled<32>(1),
          .state_root = samples::filled<32>(2)};
}

BlockHeader second() {
  BlockHeader next = first();
  next.height = 2;
  next.previous = block_hash(first());
  next.time_ms += 10;
  next.first_leaf = 1;
  next.leaf_count = 3;
  next.tree_size = 4;
  return next;
}

TEST(BlockHeader, GoesThereAndBack) {
  const std::string octets = encode_block_header(second());
  EXPECT_EQ(octets.size(), kBlockHeaderOctets);
  const auto header = decode_block_header(as_octets(octets));
  ASSERT_TRUE(header) << header.error();
  EXPECT_EQ(*header, second());
  EXPECT_EQ(block_hash(*header), sha256({as_octets(octets)}));
}

TEST(BlockHeader, EveryOctetCounts) {
  const std::string good = encode_block_header(second());
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string octets = good;
    octets[i] = static_cast<char>(octets[i] ^ 0x04);
    const auto header = decode_block_header(as_octets(octets));
    if (header) {
      EXPECT_EQ(encode_block_header(*header), octets) << i;
      EXPECT_NE(block_hash(*header), block_hash(second())) << i;
    } else {
      EXPECT_FALSE(header.error().empty());
    }
  }
}

TEST(BlockHeader, OtherLengthsAndSumsAreRefused) {
  const std::string good = encode_block_header(second());
  EXPECT_EQ(decode_block_header(as_octets(good).first(169)).error(),
            "a block header has 170 octets, not 169");
  EXPECT_FALSE(decode_block_header(as_octets(good + "x")));
  EXPECT_FALSE(decode_block_header({}));
  EXPECT_FALSE(decode_block_header(as_octets("S" + good.substr(1))));
  BlockHeader header = second();
  header.tree_size = 5;
  EXPECT_EQ(decode_block_header(as_octets(encode_block_header(header))).error(),
            "block 2: first leaf and leaf count do not add up to the tree size");
  header.tree_size = 2;  // fewer than the leaves of the block
  header.first_leaf = UINT64_MAX;
  EXPECT_FALSE(decode_block_header(as_octets(encode_block_header(header))));
}

TEST(BlockHeader, LinksAreChecked) {
  EXPECT_TRUE(check_block_link(first(), second()));
  const auto error = [](auto change) {
    BlockHeader next = second();
    change(next);
    const auto checked = check_block_link(first(), next);
    return checked ? "" : checked.error();
  };
  EXPECT_EQ(error([](BlockHeader& h) { h.swarm[0] ^= std::byte{1}; }),
            "block 2 is of another swarm or incarnation than the block before it");
  EXPECT_EQ(error([](BlockHeader& h) { h.incarnation = 2; }),
            "block 2 is of another swarm or incarnation than the block before it");
  EXPECT_EQ(error([](BlockHeader& h) { h.height = 3; }), "block 3 does not follow block 1");
  EXPECT_EQ(error([](BlockHeader& h) { h.height = 0; }), "block 0 does not follow block 1");
  EXPECT_EQ(error([](BlockHeader& h) { h.previous = {}; }), "block 2 names another block before it");
  EXPECT_EQ(error([](BlockHeader& h) { h.first_leaf = 2; }),
            "block 2 does not begin where the tree of the block before it ends");
  EXPECT_EQ(error([](BlockHeader& h) { h.time_ms -= 11; }), "block 2 is older than the block before it");
  EXPECT_EQ(error([](BlockHeader& h) { h.time_ms -= 10; }), "");
}

}  // namespace
}  // namespace swarmdns::controlplane
