#include "controlplane/ledger/tiles.h"

#include <gtest/gtest.h>

#include <random>

namespace swarmdns::controlplane {
namespace {

Hash leaf_number(std::uint64_t i) {
  std::string octets;
  append_be64(octets, i);
  return merkle_leaf_hash(as_octets(octets));
}

class StoredTiles : public TileReader {
 public:
  std::expected<Tile, std::string> tile(TileId id) const override {
    ++reads;
    const auto found = tiles.find(id);
    if (found == tiles.end()) return std::unexpected("no tile " + tile_path(id, kTileWidth));
    return found->second;
  }
  void take(TileWriter& writer) {
    for (auto& [id, tile] : writer.take_changed()) tiles[id] = tile;
  }
  std::map<TileId, Tile> tiles;
  mutable unsigned reads = 0;
};

// The example of tlog-tiles: 70,000 leaves.
TEST(Tiles, GeometryIsThatOfTheSpecification) {
  EXPECT_EQ(tile_width({0, 272}, 70'000), 256u);
  EXPECT_EQ(tile_width({0, 273}, 70'000), 112u);
  EXPECT_EQ(tile_width({0, 274}, 70'000), 0u);
  EXPECT_EQ(tile_width({1, 0}, 70'000), 256u);
  EXPECT_EQ(tile_width({1, 1}, 70'000), 17u);
  EXPECT_EQ(tile_width({2, 0}, 70'000), 1u);
  EXPECT_EQ(tile_width({3, 0}, 70'000), 0u);
  EXPECT_EQ(tile_width({0, 0}, 256), 256u);
  EXPECT_EQ(tile_width({0, 1}, 256), 0u);
  EXPECT_EQ(tile_width({1, 0}, 256), 1u);
  EXPECT_EQ(tile_width({8, 0}, UINT64_MAX), 0u);
  EXPECT_EQ(tile_width({7, 0}, UINT64_MAX), 255u);
}

TEST(Tiles, PathsAreThoseOfTheSpecification) {
  EXPECT_EQ(tile_path({0, 1234067}, 256), "tile/0/x001/x234/067");
  EXPECT_EQ(tile_path({0, 273}, 112), "tile/0/273.p/112");
  EXPECT_EQ(tile_path({2, 0}, 1), "tile/2/000.p/1");
  EXPECT_EQ(tile_path({1, 1000}, 256), "tile/1/x001/000");
}

TEST(Tiles, EncodingHasWholeHashesOnly) {
  Tile tile;
  for (unsigned i = 0; i < 3; ++i) tile.push_back(leaf_number(i));
  const std::string octets = encode_tile(tile);
  EXPECT_EQ(octets.size(), 96u);
  EXPECT_EQ(decode_tile(as_octets(octets)), tile);
  EXPECT_EQ(decode_tile({}), std::nullopt);
  EXPECT_EQ(decode_tile(as_octets(octets).first(95)), std::nullopt);
  EXPECT_EQ(decode_tile(as_octets(std::string(257 * 32, '\0'))), std::nullopt);
  EXPECT_EQ(decode_tile(as_octets(std::string(256 * 32, '\0')))->size(), 256u);
}

TEST(Tiles, WriterChangesTheTilesThatAreTouched) {
  std::mt19937 random(7);
  StoredTiles stored;
  TileWriter writer;
  MemoryTree memory;
  while (writer.size() < 140'000) {
    const std::uint64_t before = writer.size();
    const unsigned count = random() % 8 == 0 ? random() % 9000 : random() % 300;
    for (unsigned i = 0; i < count; ++i) {
      memory.append(leaf_number(writer.size()));
      writer.append(leaf_number(writer.size()));
    }
    const auto changed = writer.take_changed();
    std::vector<TileId> ids;
    for (const auto& [id, tile] : changed) {
      ids.push_back(id);
      EXPECT_EQ(tile.size(), tile_width(id, writer.size()));
      for (std::size_t i = 0; i < tile.size(); ++i)
        ASSERT_EQ(tile[i], *memory.node(id.level * 8, id.index * 256 + i));
      stored.tiles[id] = tile;
    }
    EXPECT_EQ(ids, tiles_touched(before, writer.size()));
    EXPECT_EQ(writer.root(), memory.root());
  }
  EXPECT_TRUE(writer.take_changed().empty());

  // The same edge when it is read again, at this size and at earlier ones.
  for (const std::uint64_t size :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{255}, std::uint64_t{256}, std::uint64_t{257},
        std::uint64_t{65'535}, std::uint64_t{65'536}, std::uint64_t{65'537}, writer.size()}) {
    auto again = TileWriter::read(stored, size);
    ASSERT_TRUE(again) << again.error();
    EXPECT_EQ(again->root(), *merkle_root(memory, size));
    for (std::uint64_t i = size; i < std::min(size + 600, writer.size()); ++i) again->append(leaf_number(i));
    EXPECT_EQ(again->root(), *merkle_root(memory, again->size()));
    for (const auto& [id, tile] : again->take_changed()) {
      const Tile& full = stored.tiles.at(id);
      EXPECT_EQ(tile, Tile(full.begin(), full.begin() + static_cast<std::ptrdiff_t>(tile.size())));
    }
  }
}

TEST(Tiles, NodesAndProofsFromTilesAreThoseFromMemory) {
  std::mt19937_64 random(8);
  StoredTiles stored;
  TileWriter writer;
  MemoryTree memory;
  for (std::uint64_t i = 0; i < 70'000; ++i) {
    writer.append(leaf_number(i));
    memory.append(leaf_number(i));
  }
  stored.take(writer);
  EXPECT_EQ(stored.tiles.size(), 273u + 1 + 1 + 1 + 1);
  const TiledTree tiled(stored, 70'000);
  for (unsigned level = 0; level <= 16; ++level) {
    for (int round = 0; round < 20; ++round) {
      const std::uint64_t index = random() % (70'000 >> level);
      EXPECT_EQ(*tiled.node(level, index), *memory.node(level, index)) << level << " " << index;
    }
  }
  for (int round = 0; round < 100; ++round) {
    const std::uint64_t size = 1 + random() % 70'000;
    const std::uint64_t index = random() % size;
    const TiledTree tree(stored, size);
    EXPECT_EQ(*inclusion_path(tree, index, size), *inclusion_path(memory, index, size));
    EXPECT_EQ(*consistency_path(tree, index + 1, size), *consistency_path(memory, index + 1, size));
  }
  // A proof reads each tile once: of three levels two sides at most.
  stored.reads = 0;
  ASSERT_TRUE(inclusion_path(TiledTree(stored, 70'000), 12'345, 70'000));
  EXPECT_LE(stored.reads, 6u);
}

TEST(Tiles, WhatIsMissingIsNamed) {
  StoredTiles stored;
  TileWriter writer;
  for (std::uint64_t i = 0; i < 300; ++i) writer.append(leaf_number(i));
  stored.take(writer);
  const TiledTree tree(stored, 300);
  EXPECT_EQ(tree.node(0, 300).error(), "the tree of 300 leaves has no complete subtree 300 of level 0");
  EXPECT_EQ(tree.node(9, 0).error(), "the tree of 300 leaves has no complete subtree 0 of level 9");
  EXPECT_FALSE(tree.node(64, 0));
  stored.tiles[{0, 1}].pop_back();
  EXPECT_EQ(tree.node(0, 256).error(),
            "hash tile 1 of level 0 has 43 hashes; the tree of 300 leaves needs 44");
  EXPECT_FALSE(TileWriter::read(stored, 300));
  stored.tiles.erase({0, 0});
  EXPECT_EQ(TiledTree(stored, 300).node(3, 0).error(), "no tile tile/0/000");
}

}  // namespace
}  // namespace swarmdns::controlplane
