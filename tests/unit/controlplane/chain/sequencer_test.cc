#include "controlplane/chain/sequencer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/controlplane/chain/memory_store.h"
#include "tests/unit/controlplane/support/fake_log.h"
#include "tests/unit/controlplane/support/test_reactor.h"

namespace swarmdns::controlplane {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class SequencerTest : public testing::Test {
 protected:
  SequencerTest() { log.lead(1); }

  void begin(Sequencer::Limits limits) { sequencer.emplace(reactor, node, limits); }
  v1::ForwardResponse take(std::uint64_t number) { return sequencer->take(bundle_of(number, {note("x")})); }
  // The numbers of the bundles of each entry that was committed.
  std::vector<std::vector<std::uint64_t>> committed() {
    std::vector<std::vector<std::uint64_t>> all;
    for (const FakeLog::Entry& entry : log.entries) {
      v1::Proposal proposal;
      EXPECT_TRUE(proposal.ParseFromString(entry.data));
      EXPECT_NE(proposal.leader_wall_ms(), 0U);
      for (auto& numbers = all.emplace_back(); const v1::Bundle& bundle : proposal.bundles())
        numbers.push_back(bundle.number());
    }
    return all;
  }
  void commit() {
    log.commit();
    reactor.settle();
  }

  const std::size_t one = bundle_of(2, {note("x")}).ByteSizeLong();
  TestReactor reactor;
  FakeLog log{reactor};
  FakeLog::Node& node = log.add(1, nullptr);
  std::optional<Sequencer> sequencer;
};

TEST_F(SequencerTest, OnlyTheLeaderTakes) {
  begin({});
  log.lead(3);
  const auto answer = take(2);
  EXPECT_EQ(answer.verdict(), v1::ForwardResponse::NOT_LEADER);
  EXPECT_EQ(answer.leader(), 3U);
  EXPECT_EQ(log.waiting(), 0U);
}

TEST_F(SequencerTest, WhatComesWhileTheLogIsBusyGoesTogether) {
  begin({.in_flight = 1});
  for (const std::uint64_t number : {2, 3, 4}) EXPECT_EQ(take(number).verdict(), v1::ForwardResponse::TAKEN);
  EXPECT_EQ(log.waiting(), 1U);
  EXPECT_EQ(sequencer->waiting_bytes(), 2 * one);
  commit();
  EXPECT_EQ(log.waiting(), 1U);
  EXPECT_EQ(sequencer->waiting_bytes(), 0U);
  commit();
  EXPECT_THAT(committed(), ElementsAre(ElementsAre(2), ElementsAre(3, 4)));
  EXPECT_EQ(sequencer->counters().bundles, 3U);
  EXPECT_EQ(sequencer->counters().entries, 2U);
}

TEST_F(SequencerTest, EntriesAreBoundedButForASingleBundle) {
  begin({.entry_bytes = 2 * one, .in_flight = 1});
  for (const std::uint64_t number : {2, 3, 4, 5}) take(number);
  v1::Bundle large = bundle_of(6, {note(std::string(4 * one, 'x'))});
  EXPECT_EQ(sequencer->take(large).verdict(), v1::ForwardResponse::TAKEN);
  while (log.waiting() > 0) commit();
  EXPECT_THAT(committed(), ElementsAre(ElementsAre(2), ElementsAre(3, 4), ElementsAre(5), ElementsAre(6)));
}

TEST_F(SequencerTest, SaysThatItIsBusy) {
  begin({.waiting_bytes = one, .in_flight = 1});
  take(2);
  EXPECT_EQ(take(3).verdict(), v1::ForwardResponse::TAKEN);
  EXPECT_EQ(take(4).verdict(), v1::ForwardResponse::BUSY);
  EXPECT_EQ(sequencer->counters().busy, 1U);
  commit();
  EXPECT_EQ(take(4).verdict(), v1::ForwardResponse::TAKEN);
}

TEST_F(SequencerTest, RefusesABundleThatIsTooLarge) {
  begin({.bundle_bytes = one});
  const auto answer = sequencer->take(bundle_of(2, {note("longer")}));
  EXPECT_EQ(answer.verdict(), v1::ForwardResponse::REFUSED);
  EXPECT_THAT(answer.text(), HasSubstr(std::to_string(one) + " are taken at once"));
  EXPECT_EQ(log.waiting(), 0U);
}

TEST_F(SequencerTest, WaitsForABusyLogAndProposesNothingTwice) {
  begin({.in_flight = 1});
  log.next_fault = LogFault::kBusy;
  take(2);
  take(3);
  reactor.settle();
  EXPECT_EQ(log.waiting(), 0U);
  EXPECT_EQ(sequencer->counters().failed_entries, 1U);
  reactor.run_for(10);
  ASSERT_EQ(log.waiting(), 1U);
  commit();
  EXPECT_THAT(committed(), ElementsAre(ElementsAre(3)));
}

TEST_F(SequencerTest, AFailureDoesNotStopTheNext) {
  begin({.in_flight = 1});
  take(2);
  take(3);
  log.lose();
  reactor.settle();
  commit();
  EXPECT_THAT(committed(), ElementsAre(ElementsAre(3)));
}

TEST_F(SequencerTest, ANewReignBeginsWithNothing) {
  begin({.in_flight = 1});
  take(2);
  take(3);
  sequencer->reset();
  EXPECT_EQ(sequencer->waiting_bytes(), 0U);
  take(4);
  EXPECT_EQ(log.waiting(), 2U);
  commit();
  // The answer to the entry before the reset was not counted: one is in flight again, and no more.
  take(5);
  take(6);
  EXPECT_EQ(log.waiting(), 1U);
  EXPECT_THAT(committed(), ElementsAre(ElementsAre(2), ElementsAre(4)));
}

}  // namespace
}  // namespace swarmdns::controlplane
