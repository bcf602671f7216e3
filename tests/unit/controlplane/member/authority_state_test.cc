#include "controlplane/member/authority_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/controlplane/support/founded.h"

namespace swarmdns::controlplane {
namespace {

using AuthorityStateTest = FoundedSwarm;

v1::Transaction log_members(std::vector<std::uint64_t> voters, std::vector<std::uint64_t> standbys) {
  v1::Transaction transaction;
  for (const std::uint64_t id : voters) transaction.mutable_log_members()->add_voters(id);
  for (const std::uint64_t id : standbys) transaction.mutable_log_members()->add_standbys(id);
  return transaction;
}

TEST_F(AuthorityStateTest, BeforeTheGenesisThereIsNothing) {
  MemoryStore nothing;
  const StateView state(nothing);
  EXPECT_FALSE(roots_in(state));
  EXPECT_EQ(peers_in(state), nullptr);
  const auto issuer = issuer_in(state, 1, founded.identity.keys.ledger);
  ASSERT_TRUE(issuer);
  EXPECT_FALSE(*issuer);
}

TEST_F(AuthorityStateTest, MembersAreKnownByTheirPins) {
  const NodeKeys keys = make_keys();
  ASSERT_EQ(add_member(keys, "n2"), 2U);
  auto view = peers_in(state());
  ASSERT_NE(view, nullptr);
  EXPECT_EQ(view->swarm_id, founded.identity.record.swarm_id());
  EXPECT_EQ(view->incarnation, 1U);
  EXPECT_EQ(view->roots, founded.root_certificate);
  EXPECT_EQ(view->nodes.size(), 2U);
  EXPECT_EQ(view->nodes.at(keys.tls.pin).id, 2U);
  EXPECT_EQ(
      check_peer(founded.identity.record.chain(), *view, static_cast<std::int64_t>(reactor.wall_ms() / 1000))
          .kind,
      PeerKind::kMember);
  v1::Transaction removed;
  removed.mutable_member_removed()->set_id(2);
  ASSERT_TRUE(order(removed));
  view = peers_in(state());
  EXPECT_TRUE(view->nodes.at(keys.tls.pin).removed);
}

TEST_F(AuthorityStateTest, TheIssuerIsOfThoseItIsSealedTo) {
  const NodeKeys keys = make_keys();
  add_member(keys, "n2");
  const auto others = issuer_in(state(), 2, keys.ledger);
  ASSERT_TRUE(others);
  EXPECT_FALSE(*others);
  EXPECT_FALSE(issuer_in(state(), 1, keys.ledger));  // sealed to another's key: an error
  EXPECT_TRUE(issuer_in(state(), 1, founded.identity.keys.ledger)->has_value());
}

TEST_F(AuthorityStateTest, IsSealedAnewWhenTheLogsMembersChange) {
  const NodeKeys second = make_keys();
  const NodeKeys third = make_keys();
  add_member(second, "n2");
  add_member(third, "n3");
  const auto issuer = issuer_in(state(), 1, founded.identity.keys.ledger);
  ASSERT_TRUE(issuer && *issuer);
  auto rotation = reseal(state(), **issuer);
  ASSERT_TRUE(rotation);
  EXPECT_FALSE(*rotation);  // all is well
  ASSERT_TRUE(order(log_members({1, 2}, {3})));
  rotation = reseal(state(), **issuer);
  ASSERT_TRUE(rotation && *rotation);
  EXPECT_EQ((*rotation)->sealed_size(), 3);
  v1::Transaction transaction;
  *transaction.mutable_certificate_rotation() = **rotation;
  ASSERT_TRUE(order(transaction));
  for (const NodeId id : {NodeId{2}, NodeId{3}}) {
    const NodeKeys* keys = id == 2 ? &second : &third;
    const auto opened = issuer_in(state(), id, keys->ledger);
    ASSERT_TRUE(opened && *opened) << id;
    EXPECT_EQ((*opened)->key.view(), (*issuer)->key.view());
  }
  EXPECT_FALSE(*reseal(state(), **issuer));
  // Who is no member any more gets none, though the log lists it still.
  v1::Transaction removed;
  removed.mutable_member_removed()->set_id(3);
  ASSERT_TRUE(order(removed));
  rotation = reseal(state(), **issuer);
  ASSERT_TRUE(rotation && *rotation);
  EXPECT_EQ((*rotation)->sealed_size(), 2);
}

}  // namespace
}  // namespace swarmdns::controlplane
