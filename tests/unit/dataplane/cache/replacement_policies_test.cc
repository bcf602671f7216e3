// The yardsticks of eviction, on traces worked out by hand: a wrong yardstick would make any cache look good.
#include "tests/bench/replacement_policies.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <random>
#include <vector>

namespace swarmdns::bench {
namespace {

using Trace = std::vector<NameNumber>;

// What every textbook has, for FIFO does worse in more room (Belady's anomaly).
const Trace kTextbook{1, 2, 3, 4, 1, 2, 5, 1, 2, 3, 4, 5};

template <class Policy>
std::vector<bool> answers(std::size_t capacity, const Trace& trace) {
  Policy policy(capacity, *std::ranges::max_element(trace) + 1);
  std::vector<bool> out;
  for (const NameNumber name : trace) out.push_back(policy.ask(name));
  return out;
}

TEST(ReplacementPolicies, FifoForgetsInTheOrderOfInsertion) {
  EXPECT_EQ(hits_of(Fifo(3, 6), kTextbook), 3U);
  EXPECT_EQ(hits_of(Fifo(4, 6), kTextbook), 2U);
  // A hit on 0 does not save it.
  EXPECT_EQ(answers<Fifo>(2, {0, 1, 0, 2, 0}), (std::vector<bool>{false, false, true, false, false}));
}

TEST(ReplacementPolicies, LruForgetsWhatWasLongestNotAskedFor) {
  EXPECT_EQ(hits_of(Lru(3, 6), kTextbook), 2U);
  EXPECT_EQ(hits_of(Lru(4, 6), kTextbook), 4U);
  // A hit on 0 saves it, and 1 goes.
  EXPECT_EQ(answers<Lru>(2, {0, 1, 0, 2, 0, 1}), (std::vector<bool>{false, false, true, false, true, false}));
}

TEST(ReplacementPolicies, SieveSparesTheMarkedAndItsHandGoesOn) {
  // Held, oldest first, the hand before what it looks at next, a mark as *.
  EXPECT_EQ(answers<Sieve>(3, {0, 1, 2, 0, 3, 1, 0, 3, 4, 0, 3, 1}), (std::vector<bool>{
                                                                         false,  // 0
                                                                         false,  // 0 1
                                                                         false,  // 0 1 2
                                                                         true,   // 0* 1 2
                                                                         false,  // 0 |2 3: 0 spared, 1 gone
                                                                         false,  // 0 |3 1: 2 gone
                                                                         true,   // 0* |3 1
                                                                         true,   // 0* |3* 1
                                                                         false,  // 0* 3 |4: 3 spared, 1 gone
                                                                         true,   // 0* 3 |4
                                                                         true,   // 0* 3* |4
                                                                         false,  // 0* 3* |1: 4 gone
                                                                     }));
}

TEST(ReplacementPolicies, SieveBeginsAnewBehindTheNewest) {
  // All marked: the hand takes all marks back, comes round, and the oldest goes.
  EXPECT_EQ(answers<Sieve>(2, {0, 1, 0, 1, 2, 1, 0}),
            (std::vector<bool>{false, false, true, true, false, true, false}));
}

TEST(ReplacementPolicies, OptimumKnowsWhatComes) {
  EXPECT_EQ(optimal_hits(kTextbook, 3), 5U);
  EXPECT_EQ(optimal_hits(kTextbook, 4), 6U);
  EXPECT_EQ(optimal_hits(kTextbook, 5), 7U);
  EXPECT_EQ(optimal_hits(kTextbook, 99), 7U);
}

TEST(ReplacementPolicies, OptimumDoesNotKeepWhatIsNotWorthIt) {
  EXPECT_EQ(optimal_hits(Trace{0, 1, 0}, 1), 1U);           // 1 never comes again
  EXPECT_EQ(optimal_hits(Trace{0, 1, 0, 0, 0, 1}, 1), 3U);  // 1 comes again too late
  EXPECT_EQ(optimal_hits(Trace{0, 1, 1, 0}, 1), 1U);
}

TEST(ReplacementPolicies, OptimumCountsBehindTheBeginningOnly) {
  // At 3, with room for one: 2 is asked for sooner than 0 and 1.
  EXPECT_EQ(optimal_hits(Trace{0, 1, 2, 2, 1, 0}, 1, 3), 1U);
  EXPECT_EQ(optimal_hits(Trace{0, 1, 2, 2, 1, 0}, 2, 3), 2U);
  EXPECT_EQ(optimal_hits(Trace{0, 1, 0, 1}, 5, 4), 0U);
  EXPECT_EQ(optimal_hits(Trace{}, 5), 0U);
}

// Every choice there is, at every step.
class Exhaustive {
 public:
  Exhaustive(const Trace& trace, std::size_t capacity, std::size_t skip)
      : trace_(trace), capacity_(capacity), skip_(skip) {}

  std::uint64_t most(std::size_t at = 0, unsigned held = 0) const {
    if (at == trace_.size()) return 0;
    const unsigned name = 1U << trace_[at];
    if ((held & name) != 0) return (at >= skip_ ? 1U : 0U) + most(at + 1, held);
    std::uint64_t best = most(at + 1, held);
    if (static_cast<std::size_t>(std::popcount(held)) < capacity_)
      return std::max(best, most(at + 1, held | name));
    for (unsigned others = held; others != 0; others &= others - 1) {
      const unsigned out = others & ~(others - 1);
      best = std::max(best, most(at + 1, (held & ~out) | name));
    }
    return best;
  }

 private:
  const Trace& trace_;
  std::size_t capacity_;
  std::size_t skip_;
};

TEST(ReplacementPolicies, NoCacheBeatsTheOptimum) {
  std::mt19937 random(3);
  for (int round = 0; round < 300; ++round) {
    Trace trace(10);
    for (NameNumber& name : trace) name = static_cast<NameNumber>(random() % 5);
    const std::size_t capacity = 1 + random() % 3;
    const std::size_t skip = random() % 5;
    EXPECT_EQ(optimal_hits(trace, capacity, skip), Exhaustive(trace, capacity, skip).most()) << round;
  }
}

}  // namespace
}  // namespace swarmdns::bench
