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
  explicit Draft(const Chain& chain)
      : view(chain.store_), tree(chain.tree_), swarm(chain.swarm_), incarnation(chain.incarnation_), chain(chain) {}

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

  StateView view;
  TileWriter tree;
  SwarmId swarm;
  std::uint32_t incarnation;
  const Chain& chain;
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

inline Bytes octets_of(std::string_view text) {
  return as_octets(text);
}
inline std::string text_of(const Hash& hash) {
  return as_string(hash);
}

// Of each leaf; false when a leaf's salt is none, or there are none or too many.
bool commitments_of(const v1::Bundle& bundle, std::vector<Hash>& commitments);

// By which swarm and key a bundle's signature is to be checked.
struct Maker {
  SwarmId swarm{};
  std::uint32_t incarnation = 0;
  PublicKey key{};
};
// A member, by its number.
std::optional<Maker> maker_of(const StateView& state, std::uint64_t node, const Chain& chain);
// The genesis in the bundle itself names its swarm and its first member's key.
std::optional<Maker> founder_of(const v1::Bundle& bundle);

// The bundles of a block as they were proposed: leaves with their salts, and commitments only for what was refused or
// erased - such a block cannot be judged anew: the error says so.
std::expected<std::vector<v1::Bundle>, std::string> bundles_of(const v1::FullBlock& block);

}  // namespace swarmdns::controlplane
