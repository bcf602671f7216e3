// What applying the log needs of the store (ledger/store.h): the tip, the state, tiles, and one atomic write
// an entry. In unit tests a store in memory. Reactor thread.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/ledger/block.h"
#include "controlplane/ledger/state_tree.h"
#include "controlplane/ledger/tiles.h"
#include "controlplane/state/state_view.h"
#include "swarmdns/v1/ledger.pb.h"

namespace swarmdns::controlplane {

// Everything one applied entry of the log leaves behind: written whole or not at all.
struct BlockWrite {
  std::uint64_t log_index = 0;        // applied up to here
  std::optional<BlockHeader> header;  // none: the entry made no block, and all below is empty
  v1::BlockRecord record;
  std::vector<v1::Leaf> leaves;  // in the order of record.commitments
  std::map<TileId, Tile> tiles;
  StateView::Changes state;
};

// The state by key and by bucket, blocks, leaves, tiles, checkpoints. Reads see what was written before.
// Errors are sentences.
class ChainStore : public StateSource, public StateReader, public TileReader {
 public:
  virtual std::uint64_t applied_index() const = 0;
  // The newest block; nothing before the genesis.
  virtual std::optional<BlockHeader> tip() const = 0;

  // Not synced: the log is, and is replayed.
  virtual std::expected<void, std::string> write(const BlockWrite& block) = 0;
  // Opens the store again if writing has failed for good. True: it did; what was read before is to be read
  // anew (Chain::reopen), as the write that failed may turn out to be there.
  virtual std::expected<bool, std::string> mend() { return false; }
  // What was found here that is not what was written, the first of it; "" = nothing. The store goes on being
  // read and written as far as it can be.
  virtual std::string damage() const { return ""; }
  virtual void note_damage(const std::string& /*what*/) {}
  // What was written up to now survives a loss of power.
  virtual std::expected<void, std::string> sync() = 0;

  virtual std::expected<std::optional<v1::BlockRecord>, std::string> block(std::uint64_t height) const = 0;
  // Nothing: no such leaf. An empty one: erased, or pruned.
  virtual std::expected<std::optional<v1::Leaf>, std::string> leaf(std::uint64_t index) const = 0;

  // A signed note, with a majority of cosignatures, at the height of its checkpoint.
  virtual std::expected<void, std::string> put_checkpoint(std::uint64_t height, const std::string& note) = 0;
  // The newest at or below `height`.
  virtual std::expected<std::optional<std::string>, std::string> checkpoint(std::uint64_t height) const = 0;
};

}  // namespace swarmdns::controlplane
