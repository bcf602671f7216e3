// Hash tiles in the geometry of C2SP tlog-tiles: tile (level, index) holds up to 256 hashes, each of a
// complete subtree of 256^level leaves; a level above 0 holds hashes of full tiles below only. No I/O. One
// thread.
#pragma once

#include <compare>
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/ledger/merkle.h"

namespace swarmdns::controlplane {

inline constexpr unsigned kTileWidth = 256;

struct TileId {
  unsigned level = 0;       // 0..7
  std::uint64_t index = 0;  // from the left
  auto operator<=>(const TileId&) const = default;
};

using Tile = std::vector<Hash>;  // 1..256

// How wide a tile is in a tree of `size` leaves; 0: there is none.
unsigned tile_width(TileId tile, std::uint64_t size);
// Those that come into being or grow when a tree grows from `old_size` to `new_size`.
std::vector<TileId> tiles_touched(std::uint64_t old_size, std::uint64_t new_size);
// "tile/0/x001/x234/067", "tile/0/273.p/112" when it is not full.
std::string tile_path(TileId tile, unsigned width);

// The hashes one behind the other, and back. nullopt: not 1..256 whole hashes.
std::string encode_tile(const Tile& tile);
std::optional<Tile> decode_tile(Bytes octets);

// Where tiles are stored. A tile may be wider than the tree at hand needs, never narrower.
class TileReader {
 public:
  virtual ~TileReader() = default;
  virtual std::expected<Tile, std::string> tile(TileId id) const = 0;
};

// Nodes of the tree of `size` leaves, read inside tiles. Keeps every tile it has read: make one for each
// proof.
class TiledTree : public HashReader {
 public:
  TiledTree(const TileReader& tiles, std::uint64_t size) : tiles_(tiles), size_(size) {}
  std::expected<Hash, std::string> node(unsigned level, std::uint64_t index) const override;

 private:
  const TileReader& tiles_;
  std::uint64_t size_;
  mutable std::map<TileId, Tile> read_;
};

// The right edge of a tree: takes leaves, gives the tiles that changed. To append on trial, append to a copy.
class TileWriter {
 public:
  TileWriter() = default;
  // The edge of the tree of `size` leaves.
  static std::expected<TileWriter, std::string> read(const TileReader& tiles, std::uint64_t size);

  void append(const Hash& leaf_hash);
  std::uint64_t size() const { return range_.size(); }
  Hash root() const { return range_.root(); }
  // The tiles that changed since the last call, whole.
  std::map<TileId, Tile> take_changed();

 private:
  CompactRange range_;
  std::vector<Tile> edge_;  // by level: the tile that is not full yet, maybe empty
  std::map<TileId, Tile> full_;
  std::vector<bool> touched_;  // by level: edge_ has changed
};

}  // namespace swarmdns::controlplane
