#include "controlplane/ledger/store.h"

namespace swarmdns::controlplane {
namespace {

// Keys of Family::kMeta.
constexpr std::string_view kFormat = "format";    // "1"
constexpr std::string_view kApplied = "applied";  // index of the log be64
constexpr std::string_view kTip = "tip";          // header of the newest block
constexpr std::string_view kPruned = "pruned";    // lowest height be64, lowest leaf be64

std::string tile_key(TileId id) {
  std::string key(1, static_cast<char>(id.level));
  append_be64(key, id.index);
  return key;
}

std::string state_key(std::string_view key) {
  return "k" + std::string(key);
}

std::string bucket_prefix(std::uint16_t bucket) {
  return {'b', static_cast<char>(bucket >> 8), static_cast<char>(bucket)};
}

}  // namespace

std::string LedgerStore::broken(const std::string& what) const {
  return "the ledger's store " + db_->path() + " is damaged: " + what;
}

std::string LedgerStore::damaged(const std::string& what) const {
  std::string text = broken(what);
  db_->note_damage(text);
  return text;
}

std::expected<std::unique_ptr<LedgerStore>, StoreFault> LedgerStore::open(StoreOptions options) {
  auto db = StoreDb::open(std::move(options));
  if (!db) return std::unexpected(db.error());
  std::unique_ptr<LedgerStore> store(new LedgerStore(std::move(*db)));
  const auto fault = [&store](const std::string& text) {
    return std::unexpected(StoreFault{text, !store->damage().empty()});
  };
  const auto format = store->db_->get(Family::kMeta, kFormat);
  if (!format) return fault(format.error());
  if (!*format) {
    rocksdb::WriteBatch batch;
    store->db_->put(batch, Family::kMeta, kFormat, "1");
    if (auto written = store->db_->write(batch); !written) return fault(written.error());
  } else if (**format != "1") {
    return fault("the ledger's store " + store->db_->path() + " has format " + **format +
                 ", this version reads format 1; start the version that wrote it");
  }
  if (auto read = store->read_meta(); !read) return fault(read.error());
  return store;
}

StoreResult LedgerStore::read_meta() {
  applied_index_ = 0;
  tip_.reset();
  lowest_height_ = 1;
  lowest_leaf_ = 0;
  const auto applied = db_->get(Family::kMeta, kApplied);
  if (!applied) return std::unexpected(applied.error());
  if (*applied) {
    OctetReader reader(as_octets(**applied));
    applied_index_ = reader.be64();
    if (!reader.complete()) return std::unexpected(damaged("the applied index has not 8 octets"));
  }
  const auto pruned = db_->get(Family::kMeta, kPruned);
  if (!pruned) return std::unexpected(pruned.error());
  if (*pruned) {
    OctetReader reader(as_octets(**pruned));
    lowest_height_ = reader.be64();
    lowest_leaf_ = reader.be64();
    if (!reader.complete()) return std::unexpected(damaged("the lowest height and leaf have not 16 octets"));
  }
  const auto tip_octets = db_->get(Family::kMeta, kTip);
  if (!tip_octets) return std::unexpected(tip_octets.error());
  if (!*tip_octets) return {};
  const auto newest = decode_block_header(as_octets(**tip_octets));
  if (!newest) return std::unexpected(damaged(newest.error()));
  const auto kept = header(newest->height);
  if (!kept) return std::unexpected(kept.error());
  if (*kept != *newest)
    return std::unexpected(damaged("block " + std::to_string(newest->height) + " is not the one it was"));
  tip_ = *newest;
  return {};
}

StoreResult LedgerStore::recover() {
  if (auto recovered = db_->recover(); !recovered) return recovered;
  return read_meta();
}

std::expected<bool, std::string> LedgerStore::mend() {
  if (!db_->stuck()) return false;
  if (auto recovered = recover(); !recovered) return std::unexpected(recovered.error());
  return true;
}

StoreResult LedgerStore::adopt(const std::string& folder, const std::string& keep_as) {
  const auto adopted = db_->adopt(folder, keep_as);
  const auto read = read_meta();
  return adopted ? read : adopted;
}

StoreResult LedgerStore::write(const BlockWrite& block) {
  rocksdb::WriteBatch batch;
  db_->put(batch, Family::kMeta, kApplied, key64(block.log_index));
  if (block.header) {
    db_->put(batch, Family::kMeta, kTip, encode_block_header(*block.header));
    db_->put(batch, Family::kBlocks, key64(block.header->height), block.record.SerializeAsString());
    for (std::size_t i = 0; i < block.leaves.size(); ++i) {
      db_->put(batch, Family::kBodies, key64(block.header->first_leaf + i),
               block.leaves[i].SerializeAsString());
    }
    for (const auto& [id, tile] : block.tiles)
      db_->put(batch, Family::kTiles, tile_key(id), encode_tile(tile));
    for (const auto& [key, value] : block.state) {
      const std::string in_bucket = bucket_prefix(state_bucket(as_octets(key))) + key;
      if (value) {
        db_->put(batch, Family::kState, state_key(key), *value);
        db_->put(batch, Family::kState, in_bucket, as_text(sha256({as_octets(*value)})));
      } else {
        db_->remove(batch, Family::kState, state_key(key));
        db_->remove(batch, Family::kState, in_bucket);
      }
    }
  }
  if (auto written = db_->write(batch); !written) return written;
  applied_index_ = block.log_index;
  if (block.header) tip_ = block.header;
  return {};
}

std::expected<std::optional<v1::BlockRecord>, std::string> LedgerStore::block(std::uint64_t height) const {
  const auto octets = db_->get(Family::kBlocks, key64(height));
  if (!octets) return std::unexpected(octets.error());
  if (!*octets) return std::nullopt;
  v1::BlockRecord record;
  if (!record.ParseFromString(**octets))
    return std::unexpected(damaged("block " + std::to_string(height) + " cannot be read"));
  return record;
}

std::expected<BlockHeader, std::string> LedgerStore::header(std::uint64_t height) const {
  const auto record = block(height);
  if (!record) return std::unexpected(record.error());
  if (!*record) return std::unexpected(broken("block " + std::to_string(height) + " is not there"));
  auto decoded = decode_block_header(as_octets((*record)->header()));
  if (!decoded) return std::unexpected(broken("block " + std::to_string(height) + ": " + decoded.error()));
  if (decoded->height != height)
    return std::unexpected(broken("block " + std::to_string(height) + " says that it is another"));
  return decoded;
}

std::expected<std::optional<v1::Leaf>, std::string> LedgerStore::leaf(std::uint64_t index) const {
  if (!tip_ || index >= tip_->tree_size) return std::nullopt;
  if (index < lowest_leaf_) return v1::Leaf();
  const auto octets = db_->get(Family::kBodies, key64(index));
  if (!octets) return std::unexpected(octets.error());
  v1::Leaf body;
  if (!*octets || !body.ParseFromString(**octets))
    return std::unexpected(damaged("leaf " + std::to_string(index) + " cannot be read"));
  return body;
}

StoreResult LedgerStore::put_checkpoint(std::uint64_t height, const std::string& note) {
  rocksdb::WriteBatch batch;
  db_->put(batch, Family::kCheckpoints, key64(height), note);
  return db_->write(batch);
}

std::expected<std::optional<std::string>, std::string> LedgerStore::checkpoint(std::uint64_t height) const {
  const std::string end = height == UINT64_MAX ? "" : key64(height + 1);
  auto found = db_->last(Family::kCheckpoints, "", end);
  if (!found) return std::unexpected(found.error());
  if (!*found) return std::nullopt;
  return std::move((*found)->second);
}

std::expected<std::optional<std::pair<std::uint64_t, std::string>>, std::string> LedgerStore::checkpoint_from(
    std::uint64_t height) const {
  std::optional<std::pair<std::uint64_t, std::string>> found;
  const auto scanned =
      db_->scan(Family::kCheckpoints, key64(height), "", [&](std::string_view key, std::string_view note) {
        found.emplace(OctetReader(as_octets(key)).be64(), note);
        return false;
      });
  if (!scanned) return std::unexpected(scanned.error());
  return found;
}

std::expected<std::optional<std::string>, std::string> LedgerStore::get(std::string_view key) const {
  return db_->get(Family::kState, state_key(key));
}

StoreResult LedgerStore::scan(
    std::string_view prefix,
    const std::function<bool(std::string_view key, std::string_view value)>& visit) const {
  const std::string from = state_key(prefix);
  return db_->scan(Family::kState, from, end_of_prefix(from),
                   [&](std::string_view key, std::string_view value) { return visit(key.substr(1), value); });
}

StoreResult LedgerStore::scan_bucket(std::uint16_t bucket, const Row& row) const {
  const std::string from = bucket_prefix(bucket);
  StoreResult result;
  const auto scanned =
      db_->scan(Family::kState, from, end_of_prefix(from), [&](std::string_view key, std::string_view value) {
        const auto hash = array_from<32>(value);
        if (!hash) {
          result = std::unexpected(damaged("a hash in state bucket " + std::to_string(bucket)));
          return false;
        }
        return row(as_octets(key.substr(from.size())), *hash);
      });
  return scanned ? result : scanned;
}

std::expected<Tile, std::string> LedgerStore::tile(TileId id) const {
  const auto octets = db_->get(Family::kTiles, tile_key(id));
  if (!octets) return std::unexpected(octets.error());
  const std::string name = "hash tile " + std::to_string(id.index) + " of level " + std::to_string(id.level);
  if (!*octets && id.level < 8 && (id.index + 1) <= lowest_leaf_ >> (8 * (id.level + 1)))
    return std::unexpected(name + " was pruned");
  auto tile = *octets ? decode_tile(as_octets(**octets)) : std::nullopt;
  if (tile) return *tile;
  if (*octets) return std::unexpected(damaged(name + " cannot be read"));
  // Others may have been pruned just now; the right edge, with which every start begins, never is.
  const bool edge =
      tip_ && tile_width(id, tip_->tree_size) > 0 && tile_width(id, tip_->tree_size) < kTileWidth;
  return std::unexpected(edge ? damaged(name + " is not there") : broken(name + " is not there"));
}

std::expected<std::optional<std::uint64_t>, std::string> LedgerStore::newest_that(
    const std::function<bool(const BlockHeader&)>& holds) const {
  if (!tip_) return std::nullopt;
  std::uint64_t low = lowest_height_;  // what is below holds
  std::uint64_t high = tip_->height + 1;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    const auto read = header(middle);
    if (!read) return std::unexpected(read.error());
    if (holds(*read))
      low = middle + 1;
    else
      high = middle;
  }
  if (low == lowest_height_) return std::nullopt;
  return low - 1;
}

std::expected<std::optional<std::uint64_t>, std::string> LedgerStore::height_of_leaf(
    std::uint64_t leaf) const {
  if (!tip_ || leaf >= tip_->tree_size || leaf < lowest_leaf_) return std::nullopt;
  // Blocks without leaves begin where the one behind them begins.
  return newest_that([leaf](const BlockHeader& block) { return block.first_leaf <= leaf; });
}

std::expected<std::optional<std::uint64_t>, std::string> LedgerStore::height_at(std::uint64_t time_ms) const {
  return newest_that([time_ms](const BlockHeader& block) { return block.time_ms <= time_ms; });
}

StoreResult LedgerStore::prune(std::uint64_t height) {
  if (height <= lowest_height_) return {};
  const auto newest = db_->last(Family::kCheckpoints, key64(height), "");
  if (!newest) return std::unexpected(newest.error());
  if (!*newest) {
    return std::unexpected("blocks below " + std::to_string(height) +
                           " cannot be pruned: there is no checkpoint at or above that height");
  }
  const auto first = header(height);
  if (!first) return std::unexpected(first.error());
  const std::uint64_t leaf = first->first_leaf;
  rocksdb::WriteBatch batch;
  db_->put(batch, Family::kMeta, kPruned, key64(height) + key64(leaf));
  db_->remove_range(batch, Family::kBlocks, key64(lowest_height_), key64(height));
  db_->remove_range(batch, Family::kBodies, key64(lowest_leaf_), key64(leaf));
  db_->remove_range(batch, Family::kCheckpoints, key64(0), key64(height));
  // Whole tiles whose last leaf is below: their hash stands in the tile above (C2SP tlog-tiles, "Pruning").
  for (unsigned level = 0; level < 7; ++level) {
    const std::uint64_t gone = lowest_leaf_ >> (8 * (level + 1));
    const std::uint64_t tiles = leaf >> (8 * (level + 1));
    if (tiles > gone)
      db_->remove_range(batch, Family::kTiles, tile_key({level, gone}), tile_key({level, tiles}));
  }
  if (auto written = db_->write(batch); !written) return written;
  lowest_height_ = height;
  lowest_leaf_ = leaf;
  return {};
}

std::expected<std::uint64_t, std::string> LedgerStore::thin_checkpoints(std::uint64_t from,
                                                                        std::uint64_t before_ms,
                                                                        std::uint64_t spacing_ms,
                                                                        std::size_t most) {
  std::vector<std::uint64_t> heights;
  const auto scanned = db_->scan(Family::kCheckpoints, key64(std::max(from, lowest_height_)), "",
                                 [&](std::string_view key, std::string_view) {
                                   heights.push_back(OctetReader(as_octets(key)).be64());
                                   return heights.size() <= most;
                                 });
  if (!scanned) return std::unexpected(scanned.error());
  const bool more = heights.size() > most;
  heights.resize(std::min(heights.size(), most));
  rocksdb::WriteBatch batch;
  std::optional<std::uint64_t> span;  // of the newest that is kept
  std::uint64_t next = 0;
  bool young = false;
  for (const std::uint64_t height : heights) {
    const auto block = header(height);
    if (!block) return std::unexpected(block.error());
    young = block->time_ms >= before_ms;
    if (young) break;
    if (span == block->time_ms / spacing_ms) {
      db_->remove(batch, Family::kCheckpoints, key64(height));
    } else {
      span = block->time_ms / spacing_ms;
      next = height;
    }
  }
  if (batch.Count() > 0) {
    if (auto written = db_->write(batch); !written) return std::unexpected(written.error());
  }
  return more && !young ? next : 0;
}

StoreResult LedgerStore::erase_leaves(std::span<const std::uint64_t> leaves) {
  rocksdb::WriteBatch batch;
  for (const std::uint64_t index : leaves) {
    if (tip_ && index >= lowest_leaf_ && index < tip_->tree_size)
      db_->put(batch, Family::kBodies, key64(index), "");
  }
  return db_->write(batch);
}

}  // namespace swarmdns::controlplane
