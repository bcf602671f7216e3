#include "controlplane/ledger/self_check.h"

#include "controlplane/ledger/state_tree.h"

namespace swarmdns::controlplane {
namespace {

using Finding = std::expected<void, std::string>;

std::string tile_name(TileId id) {
  return "hash tile " + std::to_string(id.index) + " of level " + std::to_string(id.level);
}

class Checker {
 public:
  Checker(const LedgerStore& store, const SelfCheck& check, SelfCheckResult& result)
      : store_(store), check_(check), result_(result) {}

  Finding run() {
    const auto tip = store_.tip();
    if (!tip) return {};
    tip_ = *tip;
    for (const auto part : {&Checker::read_checkpoint, &Checker::check_blocks, &Checker::check_tiles,
                            &Checker::check_roots, &Checker::check_state}) {
      if (auto found = (this->*part)(); !found) return found;
    }
    return store_.db().verify_files();
  }

 private:
  Finding read_checkpoint() {
    const auto octets = store_.checkpoint(tip_.height);
    if (!octets) return std::unexpected(octets.error());
    if (!*octets) return {};
    auto note = parse_checkpoint_note(**octets);
    if (!note) return std::unexpected("the newest checkpoint cannot be read: " + note.error());
    if (const auto trusted = check_.trusted(*note); !trusted) {
      result_.damaged = false;
      return std::unexpected("the newest checkpoint: " + trusted.error());
    }
    checkpoint_ = note->checkpoint;
    result_.checkpoint_height = checkpoint_->height;
    return {};
  }

  Finding check_blocks() {
    std::optional<BlockHeader> before;
    for (std::uint64_t height = store_.lowest_height(); height <= tip_.height; ++height) {
      const std::string name = "block " + std::to_string(height);
      const auto header = store_.header(height);
      if (!header) return std::unexpected(header.error());
      if (before) {
        if (auto linked = check_block_link(*before, *header); !linked) return linked;
      }
      if (checkpoint_ && height == checkpoint_->height && checkpoint_of(*header) != *checkpoint_)
        return std::unexpected(name + " is not the one that the voters have cosigned");
      if (auto found = check_leaves(*header, name); !found) return found;
      before = *header;
      ++result_.blocks;
      if (check_.progress && result_.blocks % 256 == 0)
        check_.progress(result_.blocks, tip_.height - store_.lowest_height() + 1);
    }
    if (*before != tip_) return std::unexpected("block " + std::to_string(tip_.height) + " is not the tip");
    return {};
  }

  // The commitments of a block against the tree's leaf hashes, and the bodies against the commitments.
  Finding check_leaves(const BlockHeader& header, const std::string& name) {
    const auto record = store_.block(header.height);
    if (!record) return std::unexpected(record.error());
    if (static_cast<std::uint32_t>((*record)->commitments_size()) != header.leaf_count)
      return std::unexpected(name + " has not as many commitments as leaves");
    for (std::uint32_t i = 0; i < header.leaf_count; ++i) {
      const std::uint64_t index = header.first_leaf + i;
      const std::string leaf_name = "leaf " + std::to_string(index) + " (" + name + ")";
      const auto commitment = array_from<32>((*record)->commitments(static_cast<int>(i)));
      const auto hash = leaf_hash(index);
      if (!hash) return std::unexpected(hash.error());
      if (!commitment || merkle_leaf_hash(*commitment) != *hash)
        return std::unexpected(leaf_name + ": its commitment and " + tile_name({0, index / kTileWidth}) +
                               " differ");
      const auto body = store_.leaf(index);
      if (!body) return std::unexpected(body.error());
      const bool erased = !*body || ((*body)->salt().empty() && (*body)->transaction().empty());
      const auto salt = erased ? std::nullopt : array_from<16>((*body)->salt());
      if (!erased && (!salt || leaf_commitment(*salt, as_octets((*body)->transaction())) != *commitment))
        return std::unexpected(leaf_name + " is not what its commitment says");
      ++result_.leaves;
    }
    return {};
  }

  // Leaves are met in their order: one tile is kept.
  std::expected<Hash, std::string> leaf_hash(std::uint64_t index) {
    const TileId id{0, index / kTileWidth};
    if (!leaf_tile_ || leaf_tile_id_ != id) {
      auto tile = store_.tile(id);
      if (!tile) return std::unexpected(tile.error());
      leaf_tile_ = std::move(*tile);
      leaf_tile_id_ = id;
    }
    if (index % kTileWidth >= leaf_tile_->size()) return std::unexpected(tile_name(id) + " is too short");
    return (*leaf_tile_)[index % kTileWidth];
  }

  // Every hash of a tile against the tile below it, as far as that is kept.
  Finding check_tiles() {
    for (unsigned level = 0; level < 8; ++level) {
      const std::uint64_t hashes = tip_.tree_size >> (8 * level);
      if (hashes == 0) break;
      const auto pruned = [&](unsigned of) { return of > 6 ? 0 : store_.lowest_leaf() >> (8 * (of + 1)); };
      for (std::uint64_t index = pruned(level); index <= (hashes - 1) / kTileWidth; ++index) {
        const TileId id{level, index};
        const auto tile = store_.tile(id);
        if (!tile) return std::unexpected(tile.error());
        if (tile->size() != tile_width(id, tip_.tree_size))
          return std::unexpected(tile_name(id) + " is not as wide as the tree makes it");
        ++result_.tiles;
        if (level == 0) continue;
        for (std::size_t i = 0; i < tile->size(); ++i) {
          const TileId below{level - 1, index * kTileWidth + i};
          if (below.index < pruned(level - 1)) continue;
          const auto lower = store_.tile(below);
          if (!lower) return std::unexpected(lower.error());
          CompactRange range;
          for (const Hash& hash : *lower) range.append(hash);
          if (range.root() != (*tile)[i])
            return std::unexpected(tile_name(id) + " and " + tile_name(below) + " differ");
        }
      }
    }
    return {};
  }

  Finding check_roots() {
    const auto root = merkle_root(TiledTree(store_, tip_.tree_size), tip_.tree_size);
    if (!root) return std::unexpected(root.error());
    if (*root != tip_.tree_root)
      return std::unexpected("the tree of block " + std::to_string(tip_.height) + " has another root");
    if (!checkpoint_) return {};
    const std::uint64_t size = checkpoint_->tree_size;
    const auto agreed = merkle_root(TiledTree(store_, size), size);
    if (!agreed) return std::unexpected(agreed.error());
    if (*agreed != checkpoint_->tree_root)
      return std::unexpected("the tree of the checkpoint at height " + std::to_string(checkpoint_->height) +
                             " has another root");
    return {};
  }

  Finding check_state() {
    Finding found;
    std::uint64_t rows = 0;
    const auto scanned = store_.scan("", [&](std::string_view, std::string_view) {
      ++rows;
      return true;
    });
    if (!scanned) return scanned;
    for (unsigned bucket = 0; bucket < kStateBuckets; ++bucket) {
      const auto read =
          store_.scan_bucket(static_cast<std::uint16_t>(bucket), [&](Bytes key, const Hash& hash) {
            const auto value = store_.get(as_text(key));
            ++result_.keys;
            if (!value)
              found = std::unexpected(value.error());
            else if (!*value || sha256({as_octets(**value)}) != hash || state_bucket(key) != bucket)
              found = std::unexpected("the state's key \"" + printable(as_text(key)) +
                                      "\" is not what its hash says");
            return found.has_value();
          });
      if (!read) return read;
      if (!found) return found;
    }
    if (rows != result_.keys) return std::unexpected("the state has keys without a hash");
    const auto tree = StateTree::read(store_);
    if (!tree) return std::unexpected(tree.error());
    if (tree->root() != tip_.state_root)
      return std::unexpected("the state has another root than block " + std::to_string(tip_.height) +
                             " says");
    return {};
  }

  static std::string printable(std::string_view key) {
    std::string text;
    for (const char c : key)
      text += c >= 0x20 && c < 0x7F ? std::string(1, c) : "\\x" + to_hex(as_octets({&c, 1}));
    return text;
  }

  const LedgerStore& store_;
  const SelfCheck& check_;
  SelfCheckResult& result_;
  BlockHeader tip_;
  std::optional<Checkpoint> checkpoint_;
  std::optional<Tile> leaf_tile_;
  TileId leaf_tile_id_;
};

}  // namespace

SelfCheckResult check_store(const LedgerStore& store, const SelfCheck& check) {
  SelfCheckResult result;
  result.damaged = true;
  if (const auto found = Checker(store, check, result).run(); !found) result.finding = found.error();
  result.damaged = result.damaged && !result.finding.empty();
  return result;
}

}  // namespace swarmdns::controlplane
