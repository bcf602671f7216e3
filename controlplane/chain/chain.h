// The chain of blocks on this node: judges what the log has committed, and makes of each entry at most one
// block, alike on every node. The consumer of ReplicatedLog, and, fed by a follower (follower.h), of whole
// blocks. Reactor thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "controlplane/chain/chain_store.h"
#include "controlplane/core/peer_link.h"
#include "controlplane/ledger/state_tree.h"
#include "controlplane/ledger/tiles.h"
#include "controlplane/state/state_view.h"
#include "swarmdns/v1/state.pb.h"

namespace swarmdns::controlplane {

// A transaction of an applied bundle, with the verdict on it.
struct JudgedTransaction {
  std::uint64_t leaf = 0;  // when it was accepted
  std::string refusal;     // "" = accepted
  v1::Transaction content;
};

struct AppliedBundle {
  NodeId node = 0;
  std::uint64_t number = 0;
  std::string signature;
  std::vector<JudgedTransaction> transactions;
};

struct AppliedBlock {
  BlockHeader header;
  Hash hash{};
  std::vector<AppliedBundle> bundles;
  StateView::Changes state;  // keys that it wrote or erased

  // Whether it wrote or erased a key that begins so.
  bool touches(std::string_view prefix) const {
    const auto at = state.lower_bound(prefix);
    return at != state.end() && at->first.starts_with(prefix);
  }
};

struct ChainCounters {
  std::uint64_t blocks = 0;
  std::uint64_t transactions = 0;
  std::uint64_t refused_transactions = 0;
  std::uint64_t refused_bundles = 0;  // signature, number, maker
  std::uint64_t malformed_entries = 0;
};

struct BundleInput;

class Chain {
 public:
  // Who listens; called after the block is in the store, in the order of subscription. A listener changes
  // nothing here.
  using Listener = std::function<void(const AppliedBlock&)>;

  // At the tip of `store`, which must outlive it. The error is a sentence.
  static std::expected<std::unique_ptr<Chain>, std::string> open(ChainStore& store);

  void subscribe(Listener listener) { listeners_.push_back(std::move(listener)); }

  // Entry number `index` of the log. What was applied before is passed over. An error: the store cannot be
  // read or written; nothing was changed, and the same entry may be tried again.
  std::expected<void, std::string> apply(std::uint64_t index, std::span<const std::byte> entry);

  // A block that others have made, at its place on top of the tip: everything is judged anew and must come
  // out the same. The error says what does not.
  std::expected<void, std::string> replay(const v1::FullBlock& block);

  // After the store's content was replaced (installed from a peer).
  std::expected<void, std::string> reopen();

  // Nothing: before the genesis.
  const std::optional<BlockHeader>& tip() const { return tip_; }
  const Hash& tip_hash() const { return tip_hash_; }
  std::uint64_t height() const { return tip_ ? tip_->height : 0; }
  std::uint64_t applied_index() const { return store_.applied_index(); }
  const SwarmId& swarm_id() const { return swarm_; }
  std::uint32_t incarnation() const { return incarnation_; }

  // The state as of the tip; for one handler.
  StateView state() const { return StateView(store_); }
  ChainStore& store() { return store_; }
  const ChainCounters& counters() const { return counters_; }

 private:
  // A block in the making.
  struct Draft;

  explicit Chain(ChainStore& store) : store_(store) {}
  void take_bundle(Draft& draft, const BundleInput& bundle);
  void judge(Draft& draft, const BundleInput& bundle, std::size_t position);
  std::expected<void, std::string> finish(Draft& draft, std::uint64_t log_index);
  std::expected<void, std::string> commit(Draft& draft);

  ChainStore& store_;
  std::vector<Listener> listeners_;
  std::optional<BlockHeader> tip_;
  Hash tip_hash_{};
  SwarmId swarm_{};
  std::uint32_t incarnation_ = 0;
  TileWriter tree_;
  StateTree state_tree_;
  ChainCounters counters_;
};

// Signs transactions that a node makes at once: 1 to kBundleMost, each with its salt.
v1::Bundle make_bundle(const BundleId& id, std::vector<v1::Leaf> leaves, const SecretKey& key);

}  // namespace swarmdns::controlplane
