#include "dataplane/guard/rate_line.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>

namespace swarmdns::guard {
namespace {

// Lines of every kind: empty, full, with equal counts, with an id twice (two workers took lanes at once).
void fill(RateLine& line, std::mt19937& random) {
  const unsigned kind = random() % 5;
  for (unsigned lane = 1; lane < RateLine::kLanes; ++lane) {
    const auto id = static_cast<std::uint16_t>(random() % (kind == 0 ? 4 : 65536));
    const auto count = static_cast<std::uint16_t>(kind == 1   ? 0xffff
                                                  : kind == 2 ? 7
                                                  : kind == 3 ? random() % 3
                                                              : random());
    line.take(lane, id, count);
  }
  line.set_tick(random());
}

TEST(RateLine, BothFormsAgree) {
  std::mt19937 random(1);
  for (int i = 0; i < 200'000; ++i) {
    const auto line = std::make_unique<RateLine>();
    fill(*line, random);
    const auto id = static_cast<std::uint16_t>(random() % 8 + (random() % 2 != 0 ? 0 : random() % 65000));
    ASSERT_EQ(line->match(id), line->match_portable(id));
    const RateLine::Weakest a = line->weakest();
    const RateLine::Weakest b = line->weakest_portable();
    ASSERT_EQ(a.lane, b.lane);
    ASSERT_EQ(a.count, b.count);
  }
}

TEST(RateLine, BothFormsScaleAlikeAndLeaveTheTick) {
  std::mt19937 random(2);
  for (int i = 0; i < 20'000; ++i) {
    const auto one = std::make_unique<RateLine>();
    const auto other = std::make_unique<RateLine>();
    std::mt19937 again = random;
    fill(*one, random);
    fill(*other, again);
    const auto left = static_cast<std::uint16_t>(random());
    one->scale(left);
    other->scale_portable(left);
    ASSERT_EQ(one->tick(), other->tick());
    for (int n = 0; n < 15; ++n) {  // all counts, in their order
      const RateLine::Weakest weakest = one->weakest_portable();
      ASSERT_EQ(weakest.lane, other->weakest_portable().lane);
      ASSERT_EQ(weakest.count, other->weakest_portable().count);
      one->take(weakest.lane, 1, 0xffff);
      other->take(weakest.lane, 1, 0xffff);
    }
  }
}

TEST(RateLine, TheTickIsNoIdAndNoCount) {
  RateLine line;
  for (unsigned lane = 1; lane < RateLine::kLanes; ++lane) line.take(lane, 9, 100);
  line.set_tick(5);  // its low half looks like an id, its high half like the lowest count
  EXPECT_EQ(line.match(5), 0U);
  EXPECT_EQ(line.match(9), 0xfffeU);
  EXPECT_EQ(line.weakest().lane, 1U);
  EXPECT_EQ(line.tick(), 5U);
}

TEST(RateLine, NothingIsAddedBeyondFull) {
  RateLine line;
  line.take(3, 1, 0xfff0);
  EXPECT_FALSE(line.add(3, 16));
  EXPECT_TRUE(line.add(3, 15));
  EXPECT_FALSE(line.add(3, 1));
  EXPECT_TRUE(line.add(3, 0));
}

}  // namespace
}  // namespace swarmdns::guard
