// Bundles: how they are made, and what they say of themselves.
#include <algorithm>

#include "controlplane/chain/draft.h"

namespace swarmdns::controlplane {

v1::Bundle make_bundle(const BundleId& id, std::vector<v1::Leaf> leaves, const SecretKey& key) {
  v1::Bundle bundle;
  bundle.set_node(id.node);
  bundle.set_number(id.number);
  for (v1::Leaf& leaf : leaves) *bundle.add_leaves() = std::move(leaf);
  if (const auto input = input_of(bundle))
    bundle.set_signature(std::string(as_text(sign_bundle(id, input->commitments, key))));
  return bundle;
}

std::optional<BundleInput> input_of(const v1::Bundle& bundle) {
  const auto count = static_cast<std::size_t>(bundle.leaves_size());
  if (count == 0 || count > kBundleMost) return std::nullopt;
  BundleInput input{bundle.node(), bundle.number(), bundle.signature(), {}, {}, {}};
  input.commitments.reserve(count);
  input.leaves.reserve(count);
  input.refusals.resize(count);
  for (const v1::Leaf& leaf : bundle.leaves()) {
    const auto salt = array_from<std::tuple_size_v<Salt>>(leaf.salt());
    if (!salt) return std::nullopt;
    input.commitments.push_back(leaf_commitment(*salt, as_octets(leaf.transaction())));
    input.leaves.push_back(&leaf);
  }
  return input;
}

std::expected<std::vector<BundleInput>, std::string> inputs_of(const v1::FullBlock& block) {
  const v1::BlockRecord& record = block.record();
  const auto contradiction = [] { return std::unexpected("the block's record contradicts itself"); };
  if (block.leaves_size() != record.commitments_size()) return contradiction();
  std::vector<BundleInput> inputs;
  int next = 0;  // leaf of the block
  for (const v1::BundleRecord& bundle : record.bundles()) {
    if (bundle.count() == 0 || bundle.count() > kBundleMost) return contradiction();
    if (bundle.refused_size() != bundle.refusals_size() ||
        bundle.refused_size() != bundle.refused_commitments_size())
      return contradiction();
    BundleInput& input = inputs.emplace_back();
    input.node = bundle.node();
    input.number = bundle.number();
    input.signature = bundle.signature();
    int refused = 0;
    for (std::uint32_t i = 0; i < bundle.count(); ++i) {
      if (refused < bundle.refused_size() && bundle.refused(refused) == i) {
        const auto commitment = array_from<32>(bundle.refused_commitments(refused));
        if (!commitment) return contradiction();
        input.commitments.push_back(*commitment);
        input.leaves.push_back(nullptr);
        input.refusals.push_back(bundle.refusals(refused++));
        continue;
      }
      if (next >= block.leaves_size()) return contradiction();
      const v1::Leaf& leaf = block.leaves(next++);
      const auto salt = array_from<std::tuple_size_v<Salt>>(leaf.salt());
      if (!salt) return std::unexpected("a transaction of it was erased; its effect is in the state only");
      input.commitments.push_back(leaf_commitment(*salt, as_octets(leaf.transaction())));
      input.leaves.push_back(&leaf);
      input.refusals.emplace_back();
    }
    if (refused != bundle.refused_size()) return contradiction();
  }
  if (next != block.leaves_size()) return contradiction();
  return inputs;
}

std::optional<Maker> maker_of(const StateView& state, std::uint64_t node, const Chain& chain) {
  const auto member = read<v1::MemberRecord>(state, keys::of(keys::kMembers, node));
  if (!member || member->removed_height() != 0) return std::nullopt;
  const auto key = array_from<std::tuple_size_v<PublicKey>>(member->ledger_key());
  if (!key) return std::nullopt;
  return Maker{chain.swarm_id(), chain.incarnation(), *key};
}

std::optional<Maker> founder_of(const BundleInput& bundle) {
  v1::Transaction transaction;
  if (bundle.leaves.size() != 1 || bundle.leaves[0] == nullptr ||
      !transaction.ParseFromString(bundle.leaves[0]->transaction()) || !transaction.has_genesis())
    return std::nullopt;
  const v1::Genesis& genesis = transaction.genesis();
  const auto swarm = array_from<std::tuple_size_v<SwarmId>>(genesis.swarm_id());
  const auto key = array_from<std::tuple_size_v<PublicKey>>(genesis.first().ledger_key());
  if (!swarm || !key) return std::nullopt;
  return Maker{*swarm, genesis.incarnation(), *key};
}

ViewBuckets::ViewBuckets(const StateReader& below, const StateView& view) : below_(below) {
  for (const auto& [key, value] : view.changes()) changed_[state_bucket(as_octets(key))][key] = &value;
}

std::expected<void, std::string> ViewBuckets::scan_bucket(std::uint16_t bucket, const Row& row) const {
  const auto of_bucket = changed_.find(bucket);
  if (of_bucket == changed_.end()) return below_.scan_bucket(bucket, row);
  // Both in order: a merge in which what was changed hides what lies below.
  auto next = of_bucket->second.begin();
  const auto end = of_bucket->second.end();
  bool ended = false;
  const auto show = [&] {
    const auto& [key, value] = *next++;
    if (*value && !row(as_octets(key), sha256({as_octets(**value)}))) ended = true;
  };
  auto scanned = below_.scan_bucket(bucket, [&](Bytes key, const Hash& value_hash) {
    while (!ended && next != end && next->first < as_text(key)) show();
    if (ended) return false;
    if (next != end && next->first == as_text(key)) {
      show();
    } else if (!row(key, value_hash)) {
      ended = true;
    }
    return !ended;
  });
  while (scanned && !ended && next != end) show();
  return scanned;
}

}  // namespace swarmdns::controlplane
