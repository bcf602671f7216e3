// The ledger as a node keeps it: blocks, bodies, tiles, state and checkpoints in one RocksDB, one atomic
// write an entry of the log. Errors are sentences that name the file or record. Reactor thread, but for
// copy_to().
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "controlplane/chain/chain_store.h"
#include "controlplane/ledger/store_db.h"

namespace swarmdns::controlplane {

class LedgerStore final : public ChainStore {
 public:
  // A damaged store, one of another format: an error that says so.
  static std::expected<std::unique_ptr<LedgerStore>, StoreFault> open(StoreOptions options);

  // --- ChainStore ---
  std::uint64_t applied_index() const override { return applied_index_; }
  std::optional<BlockHeader> tip() const override { return tip_; }
  StoreResult write(const BlockWrite& block) override;
  StoreResult sync() override { return db_->sync(); }
  std::expected<bool, std::string> mend() override;
  std::string damage() const override { return db_->damage(); }  // any thread, and so is the next
  void note_damage(const std::string& what) override { db_->note_damage(what); }
  std::expected<std::optional<v1::BlockRecord>, std::string> block(std::uint64_t height) const override;
  std::expected<std::optional<v1::Leaf>, std::string> leaf(std::uint64_t index) const override;
  StoreResult put_checkpoint(std::uint64_t height, const std::string& note) override;
  std::expected<std::optional<std::string>, std::string> checkpoint(std::uint64_t height) const override;

  // --- StateSource, StateReader, TileReader ---
  std::expected<std::optional<std::string>, std::string> get(std::string_view key) const override;
  StoreResult scan(
      std::string_view prefix,
      const std::function<bool(std::string_view key, std::string_view value)>& visit) const override;
  StoreResult scan_bucket(std::uint16_t bucket, const Row& row) const override;
  std::expected<Tile, std::string> tile(TileId id) const override;

  // The oldest at or above `height`, with its height.
  std::expected<std::optional<std::pair<std::uint64_t, std::string>>, std::string> checkpoint_from(
      std::uint64_t height) const;

  // The lowest height and leaf that are kept; 1 and 0 when nothing was pruned.
  std::uint64_t lowest_height() const { return lowest_height_; }
  std::uint64_t lowest_leaf() const { return lowest_leaf_; }
  // Of a block that is kept.
  std::expected<BlockHeader, std::string> header(std::uint64_t height) const;
  // The block that a leaf is in, the newest block not after a time. nullopt: pruned, or none.
  std::expected<std::optional<std::uint64_t>, std::string> height_of_leaf(std::uint64_t leaf) const;
  std::expected<std::optional<std::uint64_t>, std::string> height_at(std::uint64_t time_ms) const;

  // Forgets blocks and bodies below `height`, and the tiles that only they need: the tree's shape stays, and
  // what is kept can still be proved. Error: there is no checkpoint at or above `height`.
  StoreResult prune(std::uint64_t height);
  // Of the checkpoints of heights from `from` on, of blocks before `before_ms`, keeps the first of each
  // `spacing_ms` of time. Looks at `most`; the height to go on from, 0: there are no more.
  std::expected<std::uint64_t, std::string> thin_checkpoints(std::uint64_t from, std::uint64_t before_ms,
                                                             std::uint64_t spacing_ms, std::size_t most);
  // Salt and transaction of these leaves; the commitments stay in the blocks. They are gone from the files
  // only after scrub(), and from copies (copy_to) and the log not at all.
  StoreResult erase_leaves(std::span<const std::uint64_t> leaves);
  // Takes long. Any thread.
  StoreResult scrub() { return db_->scrub(); }

  // After an error of write() that does not go away by itself: opens the store again. What was read before is
  // to be read anew (Chain::reopen), as the failed write may turn out to be there; a SegmentStore on it is to
  // be made anew.
  StoreResult recover();
  // Takes another ledger's folder in place of this one's; read_meta() and Chain::reopen() find what it holds.
  // When it fails, this one stands as it was. `keep_as`: where this one goes; "": it is removed.
  StoreResult adopt(const std::string& folder, const std::string& keep_as = "");
  // Copies what is applied to a new folder. Any thread.
  StoreResult copy_to(const std::string& path) const { return db_->copy_to(path); }

  StoreDb& db() { return *db_; }
  const StoreDb& db() const { return *db_; }

 private:
  explicit LedgerStore(std::unique_ptr<StoreDb> db) : db_(std::move(db)) {}
  StoreResult read_meta();
  std::string broken(const std::string& what) const;
  // The same of what was read whole and cannot be what was written.
  std::string damaged(const std::string& what) const;
  // The newest height whose header satisfies a condition that holds for the lower ones; nullopt: for none.
  std::expected<std::optional<std::uint64_t>, std::string> newest_that(
      const std::function<bool(const BlockHeader&)>& holds) const;

  std::unique_ptr<StoreDb> db_;
  std::uint64_t applied_index_ = 0;
  std::optional<BlockHeader> tip_;
  std::uint64_t lowest_height_ = 1;
  std::uint64_t lowest_leaf_ = 0;
};

}  // namespace swarmdns::controlplane
