#include "controlplane/chain/chain.h"

#include <algorithm>
#include <cstring>

#include "controlplane/chain/draft.h"

namespace swarmdns::controlplane {
namespace {

std::expected<void, std::string> check_version(const StateView& state) {
  const auto swarm = read<v1::SwarmRecord>(state, keys::kSwarm);
  if (!swarm || (swarm->version() >= kOldestVersion && swarm->version() <= kVersion)) return {};
  return std::unexpected("the swarm is at version " + std::to_string(swarm->version()) +
                         ", this program knows " + std::to_string(kOldestVersion) + " to " +
                         std::to_string(kVersion) +
                         ": install the program of the other members and start it again");
}

}  // namespace

std::expected<std::unique_ptr<Chain>, std::string> Chain::open(ChainStore& store) {
  std::unique_ptr<Chain> chain(new Chain(store));
  if (auto opened = chain->reopen(); !opened) return std::unexpected(opened.error());
  return chain;
}

std::expected<void, std::string> Chain::reopen() {
  tip_ = store_.tip();
  tip_hash_ = tip_ ? block_hash(*tip_) : Hash{};
  if (tip_) {
    swarm_ = tip_->swarm;
    incarnation_ = tip_->incarnation;
  }
  auto tree = TileWriter::read(store_, tip_ ? tip_->tree_size : 0);
  if (!tree) return std::unexpected(tree.error());
  tree_ = std::move(*tree);
  auto state_tree = StateTree::read(store_);
  if (!state_tree) return std::unexpected(state_tree.error());
  state_tree_ = std::move(*state_tree);
  if (!tip_) return {};
  if (auto known = check_version(state()); !known) return known;
  std::string differs;
  if (tree_.root() != tip_->tree_root) differs = "the ledger's tree is not that of its newest block";
  if (state_tree_.root() != tip_->state_root) differs = "the ledger's state is not that of its newest block";
  if (differs.empty()) return {};
  store_.note_damage(differs);
  return std::unexpected(differs);
}

std::expected<void, std::string> Chain::apply(std::uint64_t index, std::span<const std::byte> entry) {
  if (index <= store_.applied_index()) return {};
  v1::Proposal proposal;
  Draft draft(*this);
  if (!proposal.ParseFromArray(entry.data(), static_cast<int>(entry.size()))) {
    ++draft.counted.malformed_entries;
  } else {
    draft.begin(proposal.leader_wall_ms());
    for (const v1::Bundle& bundle : proposal.bundles()) {
      if (const auto input = input_of(bundle)) {
        take_bundle(draft, *input);
      } else {
        ++draft.counted.refused_bundles;
      }
    }
  }
  if (auto finished = finish(draft, index); !finished) return finished;
  return commit(draft);
}

// Judged as if it came from the log; a block whose makers judged otherwise comes out with another hash.
std::expected<void, std::string> Chain::replay(const v1::FullBlock& block) {
  const auto header = decode_block_header(as_octets(block.record().header()));
  if (!header) return std::unexpected("block: " + header.error());
  if (tip_) {
    if (auto linked = check_block_link(*tip_, *header); !linked) return linked;
  } else if (header->height != 1) {
    return std::unexpected("block " + std::to_string(header->height) + " cannot be the first");
  }
  auto bundles = inputs_of(block);
  if (!bundles) return std::unexpected(bundles.error());
  Draft draft(*this);
  draft.begin(header->time_ms);
  for (const BundleInput& bundle : *bundles) take_bundle(draft, bundle);
  if (auto finished = finish(draft, block.record().log_index()); !finished) return finished;
  if (!draft.write.header || *draft.write.header != *header) {
    return std::unexpected("block " + std::to_string(header->height) +
                           " does not come out of its transactions as it was sent");
  }
  return commit(draft);
}

void Chain::take_bundle(Draft& draft, const BundleInput& bundle) {
  const auto refuse = [&] { ++draft.counted.refused_bundles; };
  // Only the genesis founds a chain, and it stands alone.
  const bool founding = !tip_ && draft.applied.bundles.empty();
  if (!founding && draft.founded) return refuse();
  const auto maker = founding ? founder_of(bundle) : maker_of(draft.view, bundle.node, *this);
  const auto signature = array_from<std::tuple_size_v<Signature>>(bundle.signature);
  if (!maker || !signature) return refuse();
  if (!verify_bundle({maker->swarm, maker->incarnation, bundle.node, bundle.number}, bundle.commitments,
                     *signature, maker->key))
    return refuse();

  if (founding) {
    draft.founded = true;
    draft.swarm = maker->swarm;
    draft.incarnation = maker->incarnation;
  } else if (!admit_bundle(draft.view, bundle.node, bundle.number)) {
    return refuse();
  }
  v1::BundleRecord& record = *draft.write.record.add_bundles();
  record.set_node(bundle.node);
  record.set_number(bundle.number);
  record.set_signature(bundle.signature);
  record.set_count(static_cast<std::uint32_t>(bundle.leaves.size()));
  draft.applied.bundles.push_back({bundle.node, bundle.number, bundle.signature, {}});
  for (std::size_t i = 0; i < bundle.leaves.size(); ++i) judge(draft, bundle, i);
}

void Chain::judge(Draft& draft, const BundleInput& bundle, std::size_t position) {
  JudgedTransaction& judged = draft.applied.bundles.back().transactions.emplace_back();
  const v1::Leaf* leaf = bundle.leaves[position];
  const BlockPlace place{draft.header.height, draft.header.time_ms, draft.tree.size(),
                         draft.founded ? 0 : bundle.node};
  std::expected<void, std::string> done = std::unexpected("it cannot be read");
  draft.view.savepoint();
  if (leaf == nullptr) {
    done = std::unexpected(bundle.refusals[position]);
  } else if (judged.content.ParseFromString(leaf->transaction())) {
    done = apply_transaction(draft.view, place, judged.content);
  }
  const Hash& commitment = bundle.commitments[position];
  if (!done) {
    draft.view.rollback();
    judged.refusal = done.error();
    v1::BundleRecord& record = *draft.write.record.mutable_bundles()->rbegin();
    record.add_refused(static_cast<std::uint32_t>(position));
    record.add_refusals(done.error());
    record.add_refused_commitments(as_string(commitment));
    ++draft.counted.refused_transactions;
    return;
  }
  draft.view.forget();
  judged.leaf = draft.tree.size();
  draft.tree.append(merkle_leaf_hash(commitment));
  draft.write.record.add_commitments(as_string(commitment));
  draft.write.leaves.push_back(*leaf);
  ++draft.counted.transactions;
}

std::expected<void, std::string> Chain::finish(Draft& draft, std::uint64_t log_index) {
  draft.write.log_index = log_index;
  const bool anything = !draft.applied.bundles.empty();
  // A first block without its genesis is none.
  if (!anything || (draft.founded && draft.write.leaves.size() != 1)) {
    draft.drop();
    return {};
  }
  forget_old(draft.view, draft.header.time_ms);
  if (const std::string& failure = draft.view.failure(); !failure.empty()) return std::unexpected(failure);
  // Better halted than with another state than the others'.
  if (auto known = check_version(draft.view); !known) return known;

  std::set<std::uint16_t> touched;
  for (const auto& [key, value] : draft.view.changes()) touched.insert(state_bucket(as_octets(key)));
  auto change = state_tree_.prepare(ViewBuckets(store_, draft.view), touched);
  if (!change) return std::unexpected(change.error());
  draft.state_change = std::move(*change);

  BlockHeader& header = draft.header;
  header.swarm = draft.swarm;
  header.incarnation = draft.incarnation;
  header.leaf_count = static_cast<std::uint32_t>(draft.write.leaves.size());
  header.tree_size = draft.tree.size();
  header.tree_root = draft.tree.root();
  header.state_root = draft.state_change.root;
  draft.write.header = header;
  draft.write.record.set_header(encode_block_header(header));
  draft.write.record.set_log_index(log_index);
  draft.write.tiles = draft.tree.take_changed();
  draft.write.state = draft.view.changes();
  return {};
}

std::expected<void, std::string> Chain::commit(Draft& draft) {
  if (auto written = store_.write(draft.write); !written) return written;
  draft.add_counts(counters_);
  if (!draft.write.header) return {};
  tip_ = *draft.write.header;
  tip_hash_ = block_hash(*tip_);
  swarm_ = tip_->swarm;
  incarnation_ = tip_->incarnation;
  tree_ = std::move(draft.tree);
  state_tree_.commit(draft.state_change);
  ++counters_.blocks;
  draft.applied.header = *tip_;
  draft.applied.hash = tip_hash_;
  draft.applied.state = std::move(draft.write.state);
  for (const Listener& listener : listeners_) listener(draft.applied);
  return {};
}

}  // namespace swarmdns::controlplane
