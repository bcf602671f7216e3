// A replicated state in memory, and a swarm of one member in it.
#pragma once

#include <map>
#include <string>

#include "controlplane/state/apply.h"
#include "controlplane/state/keys.h"

namespace swarmdns::controlplane {

class MapSource final : public StateSource {
 public:
  std::expected<std::optional<std::string>, std::string> get(std::string_view key) const override {
    if (!failure.empty()) return std::unexpected(failure);
    const auto at = values.find(key);
    if (at == values.end()) return std::nullopt;
    return at->second;
  }
  std::expected<void, std::string> scan(
      std::string_view prefix,
      const std::function<bool(std::string_view, std::string_view)>& visit) const override {
    if (!failure.empty()) return std::unexpected(failure);
    for (auto at = values.lower_bound(prefix); at != values.end() && at->first.starts_with(prefix); ++at) {
      if (!visit(at->first, at->second)) break;
    }
    return {};
  }
  void take(const StateView& view) {
    for (const auto& [key, value] : view.changes()) {
      if (value) {
        values[key] = *value;
      } else {
        values.erase(key);
      }
    }
  }

  std::map<std::string, std::string, std::less<>> values;
  std::string failure;
};

// Blocks of one transaction each.
class TestSwarm {
 public:
  TestSwarm() {
    v1::Transaction transaction;
    v1::Genesis& genesis = *transaction.mutable_genesis();
    genesis.set_swarm_id(std::string(16, 'S'));
    genesis.set_incarnation(1);
    genesis.set_name("test");
    *genesis.mutable_first() = member("n1", 1);
    genesis.mutable_certificates()->add_roots("root");
    genesis.mutable_certificates()->set_issuer("issuer");
    problem = apply(transaction, 0);
  }

  static v1::MemberAdded member(const std::string& name, int number) {
    v1::MemberAdded added;
    added.set_name(name);
    added.set_address("10.54.0." + std::to_string(number) + ":8453");
    added.set_region("east");
    added.set_ledger_key(std::string(32, static_cast<char>(number)));
    added.set_tls_pin(std::string(32, static_cast<char>(100 + number)));
    added.set_version_min(kOldestVersion);
    added.set_version_max(kVersion);
    return added;
  }

  // "" = accepted.
  std::string apply(v1::Transaction transaction, std::uint64_t signer = 1) {
    if (transaction.version() == 0) transaction.set_version(1);
    StateView view(source);
    const BlockPlace place{++height, time_ms, leaf, signer};
    const auto done = apply_transaction(view, place, transaction);
    if (!done) return done.error();
    ++leaf;
    forget_old(view, time_ms);
    source.take(view);
    return "";
  }
  std::string issue(const std::string& token, std::uint64_t life_ms = 60'000) {
    v1::Transaction transaction;
    transaction.mutable_token_issued()->set_token_hash(token);
    transaction.mutable_token_issued()->set_region("west");
    transaction.mutable_token_issued()->set_backup(true);
    transaction.mutable_token_issued()->set_expires_ms(time_ms + life_ms);
    return apply(transaction);
  }
  std::string add(v1::MemberAdded body, const std::string& token) {
    v1::Transaction transaction;
    body.set_token_hash(token);
    *transaction.mutable_member_added() = std::move(body);
    return apply(transaction);
  }
  template <typename Message>
  std::optional<Message> at(std::string_view key) const {
    return read<Message>(StateView(source), key);
  }

  MapSource source;
  std::uint64_t height = 0;
  std::uint64_t time_ms = 1'000'000'000;
  std::uint64_t leaf = 0;
  std::string problem;
};

inline const std::string kTokenA(32, 'A');
inline const std::string kTokenB(32, 'B');

}  // namespace swarmdns::controlplane
