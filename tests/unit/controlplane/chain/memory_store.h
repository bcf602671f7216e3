// A store in memory, and a swarm's first nodes' keys.
#pragma once

#include <map>
#include <string>

#include "controlplane/chain/chain.h"

namespace swarmdns::controlplane {

class MemoryStore final : public ChainStore {
 public:
  std::expected<std::optional<std::string>, std::string> get(std::string_view key) const override {
    const auto at = state.find(key);
    if (at == state.end()) return std::nullopt;
    return at->second;
  }
  std::expected<void, std::string> scan(
      std::string_view prefix,
      const std::function<bool(std::string_view, std::string_view)>& visit) const override {
    for (auto at = state.lower_bound(prefix); at != state.end() && at->first.starts_with(prefix); ++at) {
      if (!visit(at->first, at->second)) break;
    }
    return {};
  }
  std::expected<void, std::string> scan_bucket(std::uint16_t bucket, const Row& row) const override {
    for (const auto& [key, value] : state) {
      if (state_bucket(as_octets(key)) == bucket && !row(as_octets(key), sha256({as_octets(value)}))) break;
    }
    return {};
  }
  std::expected<Tile, std::string> tile(TileId id) const override {
    const auto at = tiles.find(id);
    if (at == tiles.end()) return std::unexpected("there is no such tile");
    return at->second;
  }
  std::string damage() const override { return found; }
  void note_damage(const std::string& what) override { found = what; }
  std::uint64_t applied_index() const override { return applied; }
  std::optional<BlockHeader> tip() const override { return newest; }
  std::expected<void, std::string> write(const BlockWrite& block) override {
    if (!failure.empty()) return std::unexpected(failure);
    applied = block.log_index;
    if (!block.header) return {};
    newest = block.header;
    blocks[block.header->height] = block.record;
    for (std::size_t i = 0; i < block.leaves.size(); ++i)
      leaves[block.header->first_leaf + i] = block.leaves[i];
    for (const auto& [id, tile] : block.tiles) tiles[id] = tile;
    for (const auto& [key, value] : block.state) {
      if (value) {
        state[key] = *value;
      } else {
        state.erase(key);
      }
    }
    return {};
  }
  std::expected<void, std::string> sync() override { return {}; }
  std::expected<std::optional<v1::BlockRecord>, std::string> block(std::uint64_t height) const override {
    const auto at = blocks.find(height);
    if (at == blocks.end()) return std::nullopt;
    return at->second;
  }
  std::expected<std::optional<v1::Leaf>, std::string> leaf(std::uint64_t index) const override {
    const auto at = leaves.find(index);
    if (at == leaves.end()) return std::nullopt;
    return at->second;
  }
  std::expected<void, std::string> put_checkpoint(std::uint64_t height, const std::string& note) override {
    checkpoints[height] = note;
    return {};
  }
  std::expected<std::optional<std::string>, std::string> checkpoint(std::uint64_t height) const override {
    auto at = checkpoints.upper_bound(height);
    if (at == checkpoints.begin()) return std::nullopt;
    return std::prev(at)->second;
  }

  std::map<std::string, std::string, std::less<>> state;
  std::map<TileId, Tile> tiles;
  std::map<std::uint64_t, v1::BlockRecord> blocks;
  std::map<std::uint64_t, v1::Leaf> leaves;
  std::map<std::uint64_t, std::string> checkpoints;
  std::optional<BlockHeader> newest;
  std::uint64_t applied = 0;
  std::string failure;
  std::string found;  // damage
};

inline KeyPair test_keys(int node) {
  KeySeed seed{};
  seed[0] = static_cast<std::byte>(node);
  return key_pair_from_seed(seed);
}

inline SwarmId test_swarm() {
  SwarmId id{};
  id.fill(std::byte{'S'});
  return id;
}

inline v1::Leaf leaf_of(v1::Transaction transaction, char salt = 's') {
  if (transaction.version() == 0) transaction.set_version(1);
  v1::Leaf leaf;
  leaf.set_salt(std::string(16, salt));
  leaf.set_transaction(transaction.SerializeAsString());
  return leaf;
}

inline v1::MemberAdded test_member(int node) {
  v1::MemberAdded member;
  member.set_name("n" + std::to_string(node));
  member.set_address("10.54.0." + std::to_string(node) + ":8453");
  member.set_region("east");
  member.set_ledger_key(as_string(test_keys(node).public_key));
  member.set_tls_pin(std::string(32, static_cast<char>(node)));
  member.set_version_min(1);
  member.set_version_max(1);
  return member;
}

inline v1::Transaction test_genesis() {
  v1::Transaction transaction;
  v1::Genesis& genesis = *transaction.mutable_genesis();
  genesis.set_swarm_id(as_string(test_swarm()));
  genesis.set_incarnation(1);
  genesis.set_name("test");
  *genesis.mutable_first() = test_member(1);
  genesis.mutable_certificates()->add_roots("root");
  genesis.mutable_certificates()->set_issuer("issuer");
  return transaction;
}

inline v1::Transaction note(const std::string& text) {
  v1::Transaction transaction;
  transaction.mutable_note()->set_text(text);
  return transaction;
}

inline v1::Bundle bundle_of(std::uint64_t number, std::vector<v1::Transaction> transactions, int node = 1,
                            int signer = 0) {
  std::vector<v1::Leaf> leaves;
  for (v1::Transaction& transaction : transactions) leaves.push_back(leaf_of(std::move(transaction)));
  return make_bundle({test_swarm(), 1, static_cast<std::uint64_t>(node), number}, std::move(leaves),
                     test_keys(signer == 0 ? node : signer).secret_key);
}

inline std::string entry_of(std::vector<v1::Bundle> bundles, std::uint64_t wall_ms = 1'000'000) {
  v1::Proposal proposal;
  proposal.set_leader_wall_ms(wall_ms);
  for (v1::Bundle& bundle : bundles) *proposal.add_bundles() = std::move(bundle);
  return proposal.SerializeAsString();
}

}  // namespace swarmdns::controlplane
