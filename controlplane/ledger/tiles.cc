#include "controlplane/ledger/tiles.h"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace swarmdns::controlplane {
namespace {

constexpr unsigned kTileHeight = 8;  // levels of the tree in a tile
constexpr unsigned kTileLevels = 64 / kTileHeight;

std::string name_of(TileId id) {
  return "hash tile " + std::to_string(id.index) + " of level " + std::to_string(id.level);
}

std::string no_node(unsigned level, std::uint64_t index, std::uint64_t size) {
  return "the tree of " + std::to_string(size) + " leaves has no complete subtree " + std::to_string(index) +
         " of level " + std::to_string(level);
}

}  // namespace

unsigned tile_width(TileId tile, std::uint64_t size) {
  if (tile.level >= kTileLevels) return 0;
  const std::uint64_t hashes = size >> (kTileHeight * tile.level);
  const std::uint64_t full = hashes / kTileWidth;
  if (tile.index < full) return kTileWidth;
  return tile.index == full ? static_cast<unsigned>(hashes % kTileWidth) : 0;
}

std::vector<TileId> tiles_touched(std::uint64_t old_size, std::uint64_t new_size) {
  std::vector<TileId> touched;
  for (unsigned level = 0; level < kTileLevels; ++level) {
    const std::uint64_t old_hashes = old_size >> (kTileHeight * level);
    const std::uint64_t new_hashes = new_size >> (kTileHeight * level);
    if (new_hashes <= old_hashes) break;
    for (std::uint64_t i = old_hashes / kTileWidth; i <= (new_hashes - 1) / kTileWidth; ++i)
      touched.push_back({level, i});
  }
  return touched;
}

std::string tile_path(TileId tile, unsigned width) {
  std::string number;
  std::uint64_t left = tile.index;
  do {
    char element[8];
    std::snprintf(element, sizeof element, number.empty() ? "/%03u" : "/x%03u",
                  static_cast<unsigned>(left % 1000));
    number.insert(0, element);
    left /= 1000;
  } while (left != 0);
  std::string path = "tile/" + std::to_string(tile.level) + number;
  if (width < kTileWidth) path += ".p/" + std::to_string(width);
  return path;
}

std::string encode_tile(const Tile& tile) {
  std::string octets;
  octets.reserve(tile.size() * sizeof(Hash));
  for (const Hash& hash : tile) append(octets, hash);
  return octets;
}

std::optional<Tile> decode_tile(Bytes octets) {
  const std::size_t width = octets.size() / sizeof(Hash);
  if (octets.size() % sizeof(Hash) != 0 || width == 0 || width > kTileWidth) return std::nullopt;
  OctetReader reader(octets);
  Tile tile(width);
  for (Hash& hash : tile) hash = reader.array<sizeof(Hash)>();
  return tile;
}

std::expected<Hash, std::string> TiledTree::node(unsigned level, std::uint64_t index) const {
  if (level >= 64 || index >= size_ >> level) return std::unexpected(no_node(level, index, size_));
  const unsigned within = level % kTileHeight;  // levels above the tile's hashes
  const std::uint64_t first = index << within;
  const TileId id{level / kTileHeight, first / kTileWidth};
  auto found = read_.find(id);
  if (found == read_.end()) {
    auto tile = tiles_.tile(id);
    if (!tile) return std::unexpected(tile.error());
    if (tile->size() < tile_width(id, size_)) {
      return std::unexpected(name_of(id) + " has " + std::to_string(tile->size()) + " hashes; the tree of " +
                             std::to_string(size_) + " leaves needs " +
                             std::to_string(tile_width(id, size_)));
    }
    found = read_.emplace(id, std::move(*tile)).first;
  }
  std::vector<Hash> row(
      found->second.begin() + static_cast<std::ptrdiff_t>(first % kTileWidth),
      found->second.begin() + static_cast<std::ptrdiff_t>(first % kTileWidth + (std::uint64_t{1} << within)));
  for (unsigned width = 1u << within; width > 1; width /= 2) {
    for (unsigned i = 0; i < width / 2; ++i) row[i] = merkle_node_hash(row[2 * i], row[2 * i + 1]);
  }
  return row[0];
}

std::expected<TileWriter, std::string> TileWriter::read(const TileReader& tiles, std::uint64_t size) {
  TileWriter writer;
  auto range = CompactRange::read(TiledTree(tiles, size), size);
  if (!range) return std::unexpected(range.error());
  writer.range_ = std::move(*range);
  for (unsigned level = 0; level < kTileLevels && size >> (kTileHeight * level) != 0; ++level) {
    const TileId id{level, (size >> (kTileHeight * level)) / kTileWidth};
    const unsigned width = tile_width(id, size);
    writer.edge_.emplace_back();
    writer.touched_.push_back(false);
    if (width == 0) continue;
    auto tile = tiles.tile(id);
    if (!tile) return std::unexpected(tile.error());
    if (tile->size() < width) return std::unexpected(name_of(id) + " is too narrow");
    tile->resize(width);
    writer.edge_[level] = std::move(*tile);
  }
  return writer;
}

void TileWriter::append(const Hash& leaf_hash) {
  range_.append(leaf_hash, [this](unsigned level, std::uint64_t index, const Hash& hash) {
    if (level % kTileHeight != 0) return;
    const unsigned tile_level = level / kTileHeight;
    if (edge_.size() <= tile_level) {
      edge_.resize(tile_level + 1);
      touched_.resize(tile_level + 1);
    }
    Tile& tile = edge_[tile_level];
    tile.push_back(hash);
    touched_[tile_level] = true;
    if (tile.size() == kTileWidth) {
      full_.emplace(TileId{tile_level, index / kTileWidth}, std::move(tile));
      tile.clear();
      touched_[tile_level] = false;
    }
  });
}

std::map<TileId, Tile> TileWriter::take_changed() {
  std::map<TileId, Tile> changed = std::exchange(full_, {});
  for (unsigned level = 0; level < edge_.size(); ++level) {
    if (!touched_[level]) continue;
    changed.emplace(TileId{level, (size() >> (kTileHeight * level)) / kTileWidth}, edge_[level]);
    touched_[level] = false;
  }
  return changed;
}

}  // namespace swarmdns::controlplane
