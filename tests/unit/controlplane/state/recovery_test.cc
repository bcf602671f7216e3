// What a genesis that goes on from an earlier incarnation takes over.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/controlplane/state/map_source.h"

namespace swarmdns::controlplane {
namespace {

using testing::HasSubstr;

class RecoveryTest : public testing::Test {
 protected:
  RecoveryTest() {
    EXPECT_EQ(before.issue(kTokenA), "");
    EXPECT_EQ(before.add(TestSwarm::member("n2", 2), kTokenA), "");
    EXPECT_EQ(before.issue(kTokenB), "");
    v1::Transaction config;
    config.mutable_config_changed()->set_document("all: {}");
    config.set_request_id(std::string(16, 'r'));
    config.set_principal("alice@n1");
    EXPECT_EQ(before.apply(config), "");
    v1::Transaction erasure;
    erasure.mutable_erasure()->add_leaves(1);
    erasure.mutable_erasure()->set_name_tag(std::string(32, 't'));
    EXPECT_EQ(before.apply(erasure), "");

    genesis.set_version(1);
    v1::Genesis& body = *genesis.mutable_genesis();
    body.set_swarm_id(std::string(16, 'S'));
    body.set_incarnation(2);
    body.set_name("test");
    body.set_previous_swarm_id(body.swarm_id());
    body.set_previous_incarnation(1);
    body.set_previous_height(before.height);
    body.set_carried_state(std::string(32, 's'));
    body.set_previous_block(std::string(32, 'b'));
    *body.mutable_first() = TestSwarm::member("n1", 1);
    body.mutable_first()->set_ledger_key(std::string(32, 'K'));
    body.mutable_first()->set_tls_pin(std::string(32, 'P'));
    body.mutable_certificates()->add_roots("root");
    body.mutable_certificates()->set_issuer("issuer");
    for (const auto& [key, value] : before.source.values) {
      for (const std::string_view prefix :
           {keys::kSwarm, keys::kConfig, keys::kMembers, keys::kTokens, keys::kRequests, keys::kErasures}) {
        if (!key.starts_with(prefix)) continue;
        v1::CarriedValue& each = *body.add_carried();
        each.set_key(key);
        each.set_value(value);
        break;
      }
    }
  }
  // "" = it begins.
  std::string begin() {
    StateView view(after);
    const auto done = apply_transaction(view, {1, 2'000'000'000, 0, 0}, genesis);
    if (!done) return done.error();
    after.take(view);
    return "";
  }
  template <typename Message>
  std::optional<Message> at(std::string_view key) const {
    return read<Message>(StateView(after), key);
  }

  TestSwarm before;
  v1::Transaction genesis;
  MapSource after;
};

TEST_F(RecoveryTest, TheSwarmGoesOnWithNewNumbersOnly) {
  ASSERT_EQ(begin(), "");
  const auto swarm = at<v1::SwarmRecord>(keys::kSwarm);
  ASSERT_TRUE(swarm);
  EXPECT_EQ(swarm->incarnation(), 2U);
  EXPECT_EQ(swarm->previous_incarnation(), 1U);
  EXPECT_EQ(swarm->next_member(), 4U);
  EXPECT_EQ(at<v1::LogMembers>(keys::kLogMembers)->voters(0), 3U);
  EXPECT_EQ(at<v1::MemberRecord>(keys::of(keys::kMembers, 3))->name(), "n1");
}

TEST_F(RecoveryTest, MembersOfBeforeAreRefused) {
  ASSERT_EQ(begin(), "");
  for (const std::uint64_t id : {1, 2}) {
    const auto member = at<v1::MemberRecord>(keys::of(keys::kMembers, id));
    ASSERT_TRUE(member);
    EXPECT_EQ(member->removed_height(), 1U);
    EXPECT_EQ(member->left_behind(), 1U);
  }
  // With its old key this node does not begin either.
  after.values.clear();
  *genesis.mutable_genesis()->mutable_first() = TestSwarm::member("n1", 1);
  EXPECT_THAT(begin(), HasSubstr("ledger_key: it is that of n1"));
}

TEST_F(RecoveryTest, ConfigurationRequestsAndTokensAreNotReverted) {
  ASSERT_EQ(begin(), "");
  const auto config = at<v1::ConfigRecord>(keys::kConfig);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->document(), "all: {}");
  EXPECT_EQ(config->principal(), "alice@n1");
  EXPECT_EQ(config->height(), 1U);
  EXPECT_TRUE(at<v1::RequestRecord>(keys::of(keys::kRequests, std::string(16, 'r'))));
  EXPECT_EQ(at<v1::TokenRecord>(keys::of(keys::kTokens, kTokenA))->used_by(), 2U);
  EXPECT_TRUE(at<v1::TokenRecord>(keys::of(keys::kTokens, kTokenB))->revoked());
}

// Leaves are of the tree before; names are names.
TEST_F(RecoveryTest, ErasuresOfLeavesAreNotTakenOver) {
  ASSERT_EQ(begin(), "");
  std::size_t erasures = 0;
  StateView(after).scan(keys::kErasures, [&](std::string_view, std::string_view value) {
    v1::ErasureRecord record;
    EXPECT_TRUE(record.ParseFromString(std::string(value)));
    EXPECT_TRUE(record.erasure().leaves().empty());
    EXPECT_EQ(record.erasure().name_tag(), std::string(32, 't'));
    ++erasures;
    return true;
  });
  EXPECT_EQ(erasures, 1U);
}

TEST_F(RecoveryTest, WhatDoesNotFitTogetherIsRefused) {
  const auto problem = [&](const std::function<void(v1::Genesis&)>& spoil) {
    const v1::Transaction good = genesis;
    spoil(*genesis.mutable_genesis());
    const std::string why = begin();
    genesis = good;
    after.values.clear();
    return why;
  };
  EXPECT_THAT(problem([](v1::Genesis& body) { body.set_incarnation(3); }), HasSubstr("next incarnation"));
  EXPECT_THAT(problem([](v1::Genesis& body) { body.set_previous_swarm_id("another"); }),
              HasSubstr("next incarnation"));
  EXPECT_THAT(problem([](v1::Genesis& body) { body.set_name("another"); }), HasSubstr("another swarm"));
  EXPECT_THAT(problem([](v1::Genesis& body) { body.set_previous_height(0); }), HasSubstr("previous_height"));
  EXPECT_THAT(problem([](v1::Genesis& body) { body.clear_carried_state(); }), HasSubstr("carried_state"));
  EXPECT_THAT(problem([](v1::Genesis& body) { body.mutable_carried()->SwapElements(0, 1); }),
              HasSubstr("ascending"));
  EXPECT_THAT(problem([](v1::Genesis& body) { body.clear_carried(); }), HasSubstr("is missing"));
  EXPECT_THAT(problem([](v1::Genesis& body) {
                body.clear_carried();
                v1::CarriedValue& head = *body.add_carried();
                head.set_key(keys::of(keys::kHeads, 1));
              }),
              HasSubstr("not taken over"));
  EXPECT_THAT(problem([](v1::Genesis& body) { body.mutable_carried(0)->set_value("\xff"); }),
              HasSubstr("cannot be read"));
}

TEST_F(RecoveryTest, ANewSwarmBeginsWithTheFirstIncarnation) {
  v1::Genesis& body = *genesis.mutable_genesis();
  body.clear_carried();
  body.clear_previous_incarnation();
  EXPECT_THAT(begin(), HasSubstr("begins with 1"));
}

}  // namespace
}  // namespace swarmdns::controlplane
