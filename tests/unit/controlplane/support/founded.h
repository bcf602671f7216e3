// A swarm as found_swarm() leaves it, with its authority, and nodes that want to join it.
#pragma once

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "controlplane/certs/certificate.h"
#include "controlplane/certs/certificate_maker.h"
#include "controlplane/certs/join_token.h"
#include "controlplane/member/founding.h"
#include "controlplane/state/keys.h"
#include "tests/unit/controlplane/support/member_node.h"
#include "tests/unit/controlplane/support/temp_dir.h"

namespace swarmdns::controlplane {

// The value, or an exception, which fails the test.
template <typename T>
T take_or_throw(std::expected<T, std::string> result) {
  if (!result) throw std::runtime_error(result.error());
  return std::move(*result);
}

inline FoundingWish founding_wish(std::uint64_t wall_ms) {
  FoundingWish wish;
  wish.swarm_name = "test";
  wish.node_name = "n1";
  wish.address = "10.54.0.1:8453";
  wish.region = "east";
  wish.wall_ms = wall_ms;
  return wish;
}

inline Founded found_in(const std::string& state_dir, const FoundingWish& wish) {
  const IdentityFiles files(state_dir);
  if (auto good = files.prepare(); !good) throw std::runtime_error(good.error());
  return take_or_throw(found_swarm(files, wish));
}

// Its first member, which leads.
class FoundedSwarm : public testing::Test {
 protected:
  FoundedSwarm() {
    log.at_once = true;
    log.hold_changes = true;  // the log's members stay as they are unless a test says otherwise
    log.members = {{1, "10.54.0.1:8453", LogRole::kVoter}};
    node(1, founded.identity);
    log.lead(1);
    EXPECT_TRUE(reactor.run_until([&] { return at(1).chain().height() == 1; }));
  }
  MemberNode& node(NodeId id, const Identity& identity) {
    nodes[id] = std::make_unique<MemberNode>(reactor, net, log, id, key_pair_of(identity.keys.ledger),
                                             identity.record.genesis());
    return *nodes[id];
  }
  MemberNode& at(NodeId id) { return *nodes.at(id); }
  StateView state() { return at(1).chain().state(); }

  std::expected<Receipt, SubmitError> order(v1::Transaction transaction, NodeId by = 1) {
    std::optional<std::expected<Receipt, SubmitError>> outcome;
    at(by).core->submitter().submit(std::move(transaction), [&](const auto& result) { outcome = result; });
    EXPECT_TRUE(reactor.run_until([&] { return outcome.has_value(); }));
    return outcome.value_or(std::unexpected(SubmitError{}));
  }
  JoinToken issue_token(bool backup = false) {
    const JoinToken token =
        make_join_token(founded.identity.record.swarm_id(),
                        take_or_throw(read_certificates(founded.root_certificate)).front().fingerprint);
    v1::Transaction transaction;
    v1::TokenIssued& issued = *transaction.mutable_token_issued();
    issued.set_token_hash(join_token_hash(token));
    issued.set_region("west");
    issued.set_backup(backup);
    issued.set_expires_ms(reactor.wall_ms() + 3'600'000);
    EXPECT_TRUE(order(transaction));
    return token;
  }
  static NodeKeys make_keys() { return {make_ledger_key(), take_or_throw(make_tls_key())}; }
  // Writes a member with these keys into the ledger; its number.
  NodeId add_member(const NodeKeys& keys, const std::string& name) {
    v1::Transaction transaction;
    v1::MemberAdded& added = *transaction.mutable_member_added();
    added.set_name(name);
    added.set_address(name + ":8453");
    added.set_ledger_key(keys.ledger.public_key);
    added.set_tls_pin(keys.tls.pin);
    added.set_token_hash(join_token_hash(issue_token()));
    added.set_version_min(1);
    added.set_version_max(1);
    EXPECT_TRUE(order(transaction));
    return read<v1::SwarmRecord>(state(), keys::kSwarm)->next_member() - 1;
  }

  TempDir dir;
  TestReactor reactor;
  TestNet net{reactor};
  FakeLog log{reactor};
  Founded founded = found_in(dir.path(), founding_wish(reactor.wall_ms()));
  std::map<NodeId, std::unique_ptr<MemberNode>> nodes;
};

}  // namespace swarmdns::controlplane
