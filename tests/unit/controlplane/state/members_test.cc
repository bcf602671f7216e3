#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/controlplane/state/map_source.h"

namespace swarmdns::controlplane {
namespace {

using testing::HasSubstr;

TEST(Members, AGenesisMakesTheFirst) {
  const TestSwarm swarm;
  EXPECT_EQ(swarm.problem, "");
  EXPECT_EQ(swarm.at<v1::MemberRecord>(keys::of(keys::kMembers, 1))->name(), "n1");
  EXPECT_EQ(swarm.at<v1::LogMembers>(keys::kLogMembers)->voters(0), 1U);
  EXPECT_EQ(swarm.at<v1::SwarmSettings>(keys::kSettings)->max_voters(), 5U);
}

TEST(Members, ASecondGenesisIsRefused) {
  TestSwarm swarm;
  v1::Transaction transaction;
  transaction.mutable_genesis()->set_swarm_id(std::string(16, 'X'));
  EXPECT_THAT(swarm.apply(transaction, 1), HasSubstr("stands in block 1 alone"));
  EXPECT_THAT(swarm.apply(transaction, 0), HasSubstr("has begun already"));
}

TEST(Members, ATokenLetsOneNodeIn) {
  TestSwarm swarm;
  ASSERT_EQ(swarm.issue(kTokenA), "");
  EXPECT_EQ(swarm.add(TestSwarm::member("n2", 2), kTokenA), "");
  const auto second = swarm.at<v1::MemberRecord>(keys::of(keys::kMembers, 2));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->region(), "west");  // what the token says
  EXPECT_TRUE(second->backup());
  EXPECT_THAT(swarm.add(TestSwarm::member("n3", 3), kTokenA), HasSubstr("used already, by member 2"));
}

TEST(Members, TokensExpireAreRevokedOrUnknown) {
  TestSwarm swarm;
  ASSERT_EQ(swarm.issue(kTokenA, 1000), "");
  swarm.time_ms += 1000;
  EXPECT_THAT(swarm.add(TestSwarm::member("n2", 2), kTokenA), HasSubstr("expired"));
  EXPECT_THAT(swarm.add(TestSwarm::member("n2", 2), kTokenB), HasSubstr("no such token"));
  ASSERT_EQ(swarm.issue(kTokenB), "");
  v1::Transaction revoke;
  revoke.mutable_token_revoked()->set_token_hash(kTokenB);
  ASSERT_EQ(swarm.apply(revoke), "");
  EXPECT_THAT(swarm.add(TestSwarm::member("n2", 2), kTokenB), HasSubstr("revoked"));
}

TEST(Members, NamesAddressesAndKeysAreUnique) {
  TestSwarm swarm;
  ASSERT_EQ(swarm.issue(kTokenA), "");
  v1::MemberAdded body = TestSwarm::member("n1", 2);
  EXPECT_THAT(swarm.add(body, kTokenA), HasSubstr("is called n1 already"));
  body = TestSwarm::member("n2", 2);
  body.set_address(TestSwarm::member("n1", 1).address());
  EXPECT_THAT(swarm.add(body, kTokenA), HasSubstr("n1 is at"));
  body = TestSwarm::member("n2", 2);
  body.set_ledger_key(TestSwarm::member("n1", 1).ledger_key());
  EXPECT_THAT(swarm.add(body, kTokenA), HasSubstr("ledger_key: it is that of n1"));
  // Refused: the token is not used up.
  EXPECT_EQ(swarm.add(TestSwarm::member("n2", 2), kTokenA), "");
}

TEST(Members, ARemovedNodeComesBackOnlyWithNewKeys) {
  TestSwarm swarm;
  ASSERT_EQ(swarm.issue(kTokenA), "");
  ASSERT_EQ(swarm.add(TestSwarm::member("n2", 2), kTokenA), "");
  v1::Transaction remove;
  remove.mutable_member_removed()->set_id(2);
  ASSERT_EQ(swarm.apply(remove), "");
  EXPECT_THAT(swarm.apply(remove), HasSubstr("is no member"));
  ASSERT_EQ(swarm.issue(kTokenB), "");
  EXPECT_THAT(swarm.add(TestSwarm::member("n2", 2), kTokenB), HasSubstr("needs new keys"));
  EXPECT_EQ(swarm.add(TestSwarm::member("n2", 3), kTokenB), "");
  // Numbers are never given twice.
  EXPECT_EQ(swarm.at<v1::MemberRecord>(keys::of(keys::kMembers, 3))->name(), "n2");
}

TEST(Members, TheLastIsNotRemoved) {
  TestSwarm swarm;
  v1::Transaction remove;
  remove.mutable_member_removed()->set_id(1);
  EXPECT_THAT(swarm.apply(remove), HasSubstr("last member"));
}

TEST(Members, NoSecondVoterIsRemovedBeforeTheLogHasPartedWithTheFirst) {
  TestSwarm swarm;
  ASSERT_EQ(swarm.issue(kTokenA), "");
  ASSERT_EQ(swarm.add(TestSwarm::member("n2", 2), kTokenA), "");
  ASSERT_EQ(swarm.issue(kTokenB), "");
  ASSERT_EQ(swarm.add(TestSwarm::member("n3", 3), kTokenB), "");
  const auto vote = [&](std::vector<std::uint64_t> voters) {
    v1::Transaction transaction;
    transaction.mutable_log_members()->mutable_voters()->Assign(voters.begin(), voters.end());
    return swarm.apply(transaction);
  };
  const auto remove = [&](std::uint64_t id) {
    v1::Transaction transaction;
    transaction.mutable_member_removed()->set_id(id);
    return swarm.apply(transaction);
  };
  ASSERT_EQ(vote({1, 2, 3}), "");
  ASSERT_EQ(remove(2), "");
  EXPECT_THAT(remove(3), HasSubstr("the log has not parted with n2 yet"));
  ASSERT_EQ(vote({1, 3}), "");
  EXPECT_EQ(remove(3), "");
}

TEST(Members, ProgramsThatAreTooOldOrTooNewAreRefused) {
  TestSwarm swarm;
  ASSERT_EQ(swarm.issue(kTokenA), "");
  v1::MemberAdded body = TestSwarm::member("n2", 2);
  body.set_version_min(kVersion + 1);
  body.set_version_max(kVersion + 3);
  EXPECT_THAT(swarm.add(body, kTokenA), HasSubstr("install the program of the other members"));
}

TEST(Versions, ARaiseWaitsForEveryMember) {
  TestSwarm swarm;
  v1::Transaction raise;
  raise.mutable_version_raised()->set_version(2);
  EXPECT_THAT(swarm.apply(raise), HasSubstr("n1 has an older program"));
  v1::Transaction changed;
  changed.mutable_member_changed()->set_id(1);
  changed.mutable_member_changed()->set_version_max(2);
  ASSERT_EQ(swarm.apply(changed), "");
  v1::Transaction note;
  note.set_version(2);
  note.mutable_note()->set_text("of the new kind");
  EXPECT_THAT(swarm.apply(note), HasSubstr("which is at version 1"));
  ASSERT_EQ(swarm.apply(raise), "");
  EXPECT_EQ(swarm.apply(note), "");
}

TEST(Requests, ACommandSaidTwiceIsDoneOnce) {
  TestSwarm swarm;
  v1::Transaction note;
  note.set_request_id(std::string(16, 'r'));
  note.mutable_note()->set_text("once");
  EXPECT_EQ(swarm.apply(note), "");
  EXPECT_THAT(swarm.apply(note), HasSubstr("carried out already, in block 2"));
  // Remembered for a day.
  swarm.time_ms += 86'400'000;
  v1::Transaction other;
  other.mutable_note()->set_text("time passes");
  ASSERT_EQ(swarm.apply(other), "");
  EXPECT_EQ(swarm.apply(note), "");
}

TEST(Settings, OutOfRangeNamesTheField) {
  TestSwarm swarm;
  v1::Transaction change;
  *change.mutable_settings_changed()->mutable_settings() = with_defaults({});
  change.mutable_settings_changed()->mutable_settings()->set_max_voters(4);
  EXPECT_THAT(swarm.apply(change), HasSubstr("settings.max_voters"));
  change.mutable_settings_changed()->mutable_settings()->set_max_voters(3);
  EXPECT_EQ(swarm.apply(change), "");
}

}  // namespace
}  // namespace swarmdns::controlplane
