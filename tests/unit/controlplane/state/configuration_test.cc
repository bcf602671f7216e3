#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/controlplane/state/map_source.h"

namespace swarmdns::controlplane {
namespace {

using testing::HasSubstr;

v1::Transaction change_after(std::uint64_t follows, const std::string& document = "all: {}\n") {
  v1::Transaction change;
  change.set_principal("alice@n1");
  change.set_reason("longer TTLs");
  change.mutable_config_changed()->set_document(document);
  change.mutable_config_changed()->set_follows(follows);
  return change;
}

TEST(Configurations, TheNewestStands) {
  TestSwarm swarm;
  ASSERT_EQ(swarm.apply(change_after(0)), "");
  const auto record = swarm.at<v1::ConfigRecord>(keys::kConfig);
  EXPECT_EQ(record->height(), 2U);
  EXPECT_EQ(record->principal(), "alice@n1");
  EXPECT_EQ(record->reason(), "longer TTLs");
  v1::Transaction future = change_after(2);
  future.mutable_config_changed()->set_restores_height(3);
  EXPECT_THAT(swarm.apply(future), HasSubstr("not in the past"));
}

// Two people at once: the second has not seen what the first did.
TEST(Configurations, NobodyReplacesOneThatTheyHaveNotSeen) {
  TestSwarm swarm;
  ASSERT_EQ(swarm.apply(change_after(0)), "");
  EXPECT_THAT(swarm.apply(change_after(0, "all: {node: {}}\n")), HasSubstr("changed meanwhile, in block 2"));
  EXPECT_EQ(swarm.at<v1::ConfigRecord>(keys::kConfig)->document(), "all: {}\n");
  ASSERT_EQ(swarm.apply(change_after(2)), "");
  EXPECT_EQ(swarm.at<v1::ConfigRecord>(keys::kConfig)->follows(), 2U);
}

TEST(Configurations, GoingBackIsAnotherOne) {
  TestSwarm swarm;
  ASSERT_EQ(swarm.apply(change_after(0, "one")), "");
  ASSERT_EQ(swarm.apply(change_after(2, "two")), "");
  v1::Transaction back = change_after(3, "one");
  back.mutable_config_changed()->set_restores_height(2);
  ASSERT_EQ(swarm.apply(back), "");
  const auto record = swarm.at<v1::ConfigRecord>(keys::kConfig);
  EXPECT_EQ(record->height(), 4U);
  EXPECT_EQ(record->restores_height(), 2U);
  EXPECT_EQ(record->document(), "one");
}

TEST(Configurations, ADocumentHasItsBounds) {
  TestSwarm swarm;
  EXPECT_EQ(swarm.apply(change_after(0, std::string(1 << 20, '#'))), "");
  EXPECT_THAT(swarm.apply(change_after(2, std::string((1 << 20) + 1, '#'))), HasSubstr("more than 1 MiB"));
}

TEST(Configurations, EachNodeSaysHowItFared) {
  TestSwarm swarm;
  v1::Transaction outcome;
  outcome.mutable_config_outcome()->set_height(3);
  EXPECT_THAT(swarm.apply(outcome), HasSubstr("no such configuration yet"));
  ASSERT_EQ(swarm.apply(change_after(0)), "");
  outcome.mutable_config_outcome()->set_degraded(true);
  outcome.mutable_config_outcome()->set_problem("resolver.port: taken");
  ASSERT_EQ(swarm.apply(outcome), "");
  EXPECT_TRUE(swarm.at<v1::ConfigOutcome>(keys::of(keys::kOutcomes, 1))->degraded());
  outcome.mutable_config_outcome()->set_height(1000);
  EXPECT_THAT(swarm.apply(outcome), HasSubstr("no such configuration yet"));
}

v1::Transaction rotation(std::uint64_t number, const std::string& issuer) {
  v1::Transaction transaction;
  v1::CertificateRotation& body = *transaction.mutable_certificate_rotation();
  body.add_roots("root");
  body.set_issuer(issuer);
  body.set_number(number);
  return transaction;
}

// The leader seals the key anew of the state it has read; the operator's change comes in between.
TEST(Certificates, SealingAnOlderKeyAnewDoesNotUndoARotation) {
  TestSwarm swarm;
  ASSERT_EQ(swarm.apply(rotation(1, "the operator's")), "");
  EXPECT_THAT(swarm.apply(rotation(1, "issuer")), HasSubstr("changed meanwhile, by rotation 1"));
  EXPECT_EQ(swarm.at<v1::CertificateRotation>(keys::kCertificates)->issuer(), "the operator's");
  EXPECT_THAT(swarm.apply(rotation(0, "issuer")), HasSubstr("certificates.number"));
  EXPECT_THAT(swarm.apply(rotation(3, "issuer")), HasSubstr("certificates.number"));
  EXPECT_EQ(swarm.apply(rotation(2, "the operator's")), "");
}

}  // namespace
}  // namespace swarmdns::controlplane
