// A chain as the consumer of a log, and the first entries of a swarm of several members.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "controlplane/chain/chain.h"
#include "controlplane/consensus/replicated_log.h"
#include "tests/unit/controlplane/chain/memory_store.h"

namespace swarmdns::controlplane {

class ChainNode : public LogConsumer {
 public:
  ChainNode() : chain(std::move(*Chain::open(store))) {}

  std::expected<void, std::string> apply(std::uint64_t index, std::span<const std::byte> entry) override {
    return chain->apply(index, entry);
  }
  std::expected<std::string, std::string> manifest() override { return std::unexpected("none"); }
  void manifest_kept(bool) override {}
  void install(NodeId, std::string, std::function<void(std::expected<void, std::string>)>) override {}
  void cancel_install() override {}
  std::expected<void, std::string> restore(std::string_view) override { return {}; }
  void leadership(bool, std::uint64_t) override {}
  void members(std::uint64_t, const std::vector<LogMember>&) override {}

  // The next entry, without a log.
  void take(const std::string& entry) {
    const auto done = chain->apply(chain->applied_index() + 1, as_octets(entry));
    ASSERT_TRUE(done) << done.error();
  }

  MemoryStore store;
  std::unique_ptr<Chain> chain;
};

inline v1::Transaction token_for(const std::string& hash) {
  v1::Transaction transaction;
  transaction.mutable_token_issued()->set_token_hash(hash);
  transaction.mutable_token_issued()->set_region("east");
  transaction.mutable_token_issued()->set_expires_ms(2'000'000);
  return transaction;
}

inline v1::Transaction voters(std::vector<std::uint64_t> ids) {
  v1::Transaction transaction;
  for (const std::uint64_t id : ids) transaction.mutable_log_members()->add_voters(id);
  return transaction;
}

// The genesis, then members 2 to `nodes`, of whom the first `voting` vote.
inline std::vector<std::string> beginning(int nodes, int voting) {
  std::vector<v1::Transaction> all;
  std::vector<std::uint64_t> ids{1};
  for (int node = 2; node <= nodes; ++node) {
    const std::string hash(32, static_cast<char>('a' + node));
    all.push_back(token_for(hash));
    *all.emplace_back().mutable_member_added() = test_member(node);
    all.back().mutable_member_added()->set_token_hash(hash);
    if (node <= voting) ids.push_back(static_cast<std::uint64_t>(node));
  }
  all.push_back(voters(ids));
  return {entry_of({bundle_of(1, {test_genesis()})}), entry_of({bundle_of(2, std::move(all))})};
}

}  // namespace swarmdns::controlplane
