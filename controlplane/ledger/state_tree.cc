#include "controlplane/ledger/state_tree.h"

#include <map>

namespace swarmdns::controlplane {
namespace {

constexpr std::byte kBucket{0x02};
constexpr std::byte kNode{0x03};

Hash interior(const Hash& left, const Hash& right) {
  return sha256({Bytes(&kNode, 1), left, right});
}

}  // namespace

std::uint16_t state_bucket(Bytes key) {
  const Hash hash = sha256({key});
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(hash[0]) << 4 |
                                    std::to_integer<unsigned>(hash[1]) >> 4);
}

std::expected<Hash, std::string> state_bucket_hash(const StateReader& reader, std::uint16_t bucket) {
  Sha256 hash;
  hash.add(Bytes(&kBucket, 1));
  bool empty = true;
  const auto scanned = reader.scan_bucket(bucket, [&](Bytes key, const Hash& value_hash) {
    empty = false;
    std::string length;
    append_be32(length, static_cast<std::uint32_t>(key.size()));
    hash.add(as_octets(length));
    hash.add(key);
    hash.add(value_hash);
    return true;
  });
  if (!scanned) return std::unexpected(scanned.error());
  return empty ? Hash{} : hash.finish();
}

StateTree::StateTree() : nodes_(std::size_t{2} * kStateBuckets) {
  for (unsigned node = kStateBuckets - 1; node > 0; --node)
    nodes_[node] = interior(nodes_[2 * node], nodes_[2 * node + 1]);
}

std::expected<StateTree, std::string> StateTree::read(const StateReader& reader) {
  StateTree tree;
  std::set<std::uint16_t> all;
  for (unsigned bucket = 0; bucket < kStateBuckets; ++bucket)
    all.insert(all.end(), static_cast<std::uint16_t>(bucket));
  const auto change = tree.prepare(reader, all);
  if (!change) return std::unexpected(change.error());
  tree.commit(*change);
  return tree;
}

std::expected<StateTreeChange, std::string> StateTree::prepare(const StateReader& reader,
                                                               const std::set<std::uint16_t>& touched) const {
  StateTreeChange change{root(), {}};
  std::map<std::uint32_t, Hash> level;  // changed nodes of one level
  for (const std::uint16_t bucket : touched) {
    const auto hash = state_bucket_hash(reader, bucket);
    if (!hash) return std::unexpected(hash.error());
    if (*hash != bucket_hash(bucket)) level.emplace_hint(level.end(), kStateBuckets + bucket, *hash);
  }
  while (!level.empty()) {
    change.nodes.insert(change.nodes.end(), level.begin(), level.end());
    std::map<std::uint32_t, Hash> above;
    const auto changed = [&](std::uint32_t node) -> const Hash& {
      const auto found = level.find(node);
      return found == level.end() ? nodes_[node] : found->second;
    };
    for (const auto& [node, hash] : level) {
      if (node == 1) {
        change.root = hash;
        return change;
      }
      const std::uint32_t parent = node / 2;
      if (above.contains(parent)) continue;
      above.emplace_hint(above.end(), parent, interior(changed(2 * parent), changed(2 * parent + 1)));
    }
    level = std::move(above);
  }
  return change;
}

void StateTree::commit(const StateTreeChange& change) {
  for (const auto& [node, hash] : change.nodes) nodes_[node] = hash;
}

}  // namespace swarmdns::controlplane
