#include "controlplane/app/life_cycle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace swarmdns::controlplane {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Warmth = LifeFacts::Warmth;

LifeFacts ready_facts() {
  LifeFacts facts;
  facts.dataplane_answers = true;
  facts.configured = true;
  facts.warmth = Warmth::kWarm;
  return facts;
}

class LifeCycleTest : public testing::Test {
 protected:
  void look(const LifeFacts& facts) { life.look(facts, ++now); }
  std::vector<LifePhase> passed() {
    std::vector<LifePhase> phases;
    for (const LifeCycle::Transition& each : std::exchange(told, {})) {
      EXPECT_FALSE(each.why.empty());
      phases.push_back(each.to);
    }
    return phases;
  }

  std::uint64_t now = 100;
  std::vector<LifeCycle::Transition> told;
  LifeCycle life{100, [this](const LifeCycle::Transition& each) { told.push_back(each); }};
};

TEST_F(LifeCycleTest, PassesEveryPhaseOnTheWayToReady) {
  EXPECT_EQ(life.phase(), LifePhase::kSetup);
  EXPECT_EQ(life.waits_for(), "the data plane to answer");
  LifeFacts facts;
  look(facts);
  EXPECT_EQ(life.phase(), LifePhase::kSetup);
  facts.dataplane_answers = true;
  look(facts);
  EXPECT_EQ(life.phase(), LifePhase::kConfigure);
  EXPECT_THAT(life.waits_for(), HasSubstr("configuration"));
  facts.configured = true;
  facts.warmth = Warmth::kWarming;
  look(facts);
  EXPECT_EQ(life.phase(), LifePhase::kInitialize);
  EXPECT_EQ(life.waits_for(), "the cache to be warm");
  facts.warmth = Warmth::kWarm;
  look(facts);
  EXPECT_EQ(life.phase(), LifePhase::kReady);
  EXPECT_EQ(life.waits_for(), "");
  EXPECT_EQ(life.since_wall_ms(), now);
  EXPECT_THAT(passed(), ElementsAre(LifePhase::kConfigure, LifePhase::kInitialize, LifePhase::kReady));
}

TEST_F(LifeCycleTest, ANodeThatIsFoundRunningPassesThemAllAtOnce) {
  look(ready_facts());
  EXPECT_THAT(passed(), ElementsAre(LifePhase::kConfigure, LifePhase::kInitialize, LifePhase::kReady));
  look(ready_facts());
  EXPECT_THAT(passed(), ElementsAre());
  EXPECT_EQ(life.since_wall_ms(), 101U);
}

TEST_F(LifeCycleTest, AMemberWaitsForTheLedger) {
  LifeFacts facts = ready_facts();
  facts.in_swarm = true;
  look(facts);
  EXPECT_EQ(life.phase(), LifePhase::kInitialize);
  EXPECT_EQ(life.waits_for(), "the ledger of the swarm");
  facts.has_ledger = true;
  look(facts);
  EXPECT_EQ(life.phase(), LifePhase::kReady);
}

TEST_F(LifeCycleTest, AMembershipThatCannotBeOpenedIsSetup) {
  LifeFacts facts = ready_facts();
  facts.membership_trouble = "identity.json: not JSON";
  look(facts);
  EXPECT_EQ(life.phase(), LifePhase::kSetup);
  EXPECT_THAT(life.waits_for(), HasSubstr("identity.json: not JSON"));
}

TEST_F(LifeCycleTest, GoesBackToWhatHoldsNoMore) {
  look(ready_facts());
  (void)passed();
  LifeFacts facts = ready_facts();
  facts.warmth = Warmth::kWarming;
  look(facts);
  EXPECT_THAT(passed(), ElementsAre(LifePhase::kInitialize));
  facts.dataplane_answers = false;
  look(facts);
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(told.back().why, "waits for the data plane to answer");
  EXPECT_THAT(passed(), ElementsAre(LifePhase::kSetup));
  look(ready_facts());
  EXPECT_THAT(passed(), ElementsAre(LifePhase::kConfigure, LifePhase::kInitialize, LifePhase::kReady));
}

TEST_F(LifeCycleTest, ColdBecomesWarmWhenToldLater) {
  LifeFacts facts = ready_facts();
  facts.warmth = Warmth::kCold;
  look(facts);
  EXPECT_EQ(life.phase(), LifePhase::kReadyCold);
  look(ready_facts());
  EXPECT_EQ(life.phase(), LifePhase::kReady);
  look(facts);
  EXPECT_EQ(life.phase(), LifePhase::kReadyCold);
}

TEST_F(LifeCycleTest, RemembersSomeOfThePast) {
  for (int i = 0; i < 40; ++i) {
    look(ready_facts());
    look({});
  }
  EXPECT_EQ(life.history().size(), LifeCycle::kRemembered);
  EXPECT_EQ(life.history().back().to, LifePhase::kSetup);
}

}  // namespace
}  // namespace swarmdns::controlplane
