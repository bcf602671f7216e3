#include "controlplane/swarm/standing.h"

#include <gtest/gtest.h>

#include "tests/unit/controlplane/swarm/fakes.h"

namespace swarmdns::controlplane {
namespace {

using test::Chain;

constexpr std::uint64_t kStart = 1'700'000'000'000;

v1::NameMutation told(std::uint64_t node, const v1::Mutation& mutation) {
  v1::NameMutation made;
  made.set_node(node);
  made.set_segment(1);
  made.set_position(static_cast<std::uint32_t>(mutation.sequence()));
  made.set_mutation(mutation.SerializeAsString());
  return made;
}

class StandingTest : public ::testing::Test {
 protected:
  // Lives for a minute.
  v1::Mutation learn(std::uint64_t node, std::uint64_t number, std::uint64_t after_ms) {
    const v1::Mutation made = Chain::mutation(number, "a.example", kStart + after_ms);
    all_.push_back(told(node, made));
    return made;
  }
  void did(std::uint64_t node, std::uint64_t number, std::uint64_t after_ms, v1::MutationKind kind) {
    v1::Mutation made = Chain::mutation(number, "a.example", kStart + after_ms);
    made.set_kind(kind);
    if (kind != v1::MUTATION_REMOVE) made.clear_entry();
    all_.push_back(told(node, made));
  }
  // Node and position of what stood.
  std::vector<std::pair<std::uint64_t, std::uint32_t>> at(std::uint64_t after_ms) {
    std::vector<std::pair<std::uint64_t, std::uint32_t>> found;
    for (const v1::NameMutation& each : standing_at(all_, kStart + after_ms, fences_))
      found.emplace_back(each.node(), each.position());
    return found;
  }
  using Found = std::vector<std::pair<std::uint64_t, std::uint32_t>>;
  std::vector<v1::NameMutation> all_;
  std::vector<v1::FenceRecord> fences_;
};

TEST_F(StandingTest, FromTheTimeItIsLearnedUntilItsTtlIsOver) {
  learn(1, 5, 1000);
  EXPECT_EQ(at(999), Found{});
  EXPECT_EQ(at(1000), (Found{{1, 5}}));
  EXPECT_EQ(at(60'999), (Found{{1, 5}}));
  EXPECT_EQ(at(61'000), Found{});
}

TEST_F(StandingTest, TheNewestOfEachNode) {
  learn(1, 5, 1000);
  learn(2, 9, 1500);
  learn(1, 6, 2000);
  learn(1, 6, 2000);  // told by two peers
  EXPECT_EQ(at(1800), (Found{{1, 5}, {2, 9}}));
  EXPECT_EQ(at(2000), (Found{{1, 6}, {2, 9}}));
}

TEST_F(StandingTest, RemovingAndFlushingEndIt) {
  learn(1, 5, 1000);
  learn(2, 5, 1000);
  did(1, 6, 2000, v1::MUTATION_REMOVE);
  did(2, 6, 3000, v1::MUTATION_FLUSH_ALL);
  EXPECT_EQ(at(1999).size(), 2U);
  EXPECT_EQ(at(2000), (Found{{2, 5}}));
  EXPECT_EQ(at(3000), Found{});
}

TEST_F(StandingTest, AFenceEndsWhatItDeclaresDeadAndNothingLearnedBehindIt) {
  learn(1, 5, 1000);
  learn(2, 7, 1000);
  v1::FenceRecord& fence = fences_.emplace_back();
  fence.set_time_ms(kStart + 5000);
  v1::MutationRange& range = *fence.mutable_fence()->add_dead();
  range.set_node(1);
  range.set_first(5);
  learn(1, 8, 6000);
  EXPECT_EQ(at(4999), (Found{{1, 5}, {2, 7}}));
  EXPECT_EQ(at(5000), (Found{{2, 7}}));
  EXPECT_EQ(at(6000), (Found{{1, 8}, {2, 7}}));
  range.set_first(1);
  range.set_last(4);
  EXPECT_EQ(at(5000), (Found{{1, 5}, {2, 7}}));
}

}  // namespace
}  // namespace swarmdns::controlplane
