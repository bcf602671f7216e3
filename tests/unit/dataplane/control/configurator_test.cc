#include "dataplane/control/configurator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sodium.h>

#include <fstream>

#include "proto/config/store.h"
#include "tests/unit/dataplane/control/sample_config.h"

namespace swarmdns::control {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct RecordingTarget : LiveTarget {
  void swap(LiveParts parts) override { swapped.push_back(std::move(parts)); }
  std::vector<LiveParts> swapped;
};

class ConfiguratorTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_GE(sodium_init(), 0);
    auto made = Configurator::create(sample_config(directory_.path()), {{2, 0, 0, 0, 0, 1}}, 1'000'000);
    ASSERT_TRUE(made) << made.error();
    configurator_ = std::move(*made);
    ASSERT_TRUE(configurator_->first_parts());
    auto attached = configurator_->attach(target_);
    ASSERT_TRUE(attached) << attached.error();
  }
  v1::DataplaneConfig stored() {
    auto config = config::read_dataplane_config(last_applied_path(directory_.path()));
    EXPECT_TRUE(config) << config.error();
    return config.value_or(v1::DataplaneConfig());
  }
  ScratchDirectory directory_;
  RecordingTarget target_;
  std::unique_ptr<Configurator> configurator_;
};

TEST_F(ConfiguratorTest, AttachStoresWhatIsInForce) {
  EXPECT_EQ(stored().SerializeAsString(), sample_config(directory_.path()).SerializeAsString());
}

TEST_F(ConfiguratorTest, LiveChangeIsSwappedAndStored) {
  v1::DataplaneConfig wanted = plain_config(directory_.path());
  wanted.mutable_cache()->set_max_ttl_s(600);
  wanted.mutable_service()->set_nsid("other");
  const auto outcome = configurator_->configure(wanted, false);
  ASSERT_TRUE(outcome) << outcome.error();
  EXPECT_THAT(outcome->applied, testing::UnorderedElementsAre("cache.max_ttl_s", "service.nsid"));
  EXPECT_THAT(outcome->restart_required, IsEmpty());
  ASSERT_EQ(target_.swapped.size(), 1U);
  EXPECT_EQ(target_.swapped[0].policy->service.nsid, "other");
  EXPECT_EQ(target_.swapped[0].miss->max_ttl_s, 600U);
  EXPECT_EQ(stored().cache().max_ttl_s(), 600U);
  EXPECT_EQ(configurator_->in_force().cache().max_ttl_s(), 600U);
}

TEST_F(ConfiguratorTest, RestartChangeIsNamedAndStoredButNotInForce) {
  v1::DataplaneConfig wanted = plain_config(directory_.path());
  wanted.mutable_cache()->set_memory_mib(32);
  wanted.mutable_cache()->set_min_ttl_s(5);
  const auto outcome = configurator_->configure(wanted, false);
  ASSERT_TRUE(outcome) << outcome.error();
  EXPECT_THAT(outcome->applied, ElementsAre("cache.min_ttl_s"));
  EXPECT_THAT(outcome->restart_required, ElementsAre("cache.memory_mib"));
  EXPECT_EQ(configurator_->in_force().cache().memory_mib(), 16U);
  EXPECT_EQ(stored().cache().memory_mib(), 32U);
  EXPECT_THAT(configurator_->restart_required(), ElementsAre("cache.memory_mib"));
  // Taken back: nothing is left to wait for.
  ASSERT_TRUE(configurator_->configure(plain_config(directory_.path()), false));
  EXPECT_THAT(configurator_->restart_required(), IsEmpty());
  EXPECT_EQ(stored().cache().memory_mib(), 16U);
}

TEST_F(ConfiguratorTest, RefusalNamesEveryProblemAndTouchesNothing) {
  const std::string before = stored().SerializeAsString();
  v1::DataplaneConfig wanted = plain_config(directory_.path());
  wanted.mutable_cache()->set_max_ttl_s(1);
  wanted.mutable_ports(0)->set_mtu(99999);
  wanted.mutable_service()->set_nsid("other");
  const auto outcome = configurator_->configure(wanted, false);
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error(), HasSubstr("cache.max_ttl_s"));
  EXPECT_THAT(outcome.error(), HasSubstr("ports[0].mtu"));
  EXPECT_THAT(target_.swapped, IsEmpty());
  EXPECT_EQ(stored().SerializeAsString(), before);
  EXPECT_EQ(configurator_->in_force().service().nsid(), "n1");
}

TEST_F(ConfiguratorTest, CheckOnlyReportsWithoutDoing) {
  const std::string before = stored().SerializeAsString();
  v1::DataplaneConfig wanted = plain_config(directory_.path());
  wanted.mutable_cache()->set_memory_mib(32);
  wanted.mutable_service()->set_nsid("other");
  const auto outcome = configurator_->configure(wanted, true);
  ASSERT_TRUE(outcome) << outcome.error();
  EXPECT_THAT(outcome->applied, ElementsAre("service.nsid"));
  EXPECT_THAT(outcome->restart_required, ElementsAre("cache.memory_mib"));
  EXPECT_THAT(target_.swapped, IsEmpty());
  EXPECT_EQ(stored().SerializeAsString(), before);
}

TEST_F(ConfiguratorTest, WhatCannotBeStoredIsRefusedAndNotApplied) {
  std::filesystem::remove_all(directory_.path());
  v1::DataplaneConfig wanted = plain_config(directory_.path());
  wanted.mutable_service()->set_nsid("other");
  const auto outcome = configurator_->configure(wanted, false);
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error(), HasSubstr(directory_.path()));
  EXPECT_THAT(target_.swapped, IsEmpty());
  EXPECT_EQ(configurator_->in_force().service().nsid(), "n1");
}

// A process that died between writing the new file and putting it in place: the old configuration counts, and
// the next change works over the remains.
TEST_F(ConfiguratorTest, StoredFileSurvivesADeathBetweenWriteAndRename) {
  const std::string path = last_applied_path(directory_.path());
  std::ofstream(path + ".new") << R"({"node_name": "half a fi)";
  EXPECT_EQ(stored().node_name(), "n1");
  v1::DataplaneConfig wanted = plain_config(directory_.path());
  wanted.mutable_service()->set_nsid("other");
  ASSERT_TRUE(configurator_->configure(wanted, false));
  EXPECT_EQ(stored().service().nsid(), "other");
  EXPECT_FALSE(std::filesystem::exists(path + ".new"));
}

TEST_F(ConfiguratorTest, SecretsRollOverByThemselves) {
  ASSERT_TRUE(configurator_->roll_secrets(1'000'000 + 3600));
  EXPECT_THAT(target_.swapped, IsEmpty()) << "nothing was due";
  ASSERT_TRUE(configurator_->roll_secrets(1'000'000 + 40LL * 86400));
  EXPECT_EQ(target_.swapped.size(), 1U);
}

TEST_F(ConfiguratorTest, GivenSecretsTakeThePlaceOfTheKeptOnes) {
  v1::DataplaneConfig wanted = plain_config(directory_.path());
  wanted.mutable_guard()->mutable_cookies()->add_secrets("e5e973e5a6b2a43f48e7dc849e37bfcf");
  const auto outcome = configurator_->configure(wanted, false);
  ASSERT_TRUE(outcome) << outcome.error();
  EXPECT_THAT(outcome->applied, Contains("guard.cookies.secrets"));
}

}  // namespace
}  // namespace swarmdns::control
