// A block in the making, and what bundles say of themselves before they are believed. Of chain.cc alone.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "controlplane/chain/chain.h"
#include "controlplane/state/apply.h"
#include "controlplane/state/keys.h"

namespace swarmdns::controlplane {

struct Chain::Draft {
  explicit Draft(const Chain& on)
      : chain(on), view(on.store_), tree(on.tree_), swarm(on.swarm_), incarnation(on.incarnation_) {}

  void begin(std::uint64_t leader_wall_ms) {
    header.height = chain.height() + 1;
    header.previous = chain.tip_hash_;
    header.time_ms = chain.tip_ ? std::max(chain.tip_->time_ms, leader_wall_ms) : leader_wall_ms;
    header.first_leaf = tree.size();
  }
  // Nothing came of the entry but that it was applied.
  void drop() {
    const std::uint64_t log_index = write.log_index;
    write = {};
    write.log_index = log_index;
    counted.transactions = 0;
  }
  void add_counts(ChainCounters& to) const {
    to.transactions += counted.transactions;
    to.refused_transactions += counted.refused_transactions;
    to.refused_bundles += counted.refused_bundles;
    to.malformed_entries += counted.malformed_entries;
  }

  const Chain& chain;
  StateView view;
  TileWriter tree;
  SwarmId swarm;
  std::uint32_t incarnation;
  BlockHeader header;
  BlockWrite write;
  AppliedBlock applied;
  StateTreeChange state_change;
  ChainCounters counted;
  bool founded = false;  // by the bundle taken first: nothing else belongs into this block
};

// The state with a view's changes, bucket by bucket.
class ViewBuckets final : public StateReader {
 public:
  ViewBuckets(const StateReader& below, const StateView& view);
  std::expected<void, std::string> scan_bucket(std::uint16_t bucket, const Row& row) const override;

 private:
  const StateReader& below_;
  std::map<std::uint16_t, std::map<std::string_view, const std::optional<std::string>*>> changed_;
};

// A bundle as it is judged: of the log with all its leaves, of a block that is judged again without those
// that were refused (they had no effect; their commitments are there for the signature).
struct BundleInput {
  NodeId node = 0;
  std::uint64_t number = 0;
  std::string signature;
  std::vector<Hash> commitments;
  std::vector<const v1::Leaf*> leaves;  // null: refused
  std::vector<std::string> refusals;    // of the null ones, "" of the others
};
// Nothing: a salt that is none, no leaves or too many.
std::optional<BundleInput> input_of(const v1::Bundle& bundle);
// The error: the record contradicts itself, or a leaf was erased, so that the block cannot be judged again.
// `block` outlives it.
std::expected<std::vector<BundleInput>, std::string> inputs_of(const v1::FullBlock& block);

// By which swarm and key a bundle's signature is to be checked.
struct Maker {
  SwarmId swarm{};
  std::uint32_t incarnation = 0;
  PublicKey key{};
};
// A member, by its number.
std::optional<Maker> maker_of(const StateView& state, std::uint64_t node, const Chain& chain);
// The genesis in the bundle itself names its swarm and its first member's key.
std::optional<Maker> founder_of(const BundleInput& bundle);

}  // namespace swarmdns::controlplane
